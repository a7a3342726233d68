package s3

import (
	"encoding/base64"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// maxKeys is how many keys an answer has at most ("ListObjectsV2").
const maxKeys = 1000

func (s *Service) listObjects(_ *wire.Call, in *s3.ListObjectsV2Input) (*s3.ListObjectsV2Output, error) {
	err := wire.Only(in, "Bucket", "Prefix", "Delimiter", "MaxKeys", "StartAfter", "ContinuationToken", "EncodingType",
		"FetchOwner", "ExpectedBucketOwner")
	if err != nil {
		return nil, err
	}
	b, err := s.bucket(in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	after, err := startOf(in)
	if err != nil {
		return nil, err
	}
	limit := maxKeys
	if in.MaxKeys != nil {
		if *in.MaxKeys < 0 {
			return nil, fail("InvalidArgument", "Argument maxKeys must be an integer between 0 and 2147483647")
		}
		limit = min(int(*in.MaxKeys), maxKeys)
	}
	out := &s3.ListObjectsV2Output{
		Name: in.Bucket, Prefix: aws.String(encoded(in, aws.ToString(in.Prefix))), Delimiter: in.Delimiter,
		StartAfter: in.StartAfter, ContinuationToken: in.ContinuationToken, EncodingType: in.EncodingType,
		MaxKeys: aws.Int32(int32(limit)), IsTruncated: aws.Bool(false),
	}
	s.collect(out, b, in, after, limit)
	out.KeyCount = aws.Int32(int32(len(out.Contents) + len(out.CommonPrefixes))) //nolint:gosec // at most a thousand
	return out, nil
}

// startOf returns the key after which the answer begins. Our token is the last
// key or common prefix of the answer before.
func startOf(in *s3.ListObjectsV2Input) (string, error) {
	if in.ContinuationToken == nil {
		return aws.ToString(in.StartAfter), nil
	}
	b, err := base64.URLEncoding.DecodeString(*in.ContinuationToken)
	if err != nil {
		return "", fail("InvalidArgument", "The continuation token provided is incorrect")
	}
	return string(b), nil
}

// collect fills the answer with keys in order and the prefixes that stand for
// several of them.
func (s *Service) collect(out *s3.ListObjectsV2Output, b *bucket, in *s3.ListObjectsV2Input, after string, limit int) {
	prefix, delimiter := aws.ToString(in.Prefix), aws.ToString(in.Delimiter)
	last, n := after, 0
	for _, key := range slices.Sorted(maps.Keys(b.objects)) {
		o := b.current(key)
		rest, ok := strings.CutPrefix(key, prefix)
		if o == nil || !ok || key <= after {
			continue
		}
		item := key
		if head, _, found := strings.Cut(rest, delimiter); found && delimiter != "" {
			item = prefix + head + delimiter
			if item <= last && strings.HasPrefix(last, item) {
				continue // this prefix is already in this answer, or was in the one before
			}
		}
		if n == limit {
			out.IsTruncated = aws.Bool(limit > 0)
			if limit > 0 {
				out.NextContinuationToken = aws.String(base64.URLEncoding.EncodeToString([]byte(last)))
			}
			return
		}
		n, last = n+1, item
		if item != key {
			out.CommonPrefixes = append(out.CommonPrefixes, s3types.CommonPrefix{Prefix: aws.String(encoded(in, item))})
			continue
		}
		out.Contents = append(out.Contents, s.entry(in, key, o))
	}
}

// entry describes an object in a list.
func (s *Service) entry(in *s3.ListObjectsV2Input, key string, o *object) s3types.Object {
	e := s3types.Object{
		Key: aws.String(encoded(in, key)), ETag: aws.String(o.etag), LastModified: aws.Time(o.modified),
		Size: aws.Int64(int64(len(o.body))), StorageClass: s3types.ObjectStorageClassStandard,
	}
	if aws.ToBool(in.FetchOwner) {
		e.Owner = s.owner()
	}
	return e
}

// encoded writes a key as the caller of a list wants it.
func encoded(in *s3.ListObjectsV2Input, key string) string { return spelled(in.EncodingType, key) }
