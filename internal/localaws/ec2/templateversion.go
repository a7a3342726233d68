package ec2

import (
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

func number(n int64) string { return strconv.FormatInt(n, 10) }

// version finds a version: its number, $Latest or $Default.
func (t *template) version(name string) (*ec2types.LaunchTemplateVersion, error) {
	n, err := strconv.ParseInt(name, 10, 64)
	switch {
	case name == "$Latest": // of those that are there
		n = *t.versions[len(t.versions)-1].VersionNumber
	case name == "$Default":
		n = *t.info.DefaultVersionNumber
	case err != nil:
		return nil, refuse("InvalidParameterValue", "The version %s is not a number, $Latest or $Default", name)
	}
	for i := range t.versions {
		if *t.versions[i].VersionNumber == n {
			v := t.versions[i]
			v.DefaultVersion = aws.Bool(n == *t.info.DefaultVersionNumber)
			return &v, nil
		}
	}
	return nil, refuse("InvalidLaunchTemplateId.VersionNotFound", "Could not find launch template version %s", name)
}

func (s *Service) addVersion(c *wire.Call, t *template, data *ec2types.ResponseLaunchTemplateData, description *string) {
	t.info.LatestVersionNumber = aws.Int64(*t.info.LatestVersionNumber + 1)
	t.versions = append(t.versions, ec2types.LaunchTemplateVersion{
		LaunchTemplateId: t.info.LaunchTemplateId, LaunchTemplateName: t.info.LaunchTemplateName, VersionNumber: t.info.LatestVersionNumber,
		VersionDescription: description, CreateTime: aws.Time(s.w.Now()), CreatedBy: creator(c.Principal), LaunchTemplateData: data,
	})
}

func (s *Service) createLaunchTemplateVersion(c *wire.Call, in *ec2.CreateLaunchTemplateVersionInput) (*ec2.CreateLaunchTemplateVersionOutput, error) {
	err := wire.Only(in, "ClientToken", "DryRun", "LaunchTemplateData", "LaunchTemplateId", "LaunchTemplateName", "SourceVersion", "VersionDescription")
	if err != nil {
		return nil, err
	}
	t, err := s.template(in.LaunchTemplateId, in.LaunchTemplateName)
	if err != nil {
		return nil, err
	}
	made, err := s.repeated("CreateLaunchTemplateVersion", in.ClientToken, in)
	if err != nil {
		return nil, err
	}
	if made == "" {
		data, err := read(c.Principal, in.LaunchTemplateData)
		if err != nil {
			return nil, err
		}
		if in.SourceVersion != nil {
			source, err := t.version(*in.SourceVersion)
			if err != nil {
				return nil, err
			}
			inherit(data, source.LaunchTemplateData)
		}
		if err := dryRun(in.DryRun); err != nil {
			return nil, err
		}
		s.addVersion(c, t, data, in.VersionDescription)
		made = number(*t.info.LatestVersionNumber)
		s.remember("CreateLaunchTemplateVersion", in.ClientToken, in, made)
	}
	v, err := t.version(made)
	return &ec2.CreateLaunchTemplateVersionOutput{LaunchTemplateVersion: v}, err
}

// describeLaunchTemplateVersions lists the newest version first, as AWS is seen
// to do. Without a template, $Latest and $Default ask for those of all templates
// (API reference, Versions).
func (s *Service) describeLaunchTemplateVersions(c *wire.Call, in *ec2.DescribeLaunchTemplateVersionsInput) (*ec2.DescribeLaunchTemplateVersionsOutput, error) {
	err := wire.Only(in, "DryRun", "Filters", "LaunchTemplateId", "LaunchTemplateName", "MaxResults", "MaxVersion", "MinVersion", "NextToken",
		"ResolveAlias", "Versions")
	if err != nil {
		return nil, err
	}
	if err := dryRun(in.DryRun); err != nil {
		return nil, err
	}
	templates, err := s.templatesOf(in)
	if err != nil {
		return nil, err
	}
	var found []ec2types.LaunchTemplateVersion
	for _, t := range templates {
		versions, err := t.chosen(in)
		if err != nil {
			return nil, err
		}
		found = append(found, versions...)
	}
	found, err = filtered(found, in.Filters, []string{"image-id", "instance-type", "is-default-version"}, func(v ec2types.LaunchTemplateVersion) facts {
		return facts{
			"image-id": {aws.ToString(v.LaunchTemplateData.ImageId)}, "instance-type": {string(v.LaunchTemplateData.InstanceType)},
			"is-default-version": {strconv.FormatBool(*v.DefaultVersion)},
		}
	})
	if err != nil {
		return nil, err
	}
	found, next, err := page(found, in.MaxResults, in.NextToken)
	if err == nil && aws.ToBool(in.ResolveAlias) {
		found, err = s.resolved(c, found)
	}
	return &ec2.DescribeLaunchTemplateVersionsOutput{LaunchTemplateVersions: found, NextToken: next}, err
}

// templatesOf are the templates whose versions a request asks for.
func (s *Service) templatesOf(in *ec2.DescribeLaunchTemplateVersionsInput) ([]*template, error) {
	if in.LaunchTemplateId != nil || in.LaunchTemplateName != nil {
		t, err := s.template(in.LaunchTemplateId, in.LaunchTemplateName)
		return []*template{t}, err
	}
	numbered := slices.ContainsFunc(in.Versions, func(v string) bool { return !strings.HasPrefix(v, "$") })
	if numbered || len(in.Versions) == 0 {
		return nil, missing("LaunchTemplateId or LaunchTemplateName")
	}
	return s.templates, nil
}

// resolved replaces names of parameters by the images that they name.
func (s *Service) resolved(c *wire.Call, versions []ec2types.LaunchTemplateVersion) ([]ec2types.LaunchTemplateVersion, error) {
	for i := range versions {
		data := *versions[i].LaunchTemplateData
		if data.ImageId == nil {
			continue
		}
		image, err := s.image(c, *data.ImageId)
		if err != nil {
			return nil, err
		}
		data.ImageId = &image
		versions[i].LaunchTemplateData = &data
	}
	return versions, nil
}

// chosen are the versions of a template that a request asks for.
func (t *template) chosen(in *ec2.DescribeLaunchTemplateVersionsInput) ([]ec2types.LaunchTemplateVersion, error) {
	var out []ec2types.LaunchTemplateVersion
	if len(in.Versions) > 0 {
		for _, name := range in.Versions {
			v, err := t.version(name)
			if err != nil {
				return nil, err
			}
			out = append(out, *v)
		}
		return out, nil
	}
	least, most := int64(1), *t.info.LatestVersionNumber
	for limit, name := range map[*int64]*string{&least: in.MinVersion, &most: in.MaxVersion} {
		if name != nil {
			n, err := strconv.ParseInt(*name, 10, 64)
			if err != nil {
				return nil, refuse("InvalidParameterValue", "The version %s is not a number", *name)
			}
			*limit = n
		}
	}
	for _, v := range slices.Backward(t.versions) {
		if *v.VersionNumber >= least && *v.VersionNumber <= most {
			v.DefaultVersion = aws.Bool(*v.VersionNumber == *t.info.DefaultVersionNumber)
			out = append(out, v)
		}
	}
	return out, nil
}
