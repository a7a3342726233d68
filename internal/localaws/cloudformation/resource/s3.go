package resource

import (
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
)

// longestBucket is the limit of a bucket's name (S3 user guide, "General
// purpose bucket naming rules").
const longestBucket = 63

// s3Kinds returns buckets and their policies.
func s3Kinds() map[string]kind {
	return map[string]kind{
		"AWS::S3::Bucket": {
			properties: "AccessControl BucketEncryption BucketName LifecycleConfiguration OwnershipControls PublicAccessBlockConfiguration " +
				"Tags VersioningConfiguration",
			attributes: "Arn DomainName RegionalDomainName",
			replace:    "BucketName",
			create:     createBucket,
			update:     updateBucket,
			existing: func(j *job) error {
				name := j.text("BucketName")
				if name == "" {
					return nil
				}
				_, err := call[s3.HeadBucketOutput](j, "s3", "HeadBucket", &s3.HeadBucketInput{Bucket: &name})
				if api, ok := errors.AsType[smithy.APIError](err); ok && (api.ErrorCode() == "NotFound" || api.ErrorCode() == "NoSuchBucket") {
					return nil
				}
				if err == nil {
					madeBucket(j, name)
				}
				return err
			},
			remove: func(j *job) error {
				_, err := call[s3.DeleteBucketOutput](j, "s3", "DeleteBucket", &s3.DeleteBucketInput{Bucket: &j.resource.PhysicalID})
				return err
			},
		},
		"AWS::S3::BucketPolicy": {
			properties: "Bucket! PolicyDocument!",
			replace:    "Bucket",
			create: func(j *job) error {
				bucket := j.text("Bucket")
				if err := putBucketPolicy(j); err != nil {
					return err
				}
				j.made(bucket)
				return nil
			},
			update: putBucketPolicy,
			remove: func(j *job) error {
				_, err := call[s3.DeleteBucketPolicyOutput](j, "s3", "DeleteBucketPolicy", &s3.DeleteBucketPolicyInput{Bucket: aws.String(j.text("Bucket"))})
				return unlessNoBucket(err)
			},
		},
	}
}

func putBucketPolicy(j *job) error {
	policy := document(j.take("PolicyDocument"))
	_, err := call[s3.PutBucketPolicyOutput](j, "s3", "PutBucketPolicy",
		&s3.PutBucketPolicyInput{Bucket: aws.String(j.text("Bucket")), Policy: &policy})
	return err
}

// unlessNoBucket is err, unless the bucket is gone, with its policy.
func unlessNoBucket(err error) error {
	if api, ok := errors.AsType[smithy.APIError](err); ok && api.ErrorCode() == "NoSuchBucket" {
		return nil
	}
	return err
}

// createBucket makes a bucket, unless there is one: to create one's own again
// is no error of the API in us-east-1, but of CloudFormation.
func createBucket(j *job) error {
	if _, given := j.left["BucketName"]; !given {
		j.left["BucketName"] = strings.ToLower(j.env.name(j.id, longestBucket, j.dry))
	}
	name := j.text("BucketName")
	if _, given := j.properties["BucketName"]; given {
		if _, err := call[s3.HeadBucketOutput](j, "s3", "HeadBucket", &s3.HeadBucketInput{Bucket: &name}); err == nil && !j.dry {
			return errors.New(name + " already exists")
		}
	}
	if err := checkAccess(j); err != nil {
		return err
	}
	if _, err := call[s3.CreateBucketOutput](j, "s3", "CreateBucket", NewBucket(name, j.env.world.Region)); err != nil {
		return err
	}
	madeBucket(j, name)
	return setBucket(j, name)
}

// NewBucket asks for a bucket in a region, which S3 wants to be told unless it is
// us-east-1 (S3 API reference, CreateBucket, LocationConstraint).
func NewBucket(name, region string) *s3.CreateBucketInput {
	in := &s3.CreateBucketInput{Bucket: &name}
	if region != "us-east-1" {
		in.CreateBucketConfiguration = &s3types.CreateBucketConfiguration{LocationConstraint: s3types.BucketLocationConstraint(region)}
	}
	return in
}

func madeBucket(j *job, name string) {
	region, domain := j.env.world.Region, Suffix(j.env.world.Region)
	j.made(name, "Arn", "arn:"+Partition(region)+":s3:::"+name,
		"DomainName", name+".s3."+domain, "RegionalDomainName", name+".s3."+region+"."+domain)
}

// checkAccess refuses access control lists other than the one that every bucket
// has, and owners of objects other than the bucket's.
func checkAccess(j *job) error {
	if acl := j.text("AccessControl"); acl != "" && acl != "Private" && !j.dry {
		j.report("AccessControl", "only Private is supported")
	}
	j.without("AccessControl")
	var ownership s3types.OwnershipControls
	if v := j.take("OwnershipControls"); v != nil {
		j.nested(&ownership, "OwnershipControls", v)
	}
	for _, r := range ownership.Rules {
		if r.ObjectOwnership != s3types.ObjectOwnershipBucketOwnerEnforced {
			j.report("OwnershipControls", "only BucketOwnerEnforced is supported")
		}
	}
	if j.dry {
		return nil
	}
	return j.problems.Err()
}

