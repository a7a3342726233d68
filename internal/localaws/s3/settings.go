package s3

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// settings are what a bucket is told besides its name and versioning.
type settings struct {
	encryption *s3types.ServerSideEncryptionByDefault // nil is what every bucket has
	bucketKey  bool
	access     *s3types.PublicAccessBlockConfiguration
	policy     string
	lifecycle  []s3types.LifecycleRule
	tags       []s3types.Tag
}

func (s *Service) settingOperations() []wire.Operation {
	put := func(path, payload string) wire.REST {
		return wire.REST{Method: "PUT", Path: "/{Bucket}?" + path, Payload: payload, Header: owner()}
	}
	get := func(path string) wire.REST {
		return wire.REST{Method: "GET", Path: "/{Bucket}?" + path, Header: owner()}
	}
	remove := func(path string) wire.REST {
		return wire.REST{Method: "DELETE", Path: "/{Bucket}?" + path, Header: owner(), Status: 204}
	}
	access, policy := get("publicAccessBlock"), get("policy")
	access.OutPayload, policy.OutPayload = "PublicAccessBlockConfiguration", "Policy"
	putPolicy := put("policy", "Policy")
	putPolicy.Status = 204
	putPolicy.Header = merge(owner(), map[string]string{"X-Amz-Confirm-Remove-Self-Bucket-Access": "ConfirmRemoveSelfBucketAccess"})
	lifecycle := put("lifecycle", "LifecycleConfiguration")
	lifecycle.Header = merge(owner(), map[string]string{"X-Amz-Transition-Default-Minimum-Object-Size": "TransitionDefaultMinimumObjectSize"})
	return []wire.Operation{
		wire.Op("PutBucketEncryption", s.putBucketEncryption).Bind(put("encryption", "ServerSideEncryptionConfiguration")),
		wire.Op("DeleteBucketEncryption", s.deleteBucketEncryption).Bind(remove("encryption")),
		wire.Op("PutPublicAccessBlock", s.putPublicAccessBlock).Bind(put("publicAccessBlock", "PublicAccessBlockConfiguration")),
		wire.Op("GetPublicAccessBlock", s.getPublicAccessBlock).Bind(access),
		wire.Op("DeletePublicAccessBlock", s.deletePublicAccessBlock).Bind(remove("publicAccessBlock")),
		wire.Op("PutBucketPolicy", s.putBucketPolicy).Bind(putPolicy),
		wire.Op("GetBucketPolicy", s.getBucketPolicy).Bind(policy),
		wire.Op("DeleteBucketPolicy", s.deleteBucketPolicy).Bind(remove("policy")),
		wire.Op("PutBucketLifecycleConfiguration", s.putLifecycle).Bind(lifecycle),
		wire.Op("GetBucketLifecycleConfiguration", s.getLifecycle).Bind(get("lifecycle")),
		wire.Op("DeleteBucketLifecycle", s.deleteLifecycle).Bind(remove("lifecycle")),
		wire.Op("PutBucketTagging", s.putBucketTagging).Bind(put("tagging", "Tagging")),
		wire.Op("GetBucketTagging", s.getBucketTagging).Bind(get("tagging")),
		wire.Op("DeleteBucketTagging", s.deleteBucketTagging).Bind(remove("tagging")),
	}
}

