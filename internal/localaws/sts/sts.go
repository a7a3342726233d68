// Package sts is the Security Token Service of the local AWS: it says who
// calls and hands out the credentials of a role. It does not evaluate trust
// policies, does not know which roles exist and refuses session policies.
package sts

import (
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"regexp"
	"strings"
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

// Endpoint is what issues the credentials that requests are signed with.
type Endpoint interface {
	Issue(p wire.Principal) wire.Credentials
}

// Service is the Security Token Service.
type Service struct {
	world    *world.World
	endpoint Endpoint `state:"-"`
}

// New makes the service. The endpoint is the [wire.Mux] that serves it.
func New(w *world.World, e Endpoint) *Service { return &Service{world: w, endpoint: e} }

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
		UserId:  aws.String(s.userID(c.Principal.ARN)),
	}, nil
}

// userID is the unique id of a principal: the account for its root, an id with
// the session's name for a role session ("IAM identifiers", unique
// identifiers).
func (s *Service) userID(arn string) string {
	parts := strings.Split(arn, "/")
	switch {
	case strings.HasSuffix(arn, ":root"):
		return s.world.Account
	case strings.Contains(arn, ":assumed-role/") && len(parts) == 3:
		return roleID(parts[1]) + ":" + parts[2]
	case strings.Contains(arn, ":role/"):
		return roleID(parts[len(parts)-1])
	default:
		return uniqueID("AIDA", arn)
	}
}

func roleID(name string) string { return uniqueID("AROA", name) }

// uniqueID makes an id as IAM does, 21 characters with a prefix for its kind.
func uniqueID(prefix, of string) string {
	sum := sha256.Sum256([]byte(of))
	return prefix + base32.StdEncoding.EncodeToString(sum[:])[:17]
}

// The forms that the STS API reference gives for AssumeRole.
const (
	roleForm    = `^arn:aws[\w-]*:iam::(\d{12}):role/(?:[\x21-\x7e]+/)?([\w+=,.@-]+)$`
	sessionForm = `^[\w+=,.@-]{2,64}$`
)

func (s *Service) assumeRole(_ *wire.Call, in *sts.AssumeRoleInput) (*sts.AssumeRoleOutput, error) {
	if err := wire.Only(in, "RoleArn", "RoleSessionName", "DurationSeconds", "ExternalId", "SourceIdentity"); err != nil {
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
	arn := fmt.Sprintf("arn:aws:sts::%s:assumed-role/%s/%s", role[1], role[2], session)
	keys := s.endpoint.Issue(wire.Principal{ARN: arn})
	return &sts.AssumeRoleOutput{
		AssumedRoleUser: &ststypes.AssumedRoleUser{
			Arn: aws.String(arn), AssumedRoleId: aws.String(roleID(role[2]) + ":" + session),
		},
		Credentials: &ststypes.Credentials{
			AccessKeyId: aws.String(keys.AccessKeyID), SecretAccessKey: aws.String(keys.SecretAccessKey),
			SessionToken: aws.String(keys.SessionToken), Expiration: aws.Time(s.world.Now().Add(lifetime).Truncate(time.Second)),
		},
		SourceIdentity: in.SourceIdentity,
	}, nil
}

func invalid(format string, args ...any) error {
	return &smithy.GenericAPIError{
		Code: "ValidationError", Message: fmt.Sprintf(format, args...), Fault: smithy.FaultClient,
	}
}
