package cloudformation

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/smithy-go"

	"github.com/pullback-dev/pullback/internal/localaws/cloudformation/template"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// What "cdk bootstrap" leaves behind with the default qualifier (AWS CDK
// developer guide, "Customize AWS CDK bootstrapping").
const (
	bootstrapParameter = "/cdk-bootstrap/hnb659fds/version"
	bootstrapVersion   = "30"
)

// bootstrap puts the version parameter that CDK templates check, if missing.
func (d *deployment) bootstrap(ctx context.Context) error {
	_, err := d.parameter(ctx, bootstrapParameter)
	if _, missing := errors.AsType[*ssmtypes.ParameterNotFound](err); !missing {
		if err != nil {
			return fmt.Errorf("read bootstrap version: %w", err)
		}
		return nil
	}
	_, err = wire.Do[ssm.PutParameterOutput](ctx, d.caller, principal(), "ssm", "PutParameter", &ssm.PutParameterInput{
		Name: aws.String(bootstrapParameter), Value: aws.String(bootstrapVersion), Type: ssmtypes.ParameterTypeString,
	})
	if err != nil {
		return fmt.Errorf("put bootstrap version: %w", err)
	}
	return nil
}

// parameter reads a parameter of Systems Manager.
func (d *deployment) parameter(ctx context.Context, name string) (string, error) {
	out, err := wire.Do[ssm.GetParameterOutput](ctx, d.caller, principal(), "ssm", "GetParameter", &ssm.GetParameterInput{Name: &name})
	if err != nil {
		return "", err
	}
	if out.Parameter == nil {
		return "", fmt.Errorf("parameter %s has no value", name)
	}
	return aws.ToString(out.Parameter.Value), nil
}

// upload puts the assets into their buckets, which it makes when missing.
func (d *deployment) upload(ctx context.Context, uploads []upload) error {
	seen := map[string]bool{}
	for _, u := range uploads {
		bucket, err := d.expand(u.bucket)
		if err != nil {
			return fmt.Errorf("upload asset %s: %w", u.key, err)
		}
		if !seen[bucket] {
			if err := d.ensureBucket(ctx, bucket); err != nil {
				return err
			}
			seen[bucket] = true
		}
		_, err = wire.Do[s3.PutObjectOutput](ctx, d.caller, principal(), "s3", "PutObject",
			&s3.PutObjectInput{Bucket: &bucket, Key: aws.String(u.key), Body: bytes.NewReader(u.body)})
		if err != nil {
			return fmt.Errorf("upload asset %s: %w", u.key, err)
		}
	}
	return nil
}

// expand replaces pseudo parameters in the destination of an asset.
func (d *deployment) expand(text string) (string, error) {
	v, faults := d.scope.Eval(map[string]any{"Fn::Sub": text}, func(id, _ string) (any, error) { return nil, template.NoSuch(id) })
	if len(faults) > 0 {
		return "", errors.New(faults[0].Reason)
	}
	s, _ := v.(string)
	return s, nil
}

// ensureBucket makes a bucket unless we have it.
func (d *deployment) ensureBucket(ctx context.Context, name string) error {
	_, err := wire.Do[s3.HeadBucketOutput](ctx, d.caller, principal(), "s3", "HeadBucket", &s3.HeadBucketInput{Bucket: &name})
	if err == nil {
		return nil
	}
	if !noBucket(err) {
		return fmt.Errorf("look for bucket %s: %w", name, err)
	}
	_, err = wire.Do[s3.CreateBucketOutput](ctx, d.caller, principal(), "s3", "CreateBucket", &s3.CreateBucketInput{Bucket: &name})
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
