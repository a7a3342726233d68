package ec2

import (
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// mostVersions is how many versions are deleted at once (API reference,
// DeleteLaunchTemplateVersions).
const mostVersions = 200

// deleteLaunchTemplateVersions deletes versions but for the default one, which
// nobody may delete: "you must first assign a different version as the default"
// (API reference, DeleteLaunchTemplateVersions).
func (s *Service) deleteLaunchTemplateVersions(_ *wire.Call, in *ec2.DeleteLaunchTemplateVersionsInput) (*ec2.DeleteLaunchTemplateVersionsOutput, error) {
	t, err := s.template(in.LaunchTemplateId, in.LaunchTemplateName)
	if err != nil {
		return nil, err
	}
	if n := len(in.Versions); n == 0 || n > mostVersions {
		return nil, refuse("InvalidParameterValue", "The number of launch template versions must be between 1 and %d.", mostVersions)
	}
	numbers := make([]int64, len(in.Versions))
	for i, text := range in.Versions {
		if numbers[i], err = strconv.ParseInt(text, 10, 64); err != nil {
			return nil, refuse("InvalidParameterValue", "The version %s is not a number", text)
		}
	}
	if err := dryRun(in.DryRun); err != nil {
		return nil, err
	}
	out := &ec2.DeleteLaunchTemplateVersionsOutput{}
	for _, n := range numbers {
		if problem := t.remove(n); problem != nil {
			out.UnsuccessfullyDeletedLaunchTemplateVersions = append(out.UnsuccessfullyDeletedLaunchTemplateVersions, ec2types.DeleteLaunchTemplateVersionsResponseErrorItem{
				LaunchTemplateId: t.info.LaunchTemplateId, LaunchTemplateName: t.info.LaunchTemplateName, VersionNumber: &n, ResponseError: problem,
			})
			continue
		}
		out.SuccessfullyDeletedLaunchTemplateVersions = append(out.SuccessfullyDeletedLaunchTemplateVersions, ec2types.DeleteLaunchTemplateVersionsResponseSuccessItem{
			LaunchTemplateId: t.info.LaunchTemplateId, LaunchTemplateName: t.info.LaunchTemplateName, VersionNumber: &n,
		})
	}
	return out, nil
}

// remove deletes a version; it says why it did not.
func (t *template) remove(n int64) *ec2types.ResponseError {
	i := slices.IndexFunc(t.versions, func(v ec2types.LaunchTemplateVersion) bool { return *v.VersionNumber == n })
	switch {
	case i < 0:
		return &ec2types.ResponseError{
			Code:    ec2types.LaunchTemplateErrorCodeLaunchTemplateVersionDoesNotExist,
			Message: aws.String("Could not find launch template version " + number(n)),
		}
	case n == *t.info.DefaultVersionNumber:
		return &ec2types.ResponseError{
			Code:    ec2types.LaunchTemplateErrorCodeUnexpectedError,
			Message: aws.String("The default version of a launch template cannot be deleted. Make another version the default first."),
		}
	}
	t.versions = slices.Delete(t.versions, i, i+1)
	return nil
}
