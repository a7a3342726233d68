package s3

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// nameForm is what a bucket's name may look like ("General purpose bucket
// naming rules").
const nameForm = `^[a-z0-9](?:[a-z0-9.-]{1,61})[a-z0-9]$`

// bucket is a bucket with all versions of its objects.
type bucket struct {
	name       string
	created    time.Time
	versioning s3types.BucketVersioningStatus
	objects    map[string][]*object // by key, the oldest version first; never empty
	uploads    map[string]*upload   // in parts, not complete yet, by id
	settings
}

// sorted returns the keys of m in order.
func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// bucket finds a bucket. expectedOwner is the account that the caller believes
// to own it.
func (s *Service) bucket(name, expectedOwner *string) (*bucket, error) {
	b := s.buckets[aws.ToString(name)]
	if b == nil {
		return nil, fail("NoSuchBucket", "The specified bucket does not exist")
	}
	if expectedOwner != nil && *expectedOwner != s.world.Account {
		return nil, fail("AccessDenied", "Access Denied")
	}
	return b, nil
}

func (s *Service) createBucket(_ *wire.Call, in *s3.CreateBucketInput) (*s3.CreateBucketOutput, error) {
	if err := wire.Only(in, "Bucket", "CreateBucketConfiguration", "ObjectOwnership"); err != nil {
		return nil, err
	}
	name := aws.ToString(in.Bucket)
	if !regexp.MustCompile(nameForm).MatchString(name) || strings.Contains(name, "..") {
		return nil, fail("InvalidBucketName", "The specified bucket is not valid.")
	}
	if err := s.checkRegion(in.CreateBucketConfiguration); err != nil {
		return nil, err
	}
	if s.buckets[name] != nil {
		// In us-east-1 a bucket may be created again by its owner ("CreateBucket").
		if s.world.Region != "us-east-1" {
			return nil, &s3types.BucketAlreadyOwnedByYou{Message: aws.String(
				"Your previous request to create the named bucket succeeded and you already own it.",
			)}
		}
		return &s3.CreateBucketOutput{Location: aws.String("/" + name)}, nil
	}
	s.buckets[name] = &bucket{name: name, created: s.world.Now(), objects: map[string][]*object{}, uploads: map[string]*upload{}}
	return &s3.CreateBucketOutput{Location: aws.String("/" + name)}, nil
}

// checkRegion refuses a bucket that shall be elsewhere, and everything in the
// configuration but the region.
func (s *Service) checkRegion(c *s3types.CreateBucketConfiguration) error {
	region := "us-east-1" // what no constraint means
	if c != nil {
		if err := wire.Only(c, "LocationConstraint"); err != nil {
			return err
		}
		if c.LocationConstraint != "" {
			region = string(c.LocationConstraint)
		}
	}
	if c != nil && c.LocationConstraint == "us-east-1" { // which is said by nothing ("CreateBucket"); the text as recorded from AWS
		return fail("InvalidLocationConstraint", "The specified location-constraint is not valid")
	}
	if region != s.world.Region {
		return fail("IllegalLocationConstraintException", fmt.Sprintf(
			"The %s location constraint is incompatible for the region specific endpoint this request was sent to.", region))
	}
	return nil
}

func (s *Service) headBucket(_ *wire.Call, in *s3.HeadBucketInput) (*s3.HeadBucketOutput, error) {
	if _, err := s.bucket(in.Bucket, in.ExpectedBucketOwner); err != nil {
		return nil, err
	}
	return &s3.HeadBucketOutput{BucketRegion: aws.String(s.world.Region)}, nil
}

func (s *Service) deleteBucket(_ *wire.Call, in *s3.DeleteBucketInput) (*s3.DeleteBucketOutput, error) {
	b, err := s.bucket(in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	if len(b.objects) > 0 {
		text := "The bucket you tried to delete is not empty"
		if b.versioning != "" {
			text += ". You must delete all versions in the bucket."
		}
		return nil, fail("BucketNotEmpty", text)
	}
	delete(s.buckets, b.name)
	return &s3.DeleteBucketOutput{}, nil
}

func (s *Service) listBuckets(_ *wire.Call, in *s3.ListBucketsInput) (*s3.ListBucketsOutput, error) {
	if err := wire.Only(in, "Prefix"); err != nil {
		return nil, err
	}
	out := &s3.ListBucketsOutput{Buckets: []s3types.Bucket{}, Owner: s.owner(), Prefix: in.Prefix}
	for _, name := range sorted(s.buckets) {
		if strings.HasPrefix(name, aws.ToString(in.Prefix)) {
			out.Buckets = append(out.Buckets, s3types.Bucket{
				Name: aws.String(name), CreationDate: aws.Time(s.buckets[name].created),
			})
		}
	}
	return out, nil
}

// owner is the owner of everything; AWS identifies it by a canonical user id
// of 64 characters.
func (s *Service) owner() *s3types.Owner {
	return &s3types.Owner{ID: aws.String(fmt.Sprintf("%064s", s.world.Account))}
}

func (s *Service) getBucketLocation(_ *wire.Call, in *s3.GetBucketLocationInput) (*s3.GetBucketLocationOutput, error) {
	if _, err := s.bucket(in.Bucket, in.ExpectedBucketOwner); err != nil {
		return nil, err
	}
	out := &s3.GetBucketLocationOutput{}
	if s.world.Region != "us-east-1" { // for which the constraint is null ("GetBucketLocation")
		out.LocationConstraint = s3types.BucketLocationConstraint(s.world.Region)
	}
	return out, nil
}

func (s *Service) getBucketVersioning(_ *wire.Call, in *s3.GetBucketVersioningInput) (*s3.GetBucketVersioningOutput, error) {
	b, err := s.bucket(in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	return &s3.GetBucketVersioningOutput{Status: b.versioning}, nil
}

func (s *Service) putBucketVersioning(_ *wire.Call, in *s3.PutBucketVersioningInput) (*s3.PutBucketVersioningOutput, error) {
	b, err := s.bucket(in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	if err := wire.Only(in, "Bucket", "ExpectedBucketOwner", "VersioningConfiguration", "ChecksumAlgorithm", "ContentMD5"); err != nil {
		return nil, err
	}
	c := in.VersioningConfiguration
	if c != nil && c.Status != "" && !slices.Contains(c.Status.Values(), c.Status) {
		return nil, fail("MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
	}
	if c == nil || c.Status == "" {
		return nil, fail("IllegalVersioningConfigurationException", "The Versioning element must be specified")
	}
	if err := wire.Only(c, "Status"); err != nil {
		return nil, err
	}
	b.versioning = c.Status
	return &s3.PutBucketVersioningOutput{}, nil
}
