package s3

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

func (s *Service) getObject(_ *wire.Call, in *s3.GetObjectInput) (*s3.GetObjectOutput, error) {
	err := wire.Only(in, "Bucket", "Key", "VersionId", "ExpectedBucketOwner", "IfMatch", "IfNoneMatch", "Range", "ChecksumMode")
	if err != nil {
		return nil, err
	}
	b, err := s.bucket(in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	o, err := b.find(aws.ToString(in.Key), in.VersionId)
	if err != nil {
		return nil, err
	}
	if err := o.checkRead(in.IfMatch, in.IfNoneMatch); err != nil {
		return nil, err
	}
	body, contentRange, err := o.cut(aws.ToString(in.Range))
	if err != nil {
		return nil, err
	}
	out := &s3.GetObjectOutput{
		AcceptRanges: aws.String("bytes"), Body: io.NopCloser(bytes.NewReader(body)), ContentLength: aws.Int64(int64(len(body))),
		ContentRange: contentRange, ETag: aws.String(o.etag), LastModified: aws.Time(o.modified), Metadata: o.meta,
		CacheControl: o.cacheControl, ContentDisposition: o.disposition, ContentEncoding: o.encoding,
		ContentLanguage: o.language, ContentType: o.contentType, ExpiresString: o.expires,
		ServerSideEncryption: o.algorithm(), SSEKMSKeyId: o.kmsKey(),
	}
	if b.versioning != "" {
		out.VersionId = aws.String(o.version)
	}
	if in.ChecksumMode == s3types.ChecksumModeEnabled && contentRange == nil {
		out.ChecksumCRC32, out.ChecksumCRC32C, out.ChecksumCRC64NVME = o.sums.crc32, o.sums.crc32c, o.sums.crc64
		out.ChecksumSHA1, out.ChecksumSHA256, out.ChecksumType = o.sums.sha1, o.sums.sha256, o.sums.kind()
	}
	return out, nil
}

func (s *Service) headObject(c *wire.Call, in *s3.HeadObjectInput) (*s3.HeadObjectOutput, error) {
	err := wire.Only(in, "Bucket", "Key", "VersionId", "ExpectedBucketOwner", "IfMatch", "IfNoneMatch", "Range", "ChecksumMode")
	if err != nil {
		return nil, err
	}
	o, err := s.getObject(c, &s3.GetObjectInput{
		Bucket: in.Bucket, Key: in.Key, VersionId: in.VersionId, ExpectedBucketOwner: in.ExpectedBucketOwner,
		IfMatch: in.IfMatch, IfNoneMatch: in.IfNoneMatch, Range: in.Range, ChecksumMode: in.ChecksumMode,
	})
	if err != nil {
		return nil, err
	}
	return &s3.HeadObjectOutput{
		AcceptRanges: o.AcceptRanges, ContentLength: o.ContentLength, ContentRange: o.ContentRange,
		ETag: o.ETag, LastModified: o.LastModified, Metadata: o.Metadata, CacheControl: o.CacheControl,
		ContentDisposition: o.ContentDisposition, ContentEncoding: o.ContentEncoding, ContentLanguage: o.ContentLanguage,
		ContentType: o.ContentType, ExpiresString: o.ExpiresString, ServerSideEncryption: o.ServerSideEncryption, SSEKMSKeyId: o.SSEKMSKeyId,
		VersionId: o.VersionId, ChecksumCRC32: o.ChecksumCRC32, ChecksumCRC32C: o.ChecksumCRC32C,
		ChecksumCRC64NVME: o.ChecksumCRC64NVME, ChecksumSHA1: o.ChecksumSHA1, ChecksumSHA256: o.ChecksumSHA256,
		ChecksumType: o.ChecksumType,
	}, nil
}

// find returns the current version of an object, or the one asked for.
func (b *bucket) find(key string, version *string) (*object, error) {
	if version == nil {
		if o := b.current(key); o != nil {
			return o, nil
		}
		return nil, noSuchKey()
	}
	if !isVersion(*version) {
		return nil, noVersionID()
	}
	for _, o := range b.objects[key] {
		if o.version != *version {
			continue
		}
		if o.marker {
			return nil, fail("MethodNotAllowed", "The specified method is not allowed against this resource.")
		}
		return o, nil
	}
	return nil, fail("NoSuchVersion", "The specified version does not exist.")
}

// checkRead refuses a read whose condition does not hold ("Conditional
// reads").
func (o *object) checkRead(ifMatch, ifNoneMatch *string) error {
	if ifMatch != nil && *ifMatch != "*" && !sameTag(*ifMatch, o.etag) {
		return preconditionFailed()
	}
	if ifNoneMatch != nil && (*ifNoneMatch == "*" || sameTag(*ifNoneMatch, o.etag)) {
		return fail("NotModified", "Not Modified")
	}
	return nil
}

// cut returns the part of the body that a Range header asks for, and the
// Content-Range header (RFC 9110, section 14). Like S3 it supports one range.
func (o *object) cut(header string) ([]byte, *string, error) {
	if header == "" {
		return o.body, nil, nil
	}
	size := int64(len(o.body))
	from, to, ok := parseRange(header, size)
	if !ok {
		return nil, nil, fail("InvalidRange", "The requested range is not satisfiable")
	}
	return o.body[from : to+1], aws.String(fmt.Sprintf("bytes %d-%d/%d", from, to, size)), nil
}

// parseRange returns the first and the last byte of a range.
func parseRange(header string, size int64) (from, to int64, ok bool) {
	first, last, found := strings.Cut(strings.TrimPrefix(header, "bytes="), "-")
	if !found || !strings.HasPrefix(header, "bytes=") {
		return 0, 0, false
	}
	to = size - 1
	if first == "" { // the last n bytes
		n, err := strconv.ParseInt(last, 10, 64)
		return max(size-n, 0), to, err == nil && n > 0 && size > 0
	}
	from, err := strconv.ParseInt(first, 10, 64)
	if err != nil || from < 0 || from >= size {
		return 0, 0, false
	}
	if last != "" {
		n, err := strconv.ParseInt(last, 10, 64)
		if err != nil || n < from {
			return 0, 0, false
		}
		to = min(n, to)
	}
	return from, to, true
}
