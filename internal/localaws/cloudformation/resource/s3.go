package resource

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// longestBucket is the limit of a bucket's name (S3 user guide, "General
// purpose bucket naming rules").
const longestBucket = 63

// s3Kinds returns buckets, the least of them: a name and versioning.
func s3Kinds() map[string]kind {
	return map[string]kind{
		"AWS::S3::Bucket": {
			properties: "BucketName VersioningConfiguration",
			attributes: "Arn DomainName RegionalDomainName",
			create:     createBucket,
			remove: func(j *job) error {
				_, err := call[s3.DeleteBucketOutput](j, "s3", "DeleteBucket", &s3.DeleteBucketInput{Bucket: &j.resource.PhysicalID})
				return err
			},
		},
	}
}

func createBucket(j *job) error {
	if _, given := j.left["BucketName"]; !given {
		j.left["BucketName"] = strings.ToLower(j.env.name(j.id, longestBucket, j.dry))
	}
	name := j.text("BucketName")
	versioning := s3.PutBucketVersioningInput{Bucket: &name}
	if v := j.take("VersioningConfiguration"); v != nil {
		j.into(&versioning, "VersioningConfiguration", v)
	}
	if _, err := call[s3.CreateBucketOutput](j, "s3", "CreateBucket", &s3.CreateBucketInput{Bucket: &name}); err != nil {
		return err
	}
	region, domain := j.env.world.Region, Suffix(j.env.world.Region)
	j.made(name, "Arn", "arn:"+Partition(region)+":s3:::"+name,
		"DomainName", name+".s3."+domain, "RegionalDomainName", name+".s3."+region+"."+domain)
	if versioning.VersioningConfiguration == nil {
		return nil
	}
	_, err := call[s3.PutBucketVersioningOutput](j, "s3", "PutBucketVersioning", &versioning)
	return err
}
