package access

import (
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// hidden returns what somebody hears who asks for an object that does not exist:
// only those who may list the bucket hear that (S3 API reference, GetObject and
// HeadObject, "Permissions": 404 with s3:ListBucket, 403 without).
func (g *Guard) hidden(c *wire.Call, in any, err error) error {
	if _, missing := errors.AsType[*s3types.NoSuchKey](err); !missing {
		return err
	}
	var bucket *string
	switch in := in.(type) {
	case *s3.GetObjectInput:
		bucket = in.Bucket
	case *s3.HeadObjectInput:
		bucket = in.Bucket
	default:
		return err
	}
	denied := g.Check(c.Context, c.Principal, "s3", "ListObjectsV2", &s3.ListObjectsV2Input{Bucket: bucket})
	if denied == nil || g.options.Mode != Enforce {
		return err
	}
	return denied
}
