package s3

import (
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

func (s *Service) putLifecycle(_ *wire.Call, in *s3.PutBucketLifecycleConfigurationInput) (*s3.PutBucketLifecycleConfigurationOutput, error) {
	b, err := s.bucket(in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	if in.LifecycleConfiguration == nil || len(in.LifecycleConfiguration.Rules) == 0 {
		return nil, fail("MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
	}
	for _, r := range in.LifecycleConfiguration.Rules {
		if err := checkRule(r); err != nil {
			return nil, err
		}
	}
	b.lifecycle = in.LifecycleConfiguration.Rules
	s.watch()
	return &s3.PutBucketLifecycleConfigurationOutput{}, nil
}

// checkRule refuses what the store does not do.
func checkRule(r s3types.LifecycleRule) error {
	if err := wire.Only(r, "ID", "Status", "Filter", "Prefix", "Expiration", "NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload"); err != nil {
		return err
	}
	if r.Filter != nil {
		if err := wire.Only(r.Filter, "Prefix"); err != nil {
			return err
		}
	}
	if r.Expiration != nil {
		if err := wire.Only(r.Expiration, "Days"); err != nil {
			return err
		}
	}
	if r.NoncurrentVersionExpiration != nil {
		return wire.Only(r.NoncurrentVersionExpiration, "NoncurrentDays")
	}
	return nil
}

func (s *Service) getLifecycle(_ *wire.Call, in *s3.GetBucketLifecycleConfigurationInput) (*s3.GetBucketLifecycleConfigurationOutput, error) {
	b, err := s.bucket(in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	if len(b.lifecycle) == 0 {
		return nil, fail("NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist")
	}
	return &s3.GetBucketLifecycleConfigurationOutput{Rules: b.lifecycle}, nil
}

func (s *Service) deleteLifecycle(_ *wire.Call, in *s3.DeleteBucketLifecycleInput) (*s3.DeleteBucketLifecycleOutput, error) {
	b, err := s.bucket(in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	b.lifecycle = nil
	return &s3.DeleteBucketLifecycleOutput{}, nil
}

// day is how often lifecycle rules are applied: at midnight UTC ("Lifecycle
// rules: based on an object's age").
const day = 24 * time.Hour

// watch lets the next midnight apply the rules of all buckets.
func (s *Service) watch() {
	if s.watching {
		return
	}
	s.watching = true
	s.world.Tick(s.world.Now().Truncate(day).Add(day), func() {
		s.watching = false
		for _, name := range sorted(s.buckets) {
			b := s.buckets[name]
			for _, r := range b.lifecycle {
				s.expire(b, r)
			}
			if len(b.lifecycle) > 0 {
				s.watch()
			}
		}
	})
}

// prefixOf is what the keys begin with that a rule is for.
func prefixOf(r s3types.LifecycleRule) string {
	if r.Filter != nil {
		return aws.ToString(r.Filter.Prefix)
	}
	return aws.ToString(r.Prefix) //nolint:staticcheck // old, and still in use
}

// expire applies one rule to one bucket.
func (s *Service) expire(b *bucket, r s3types.LifecycleRule) {
	prefix := prefixOf(r)
	if r.Status != s3types.ExpirationStatusEnabled {
		return
	}
	b.giveUp(r, s.world.Now())
	for _, key := range sorted(b.objects) {
		if !strings.HasPrefix(key, prefix) {
			continue
		}
		if e := r.NoncurrentVersionExpiration; e != nil {
			b.dropOld(key, s.world.Now().Add(-time.Duration(aws.ToInt32(e.NoncurrentDays))*day))
		}
		e, o := r.Expiration, b.current(key)
		if e != nil && e.Days != nil && o != nil && !o.modified.Add(time.Duration(*e.Days)*day).After(s.world.Now()) {
			_, _ = s.deleteObject(nil, &s3.DeleteObjectInput{Bucket: &b.name, Key: &key}) // it was there a moment ago
		}
	}
}

// dropOld removes the versions that have not been current since a time. A
// version stops being current when the next one comes.
func (b *bucket) dropOld(key string, before time.Time) {
	versions := b.objects[key]
	kept := versions[:0:0]
	for i, o := range versions {
		if i+1 == len(versions) || versions[i+1].modified.After(before) {
			kept = append(kept, o)
		}
	}
	b.objects[key] = kept
}
