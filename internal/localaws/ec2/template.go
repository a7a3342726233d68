package ec2

import (
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// template is one launch template.
type template struct {
	info     ec2types.LaunchTemplate          // as described, but for the tags
	versions []ec2types.LaunchTemplateVersion // oldest first; DefaultVersion is worked out
}

func (t *template) id() string { return *t.info.LaunchTemplateId }

func templateKind() kind {
	return kind{prefix: "lt", code: "InvalidLaunchTemplateId", noun: "launch template ID", typ: "launch-template"}
}

func (s *Service) templateOperations() []wire.Operation {
	return []wire.Operation{
		wire.Op("CreateLaunchTemplate", s.createLaunchTemplate),
		wire.Op("CreateLaunchTemplateVersion", s.createLaunchTemplateVersion),
		wire.Op("DeleteLaunchTemplate", s.deleteLaunchTemplate),
		wire.Op("DeleteLaunchTemplateVersions", s.deleteLaunchTemplateVersions),
		wire.Op("DescribeLaunchTemplates", s.describeLaunchTemplates),
		wire.Op("DescribeLaunchTemplateVersions", s.describeLaunchTemplateVersions),
		wire.Op("ModifyLaunchTemplate", s.modifyLaunchTemplate),
	}
}

// template finds a template by its id or its name.
func (s *Service) template(id, name *string) (*template, error) {
	switch {
	case id != nil && name != nil:
		return nil, refuse("InvalidParameterCombination", "You must specify either a launch template ID or a launch template name, not both.")
	case id != nil:
		found, err := find(templateKind(), s.templates, (*template).id, []string{*id})
		if err != nil {
			return nil, err
		}
		return found[0], nil
	case name != nil:
		at := slices.IndexFunc(s.templates, func(t *template) bool { return *t.info.LaunchTemplateName == *name })
		if at < 0 {
			return nil, refuse("InvalidLaunchTemplateName.NotFoundException", "The specified launch template, with template name %s, does not exist.", *name)
		}
		return s.templates[at], nil
	default:
		return nil, missing("LaunchTemplateId or LaunchTemplateName")
	}
}

func (s *Service) shown(t *template) *ec2types.LaunchTemplate {
	info := t.info
	info.Tags = s.tagsOf(t.id())
	return &info
}

func (s *Service) createLaunchTemplate(c *wire.Call, in *ec2.CreateLaunchTemplateInput) (*ec2.CreateLaunchTemplateOutput, error) {
	if err := wire.Only(in, "ClientToken", "DryRun", "LaunchTemplateData", "LaunchTemplateName", "TagSpecifications", "VersionDescription"); err != nil {
		return nil, err
	}
	made, err := s.repeated("CreateLaunchTemplate", in.ClientToken, in)
	if err != nil {
		return nil, err
	}
	if made != "" {
		t, err := s.template(&made, nil)
		if err != nil {
			return nil, err
		}
		return &ec2.CreateLaunchTemplateOutput{LaunchTemplate: s.shown(t)}, nil
	}
	name := aws.ToString(in.LaunchTemplateName)
	if !regexp.MustCompile(`^[a-zA-Z0-9().\-/_]{3,128}$`).MatchString(name) {
		return nil, refuse("InvalidLaunchTemplateName.MalformedException",
			"A launch template name must be between 3 and 128 characters, and may contain letters, numbers, and the following characters: - ( ) . / _.")
	}
	if _, err := s.template(nil, &name); err == nil {
		return nil, refuse("InvalidLaunchTemplateName.AlreadyExistsException", "Launch template name already in use.")
	}
	data, err := read(c.Principal, in.LaunchTemplateData)
	if err != nil {
		return nil, err
	}
	tags, err := specified(c.Principal, in.TagSpecifications, "launch-template")
	if err != nil {
		return nil, err
	}
	if err := dryRun(in.DryRun); err != nil {
		return nil, err
	}
	t := &template{info: ec2types.LaunchTemplate{
		LaunchTemplateId: aws.String(s.newID("lt")), LaunchTemplateName: &name, CreateTime: aws.Time(s.w.Now()), CreatedBy: creator(c.Principal),
		DefaultVersionNumber: aws.Int64(1), LatestVersionNumber: aws.Int64(0),
	}}
	s.templates = append(s.templates, t)
	s.addVersion(c, t, data, in.VersionDescription)
	s.tag(t.id(), tags["launch-template"])
	s.remember("CreateLaunchTemplate", in.ClientToken, in, t.id())
	return &ec2.CreateLaunchTemplateOutput{LaunchTemplate: s.shown(t)}, nil
}

func creator(who wire.Principal) *string {
	if who.ARN != "" {
		return aws.String(who.ARN)
	}
	return aws.String(who.Service)
}

func (s *Service) describeLaunchTemplates(_ *wire.Call, in *ec2.DescribeLaunchTemplatesInput) (*ec2.DescribeLaunchTemplatesOutput, error) {
	if err := wire.Only(in, "DryRun", "Filters", "LaunchTemplateIds", "LaunchTemplateNames", "MaxResults", "NextToken"); err != nil {
		return nil, err
	}
	if err := dryRun(in.DryRun); err != nil {
		return nil, err
	}
	found, err := find(templateKind(), s.templates, (*template).id, in.LaunchTemplateIds)
	if err != nil {
		return nil, err
	}
	if len(in.LaunchTemplateNames) > 0 {
		found = nil
		for _, name := range in.LaunchTemplateNames {
			t, err := s.template(nil, &name)
			if err != nil {
				return nil, err
			}
			found = append(found, t)
		}
	}
	found, err = filtered(found, in.Filters, []string{"create-time", "launch-template-name"}, func(t *template) facts {
		return facts{"launch-template-name": {*t.info.LaunchTemplateName}, "create-time": {t.info.CreateTime.Format("2006-01-02T15:04:05.000Z")}}.
			tagged(s.tags[t.id()])
	})
	if err != nil {
		return nil, err
	}
	found, next, err := page(found, in.MaxResults, in.NextToken)
	out := &ec2.DescribeLaunchTemplatesOutput{LaunchTemplates: []ec2types.LaunchTemplate{}, NextToken: next}
	for _, t := range found {
		out.LaunchTemplates = append(out.LaunchTemplates, *s.shown(t))
	}
	return out, err
}

func (s *Service) modifyLaunchTemplate(_ *wire.Call, in *ec2.ModifyLaunchTemplateInput) (*ec2.ModifyLaunchTemplateOutput, error) {
	t, err := s.template(in.LaunchTemplateId, in.LaunchTemplateName)
	if err != nil {
		return nil, err
	}
	if in.DefaultVersion == nil {
		return nil, missing("SetDefaultVersion")
	}
	v, err := t.version(*in.DefaultVersion)
	if err != nil {
		return nil, err
	}
	if err := dryRun(in.DryRun); err != nil {
		return nil, err
	}
	t.info.DefaultVersionNumber = v.VersionNumber
	return &ec2.ModifyLaunchTemplateOutput{LaunchTemplate: s.shown(t)}, nil
}

func (s *Service) deleteLaunchTemplate(_ *wire.Call, in *ec2.DeleteLaunchTemplateInput) (*ec2.DeleteLaunchTemplateOutput, error) {
	t, err := s.template(in.LaunchTemplateId, in.LaunchTemplateName)
	if err != nil {
		return nil, err
	}
	if err := dryRun(in.DryRun); err != nil {
		return nil, err
	}
	out := &ec2.DeleteLaunchTemplateOutput{LaunchTemplate: s.shown(t)}
	delete(s.tags, t.id())
	s.templates = slices.DeleteFunc(s.templates, func(o *template) bool { return o == t })
	return out, nil
}

// fromTemplate reads what a launch template says. Without a version it is the
// default one (API reference, LaunchTemplateSpecification). The instances get
// tags that name the template (EC2 user guide, "Launch templates").
func (s *Service) fromTemplate(c *wire.Call, in *ec2types.LaunchTemplateSpecification) (spec, error) {
	t, err := s.template(in.LaunchTemplateId, in.LaunchTemplateName)
	if err != nil {
		return spec{}, err
	}
	version := aws.ToString(in.Version)
	if version == "" {
		version = "$Default"
	}
	v, err := t.version(version)
	if err != nil {
		return spec{}, err
	}
	sp := specOfData(v.LaunchTemplateData)
	sp.instanceTags = merged(sp.instanceTags, map[string]string{
		"aws:ec2launchtemplate:id": t.id(), "aws:ec2launchtemplate:version": number(*v.VersionNumber),
	})
	if strings.HasPrefix(sp.image, parameterImage) {
		sp.image, err = s.image(c, sp.image)
	}
	return sp, err
}
