package logs

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	"github.com/pullback-dev/pullback/internal/localaws/encryption"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// asks is a question about a log group's key. CloudWatch Logs asks for itself,
// in its name with the region, and the log group is the encryption context
// (CloudWatch Logs user guide, "Encrypt log data in CloudWatch Logs using AWS
// KMS").
func (s *Service) asks(ctx context.Context, key, arn string, how func(encryption.Keys, context.Context, encryption.Use) error) error {
	if key == "" {
		return nil
	}
	by := wire.Principal{Service: "logs." + s.w.Region + ".amazonaws.com", SourceARN: arn}
	err := how(encryption.Keys{Caller: s.caller, Service: "logs"}, ctx, encryption.Use{By: by, Key: key, About: map[string]string{"aws:logs:arn": arn}})
	if err != nil {
		return invalid("The specified KMS key does not exist or is not allowed to be used with Arn '%s': %s", arn, err)
	}
	return nil
}

// keyFor checks a key that a log group is to have: it must be there, be
// enabled and let CloudWatch Logs in (API reference, AssociateKmsKey).
func (s *Service) keyFor(ctx context.Context, key *string, arn string) error {
	if key != nil && !strings.HasPrefix(*key, "arn:") {
		return invalid("1 validation error detected: Value '%s' at 'kmsKeyId' failed to satisfy constraint: Member must be the ARN of a key", *key)
	}
	return s.asks(ctx, aws.ToString(key), arn, encryption.Keys.Both)
}

func (s *Service) associateKey(c *wire.Call, in *cloudwatchlogs.AssociateKmsKeyInput) (*cloudwatchlogs.AssociateKmsKeyOutput, error) {
	g, err := s.keyed(in.LogGroupName, in.ResourceIdentifier)
	if err != nil {
		return nil, err
	}
	if err := s.keyFor(c.Context, in.KmsKeyId, s.arn(g)); err != nil {
		return nil, err
	}
	g.key = aws.ToString(in.KmsKeyId)
	return &cloudwatchlogs.AssociateKmsKeyOutput{}, nil
}

func (s *Service) disassociateKey(_ *wire.Call, in *cloudwatchlogs.DisassociateKmsKeyInput) (*cloudwatchlogs.DisassociateKmsKeyOutput, error) {
	g, err := s.keyed(in.LogGroupName, in.ResourceIdentifier)
	if err != nil {
		return nil, err
	}
	g.key = ""
	return &cloudwatchlogs.DisassociateKmsKeyOutput{}, nil
}

// keyed finds the group of a request about its key.
func (s *Service) keyed(name, identifier *string) (*group, error) {
	if identifier != nil {
		return nil, invalid("Parameter resourceIdentifier is not supported by the local AWS.")
	}
	return s.group(name, nil)
}
