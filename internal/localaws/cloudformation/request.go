package cloudformation

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"github.com/pullback-dev/pullback/internal/localaws/cloudformation/template"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// The limits of a request (CloudFormation API reference, CreateStack;
// CloudFormation user guide, "Understand CloudFormation quotas").
const (
	longestName = 128
	longestBody = 51200
	longestFile = 1 << 20
)

// checkName refuses the names that stacks and change sets cannot have.
func checkName(member, name string) error {
	if len(name) <= longestName && regexp.MustCompile(`\A[a-zA-Z][-a-zA-Z0-9]*\z`).MatchString(name) {
		return nil
	}
	return invalid("1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: "+
		"Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*", name, member)
}

// wanted is what a request to make or change a stack has.
type wanted struct {
	body, url    *string
	usePrevious  *bool
	parameters   []cfntypes.Parameter
	tags         []cfntypes.Tag
	notify       []string
	roleARN      *string
	capabilities []cfntypes.Capability
}

// revision reads what a request wants. Previous is what the stack is: tags,
// topics and the role stay if they are not given.
func (s *Service) revision(c *wire.Call, w wanted, previous *revision) (revision, error) {
	r := revision{Principal: c.Principal, Parameters: map[string]string{}, Tags: w.tags, Notify: w.notify, Capabilities: w.capabilities}
	var err error
	if r.Template, err = s.templateText(c, w, previous); err != nil {
		return r, err
	}
	r.RoleARN = aws.ToString(w.roleARN)
	if previous != nil {
		if r.RoleARN == "" {
			r.RoleARN = previous.RoleARN
		}
		if w.tags == nil {
			r.Tags = previous.Tags
		}
		if w.notify == nil {
			r.Notify = previous.Notify
		}
		r.Code, r.Imports = previous.Code, previous.Imports
	}
	for _, p := range w.parameters {
		name := aws.ToString(p.ParameterKey)
		if !aws.ToBool(p.UsePreviousValue) {
			r.Parameters[name] = aws.ToString(p.ParameterValue)
			continue
		}
		if previous == nil {
			return r, invalid("Invalid input for parameter key %s. Cannot specify usePreviousValue as true for a parameter key not in the previous template", name)
		}
		if v, ok := previous.Parameters[name]; ok {
			r.Parameters[name] = v
		}
	}
	return r, checkTags(r.Tags)
}

func checkTags(tags []cfntypes.Tag) error {
	for _, t := range tags {
		if strings.HasPrefix(strings.ToLower(aws.ToString(t.Key)), "aws:") {
			return invalid("aws: prefixed tag key names are not allowed for external use.")
		}
	}
	return nil
}

// templateText returns the template that a request names in one of three ways.
func (s *Service) templateText(c *wire.Call, w wanted, previous *revision) (string, error) {
	given := 0
	for _, is := range []bool{w.body != nil, w.url != nil, aws.ToBool(w.usePrevious)} {
		if is {
			given++
		}
	}
	switch {
	case given != 1 && previous == nil:
		return "", invalid("Either Template URL or Template Body must be specified.")
	case given != 1:
		return "", invalid("You must specify either Template URL, Template Body or UsePreviousTemplate")
	case w.url != nil:
		return s.fetch(c.Context, c.Principal, *w.url)
	case w.body == nil && previous == nil:
		return "", invalid("Cannot specify UsePreviousTemplate for a stack that has none")
	case w.body == nil:
		return previous.Template, nil
	case len(*w.body) == 0 || len(*w.body) > longestBody:
		return "", invalid("1 validation error detected: Value at 'templateBody' failed to satisfy constraint: "+
			"Member must have length less than or equal to %d", longestBody)
	}
	return *w.body, nil
}

// fetch reads a template from S3.
func (s *Service) fetch(ctx context.Context, as wire.Principal, from string) (string, error) {
	bucket, key, version, ok := object(from)
	if !ok {
		return "", invalid("TemplateURL must be a supported URL.")
	}
	out, err := wire.Do[s3.GetObjectOutput](ctx, s.caller, as, "s3", "GetObject", &s3.GetObjectInput{Bucket: &bucket, Key: &key, VersionId: version})
	if err != nil {
		message := err.Error()
		if api, ok := errors.AsType[smithy.APIError](err); ok {
			message = api.ErrorMessage()
		}
		return "", invalid("S3 error: %s\nFor more information check http://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html", message)
	}
	defer func() { _ = out.Body.Close() }() // it was only read
	text, err := io.ReadAll(io.LimitReader(out.Body, longestFile+1))
	if err != nil {
		return "", fmt.Errorf("read template: %w", err)
	}
	if len(text) > longestFile {
		return "", invalid("Template may not exceed %d bytes in size.", longestFile)
	}
	return string(text), nil
}

// object reads a URL of an object: with the bucket in the path, as the CDK
// writes it for another endpoint than AWS's, or before ".s3." in the host.
func object(from string) (bucket, key string, version *string, ok bool) {
	u, err := url.Parse(from)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return "", "", nil, false
	}
	if v := u.Query().Get("versionId"); v != "" {
		version = &v
	}
	path := strings.TrimPrefix(u.Path, "/")
	if before, _, virtual := strings.Cut(u.Hostname(), ".s3"); virtual {
		return before, path, version, path != ""
	}
	bucket, key, _ = strings.Cut(path, "/")
	return bucket, key, version, bucket != "" && key != ""
}

// prepare plans what a request wants and turns what is wrong with it into
// CloudFormation's errors.
func (s *Service) prepare(c *wire.Call, st *stack, r *revision) (*plan, error) {
	p, err := s.plan(c.Context, st, r)
	if err != nil {
		return nil, refusal(err)
	}
	if missing := missingCapability(p.template, r.Capabilities); missing != "" {
		return nil, &cfntypes.InsufficientCapabilitiesException{Message: aws.String("Requires capabilities : [" + string(missing) + "]")}
	}
	return p, nil
}

// missingCapability is the capability that a template needs and a request does
// not have (CloudFormation user guide, "Acknowledging IAM resources in
// CloudFormation templates").
func missingCapability(t *template.Template, given []cfntypes.Capability) cfntypes.Capability {
	needed, _ := capability(t)
	switch {
	case needed == "", slices.Contains(given, cfntypes.CapabilityCapabilityNamedIam), slices.Contains(given, needed):
		return ""
	default:
		return needed
	}
}

// capability is what a template needs, and the types for which it does.
func capability(t *template.Template) (cfntypes.Capability, []string) {
	names := []string{"RoleName", "ManagedPolicyName", "UserName", "GroupName", "InstanceProfileName"}
	var needed cfntypes.Capability
	var types []string
	for _, id := range keys(t.Resources) {
		r := t.Resources[id]
		if !strings.HasPrefix(r.Type, "AWS::IAM::") {
			continue
		}
		if !slices.Contains(types, r.Type) {
			types = append(types, r.Type)
		}
		if needed == "" {
			needed = cfntypes.CapabilityCapabilityIam
		}
		if slices.ContainsFunc(names, func(n string) bool { _, has := r.Properties[n]; return has }) {
			needed = cfntypes.CapabilityCapabilityNamedIam
		}
	}
	slices.Sort(types)
	return needed, types
}
