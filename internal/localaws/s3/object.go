package s3

import (
	"crypto/md5" //nolint:gosec // the entity tag of S3 is an MD5 digest
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// nullVersion is the id of a version that was written while versioning was not
// enabled ("How S3 Versioning works").
const nullVersion = "null"

// object is one version of an object.
type object struct {
	version    string
	marker     bool // a delete marker, which has nothing else
	modified   time.Time
	body       []byte
	etag       string
	sums       checksums
	meta       map[string]string
	expires    *string
	encryption *s3types.ServerSideEncryptionByDefault // nil is SSE-S3

	cacheControl, disposition, encoding, language, contentType *string
}

func (s *Service) putObject(_ *wire.Call, in *s3.PutObjectInput) (*s3.PutObjectOutput, error) {
	err := wire.Only(in, "Bucket", "Key", "Body", "CacheControl", "ContentDisposition", "ContentEncoding", "ContentLanguage",
		"ContentLength", "ContentMD5", "ContentType", "ExpectedBucketOwner", "Expires", "IfMatch", "IfNoneMatch", "Metadata",
		"ChecksumAlgorithm", "ChecksumCRC32", "ChecksumCRC32C", "ChecksumCRC64NVME", "ChecksumSHA1", "ChecksumSHA256",
		"ServerSideEncryption", "SSEKMSKeyId", "BucketKeyEnabled", "StorageClass")
	if err != nil {
		return nil, err
	}
	b, err := s.bucket(in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	if err := checkPut(in); err != nil {
		return nil, err
	}
	if err := b.checkWrite(aws.ToString(in.Key), in.IfMatch, in.IfNoneMatch); err != nil {
		return nil, err
	}
	o, err := s.newObject(b, in)
	if err != nil {
		return nil, err
	}
	b.add(aws.ToString(in.Key), o)
	out := &s3.PutObjectOutput{ETag: aws.String(o.etag), ServerSideEncryption: o.algorithm(), SSEKMSKeyId: o.kmsKey()}
	if b.versioning != "" {
		out.VersionId = aws.String(o.version)
	}
	out.ChecksumCRC32, out.ChecksumCRC32C, out.ChecksumCRC64NVME = o.sums.crc32, o.sums.crc32c, o.sums.crc64
	out.ChecksumSHA1, out.ChecksumSHA256, out.ChecksumType = o.sums.sha1, o.sums.sha256, o.sums.kind()
	return out, nil
}

// checkPut refuses what the store cannot do.
func checkPut(in *s3.PutObjectInput) error {
	switch {
	case in.ServerSideEncryption != "" && !encrypts(in.ServerSideEncryption):
		return fail("UnsupportedParameter", "the local AWS does not support ServerSideEncryption "+string(in.ServerSideEncryption))
	case in.StorageClass != "" && in.StorageClass != s3types.StorageClassStandard:
		return fail("UnsupportedParameter", "the local AWS does not support StorageClass "+string(in.StorageClass))
	case len(aws.ToString(in.Key)) > maxKey:
		return fail("KeyTooLongError", "Your key is too long")
	}
	return nil
}

// checkWrite refuses a write whose condition does not hold ("Conditional
// writes").
func (b *bucket) checkWrite(key string, ifMatch, ifNoneMatch *string) error {
	current := b.current(key)
	if ifNoneMatch != nil {
		if *ifNoneMatch != "*" {
			return fail("NotImplemented", "A header you provided implies functionality that is not implemented")
		}
		if current != nil {
			return preconditionFailed()
		}
	}
	if ifMatch != nil {
		if current == nil {
			return noSuchKey()
		}
		if !sameTag(*ifMatch, current.etag) {
			return preconditionFailed()
		}
	}
	return nil
}

// maxKey is the length of a key in bytes ("Naming Amazon S3 objects").
const maxKey = 1024

func preconditionFailed() error {
	return fail("PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
}

func noSuchKey() error {
	return &s3types.NoSuchKey{Message: aws.String("The specified key does not exist.")}
}

// sameTag compares entity tags; the quotes may be missing.
func sameTag(a, b string) bool { return strings.Trim(a, `"`) == strings.Trim(b, `"`) }

// newObject makes the version that a PutObject writes.
func (s *Service) newObject(b *bucket, in *s3.PutObjectInput) (*object, error) {
	o := s.describe(b, in)
	var err error
	if o.body, err = readBody(in.Body); err != nil {
		return nil, err
	}
	digest := md5.Sum(o.body) //nolint:gosec // the entity tag of S3 is an MD5 digest
	o.etag = tag(digest[:])
	if err := checkMD5(in.ContentMD5, digest[:]); err != nil {
		return nil, err
	}
	o.sums = given(in)
	if err := o.sums.verify(o.body); err != nil {
		return nil, err
	}
	if b.versioning == s3types.BucketVersioningStatusEnabled {
		o.version = s.nextVersion()
	}
	return o, nil
}

// describe makes an object of which all is known but what is in it.
func (s *Service) describe(b *bucket, in *s3.PutObjectInput) *object {
	o := &object{
		version: nullVersion, modified: s.world.Now().Truncate(time.Second), meta: in.Metadata,
		cacheControl: in.CacheControl, disposition: in.ContentDisposition, language: in.ContentLanguage,
		contentType: in.ContentType, encoding: contentEncoding(in.ContentEncoding),
	}
	if o.contentType == nil {
		o.contentType = aws.String("binary/octet-stream") // "PutObject"
	}
	if in.Expires != nil {
		o.expires = aws.String(in.Expires.UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT"))
	}
	o.encryption = b.encryption
	if in.ServerSideEncryption != "" {
		o.encryption = &s3types.ServerSideEncryptionByDefault{SSEAlgorithm: in.ServerSideEncryption, KMSMasterKeyID: in.SSEKMSKeyId}
	}
	return o
}

// readBody reads what is in an object or a part; there may be nothing.
func readBody(r io.Reader) ([]byte, error) {
	if r == nil {
		return nil, nil
	}
	body, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("read body of object: %w", err)
	}
	return body, nil
}

// tag is an entity tag.
func tag(digest []byte) string { return `"` + hex.EncodeToString(digest) + `"` }

func checkMD5(want *string, digest []byte) error {
	if want != nil && *want != base64.StdEncoding.EncodeToString(digest) {
		return fail("BadDigest", "The Content-MD5 you specified did not match what we received.")
	}
	return nil
}

// contentEncoding is what is kept of the header: aws-chunked is only how the
// body travels.
func contentEncoding(header *string) *string {
	if header == nil {
		return nil
	}
	var kept []string
	for e := range strings.SplitSeq(*header, ",") {
		if e = strings.TrimSpace(e); e != "" && e != "aws-chunked" {
			kept = append(kept, e)
		}
	}
	if len(kept) == 0 {
		return nil
	}
	return aws.String(strings.Join(kept, ","))
}

// nextVersion makes a version id. AWS's are opaque; ours only depend on how
// many versions were written before.
func (s *Service) nextVersion() string {
	s.written++
	sum := sha256.Sum256(fmt.Append(nil, "version ", s.written))
	return base64.RawURLEncoding.EncodeToString(sum[:24])
}

// isVersion reports whether a version id could be one.
func isVersion(id string) bool {
	b, err := base64.RawURLEncoding.DecodeString(id)
	return id == nullVersion || err == nil && len(b) == 24
}

func noVersionID() error { return fail("InvalidArgument", "Invalid version id specified") }

// add makes a version the current one. The null version exists only once.
func (b *bucket) add(key string, o *object) {
	if o.version == nullVersion {
		b.remove(key, nullVersion)
	}
	b.objects[key] = append(b.objects[key], o)
}

// remove takes a version away and returns it, or nil.
func (b *bucket) remove(key, version string) *object {
	for i, o := range b.objects[key] {
		if o.version != version {
			continue
		}
		b.objects[key] = append(b.objects[key][:i:i], b.objects[key][i+1:]...)
		if len(b.objects[key]) == 0 {
			delete(b.objects, key)
		}
		return o
	}
	return nil
}

// current returns the latest version, or nil if there is none or it is a
// delete marker.
func (b *bucket) current(key string) *object {
	all := b.objects[key]
	if len(all) == 0 || all[len(all)-1].marker {
		return nil
	}
	return all[len(all)-1]
}

func (s *Service) deleteObject(_ *wire.Call, in *s3.DeleteObjectInput) (*s3.DeleteObjectOutput, error) {
	if err := wire.Only(in, "Bucket", "Key", "VersionId", "ExpectedBucketOwner"); err != nil {
		return nil, err
	}
	b, err := s.bucket(in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	key := aws.ToString(in.Key)
	switch {
	case in.VersionId != nil && !isVersion(*in.VersionId):
		return nil, noVersionID()
	case in.VersionId != nil:
		o := b.remove(key, *in.VersionId)
		out := &s3.DeleteObjectOutput{VersionId: in.VersionId}
		if o != nil && o.marker {
			out.DeleteMarker = aws.Bool(true)
		}
		return out, nil
	case b.versioning == "":
		b.remove(key, nullVersion)
		return &s3.DeleteObjectOutput{}, nil
	}
	m := &object{marker: true, version: nullVersion, modified: s.world.Now().Truncate(time.Second)}
	if b.versioning == s3types.BucketVersioningStatusEnabled {
		m.version = s.nextVersion()
	}
	b.add(key, m)
	return &s3.DeleteObjectOutput{DeleteMarker: aws.Bool(true), VersionId: aws.String(m.version)}, nil
}

// algorithm and kmsKey are what an object says about its encryption.
func (o *object) algorithm() s3types.ServerSideEncryption {
	if o.encryption == nil {
		return s3types.ServerSideEncryptionAes256
	}
	return o.encryption.SSEAlgorithm
}

func (o *object) kmsKey() *string {
	if o.encryption == nil {
		return nil
	}
	return o.encryption.KMSMasterKeyID
}
