package s3

import (
	"cmp"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// maxUploads is how many uploads an answer has at most
// ("ListMultipartUploads").
const maxUploads = 1000

func (s *Service) listUploads(_ *wire.Call, in *s3.ListMultipartUploadsInput) (*s3.ListMultipartUploadsOutput, error) {
	err := wire.Only(in, "Bucket", "Prefix", "Delimiter", "KeyMarker", "UploadIdMarker", "MaxUploads", "EncodingType", "ExpectedBucketOwner")
	if err != nil {
		return nil, err
	}
	b, err := s.bucket(in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	limit, err := atMost(in.MaxUploads, maxUploads, "max-uploads")
	if err != nil {
		return nil, err
	}
	out := &s3.ListMultipartUploadsOutput{
		Bucket: in.Bucket, Prefix: aws.String(spelled(in.EncodingType, aws.ToString(in.Prefix))), Delimiter: in.Delimiter,
		KeyMarker:      aws.String(spelled(in.EncodingType, aws.ToString(in.KeyMarker))),
		UploadIdMarker: aws.String(aws.ToString(in.UploadIdMarker)),
		EncodingType:   in.EncodingType, MaxUploads: aws.Int32(limit), IsTruncated: aws.Bool(false),
	}
	s.gather(out, b, in, int(limit))
	return out, nil
}

// gather fills the answer with uploads in the order of their keys, then of
// their beginnings, and the prefixes that stand for several of them.
func (s *Service) gather(out *s3.ListMultipartUploadsOutput, b *bucket, in *s3.ListMultipartUploadsInput, limit int) {
	prefix, delimiter, last := aws.ToString(in.Prefix), aws.ToString(in.Delimiter), aws.ToString(in.KeyMarker)
	for _, u := range b.inOrder() {
		rest, ok := strings.CutPrefix(u.key, prefix)
		if !ok || !u.follows(in) {
			continue
		}
		folder := ""
		if head, _, found := strings.Cut(rest, delimiter); found && delimiter != "" {
			folder = prefix + head + delimiter
			if strings.HasPrefix(last, folder) {
				continue // this prefix is already in this answer, or was in the one before
			}
		}
		if len(out.Uploads)+len(out.CommonPrefixes) == limit {
			out.IsTruncated = aws.Bool(limit > 0)
			return
		}
		id := u.id
		if last = u.key; folder != "" {
			last, id = folder, ""
			out.CommonPrefixes = append(out.CommonPrefixes, s3types.CommonPrefix{Prefix: aws.String(spelled(in.EncodingType, folder))})
		} else {
			out.Uploads = append(out.Uploads, s.uploadEntry(in.EncodingType, u))
		}
		out.NextKeyMarker, out.NextUploadIdMarker = aws.String(spelled(in.EncodingType, last)), aws.String(id)
	}
}

// inOrder are a bucket's uploads by their keys, then by their beginnings, which
// their ids are in the order of.
func (b *bucket) inOrder() []*upload {
	return slices.SortedFunc(maps.Values(b.uploads), func(x, y *upload) int {
		return cmp.Or(strings.Compare(x.key, y.key), strings.Compare(x.id, y.id))
	})
}

// follows says whether an upload comes after the markers of a request. That of
// an id only counts together with that of a key.
func (u *upload) follows(in *s3.ListMultipartUploadsInput) bool {
	key, id := aws.ToString(in.KeyMarker), aws.ToString(in.UploadIdMarker)
	return u.key > key || u.key == key && id != "" && u.id > id
}

// uploadEntry describes an upload in a list.
func (s *Service) uploadEntry(encoding s3types.EncodingType, u *upload) s3types.MultipartUpload {
	return s3types.MultipartUpload{
		Key: aws.String(spelled(encoding, u.key)), UploadId: aws.String(u.id), Initiated: aws.Time(u.like.modified),
		ChecksumAlgorithm: u.algorithm, ChecksumType: u.kind,
		StorageClass: s3types.StorageClassStandard, Owner: s.owner(), Initiator: s.initiator(),
	}
}

// spelled writes a key as the caller wants it, because XML cannot hold every
// character of a key.
func spelled(as s3types.EncodingType, key string) string {
	if as != s3types.EncodingTypeUrl {
		return key
	}
	return strings.ReplaceAll(url.QueryEscape(key), "%2F", "/")
}
