package cloudformation

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"github.com/pullback-dev/pullback/internal/localaws/cloudformation/template"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

func (s *Service) getTemplate(_ *wire.Call, in *cloudformation.GetTemplateInput) (*cloudformation.GetTemplateOutput, error) {
	text := ""
	if in.ChangeSetName != nil {
		_, cs, err := s.findChangeSet(in.ChangeSetName, in.StackName)
		if err != nil {
			return nil, err
		}
		text = cs.revision.Template
	} else {
		st, err := s.get(in.StackName)
		if err != nil {
			return nil, err
		}
		text = st.revision.Template
	}
	return &cloudformation.GetTemplateOutput{
		TemplateBody: &text, StagesAvailable: []cfntypes.TemplateStage{cfntypes.TemplateStageOriginal, cfntypes.TemplateStageProcessed},
	}, nil
}

// read reads a template that is only to be looked at.
func (s *Service) read(c *wire.Call, body, url *string) (*template.Template, error) {
	text, err := s.templateText(c, wanted{body: body, url: url}, nil)
	if err != nil {
		return nil, err
	}
	t, err := template.Parse([]byte(text))
	if err != nil {
		return nil, refusal(err)
	}
	return t, nil
}

func (s *Service) validateTemplate(c *wire.Call, in *cloudformation.ValidateTemplateInput) (*cloudformation.ValidateTemplateOutput, error) {
	t, err := s.read(c, in.TemplateBody, in.TemplateURL)
	if err != nil {
		return nil, err
	}
	if unknown := s.unknownTypes(t); len(unknown) > 0 {
		return nil, invalid("Template format error: Unrecognized resource types: [%s]", strings.Join(unknown, ", "))
	}
	out := &cloudformation.ValidateTemplateOutput{Description: optional(t.Description), Parameters: []cfntypes.TemplateParameter{}}
	out.Capabilities, out.CapabilitiesReason = needs(t)
	for _, name := range keys(t.Parameters) {
		p := t.Parameters[name]
		out.Parameters = append(out.Parameters, cfntypes.TemplateParameter{
			ParameterKey: &name, Description: optional(p.Description), DefaultValue: textOf(p.Default), NoEcho: aws.Bool(hidden(p)),
		})
	}
	return out, nil
}

func hidden(p template.Parameter) bool {
	text, _ := template.Text(p.NoEcho)
	return strings.EqualFold(text, "true")
}

// unknownTypes lists the types of a template that are not known here.
func (s *Service) unknownTypes(t *template.Template) []string {
	var out []string
	for _, typ := range typesOf(t) {
		if !s.provider.Known(typ) {
			out = append(out, typ)
		}
	}
	return out
}

func typesOf(t *template.Template) []string {
	all := map[string]bool{}
	for _, r := range t.Resources {
		all[r.Type] = true
	}
	return keys(all)
}

// needs is the capability that a template needs and why.
func needs(t *template.Template) ([]cfntypes.Capability, *string) {
	needed, types := capability(t)
	if needed == "" {
		return nil, nil
	}
	return []cfntypes.Capability{needed},
		aws.String("The following resource(s) require capabilities: [" + strings.Join(types, ", ") + "]")
}

func (s *Service) getTemplateSummary(c *wire.Call, in *cloudformation.GetTemplateSummaryInput) (*cloudformation.GetTemplateSummaryOutput, error) {
	if err := wire.Only(in, "StackName", "TemplateBody", "TemplateURL", "TemplateSummaryConfig"); err != nil {
		return nil, err
	}
	body := in.TemplateBody
	if in.StackName != nil {
		st, err := s.get(in.StackName)
		if err != nil {
			return nil, err
		}
		body = &st.revision.Template
	}
	t, err := s.read(c, body, in.TemplateURL)
	if err != nil {
		return nil, err
	}
	out := &cloudformation.GetTemplateSummaryOutput{
		Description: optional(t.Description), ResourceTypes: typesOf(t), Version: aws.String("2010-09-09"), Parameters: []cfntypes.ParameterDeclaration{},
	}
	if len(t.Metadata) > 0 {
		out.Metadata = jsonText(t.Metadata)
	}
	if unknown := s.unknownTypes(t); len(unknown) > 0 && in.TemplateSummaryConfig != nil &&
		aws.ToBool(in.TemplateSummaryConfig.TreatUnrecognizedResourceTypesAsWarnings) {
		out.Warnings = &cfntypes.Warnings{UnrecognizedResourceTypes: unknown}
	} else if len(unknown) > 0 {
		return nil, invalid("Template format error: Unrecognized resource types: [%s]", strings.Join(unknown, ", "))
	}
	out.Capabilities, out.CapabilitiesReason = needs(t)
	for _, name := range keys(t.Parameters) {
		out.Parameters = append(out.Parameters, declaration(name, t.Parameters[name]))
	}
	out.ResourceTypes = slices.Compact(out.ResourceTypes)
	return out, nil
}

func declaration(name string, p template.Parameter) cfntypes.ParameterDeclaration {
	d := cfntypes.ParameterDeclaration{
		ParameterKey: &name, ParameterType: aws.String(p.Type), Description: optional(p.Description), DefaultValue: textOf(p.Default),
		NoEcho: aws.Bool(hidden(p)), ParameterConstraints: &cfntypes.ParameterConstraints{},
	}
	for _, v := range p.AllowedValues {
		if text, ok := template.Text(v); ok {
			d.ParameterConstraints.AllowedValues = append(d.ParameterConstraints.AllowedValues, text)
		}
	}
	return d
}