func (s *Service) putBucketEncryption(_ *wire.Call, in *s3.PutBucketEncryptionInput) (*s3.PutBucketEncryptionOutput, error) {
	b, err := s.bucket(in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	if in.ServerSideEncryptionConfiguration == nil || len(in.ServerSideEncryptionConfiguration.Rules) != 1 {
		return nil, fail("MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
	}
	rule := in.ServerSideEncryptionConfiguration.Rules[0]
	if err := wire.Only(rule, "ApplyServerSideEncryptionByDefault", "BucketKeyEnabled"); err != nil {
		return nil, err
	}
	if d := rule.ApplyServerSideEncryptionByDefault; d == nil || !encrypts(d.SSEAlgorithm) {
		return nil, fail("UnsupportedParameter", "the local AWS does not support this encryption")
	}
	b.encryption, b.bucketKey = rule.ApplyServerSideEncryptionByDefault, aws.ToBool(rule.BucketKeyEnabled)
	return &s3.PutBucketEncryptionOutput{}, nil
}

// encrypts says whether objects can be encrypted that way here: what is kept in
// memory is not, but says so.
func encrypts(a s3types.ServerSideEncryption) bool {
	return a == s3types.ServerSideEncryptionAes256 || a == s3types.ServerSideEncryptionAwsKms
}

func (s *Service) deleteBucketEncryption(_ *wire.Call, in *s3.DeleteBucketEncryptionInput) (*s3.DeleteBucketEncryptionOutput, error) {
	b, err := s.bucket(in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	b.encryption, b.bucketKey = nil, false
	return &s3.DeleteBucketEncryptionOutput{}, nil
}

// getBucketEncryption answers with what every new bucket has since 2023
// ("Setting default server-side encryption behavior for Amazon S3 buckets"),
// unless the bucket was told something else.
func (s *Service) getBucketEncryption(_ *wire.Call, in *s3.GetBucketEncryptionInput) (*s3.GetBucketEncryptionOutput, error) {
	b, err := s.bucket(in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	rule := s3types.ServerSideEncryptionRule{ApplyServerSideEncryptionByDefault: b.encryption, BucketKeyEnabled: aws.Bool(b.bucketKey)}
	if b.encryption == nil {
		rule.ApplyServerSideEncryptionByDefault = &s3types.ServerSideEncryptionByDefault{SSEAlgorithm: s3types.ServerSideEncryptionAes256}
	}
	return &s3.GetBucketEncryptionOutput{ServerSideEncryptionConfiguration: &s3types.ServerSideEncryptionConfiguration{
		Rules: []s3types.ServerSideEncryptionRule{rule},
	}}, nil
}

func (s *Service) putPublicAccessBlock(_ *wire.Call, in *s3.PutPublicAccessBlockInput) (*s3.PutPublicAccessBlockOutput, error) {
	b, err := s.bucket(in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	b.access = in.PublicAccessBlockConfiguration
	return &s3.PutPublicAccessBlockOutput{}, nil
}

func (s *Service) getPublicAccessBlock(_ *wire.Call, in *s3.GetPublicAccessBlockInput) (*s3.GetPublicAccessBlockOutput, error) {
	b, err := s.bucket(in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	if b.access == nil {
		return nil, fail("NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found")
	}
	return &s3.GetPublicAccessBlockOutput{PublicAccessBlockConfiguration: b.access}, nil
}

func (s *Service) deletePublicAccessBlock(_ *wire.Call, in *s3.DeletePublicAccessBlockInput) (*s3.DeletePublicAccessBlockOutput, error) {
	b, err := s.bucket(in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	b.access = nil
	return &s3.DeletePublicAccessBlockOutput{}, nil
}

func (s *Service) putBucketPolicy(_ *wire.Call, in *s3.PutBucketPolicyInput) (*s3.PutBucketPolicyOutput, error) {
	b, err := s.bucket(in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	var document struct {
		Statement []struct {
			Effect    string `json:"Effect"`
			Principal any    `json:"Principal"`
			Condition any    `json:"Condition"`
		} `json:"Statement"`
	}
	if err := json.Unmarshal([]byte(aws.ToString(in.Policy)), &document); err != nil || len(document.Statement) == 0 {
		return nil, fail("MalformedPolicy", "This policy contains invalid Json")
	}
	for _, st := range document.Statement {
		everybody := st.Principal == "*"
		if one, ok := st.Principal.(map[string]any); ok {
			everybody = one["AWS"] == "*"
		}
		// A condition may limit it; which do is not looked at ("The meaning of
		// public").
		if st.Effect == "Allow" && everybody && st.Condition == nil && b.access != nil && aws.ToBool(b.access.BlockPublicPolicy) {
			return nil, fail("AccessDenied", "User is not authorized to perform: s3:PutBucketPolicy because public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access.")
		}
	}
	b.policy = *in.Policy
	return &s3.PutBucketPolicyOutput{}, nil
}

func (s *Service) getBucketPolicy(_ *wire.Call, in *s3.GetBucketPolicyInput) (*s3.GetBucketPolicyOutput, error) {
	b, err := s.bucket(in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	if b.policy == "" {
		return nil, fail("NoSuchBucketPolicy", "The bucket policy does not exist")
	}
	return &s3.GetBucketPolicyOutput{Policy: aws.String(b.policy)}, nil
}

func (s *Service) deleteBucketPolicy(_ *wire.Call, in *s3.DeleteBucketPolicyInput) (*s3.DeleteBucketPolicyOutput, error) {
	b, err := s.bucket(in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	b.policy = ""
	return &s3.DeleteBucketPolicyOutput{}, nil
}

func (s *Service) putBucketTagging(_ *wire.Call, in *s3.PutBucketTaggingInput) (*s3.PutBucketTaggingOutput, error) {
	b, err := s.bucket(in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	if in.Tagging == nil || slices.ContainsFunc(in.Tagging.TagSet, func(t s3types.Tag) bool { return aws.ToString(t.Key) == "" || t.Value == nil }) {
		return nil, fail("MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
	}
	b.tags = slices.Clone(in.Tagging.TagSet)
	slices.SortFunc(b.tags, func(x, y s3types.Tag) int { return strings.Compare(*x.Key, *y.Key) })
	return &s3.PutBucketTaggingOutput{}, nil
}

func (s *Service) getBucketTagging(_ *wire.Call, in *s3.GetBucketTaggingInput) (*s3.GetBucketTaggingOutput, error) {
	b, err := s.bucket(in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	if len(b.tags) == 0 {
		return nil, fail("NoSuchTagSet", "The TagSet does not exist")
	}
	return &s3.GetBucketTaggingOutput{TagSet: b.tags}, nil
}

func (s *Service) deleteBucketTagging(_ *wire.Call, in *s3.DeleteBucketTaggingInput) (*s3.DeleteBucketTaggingOutput, error) {
	b, err := s.bucket(in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	b.tags = nil
	return &s3.DeleteBucketTaggingOutput{}, nil
}
