// Package iam is IAM in the local AWS: roles, users, access keys, inline and
// managed policies. What they allow is decided by package access, with what
// [Service.Subject] says of a caller.
//
// It knows the AWS managed policies that templates and AWS's own documents
// about deployments use, by their documents; attaching another one is refused.
// There are no groups, no identity providers, no service-linked roles and no
// login of people.
package iam

import (
	"encoding/base32"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/smithy-go"

	"github.com/pullback-dev/pullback/internal/localaws/iam/policy"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// Keyring is what learns which access keys there are: the [wire.Mux].
type Keyring interface {
	Grant(accessKeyID string, k wire.Key)
}

// Service is IAM.
type Service struct {
	world    *world.World
	keyring  Keyring          `state:"-"`
	roles    map[string]*role // by name
	users    map[string]*user // by name
	profiles []*profile
	policies map[string]*custom // the account's own managed policies, by ARN
	sessions map[string]*session
	managed  map[string]awsManaged       `state:"-"` // AWS's, by ARN
	parsed   map[string]*policy.Document `state:"-"` // by kind and text
}

// New makes an account in which there is only its root.
func New(w *world.World, k Keyring) *Service {
	return &Service{
		world: w, keyring: k, roles: map[string]*role{}, users: map[string]*user{}, policies: map[string]*custom{},
		sessions: map[string]*session{}, managed: readManaged(), parsed: map[string]*policy.Document{},
	}
}

// Wire lists the operations.
func (s *Service) Wire() wire.Service {
	operations := slices.Concat(s.roleOperations(), s.profileOperations(), s.policyOperations(), s.userOperations())
	return wire.Service{
		Name: "iam", Protocol: wire.Query, Version: "2010-05-08", Style: wire.Pascal,
		Status: map[string]int{
			"NoSuchEntityException": 404, "EntityAlreadyExistsException": 409, "DeleteConflictException": 409, "LimitExceededException": 409,
		},
		Operations: operations,
	}
}

func noSuch(format string, args ...any) error {
	return &iamtypes.NoSuchEntityException{Message: aws.String(fmt.Sprintf(format, args...))}
}

func exists(format string, args ...any) error {
	return &iamtypes.EntityAlreadyExistsException{Message: aws.String(fmt.Sprintf(format, args...))}
}

func deleteConflict(text string) error {
	return &iamtypes.DeleteConflictException{Message: aws.String("Cannot delete entity, must " + text + " first.")}
}

func limit(format string, args ...any) error {
	return &iamtypes.LimitExceededException{Message: aws.String(fmt.Sprintf(format, args...))}
}

func invalid(format string, args ...any) error {
	return &smithy.GenericAPIError{Code: "ValidationError", Message: fmt.Sprintf(format, args...), Fault: smithy.FaultClient}
}

// The forms of names (IAM API reference).
const (
	nameForm = `^[\w+=,.@-]+$`
	pathForm = `^(/|/[\x21-\x7e]+/)$`
)

// name checks a name. Names are unique without regard to case, but are found
// only as they are written ("IAM identifiers", friendly names).
func name(member string, value *string, longest int) (string, error) {
	v := aws.ToString(value)
	if !regexp.MustCompile(nameForm).MatchString(v) {
		return "", invalid("The specified value for %s is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-", member)
	}
	if len(v) > longest {
		return "", invalid("1 validation error detected: Value at '%s' failed to satisfy constraint: Member must have length less than or equal to %d", member, longest)
	}
	return v, nil
}

// pathOf checks a path; none is "/".
func pathOf(value *string) (string, error) {
	if value == nil {
		return "/", nil
	}
	if len(*value) > 512 || !regexp.MustCompile(pathForm).MatchString(*value) {
		return "", invalid("The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.")
	}
	return *value, nil
}

// arn names something of the account.
func (s *Service) arn(kind, path, name string) string {
	return "arn:aws:iam::" + s.world.Account + ":" + kind + path + name
}

// id makes a unique id with the prefix of its kind ("IAM identifiers", unique
// identifiers).
func (s *Service) id(prefix string) string {
	b := make([]byte, 16)
	for i := range b {
		b[i] = byte(s.world.Rand().UintN(256)) //nolint:gosec // below 256
	}
	return prefix + base32.StdEncoding.EncodeToString(b)[:17]
}

// now is the time as IAM keeps it: in seconds.
func (s *Service) now() *time.Time { return aws.Time(s.world.Now().Truncate(time.Second)) }
