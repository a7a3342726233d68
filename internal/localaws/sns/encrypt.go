package sns

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"

	"github.com/pullback-dev/pullback/internal/localaws/encryption"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

const kmsKey = "KmsMasterKeyId"

// mayPublish asks KMS whether who calls may use the topic's key, if it has one.
// The encryption context is the topic (SNS developer guide, "Managing Amazon
// SNS encryption keys and costs"). Who is subscribed needs no right to it.
func (s *Service) mayPublish(c *wire.Call, t *topic) error {
	if t.attributes[kmsKey] == "" {
		return nil
	}
	err := encryption.Keys{Caller: s.caller, Service: "sns"}.Both(c.Context, encryption.Use{
		By: c.Principal, Key: t.attributes[kmsKey], About: map[string]string{"aws:sns:topicArn": t.arn},
	})
	if err == nil {
		return nil
	}
	text := aws.String(err.Error())
	switch encryption.Why(err) {
	case encryption.Denied:
		return &snstypes.KMSAccessDeniedException{Message: text}
	case encryption.Missing:
		return &snstypes.KMSNotFoundException{Message: text}
	case encryption.Disabled:
		return &snstypes.KMSDisabledException{Message: text}
	case encryption.WrongState:
		return &snstypes.KMSInvalidStateException{Message: text}
	case encryption.Throttled:
		return &snstypes.KMSThrottlingException{Message: text}
	case encryption.Other:
	}
	return err
}
