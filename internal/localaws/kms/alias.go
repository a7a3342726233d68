package kms

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

const (
	aliasPrefix = "alias/"
	// ownPrefix begins the aliases of AWS's keys.
	ownPrefix = "alias/aws/"
)

// alias is another name of a key.
type alias struct {
	name, key        string
	created, changed time.Time
}

// alias finds an alias. One of AWS's gets its key when somebody first asks for
// it (KMS API reference, DescribeKey: "If you specify a predefined AWS alias …,
// KMS associates the alias with an AWS managed key").
func (s *Service) alias(name string) *alias {
	if a := s.aliases[name]; a != nil {
		return a
	}
	service, own := strings.CutPrefix(name, ownPrefix)
	if !own || !slices.Contains([]string{"dynamodb", "lambda", "s3", "secretsmanager", "sns", "sqs", "ssm"}, service) {
		return nil
	}
	k := s.newKey()
	k.managed, k.policy = true, s.managedPolicy(service)
	k.description = "Default key that protects my " + service + " data when no other key is defined"
	s.keys[k.id] = k
	a := &alias{name: name, key: k.id, created: k.created, changed: k.created}
	s.aliases[name] = a
	return a
}

func checkAlias(name *string) error {
	n := aws.ToString(name)
	if !regexp.MustCompile(`^alias/[a-zA-Z0-9/_-]{1,250}$`).MatchString(n) {
		return &kmstypes.InvalidAliasNameException{Message: aws.String("Alias must start with the prefix \"alias/\". Please see " +
			"https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html")}
	}
	if strings.HasPrefix(n, ownPrefix) {
		return &kmstypes.InvalidAliasNameException{Message: aws.String("Alias names starting with alias/aws/ are reserved for AWS.")}
	}
	return nil
}

func (s *Service) createAlias(_ *wire.Call, in *kms.CreateAliasInput) (*kms.CreateAliasOutput, error) {
	if err := checkAlias(in.AliasName); err != nil {
		return nil, err
	}
	name := *in.AliasName
	if s.aliases[name] != nil {
		return nil, &kmstypes.AlreadyExistsException{Message: aws.String("An alias with the name " + s.arn(name) + " already exists")}
	}
	k, err := s.active(in.TargetKeyId)
	if err != nil {
		return nil, err
	}
	now := s.world.Now().Truncate(time.Second)
	s.aliases[name] = &alias{name: name, key: k.id, created: now, changed: now}
	return &kms.CreateAliasOutput{}, nil
}

func (s *Service) updateAlias(_ *wire.Call, in *kms.UpdateAliasInput) (*kms.UpdateAliasOutput, error) {
	a, err := s.ownAlias(in.AliasName)
	if err != nil {
		return nil, err
	}
	k, err := s.active(in.TargetKeyId)
	if err != nil {
		return nil, err
	}
	a.key, a.changed = k.id, s.world.Now().Truncate(time.Second)
	return &kms.UpdateAliasOutput{}, nil
}

// ownAlias finds an alias that may be changed: one of the customer's.
func (s *Service) ownAlias(name *string) (*alias, error) {
	if err := checkAlias(name); err != nil {
		return nil, err
	}
	if a := s.aliases[*name]; a != nil {
		return a, nil
	}
	return nil, notFound("Alias %s is not found.", s.arn(*name))
}

func (s *Service) deleteAlias(_ *wire.Call, in *kms.DeleteAliasInput) (*kms.DeleteAliasOutput, error) {
	a, err := s.ownAlias(in.AliasName)
	if err != nil {
		return nil, err
	}
	delete(s.aliases, a.name)
	return &kms.DeleteAliasOutput{}, nil
}

func (s *Service) listAliases(_ *wire.Call, in *kms.ListAliasesInput) (*kms.ListAliasesOutput, error) {
	names := slices.Sorted(maps.Keys(s.aliases))
	if in.KeyId != nil {
		k, err := s.exact(in.KeyId)
		if err != nil {
			return nil, err
		}
		names = slices.DeleteFunc(names, func(name string) bool { return s.aliases[name].key != k.id })
	}
	names, next, err := page(names, in.Limit, in.Marker)
	if err != nil {
		return nil, err
	}
	out := &kms.ListAliasesOutput{Aliases: []kmstypes.AliasListEntry{}, NextMarker: next, Truncated: next != nil}
	for _, name := range names {
		a := s.aliases[name]
		out.Aliases = append(out.Aliases, kmstypes.AliasListEntry{
			AliasName: &a.name, AliasArn: aws.String(s.arn(a.name)), TargetKeyId: &a.key, CreationDate: &a.created, LastUpdatedDate: &a.changed,
		})
	}
	return out, nil
}
