package s3

import (
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// upload is an object whose parts are still to come ("Uploading and copying
// objects using multipart upload").
type upload struct {
	id, key   string
	like      *object                   // what the object will be, but for what is in it
	algorithm s3types.ChecksumAlgorithm // of the checksums of its parts; empty if none was asked for
	kind      s3types.ChecksumType      // of the object's checksum
	parts     map[int32]*part           // by number
}

func (s *Service) createUpload(_ *wire.Call, in *s3.CreateMultipartUploadInput) (*s3.CreateMultipartUploadOutput, error) {
	err := wire.Only(in, "Bucket", "Key", "CacheControl", "ContentDisposition", "ContentEncoding", "ContentLanguage", "ContentType",
		"ExpectedBucketOwner", "Expires", "Metadata", "ChecksumAlgorithm", "ChecksumType", "ServerSideEncryption", "SSEKMSKeyId",
		"BucketKeyEnabled", "StorageClass")
	if err != nil {
		return nil, err
	}
	b, err := s.bucket(in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	put := &s3.PutObjectInput{
		Key: in.Key, CacheControl: in.CacheControl, ContentDisposition: in.ContentDisposition, ContentEncoding: in.ContentEncoding,
		ContentLanguage: in.ContentLanguage, ContentType: in.ContentType, Expires: in.Expires, Metadata: in.Metadata,
		ServerSideEncryption: in.ServerSideEncryption, SSEKMSKeyId: in.SSEKMSKeyId, StorageClass: in.StorageClass,
	}
	if err := checkPut(put); err != nil {
		return nil, err
	}
	kind, err := kindOf(in.ChecksumAlgorithm, in.ChecksumType)
	if err != nil {
		return nil, err
	}
	s.begun++
	u := &upload{
		id: uploadID(s.begun), key: aws.ToString(in.Key), like: s.describe(b, put),
		algorithm: in.ChecksumAlgorithm, kind: kind, parts: map[int32]*part{},
	}
	b.uploads[u.id] = u
	out := &s3.CreateMultipartUploadOutput{
		Bucket: in.Bucket, Key: in.Key, UploadId: aws.String(u.id), ChecksumAlgorithm: u.algorithm, ChecksumType: u.kind,
		ServerSideEncryption: u.like.algorithm(), SSEKMSKeyId: u.like.kmsKey(),
	}
	out.AbortDate, out.AbortRuleId = b.abortion(u)
	return out, nil
}

// kindOf is what the object's checksum will be: of the whole object if that is
// asked for or CRC64NVME, else of the parts' checksums ("Full object and
// composite checksum types").
func kindOf(name s3types.ChecksumAlgorithm, asked s3types.ChecksumType) (s3types.ChecksumType, error) {
	if name == "" {
		if asked != "" {
			return "", fail("InvalidRequest", "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.")
		}
		return "", nil
	}
	a := algorithmOf(name)
	if a == nil {
		return "", fail("UnsupportedParameter", "the local AWS does not support ChecksumAlgorithm "+string(name))
	}
	full := s3types.ChecksumTypeFullObject
	switch {
	case asked == full && !a.linear(), asked == s3types.ChecksumTypeComposite && name == s3types.ChecksumAlgorithmCrc64nvme:
		return "", fail("InvalidRequest", fmt.Sprintf("The %s checksum type cannot be used with the %s checksum algorithm.",
			asked, strings.ToLower(string(name))))
	case asked == full, asked == s3types.ChecksumTypeComposite:
		return asked, nil
	case asked != "":
		return "", fail("InvalidRequest", "Value for x-amz-checksum-type header is invalid.")
	case name == s3types.ChecksumAlgorithmCrc64nvme:
		return full, nil
	}
	return s3types.ChecksumTypeComposite, nil
}

// uploadID makes the id of an upload. AWS's are opaque; ours are in the order
// in which uploads began, as lists want them.
func uploadID(n uint64) string { return fmt.Sprintf("upload-%016d", n) }

// upload finds an upload that is not complete.
func (s *Service) upload(name, owner, key, id *string) (*bucket, *upload, error) {
	b, err := s.bucket(name, owner)
	if err != nil {
		return nil, nil, err
	}
	u := b.uploads[aws.ToString(id)]
	if u == nil || u.key != aws.ToString(key) {
		return nil, nil, &s3types.NoSuchUpload{Message: aws.String(
			"The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.",
		)}
	}
	return b, u, nil
}

func (s *Service) abortUpload(_ *wire.Call, in *s3.AbortMultipartUploadInput) (*s3.AbortMultipartUploadOutput, error) {
	if err := wire.Only(in, "Bucket", "Key", "UploadId", "ExpectedBucketOwner"); err != nil {
		return nil, err
	}
	b, u, err := s.upload(in.Bucket, in.ExpectedBucketOwner, in.Key, in.UploadId)
	if err != nil {
		return nil, err
	}
	delete(b.uploads, u.id)
	return &s3.AbortMultipartUploadOutput{}, nil
}

// abortAt is when a rule gives an upload up, if it ever does: so many days
// later, at the next midnight ("Configuring a bucket lifecycle configuration to
// delete incomplete multipart uploads").
func (u *upload) abortAt(r s3types.LifecycleRule) (time.Time, bool) {
	a := r.AbortIncompleteMultipartUpload
	if r.Status != s3types.ExpirationStatusEnabled || a == nil || a.DaysAfterInitiation == nil || !strings.HasPrefix(u.key, prefixOf(r)) {
		return time.Time{}, false
	}
	at := u.like.modified.Add(time.Duration(*a.DaysAfterInitiation) * day)
	if midnight := at.Truncate(day); !midnight.Equal(at) {
		at = midnight.Add(day)
	}
	return at, true
}

// abortion is what an answer says of the first rule that will give an upload
// up.
func (b *bucket) abortion(u *upload) (date *time.Time, rule *string) {
	for _, r := range b.lifecycle {
		if at, ok := u.abortAt(r); ok && (date == nil || at.Before(*date)) {
			date, rule = &at, r.ID
		}
	}
	return date, rule
}

// giveUp forgets the uploads that have taken too long.
func (b *bucket) giveUp(r s3types.LifecycleRule, now time.Time) {
	for id, u := range b.uploads {
		if at, ok := u.abortAt(r); ok && !at.After(now) {
			delete(b.uploads, id)
		}
	}
}
