package autoscaling

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// completed checks a launch template and adds what its specification leaves out:
// the id, the name and the version, which is $Default if none is named (API
// reference, LaunchTemplateSpecification).
func (s *Service) completed(ctx context.Context, t *astypes.LaunchTemplateSpecification) (*astypes.LaunchTemplateSpecification, error) {
	if (t.LaunchTemplateId == nil) == (t.LaunchTemplateName == nil) {
		return nil, invalid("Valid requests must contain either launchTemplateId or LaunchTemplateName")
	}
	version := aws.ToString(t.Version)
	if version == "" {
		version = "$Default"
	}
	v, err := s.version(ctx, &astypes.LaunchTemplateSpecification{
		LaunchTemplateId: t.LaunchTemplateId, LaunchTemplateName: t.LaunchTemplateName, Version: &version,
	})
	if err != nil {
		return nil, err
	}
	if v.LaunchTemplateData.ImageId == nil {
		return nil, invalid("You must use a valid fully-formed launch template. The request must contain the parameter ImageId")
	}
	return &astypes.LaunchTemplateSpecification{LaunchTemplateId: v.LaunchTemplateId, LaunchTemplateName: v.LaunchTemplateName, Version: &version}, nil
}

// version reads the version of a launch template that a specification means.
func (s *Service) version(ctx context.Context, t *astypes.LaunchTemplateSpecification) (*ec2types.LaunchTemplateVersion, error) {
	in := &ec2.DescribeLaunchTemplateVersionsInput{Versions: []string{*t.Version}, LaunchTemplateId: t.LaunchTemplateId}
	if t.LaunchTemplateId == nil {
		in.LaunchTemplateName = t.LaunchTemplateName
	}
	out, err := wire.Do[ec2.DescribeLaunchTemplateVersionsOutput](ctx, s.c, principal(), "ec2", "DescribeLaunchTemplateVersions", in)
	if err != nil {
		return nil, invalid("You must use a valid fully-formed launch template. %s", message(err))
	}
	return &out.LaunchTemplateVersions[0], nil
}

// pinned says why a group cannot go back to a launch template, or nothing: the
// version must be a number, the image no parameter (user guide, "Undo changes
// with a manual or auto rollback").
func (s *Service) pinned(ctx context.Context, t *astypes.LaunchTemplateSpecification) string {
	if strings.HasPrefix(*t.Version, "$") {
		return "the Auto Scaling group uses the launch template's $Latest or $Default version"
	}
	v, err := s.version(ctx, t)
	if err != nil {
		return message(err)
	}
	if strings.HasPrefix(aws.ToString(v.LaunchTemplateData.ImageId), "resolve:ssm:") {
		return "the launch template uses an AWS Systems Manager parameter instead of an AMI ID"
	}
	return ""
}
