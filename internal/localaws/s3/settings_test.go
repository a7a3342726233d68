package s3_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSettingsOfABucketAreReadAsTheyWereWritten(t *testing.T) {
	c, _ := store(t)
	bucket := aws.String("bin")
	policy := aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::bin/*"}]}`)
	_, err := c.PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: bucket, Policy: policy})
	require.NoError(t, err)
	gotPolicy, err := c.GetBucketPolicy(t.Context(), &s3.GetBucketPolicyInput{Bucket: bucket})
	require.NoError(t, err)
	assert.Equal(t, policy, gotPolicy.Policy, "the body is the policy itself, not XML")

	rules := []s3types.LifecycleRule{
		{
			ID: aws.String("a"), Status: s3types.ExpirationStatusEnabled, Filter: &s3types.LifecycleRuleFilter{Prefix: aws.String("tmp/")},
			Expiration: &s3types.LifecycleExpiration{Days: aws.Int32(1)},
		},
		{
			ID: aws.String("b"), Status: s3types.ExpirationStatusDisabled, Filter: &s3types.LifecycleRuleFilter{Prefix: aws.String("")},
			Expiration: &s3types.LifecycleExpiration{Days: aws.Int32(2)},
		},
	}
	put := func(rules []s3types.LifecycleRule) error {
		_, err := c.PutBucketLifecycleConfiguration(t.Context(), &s3.PutBucketLifecycleConfigurationInput{
			Bucket: bucket, LifecycleConfiguration: &s3types.BucketLifecycleConfiguration{Rules: rules},
		})
		return err
	}
	require.NoError(t, put(rules))
	gotRules, err := c.GetBucketLifecycleConfiguration(t.Context(), &s3.GetBucketLifecycleConfigurationInput{Bucket: bucket})
	require.NoError(t, err)
	assert.Equal(t, rules, gotRules.Rules)
	moving := rules[0]
	moving.Transitions = []s3types.Transition{{Days: aws.Int32(1), StorageClass: s3types.TransitionStorageClassGlacier}}
	require.ErrorContains(t, put([]s3types.LifecycleRule{moving}), "Transitions", "what is not done is seen and refused")

	tags := []s3types.Tag{{Key: aws.String("a"), Value: aws.String("b")}, {Key: aws.String("team"), Value: aws.String("shop")}}
	_, err = c.PutBucketTagging(t.Context(), &s3.PutBucketTaggingInput{Bucket: bucket, Tagging: &s3types.Tagging{TagSet: tags}})
	require.NoError(t, err)
	gotTags, err := c.GetBucketTagging(t.Context(), &s3.GetBucketTaggingInput{Bucket: bucket})
	require.NoError(t, err)
	assert.Equal(t, tags, gotTags.TagSet)
}
