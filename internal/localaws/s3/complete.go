package s3

import (
	"crypto/md5" //nolint:gosec // the entity tag of S3 is an MD5 digest
	"encoding/base64"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

func (s *Service) completeUpload(_ *wire.Call, in *s3.CompleteMultipartUploadInput) (*s3.CompleteMultipartUploadOutput, error) {
	err := wire.Only(in, "Bucket", "Key", "UploadId", "ExpectedBucketOwner", "MultipartUpload", "IfMatch", "IfNoneMatch", "ChecksumType",
		"MpuObjectSize", "ChecksumCRC32", "ChecksumCRC32C", "ChecksumCRC64NVME", "ChecksumSHA1", "ChecksumSHA256")
	if err != nil {
		return nil, err
	}
	b, u, err := s.upload(in.Bucket, in.ExpectedBucketOwner, in.Key, in.UploadId)
	if err != nil {
		return nil, err
	}
	if err := b.checkWrite(u.key, in.IfMatch, in.IfNoneMatch); err != nil {
		return nil, err
	}
	parts, err := u.chosen(in.MultipartUpload)
	if err != nil {
		return nil, err
	}
	o := u.assemble(parts)
	if err := u.checkWhole(in, o); err != nil {
		return nil, err
	}
	delete(b.uploads, u.id)
	if b.versioning == s3types.BucketVersioningStatusEnabled {
		o.version = s.nextVersion()
	}
	b.place(u.key, o)
	out := &s3.CompleteMultipartUploadOutput{
		Bucket: in.Bucket, Key: in.Key, ETag: aws.String(o.etag), ServerSideEncryption: o.algorithm(), SSEKMSKeyId: o.kmsKey(),
		Location:      aws.String(fmt.Sprintf("https://%s.s3.%s.amazonaws.com/%s", b.name, s.world.Region, url.PathEscape(u.key))),
		ChecksumCRC32: o.sums.crc32, ChecksumCRC32C: o.sums.crc32c, ChecksumCRC64NVME: o.sums.crc64,
		ChecksumSHA1: o.sums.sha1, ChecksumSHA256: o.sums.sha256, ChecksumType: o.sums.kind(),
	}
	if b.versioning != "" {
		out.VersionId = aws.String(o.version)
	}
	return out, nil
}

// chosen are the parts that make the object ("CompleteMultipartUpload",
// "Special errors").
func (u *upload) chosen(list *s3types.CompletedMultipartUpload) ([]*part, error) {
	if list == nil || len(list.Parts) == 0 {
		return nil, fail("InvalidRequest", "You must specify at least one part")
	}
	if err := checkOrder(list.Parts); err != nil {
		return nil, err
	}
	parts := make([]*part, len(list.Parts))
	for i, c := range list.Parts {
		p, err := u.match(c)
		if err != nil {
			return nil, err
		}
		parts[i] = p
	}
	for i, p := range parts {
		if i+1 < len(parts) && len(p.body) < minSize {
			return nil, fail("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")
		}
		if u.kind == s3types.ChecksumTypeComposite && int(p.number) != i+1 {
			// "Checking object integrity in Amazon S3" has it that S3 fails then.
			return nil, fail("InternalError", "We encountered an internal error. Please try again.")
		}
	}
	return parts, nil
}

// checkOrder refuses a list whose numbers do not ascend, or that lacks one.
func checkOrder(list []s3types.CompletedPart) error {
	for i, c := range list {
		if c.PartNumber == nil || c.ETag == nil {
			return fail("MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
		}
		if i > 0 && *c.PartNumber <= *list[i-1].PartNumber {
			return fail("InvalidPartOrder", "The list of parts was not in ascending order. Parts must be ordered by part number.")
		}
	}
	return nil
}

// match finds the part that a request names.
func (u *upload) match(c s3types.CompletedPart) (*part, error) {
	claimed := checksums{
		crc32: c.ChecksumCRC32, crc32c: c.ChecksumCRC32C, crc64: c.ChecksumCRC64NVME, sha1: c.ChecksumSHA1, sha256: c.ChecksumSHA256,
	}
	a := algorithmOf(u.algorithm)
	if u.kind == s3types.ChecksumTypeComposite && *a.of(&claimed) == nil {
		return nil, fail("InvalidRequest", fmt.Sprintf("The upload was created using a %s checksum. The complete request must include "+
			"the checksum for each part. It was missing for part %d in the request.", strings.ToLower(string(u.algorithm)), *c.PartNumber))
	}
	p := u.parts[*c.PartNumber]
	if p == nil || !sameTag(*c.ETag, tag(p.digest)) || !u.sameSums(claimed, p) {
		return nil, fail("InvalidPart", "One or more of the specified parts could not be found.  The part may not have been uploaded, "+
			"or the specified entity tag may not match the part's entity tag.")
	}
	return p, nil
}

// sameSums compares the checksums of a part that a request names. Only those of
// the upload's algorithm were kept.
func (u *upload) sameSums(claimed checksums, p *part) bool {
	own := algorithmOf(u.algorithm)
	for _, a := range algorithms() {
		want, got := *a.of(&claimed), *a.of(&p.sums)
		if want != nil && (own == nil || own.name != a.name || got == nil || *got != *want) {
			return false
		}
	}
	return true
}

// assemble makes the object of its parts.
func (u *upload) assemble(parts []*part) *object {
	o := *u.like
	digests := md5.New() //nolint:gosec // the entity tag of S3 is an MD5 digest
	bodies := make([][]byte, len(parts))
	for i, p := range parts {
		bodies[i] = p.body
		_, _ = digests.Write(p.digest) // a hash does not fail
	}
	o.body = slices.Concat(bodies...)
	o.etag = fmt.Sprintf(`"%x-%d"`, digests.Sum(nil), len(parts)) // "Object", ETag
	o.sums = u.sumsOf(parts, o.body)
	return &o
}

// sumsOf makes the checksum of the object. S3 adds CRC64NVME where none was
// asked for.
func (u *upload) sumsOf(parts []*part, body []byte) checksums {
	a := algorithmOf(u.algorithm)
	if a == nil {
		a = algorithmOf(s3types.ChecksumAlgorithmCrc64nvme)
	}
	c := checksums{composite: u.kind == s3types.ChecksumTypeComposite}
	sum := a.sum(body)
	if c.composite {
		all := make([][]byte, len(parts))
		for i, p := range parts {
			all[i], _ = base64.StdEncoding.DecodeString(**a.of(&p.sums)) // which we made
		}
		sum = fmt.Sprintf("%s-%d", a.sum(all...), len(parts))
	}
	*a.of(&c) = &sum
	return c
}

// checkWhole compares the object with what a request says of it. Checksums
// are not looked at if the upload began without an algorithm.
func (u *upload) checkWhole(in *s3.CompleteMultipartUploadInput, o *object) error {
	if in.ChecksumType != "" && in.ChecksumType != o.sums.kind() {
		return fail("InvalidRequest", fmt.Sprintf(
			"The upload was created using the %s checksum mode. The complete request must use the same checksum mode.", o.sums.kind()))
	}
	if size := int64(len(o.body)); in.MpuObjectSize != nil && *in.MpuObjectSize != size {
		return fail("InvalidRequest", fmt.Sprintf(
			"The provided 'x-amz-mp-object-size' header value %d does not match what was computed: %d", *in.MpuObjectSize, size))
	}
	claimed := checksums{
		crc32: in.ChecksumCRC32, crc32c: in.ChecksumCRC32C, crc64: in.ChecksumCRC64NVME, sha1: in.ChecksumSHA1, sha256: in.ChecksumSHA256,
	}
	if err := u.checkAlgorithm(claimed, false); err != nil {
		return err
	}
	a := algorithmOf(u.algorithm)
	if a == nil || *a.of(&claimed) == nil {
		return nil
	}
	want, _, _ := strings.Cut(**a.of(&claimed), "-") // the number of parts may be left out
	if got, _, _ := strings.Cut(**a.of(&o.sums), "-"); got != want {
		return badDigest(*a)
	}
	return nil
}

// place makes an object a version of its key. Among the versions of an enabled
// bucket it comes where its upload began, so that the one that began last is the
// current one ("Concurrent multipart upload operations").
func (b *bucket) place(key string, o *object) {
	if o.version == nullVersion {
		b.add(key, o)
		return
	}
	all := b.objects[key]
	at := len(all)
	for at > 0 && all[at-1].modified.After(o.modified) {
		at--
	}
	b.objects[key] = slices.Insert(slices.Clone(all), at, o)
}
