// Package ssm is the Parameter Store of the local AWS: names, values and their
// versions. It does not encrypt: a SecureString is kept as it is and hidden
// from who does not ask for decryption. Labels, policies and paths are refused.
package ssm

import (
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/smithy-go"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// Limits of the Parameter Store ("Managing parameter tiers"; SSM API
// reference, GetParameters).
const (
	maxStandard = 4096
	maxAdvanced = 8192
	maxVersions = 100
	maxNames    = 10
)

// Service is the Parameter Store.
type Service struct {
	world      *world.World
	parameters map[string]*parameter
}

// parameter is a name with its latest versions.
type parameter struct {
	name     string
	tier     ssmtypes.ParameterTier
	dataType string
	tags     map[string]string
	versions []version // the oldest first
}

type version struct {
	number   int64
	kind     ssmtypes.ParameterType
	value    string
	modified time.Time
}

// New makes an empty store. The Parameter Store calls no other service.
func New(w *world.World, _ wire.Caller) *Service {
	return &Service{world: w, parameters: map[string]*parameter{}}
}

// Wire lists the operations.
func (s *Service) Wire() wire.Service {
	return wire.Service{
		Name: "ssm", Protocol: wire.JSON11, Target: "AmazonSSM", Style: wire.Pascal,
		Operations: []wire.Operation{
			wire.Op("PutParameter", s.putParameter),
			wire.Op("GetParameter", s.getParameter),
			wire.Op("GetParameters", s.getParameters),
			wire.Op("DeleteParameter", s.deleteParameter),
			wire.Op("AddTagsToResource", s.addTags),
			wire.Op("RemoveTagsFromResource", s.removeTags),
			wire.Op("ListTagsForResource", s.listTags),
		},
	}
}

func (s *Service) putParameter(_ *wire.Call, in *ssm.PutParameterInput) (*ssm.PutParameterOutput, error) {
	err := wire.Only(in, "Name", "Value", "Type", "Overwrite", "Description", "DataType", "Tier", "Tags")
	if err != nil {
		return nil, err
	}
	name, err := s.checkNew(in)
	if err != nil {
		return nil, err
	}
	p := s.parameters[name]
	switch {
	case aws.ToBool(in.Overwrite) && len(in.Tags) > 0:
		return nil, invalid("Invalid request: tags and overwrite can't be used together. To create a parameter with tags, please remove overwrite " +
			"flag. To update tags for an existing parameter, please use AddTagsToResource or RemoveTagsFromResource.")
	case p != nil && !aws.ToBool(in.Overwrite):
		return nil, &ssmtypes.ParameterAlreadyExists{Message: aws.String(
			"The parameter already exists. To overwrite this value, set the overwrite option in the request to true.",
		)}
	case p == nil && in.Type == "":
		return nil, invalid("A parameter type is required when you create a parameter.")
	case p == nil:
		p = &parameter{name: name, tier: ssmtypes.ParameterTierStandard, dataType: "text"}
		if err := p.tag(in.Tags); err != nil {
			return nil, err
		}
		s.parameters[name] = p
	}
	s.add(p, in)
	return &ssm.PutParameterOutput{Tier: p.tier, Version: p.latest().number}, nil
}

// add makes a new version. The Parameter Store keeps a hundred of them and
// drops the oldest ("Working with parameter versions").
func (s *Service) add(p *parameter, in *ssm.PutParameterInput) {
	v := version{number: 1, kind: in.Type, value: *in.Value, modified: s.world.Now()}
	if len(p.versions) > 0 {
		v.number = p.latest().number + 1
		if v.kind == "" {
			v.kind = p.latest().kind
		}
	}
	if in.Tier == ssmtypes.ParameterTierAdvanced {
		p.tier = in.Tier
	}
	p.versions = append(p.versions, v)
	if len(p.versions) > maxVersions {
		p.versions = p.versions[1:]
	}
}

func (p *parameter) latest() version { return p.versions[len(p.versions)-1] }

func (s *Service) getParameter(_ *wire.Call, in *ssm.GetParameterInput) (*ssm.GetParameterOutput, error) {
	p, err := s.find(aws.ToString(in.Name), aws.ToBool(in.WithDecryption))
	if err != nil {
		return nil, err
	}
	return &ssm.GetParameterOutput{Parameter: p}, nil
}

func (s *Service) getParameters(_ *wire.Call, in *ssm.GetParametersInput) (*ssm.GetParametersOutput, error) {
	limit := ""
	switch n := len(in.Names); {
	case n == 0:
		limit = "greater than or equal to 1"
	case n > maxNames:
		limit = fmt.Sprintf("less than or equal to %d", maxNames)
	}
	if limit != "" {
		return nil, invalid(fmt.Sprintf("1 validation error detected: Value '[%s]' at 'names' failed to satisfy constraint: "+
			"Member must have length %s", strings.Join(in.Names, ", "), limit))
	}
	out := &ssm.GetParametersOutput{InvalidParameters: []string{}, Parameters: []ssmtypes.Parameter{}}
	for _, name := range in.Names {
		p, err := s.find(name, aws.ToBool(in.WithDecryption))
		if err != nil {
			out.InvalidParameters = append(out.InvalidParameters, name)
			continue
		}
		out.Parameters = append(out.Parameters, *p)
	}
	return out, nil
}

func (s *Service) deleteParameter(_ *wire.Call, in *ssm.DeleteParameterInput) (*ssm.DeleteParameterOutput, error) {
	name := s.bare(aws.ToString(in.Name))
	if s.parameters[name] == nil {
		return nil, &ssmtypes.ParameterNotFound{}
	}
	delete(s.parameters, name)
	return &ssm.DeleteParameterOutput{}, nil
}

func invalid(message string) error {
	return &smithy.GenericAPIError{Code: "ValidationException", Message: message, Fault: smithy.FaultClient}
}
