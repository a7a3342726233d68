package lambda

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// sortedAliases lists the aliases by name.
func (f *function) sortedAliases() []*lambdatypes.AliasConfiguration {
	all := make([]*lambdatypes.AliasConfiguration, 0, len(f.aliases))
	for _, name := range slices.Sorted(maps.Keys(f.aliases)) {
		all = append(all, f.aliases[name])
	}
	return all
}

// alias looks up an alias.
func (s *Service) alias(function, name *string) (*function, *lambdatypes.AliasConfiguration, error) {
	f, err := s.unqualified(function)
	if err != nil {
		return nil, nil, err
	}
	a := f.aliases[aws.ToString(name)]
	if a == nil {
		return nil, nil, notFound("Cannot find alias arn: %s:%s", f.arn, aws.ToString(name))
	}
	return f, a, nil
}

// checkAlias says what is wrong with where an alias points (Lambda developer
// guide, "Implement Lambda canary deployments using a weighted alias": two
// published versions at most, with the same role and dead-letter queue).
func (f *function) checkAlias(a *lambdatypes.AliasConfiguration) error {
	main := f.version(aws.ToString(a.FunctionVersion))
	if main == nil {
		return notFound("Function not found: %s:%s", f.arn, aws.ToString(a.FunctionVersion))
	}
	if a.RoutingConfig == nil {
		return nil
	}
	weights := a.RoutingConfig.AdditionalVersionWeights
	if len(weights) > 1 {
		return invalid("Number of items in AdditionalVersionWeights cannot be greater than 1")
	}
	for name, weight := range weights { // one
		if weight < 0 || weight > 1 {
			return unfit(fmt.Sprintf("{%s=%.1f}", name, weight), "routingConfig.additionalVersionWeights",
				"Map value must satisfy constraint: [Member must have value less than or equal to 1.0, "+
					"Member must have value greater than or equal to 0.0, Member must not be null]")
		}
		if err := f.checkPair(main, name); err != nil {
			return err
		}
	}
	return nil
}

// checkPair says what is wrong with giving another version a share of an alias.
func (f *function) checkPair(main *version, name string) error {
	v := f.version(name)
	switch {
	case name == latest || main == f.latest:
		return invalid("$LATEST is not supported for an alias pointing to more than 1 version")
	case v == nil:
		return notFound("Function not found: %s:%s", f.arn, name)
	case v == main:
		return invalid("Invalid function version %s. Function version %s is already included in routing configuration.", name, name)
	case *v.config.Role != *main.config.Role || deadLetter(v) != deadLetter(main):
		return invalid("Function versions of an alias must have the same execution role and the same dead-letter queue")
	default:
		return nil
	}
}

// routing normalizes a routing configuration: without weights there is none.
func routing(r *lambdatypes.AliasRoutingConfiguration) *lambdatypes.AliasRoutingConfiguration {
	if r == nil || len(r.AdditionalVersionWeights) == 0 {
		return nil
	}
	return &lambdatypes.AliasRoutingConfiguration{AdditionalVersionWeights: maps.Clone(r.AdditionalVersionWeights)}
}

func (s *Service) createAlias(_ *wire.Call, in *lambda.CreateAliasInput) (*lambda.CreateAliasOutput, error) {
	f, err := s.unqualified(in.FunctionName)
	if err != nil {
		return nil, err
	}
	name := aws.ToString(in.Name)
	if !named(name, maxAliasName) || strings.Trim(name, "0123456789") == "" {
		return nil, unfit(name, "name", "Member must satisfy regular expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)")
	}
	if f.aliases[name] != nil {
		return nil, conflict("Alias already exists: %s:%s", f.arn, name)
	}
	a := &lambdatypes.AliasConfiguration{
		AliasArn: aws.String(f.arn + ":" + name), Name: aws.String(name), Description: aws.String(aws.ToString(in.Description)),
		FunctionVersion: in.FunctionVersion, RoutingConfig: routing(in.RoutingConfig),
	}
	if err := f.checkAlias(a); err != nil {
		return nil, err
	}
	a.RevisionId = aws.String(s.w.UUID())
	f.aliases[name] = a
	return shape[lambda.CreateAliasOutput](a), nil
}

func (s *Service) updateAlias(_ *wire.Call, in *lambda.UpdateAliasInput) (*lambda.UpdateAliasOutput, error) {
	f, err := s.unqualified(in.FunctionName)
	if err != nil {
		return nil, err
	}
	old := f.aliases[aws.ToString(in.Name)]
	if old == nil {
		return nil, notFound("Alias not found: %s:%s", f.arn, aws.ToString(in.Name))
	}
	if err := precondition(in.RevisionId, old.RevisionId, "GetAlias"); err != nil {
		return nil, err
	}
	a := *old
	a.FunctionVersion = or(in.FunctionVersion, a.FunctionVersion)
	a.Description = or(in.Description, a.Description)
	if in.RoutingConfig != nil { // leaving it out keeps the weights
		a.RoutingConfig = routing(in.RoutingConfig)
	}
	if err := f.checkAlias(&a); err != nil {
		return nil, err
	}
	a.RevisionId = aws.String(s.w.UUID())
	f.aliases[*a.Name] = &a
	return shape[lambda.UpdateAliasOutput](&a), nil
}

func (s *Service) getAlias(_ *wire.Call, in *lambda.GetAliasInput) (*lambda.GetAliasOutput, error) {
	_, a, err := s.alias(in.FunctionName, in.Name)
	if err != nil {
		return nil, err
	}
	return shape[lambda.GetAliasOutput](a), nil
}

func (s *Service) listAliases(_ *wire.Call, in *lambda.ListAliasesInput) (*lambda.ListAliasesOutput, error) {
	f, err := s.unqualified(in.FunctionName)
	if err != nil {
		return nil, err
	}
	var all []lambdatypes.AliasConfiguration
	for _, a := range f.sortedAliases() {
		if in.FunctionVersion == nil || *in.FunctionVersion == *a.FunctionVersion {
			all = append(all, *a)
		}
	}
	page, next, err := paginate(all, in.Marker, in.MaxItems)
	return &lambda.ListAliasesOutput{Aliases: page, NextMarker: next}, err
}

// deleteAlias succeeds without an alias, too: the operation has no
// ResourceNotFoundException for it (Lambda API reference, DeleteAlias).
func (s *Service) deleteAlias(_ *wire.Call, in *lambda.DeleteAliasInput) (*lambda.DeleteAliasOutput, error) {
	f, err := s.unqualified(in.FunctionName)
	if err != nil {
		return nil, err
	}
	name := aws.ToString(in.Name)
	delete(f.aliases, name)
	delete(f.policies, name)
	delete(f.async, name)
	return &lambda.DeleteAliasOutput{}, nil
}
