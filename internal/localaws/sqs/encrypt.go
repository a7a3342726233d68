package sqs

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/pullback-dev/pullback/internal/localaws/encryption"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// asking is one of the questions of [encryption.Keys].
type asking func(encryption.Keys, context.Context, encryption.Use) error

// mayEncrypt asks whether who calls may put messages into a queue with a key.
func (s *Service) mayEncrypt(c *wire.Call, q *queue) error {
	return s.ask(c, q, encryption.Keys.Both)
}

// mayDecrypt asks whether who calls may take messages out of a queue with a key.
func (s *Service) mayDecrypt(c *wire.Call, q *queue) error {
	return s.ask(c, q, encryption.Keys.Decrypt)
}

// ask asks KMS, if the queue has a key. The encryption context is the queue
// (SQS developer guide, "Encryption at rest in Amazon SQS", "Key terms").
func (s *Service) ask(c *wire.Call, q *queue, how asking) error {
	if q.attrs[kmsKey] == "" {
		return nil
	}
	keys := encryption.Keys{Caller: s.c, Service: "sqs"}
	return refusedByKey(how(keys, c.Context, encryption.Use{By: c.Principal, Key: q.attrs[kmsKey], About: map[string]string{"aws:sqs:arn": q.arn}}))
}

// refusedByKey is what SQS says when KMS refuses (SQS API reference,
// SendMessage, "Errors").
func refusedByKey(err error) error {
	if err == nil {
		return nil
	}
	text := aws.String(err.Error())
	code := func(name string) *string { return aws.String("KMS." + name) }
	switch encryption.Why(err) {
	case encryption.Missing:
		return &sqstypes.KmsNotFound{Message: text, ErrorCodeOverride: code("NotFoundException")}
	case encryption.Disabled:
		return &sqstypes.KmsDisabled{Message: text, ErrorCodeOverride: code("DisabledException")}
	case encryption.WrongState:
		return &sqstypes.KmsInvalidState{Message: text, ErrorCodeOverride: code("InvalidStateException")}
	case encryption.Throttled:
		return &sqstypes.KmsThrottled{Message: text, ErrorCodeOverride: code("ThrottlingException")}
	case encryption.Denied:
		return &sqstypes.KmsAccessDenied{Message: text, ErrorCodeOverride: code("AccessDeniedException")}
	case encryption.Other:
	}
	return err
}
