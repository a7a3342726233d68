// Package sts is the Security Token Service of the local AWS: it says who
// calls and hands out the credentials of a session of a role. Whether the role
// trusts the caller is decided before, by package access.
package sts

import (
	"encoding/base32"
	"encoding/base64"
	"fmt"
	"regexp"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/aws/smithy-go"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// The lifetime of a role session (STS API reference, AssumeRole,
// DurationSeconds).
const (
	defaultDuration = time.Hour
	minDuration     = 15 * time.Minute
	maxDuration     = 12 * time.Hour
)

// Keyring is what learns of the credentials that requests are signed with: the
// [wire.Mux].
type Keyring interface {
	Grant(accessKeyID string, k wire.Key)
}

// Roles is what knows the roles: IAM.
type Roles interface {
	// Assume begins a session of a role.
	Assume(by wire.Principal, in *sts.AssumeRoleInput, lifetime time.Duration) (p wire.Principal, roleID string, err error)
	// UserID is the unique id of a principal.
	UserID(p wire.Principal) string
}

// Service is the Security Token Service.
type Service struct {
	world   *world.World
	keyring Keyring `state:"-"`
	roles   Roles   `state:"-"`
}

// New makes the service.
func New(w *world.World, k Keyring, r Roles) *Service {
	return &Service{world: w, keyring: k, roles: r}
}

// Wire lists the operations.
func (s *Service) Wire() wire.Service {
	return wire.Service{
		Name: "sts", Protocol: wire.Query, Version: "2011-06-15", Style: wire.Pascal,
		Operations: []wire.Operation{
			wire.Op("GetCallerIdentity", s.getCallerIdentity),
			wire.Op("AssumeRole", s.assumeRole),
		},
	}
}

func (s *Service) getCallerIdentity(c *wire.Call, _ *sts.GetCallerIdentityInput) (*sts.GetCallerIdentityOutput, error) {
	return &sts.GetCallerIdentityOutput{
		Account: aws.String(s.world.Account),
		Arn:     aws.String(c.Principal.ARN),
		UserId:  aws.String(s.roles.UserID(c.Principal)),
	}, nil
}

// The forms that the STS API reference gives for AssumeRole.
const (
	roleForm    = `^arn:aws[\w-]*:iam::(\d{12}):role/(?:[\x21-\x7e]+/)?([\w+=,.@-]+)$`
	sessionForm = `^[\w+=,.@-]{2,64}$`
)

func (s *Service) assumeRole(c *wire.Call, in *sts.AssumeRoleInput) (*sts.AssumeRoleOutput, error) {
	if err := wire.Only(in, "RoleArn", "RoleSessionName", "DurationSeconds", "ExternalId", "SourceIdentity", "Policy", "PolicyArns", "Tags"); err != nil {
		return nil, err
	}
	role := regexp.MustCompile(roleForm).FindStringSubmatch(aws.ToString(in.RoleArn))
	if role == nil {
		return nil, invalid("%s is invalid", aws.ToString(in.RoleArn))
	}
	session := aws.ToString(in.RoleSessionName)
	if !regexp.MustCompile(sessionForm).MatchString(session) {
		return nil, invalid("1 validation error detected: Value '%s' at 'roleSessionName' failed to satisfy constraint: "+
			"Member must satisfy regular expression pattern: [\\w+=,.@-]*", session)
	}
	lifetime := defaultDuration
	if in.DurationSeconds != nil {
		lifetime = time.Duration(*in.DurationSeconds) * time.Second
	}
	if lifetime < minDuration || lifetime > maxDuration {
		return nil, invalid("1 validation error detected: Value '%d' at 'durationSeconds' failed to satisfy constraint: "+
			"Member must be between 900 and 43200", int(lifetime.Seconds()))
	}
	p, id, err := s.roles.Assume(c.Principal, in, lifetime)
	if err != nil {
		return nil, err
	}
	expires := s.world.Now().Add(lifetime).Truncate(time.Second)
	keys := s.grant(p, expires)
	return &sts.AssumeRoleOutput{
		AssumedRoleUser: &ststypes.AssumedRoleUser{Arn: aws.String(p.ARN), AssumedRoleId: aws.String(id + ":" + session)},
		Credentials: &ststypes.Credentials{
			AccessKeyId: aws.String(keys.AccessKeyID), SecretAccessKey: aws.String(keys.SecretAccessKey),
			SessionToken: aws.String(keys.SessionToken), Expiration: aws.Time(expires),
		},
		SourceIdentity: in.SourceIdentity,
	}, nil
}

// grant makes the credentials of a session.
func (s *Service) grant(p wire.Principal, expires time.Time) wire.Credentials {
	random := make([]byte, 60)
	for i := range random {
		random[i] = byte(s.world.Rand().UintN(256)) //nolint:gosec // below 256
	}
	c := wire.Credentials{
		AccessKeyID:     "ASIA" + base32.StdEncoding.EncodeToString(random[:10]), // 20 characters, as AWS's are
		SecretAccessKey: base64.StdEncoding.EncodeToString(random[:30]),
		SessionToken:    base64.StdEncoding.EncodeToString(random[30:]),
	}
	s.keyring.Grant(c.AccessKeyID, wire.Key{Principal: p, Secret: c.SecretAccessKey, Token: c.SessionToken, Expires: expires})
	return c
}

func invalid(format string, args ...any) error {
	return &smithy.GenericAPIError{
		Code: "ValidationError", Message: fmt.Sprintf(format, args...), Fault: smithy.FaultClient,
	}
}
