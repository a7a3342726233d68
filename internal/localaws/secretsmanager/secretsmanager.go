// Package secretsmanager is the Secrets Manager of the local AWS: the names of
// secrets, the keys they are said to be encrypted with, and their deletion. It
// keeps no value and gives none out. Rotation, replicas, policies and further
// versions are refused.
package secretsmanager

import (
	"fmt"
	"regexp"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	smtypes "github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// How long a secret waits for its deletion (Secrets Manager API reference,
// DeleteSecret).
const (
	minWindow     = 7
	maxWindow     = 30
	defaultWindow = 30
)

const day = 24 * time.Hour

// Service is the Secrets Manager in one account and region.
type Service struct {
	world   *world.World
	secrets map[string]*secret // by name
}

// secret is a secret without its value.
type secret struct {
	name, arn   string
	description *string
	key         *string // as it was given
	tags        []smtypes.Tag
	created     time.Time
	version     string    // the current one; empty if no value was given
	deleted     time.Time // when it will be, or has been; zero if it was not asked for
}

// New makes the service without secrets. It calls no other service.
func New(w *world.World, _ wire.Caller) *Service {
	return &Service{world: w, secrets: map[string]*secret{}}
}

// Wire lists the operations.
func (s *Service) Wire() wire.Service {
	return wire.Service{
		Name: "secretsmanager", Protocol: wire.JSON11, Target: "secretsmanager", Style: wire.Pascal,
		Operations: []wire.Operation{
			wire.Op("CreateSecret", s.createSecret),
			wire.Op("DeleteSecret", s.deleteSecret),
			wire.Op("DescribeSecret", s.describeSecret),
			wire.Op("RestoreSecret", s.restoreSecret),
		},
	}
}

func refused(message string) error { return &smtypes.InvalidRequestException{Message: &message} }

func invalid(message string) error { return &smtypes.InvalidParameterException{Message: &message} }

// suffix is how many characters the service puts after the name in an ARN.
const suffix = 6

// find returns the secret of a name, an ARN, or an ARN without the characters at
// its end. One whose deletion is due has gone.
func (s *Service) find(id *string) (*secret, error) {
	var found *secret
	for _, known := range s.secrets {
		switch partial := known.arn[:len(known.arn)-suffix-1]; {
		case s.gone(known):
		case known.name == aws.ToString(id), known.arn == aws.ToString(id):
			return known, nil
		case partial == aws.ToString(id):
			found = known
		}
	}
	if found != nil {
		return found, nil
	}
	return nil, &smtypes.ResourceNotFoundException{Message: aws.String("Secrets Manager can't find the specified secret.")}
}

func (s *Service) gone(k *secret) bool {
	return !k.deleted.IsZero() && !s.world.Now().Before(k.deleted)
}

// isName is the form of a secret's name (API reference, CreateSecret).
func isName(name string) bool {
	return regexp.MustCompile(`^[A-Za-z0-9/_+=.@-]{1,512}$`).MatchString(name)
}

func (s *Service) createSecret(_ *wire.Call, in *secretsmanager.CreateSecretInput) (*secretsmanager.CreateSecretOutput, error) {
	if err := wire.Only(in, "Name", "ClientRequestToken", "Description", "KmsKeyId", "SecretBinary", "SecretString", "Tags"); err != nil {
		return nil, err
	}
	name, version := aws.ToString(in.Name), ""
	if !isName(name) {
		return nil, invalid("Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!")
	}
	if in.SecretString != nil || in.SecretBinary != nil {
		version = aws.ToString(in.ClientRequestToken)
		if version == "" {
			version = s.world.UUID()
		}
	}
	switch old := s.secrets[name]; {
	case old == nil || s.gone(old):
	case !old.deleted.IsZero():
		return nil, refused("You can't create this secret because a secret with this name is already scheduled for deletion.")
	case version == "" || version != old.version:
		return nil, &smtypes.ResourceExistsException{Message: aws.String("The operation failed because the secret " + name + " already exists.")}
	default: // the same request again
		return created(old), nil
	}
	k := &secret{
		name: name, description: in.Description, key: in.KmsKeyId, tags: in.Tags, created: s.world.Now().Truncate(time.Millisecond), version: version,
		arn: "arn:aws:secretsmanager:" + s.world.Region + ":" + s.world.Account + ":secret:" + name + "-" + s.world.UUID()[:suffix],
	}
	s.secrets[name] = k
	return created(k), nil
}

func created(k *secret) *secretsmanager.CreateSecretOutput {
	out := &secretsmanager.CreateSecretOutput{ARN: &k.arn, Name: &k.name}
	if k.version != "" {
		out.VersionId = &k.version
	}
	return out
}

// describeSecret describes a secret that is to be deleted, too.
func (s *Service) describeSecret(_ *wire.Call, in *secretsmanager.DescribeSecretInput) (*secretsmanager.DescribeSecretOutput, error) {
	k, err := s.find(in.SecretId)
	if err != nil {
		return nil, err
	}
	out := &secretsmanager.DescribeSecretOutput{
		ARN: &k.arn, Name: &k.name, Description: k.description, KmsKeyId: k.key, CreatedDate: &k.created, LastChangedDate: &k.created, Tags: k.tags,
	}
	if k.version != "" {
		out.VersionIdsToStages = map[string][]string{k.version: {"AWSCURRENT"}}
	}
	if !k.deleted.IsZero() {
		out.DeletedDate = &k.deleted
	}
	return out, nil
}

func (s *Service) deleteSecret(_ *wire.Call, in *secretsmanager.DeleteSecretInput) (*secretsmanager.DeleteSecretOutput, error) {
	k, err := s.find(in.SecretId)
	if err != nil {
		return nil, err
	}
	now, force, window := s.world.Now().Truncate(time.Millisecond), aws.ToBool(in.ForceDeleteWithoutRecovery), int64(defaultWindow)
	if in.RecoveryWindowInDays != nil {
		window = *in.RecoveryWindowInDays
	}
	switch {
	case force && in.RecoveryWindowInDays != nil:
		return nil, invalid("You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.")
	case window < minWindow || window > maxWindow:
		return nil, invalid(fmt.Sprintf("The RecoveryWindowInDays value must be between %d and %d days (inclusive).", minWindow, maxWindow))
	case force:
		delete(s.secrets, k.name)
		k.deleted = now
	case !k.deleted.IsZero():
		return nil, refused("You can't perform this operation on the secret because it was marked for deletion.")
	default:
		k.deleted = now.Add(time.Duration(window) * day)
	}
	return &secretsmanager.DeleteSecretOutput{ARN: &k.arn, Name: &k.name, DeletionDate: &k.deleted}, nil
}

func (s *Service) restoreSecret(_ *wire.Call, in *secretsmanager.RestoreSecretInput) (*secretsmanager.RestoreSecretOutput, error) {
	k, err := s.find(in.SecretId)
	if err != nil {
		return nil, err
	}
	k.deleted = time.Time{}
	return &secretsmanager.RestoreSecretOutput{ARN: &k.arn, Name: &k.name}, nil
}