// updateBucket sets what changed, and takes away what is there no more.
func updateBucket(j *job) error {
	name := j.resource.PhysicalID
	if err := checkAccess(j); err != nil {
		return err
	}
	for _, property := range []string{"BucketEncryption", "LifecycleConfiguration", "PublicAccessBlockConfiguration", "Tags", "VersioningConfiguration"} {
		if !j.changed(property) {
			j.without(property)
			continue
		}
		if _, stays := j.left[property]; stays {
			continue
		}
		if err := clearBucket(j, name, property); err != nil {
			return err
		}
	}
	return setBucket(j, name)
}

// setBucket puts each property with its own call.
func setBucket(j *job, name string) error {
	if v := j.take("VersioningConfiguration"); v != nil {
		in := s3.PutBucketVersioningInput{Bucket: &name}
		j.into(&in, "VersioningConfiguration", v)
		if _, err := call[s3.PutBucketVersioningOutput](j, "s3", "PutBucketVersioning", &in); err != nil {
			return err
		}
	}
	if v := j.take("BucketEncryption"); v != nil {
		in := s3.PutBucketEncryptionInput{Bucket: &name, ServerSideEncryptionConfiguration: &s3types.ServerSideEncryptionConfiguration{}}
		m := mapper{
			rename: map[string]string{"ServerSideEncryptionConfiguration": "Rules", "ServerSideEncryptionConfiguration.ServerSideEncryptionByDefault": "ApplyServerSideEncryptionByDefault"},
			report: func(path, reason string) { j.report("BucketEncryption."+path, reason) },
		}
		object, _ := v.(map[string]any)
		m.fill(in.ServerSideEncryptionConfiguration, object)
		if _, err := call[s3.PutBucketEncryptionOutput](j, "s3", "PutBucketEncryption", &in); err != nil {
			return err
		}
	}
	if v := j.take("PublicAccessBlockConfiguration"); v != nil {
		in := s3.PutPublicAccessBlockInput{Bucket: &name}
		j.into(&in, "PublicAccessBlockConfiguration", v)
		if _, err := call[s3.PutPublicAccessBlockOutput](j, "s3", "PutPublicAccessBlock", &in); err != nil {
			return err
		}
	}
	if v := j.take("LifecycleConfiguration"); v != nil {
		if err := putLifecycle(j, name, v); err != nil {
			return err
		}
	}
	if v := j.take("Tags"); v != nil {
		in := s3.PutBucketTaggingInput{Bucket: &name, Tagging: &s3types.Tagging{}}
		m := mapper{rename: map[string]string{"Tags": "TagSet"}, report: j.report}
		m.fill(in.Tagging, map[string]any{"Tags": v})
		_, err := call[s3.PutBucketTaggingOutput](j, "s3", "PutBucketTagging", &in)
		return err
	}
	return nil
}

// putLifecycle puts lifecycle rules. CloudFormation has older and newer names
// for the same (CloudFormation template reference, AWS::S3::Bucket Rule).
func putLifecycle(j *job, name string, v any) error {
	in := s3.PutBucketLifecycleConfigurationInput{Bucket: &name, LifecycleConfiguration: &s3types.BucketLifecycleConfiguration{}}
	object, _ := v.(map[string]any)
	rules, _ := object["Rules"].([]any)
	var plain []any
	for _, one := range rules {
		rule, _ := one.(map[string]any)
		flat := map[string]any{"Filter": map[string]any{"Prefix": ""}}
		for key, value := range rule {
			switch key {
			case "Id":
				flat["ID"] = value
			case "ExpirationInDays":
				flat["Expiration"] = map[string]any{"Days": value}
			case "NoncurrentVersionExpirationInDays":
				flat["NoncurrentVersionExpiration"] = map[string]any{"NoncurrentDays": value}
			case "Prefix":
				flat["Filter"] = map[string]any{"Prefix": value}
			default:
				flat[key] = value
			}
		}
		plain = append(plain, flat)
	}
	m := mapper{report: func(path, reason string) { j.report("LifecycleConfiguration."+path, reason) }}
	m.fill(in.LifecycleConfiguration, map[string]any{"Rules": plain})
	_, err := call[s3.PutBucketLifecycleConfigurationOutput](j, "s3", "PutBucketLifecycleConfiguration", &in)
	return err
}

// clearBucket takes a property away.
func clearBucket(j *job, name, property string) error {
	var err error
	switch property {
	case "BucketEncryption":
		_, err = call[s3.DeleteBucketEncryptionOutput](j, "s3", "DeleteBucketEncryption", &s3.DeleteBucketEncryptionInput{Bucket: &name})
	case "LifecycleConfiguration":
		_, err = call[s3.DeleteBucketLifecycleOutput](j, "s3", "DeleteBucketLifecycle", &s3.DeleteBucketLifecycleInput{Bucket: &name})
	case "PublicAccessBlockConfiguration":
		_, err = call[s3.DeletePublicAccessBlockOutput](j, "s3", "DeletePublicAccessBlock", &s3.DeletePublicAccessBlockInput{Bucket: &name})
	case "Tags":
		_, err = call[s3.DeleteBucketTaggingOutput](j, "s3", "DeleteBucketTagging", &s3.DeleteBucketTaggingInput{Bucket: &name})
	case "VersioningConfiguration":
		// Versioning can be suspended, never taken away (S3 user guide, "How S3
		// Versioning works").
		_, err = call[s3.PutBucketVersioningOutput](j, "s3", "PutBucketVersioning", &s3.PutBucketVersioningInput{
			Bucket: &name, VersioningConfiguration: &s3types.VersioningConfiguration{Status: s3types.BucketVersioningStatusSuspended},
		})
	}
	return err
}
