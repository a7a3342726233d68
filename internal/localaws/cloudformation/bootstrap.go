package cloudformation

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"github.com/pullback-dev/pullback/internal/localaws/cloudformation/resource"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// What "cdk bootstrap" leaves behind with the default qualifier (AWS CDK
// developer guide, "Customize AWS CDK bootstrapping").
const (
	bootstrapParameter = "/cdk-bootstrap/hnb659fds/version"
	bootstrapVersion   = "30"
)

// self is who makes the calls of a deployment that nobody asked for over the
// wire.
func self() wire.Principal { return wire.Principal{Service: principal} }

// upload puts the assets into their buckets, which it makes when missing.
func (s *Service) upload(ctx context.Context, p *plan, uploads []upload) error {
	seen := map[string]bool{}
	for _, u := range uploads {
		bucket, err := p.expand(u.bucket)
		if err != nil {
			return fmt.Errorf("upload asset %s: %w", u.key, err)
		}
		if !seen[bucket] {
			if err := s.ensureBucket(ctx, bucket); err != nil {
				return err
			}
			seen[bucket] = true
		}
		_, err = wire.Do[s3.PutObjectOutput](ctx, s.caller, self(), "s3", "PutObject",
			&s3.PutObjectInput{Bucket: &bucket, Key: aws.String(u.key), Body: bytes.NewReader(u.body)})
		if err != nil {
			return fmt.Errorf("upload asset %s: %w", u.key, err)
		}
	}
	return nil
}

// ensureBucket makes a bucket unless we have it.
func (s *Service) ensureBucket(ctx context.Context, name string) error {
	_, err := wire.Do[s3.HeadBucketOutput](ctx, s.caller, self(), "s3", "HeadBucket", &s3.HeadBucketInput{Bucket: &name})
	if err == nil {
		return nil
	}
	if !noBucket(err) {
		return fmt.Errorf("look for bucket %s: %w", name, err)
	}
	_, err = wire.Do[s3.CreateBucketOutput](ctx, s.caller, self(), "s3", "CreateBucket", resource.NewBucket(name, s.world.Region))
	if err != nil {
		return fmt.Errorf("make bucket %s: %w", name, err)
	}
	return nil
}

// noBucket recognises the two ways in which S3 says that there is none.
func noBucket(err error) bool {
	if _, ok := errors.AsType[*s3types.NoSuchBucket](err); ok {
		return true
	}
	api, ok := errors.AsType[smithy.APIError](err)
	return ok && (api.ErrorCode() == "NotFound" || api.ErrorCode() == "NoSuchBucket")
}
