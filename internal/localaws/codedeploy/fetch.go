package codedeploy

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// appSpec gets the AppSpec file of a Lambda or ECS deployment, from the
// revision or from S3.
func (s *Service) appSpec(ctx context.Context, d *deployment) (string, error) {
	if content, ok := text(d.info.Revision); ok {
		return content, nil
	}
	content, err := s.fetch(ctx, d.principal(), d.info.Revision.S3Location)
	return string(content), err
}

// fetch gets a revision from S3.
func (s *Service) fetch(ctx context.Context, who wire.Principal, o *cdtypes.S3Location) ([]byte, error) {
	out, err := wire.Do[s3.GetObjectOutput](ctx, s.c, who, "s3", "GetObject", &s3.GetObjectInput{Bucket: o.Bucket, Key: o.Key, VersionId: o.Version})
	if err != nil {
		return nil, err
	}
	if want := aws.ToString(o.ETag); want != "" && strings.Trim(want, `"`) != strings.Trim(aws.ToString(out.ETag), `"`) {
		return nil, fmt.Errorf("the ETag of s3://%s/%s is %s, not %s", aws.ToString(o.Bucket), aws.ToString(o.Key), aws.ToString(out.ETag), want)
	}
	if out.Body == nil {
		return nil, nil
	}
	content, err := io.ReadAll(out.Body)
	if err != nil {
		return nil, fmt.Errorf("read s3://%s/%s: %w", aws.ToString(o.Bucket), aws.ToString(o.Key), err)
	}
	return content, out.Body.Close()
}
