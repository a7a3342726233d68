package s3

import (
	"crypto/md5" //nolint:gosec // the entity tag of S3 is an MD5 digest
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// The limits are those of "Amazon S3 multipart upload limits". The largest part
// is as large as a request may be here.
const (
	maxPart  = 10_000
	minSize  = 5 << 20 // of every part but the last
	maxParts = 1000    // in an answer
)

// part is a part of an upload.
type part struct {
	number   int32
	body     []byte
	digest   []byte // MD5
	sums     checksums
	modified time.Time
}

func (s *Service) uploadPart(_ *wire.Call, in *s3.UploadPartInput) (*s3.UploadPartOutput, error) {
	err := wire.Only(in, "Bucket", "Key", "UploadId", "PartNumber", "Body", "ContentLength", "ContentMD5", "ExpectedBucketOwner",
		"ChecksumAlgorithm", "ChecksumCRC32", "ChecksumCRC32C", "ChecksumCRC64NVME", "ChecksumSHA1", "ChecksumSHA256")
	if err != nil {
		return nil, err
	}
	number := aws.ToInt32(in.PartNumber)
	if number < 1 || number > maxPart {
		return nil, fail("InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive")
	}
	_, u, err := s.upload(in.Bucket, in.ExpectedBucketOwner, in.Key, in.UploadId)
	if err != nil {
		return nil, err
	}
	body, err := readBody(in.Body)
	if err != nil {
		return nil, err
	}
	digest := md5.Sum(body) //nolint:gosec // the entity tag of S3 is an MD5 digest
	if err := checkMD5(in.ContentMD5, digest[:]); err != nil {
		return nil, err
	}
	sums, err := u.sumsOfPart(body, checksums{
		crc32: in.ChecksumCRC32, crc32c: in.ChecksumCRC32C, crc64: in.ChecksumCRC64NVME, sha1: in.ChecksumSHA1, sha256: in.ChecksumSHA256,
	})
	if err != nil {
		return nil, err
	}
	p := &part{number: number, body: body, digest: digest[:], sums: sums, modified: s.world.Now().Truncate(time.Second)}
	u.parts[number] = p // in place of the one that was there
	return &s3.UploadPartOutput{
		ETag: aws.String(tag(p.digest)), ServerSideEncryption: u.like.algorithm(), SSEKMSKeyId: u.like.kmsKey(),
		ChecksumCRC32: sums.crc32, ChecksumCRC32C: sums.crc32c, ChecksumCRC64NVME: sums.crc64,
		ChecksumSHA1: sums.sha1, ChecksumSHA256: sums.sha256,
	}, nil
}

// sumsOfPart verifies the checksums of a part, which must be of the algorithm
// that the upload began with. Without one AWS makes it itself, if it is to be
// that of the whole object.
func (u *upload) sumsOfPart(body []byte, claimed checksums) (checksums, error) {
	if err := u.checkAlgorithm(claimed, u.kind == s3types.ChecksumTypeComposite); err != nil {
		return checksums{}, err
	}
	if err := claimed.verify(body); err != nil {
		return checksums{}, err
	}
	if a := algorithmOf(u.algorithm); a != nil {
		*a.of(&claimed) = aws.String(a.sum(body))
	}
	return claimed, nil
}

// checkAlgorithm refuses checksums of another algorithm than the upload's, and
// the lack of one that is needed.
func (u *upload) checkAlgorithm(claimed checksums, needed bool) error {
	a := algorithmOf(u.algorithm)
	if a == nil || *a.of(&claimed) != nil || claimed.first() == "null" && !needed {
		return nil
	}
	return fail("InvalidRequest", "Checksum Type mismatch occurred, expected checksum Type: "+strings.ToLower(string(u.algorithm))+
		", actual checksum Type: "+claimed.first())
}

func (s *Service) listParts(_ *wire.Call, in *s3.ListPartsInput) (*s3.ListPartsOutput, error) {
	if err := wire.Only(in, "Bucket", "Key", "UploadId", "ExpectedBucketOwner", "MaxParts", "PartNumberMarker"); err != nil {
		return nil, err
	}
	b, u, err := s.upload(in.Bucket, in.ExpectedBucketOwner, in.Key, in.UploadId)
	if err != nil {
		return nil, err
	}
	limit, err := atMost(in.MaxParts, maxParts, "max-parts")
	if err != nil {
		return nil, err
	}
	marker := "0" // which comes before the first
	if in.PartNumberMarker != nil {
		marker = *in.PartNumberMarker
	}
	after, err := strconv.ParseInt(marker, 10, 32)
	if err != nil || after < 0 {
		return nil, fail("InvalidArgument", "Argument part-number-marker must be an integer between 0 and 2147483647")
	}
	out := &s3.ListPartsOutput{
		Bucket: in.Bucket, Key: in.Key, UploadId: in.UploadId, ChecksumAlgorithm: u.algorithm, ChecksumType: u.kind,
		MaxParts: aws.Int32(limit), PartNumberMarker: aws.String(marker), NextPartNumberMarker: aws.String("0"), IsTruncated: aws.Bool(false),
		Owner: s.owner(), Initiator: s.initiator(), StorageClass: s3types.StorageClassStandard,
	}
	out.AbortDate, out.AbortRuleId = b.abortion(u)
	for _, n := range slices.Sorted(maps.Keys(u.parts)) {
		if int64(n) <= after {
			continue
		}
		if len(out.Parts) == int(limit) {
			out.IsTruncated = aws.Bool(true)
			break
		}
		out.Parts = append(out.Parts, u.parts[n].entry(u))
		out.NextPartNumberMarker = aws.String(strconv.Itoa(int(n)))
	}
	return out, nil
}

// entry describes a part in a list.
func (p *part) entry(u *upload) s3types.Part {
	e := s3types.Part{
		PartNumber: aws.Int32(p.number), ETag: aws.String(tag(p.digest)), LastModified: aws.Time(p.modified), Size: aws.Int64(int64(len(p.body))),
	}
	if a := algorithmOf(u.algorithm); a != nil {
		c := p.sums.only(a)
		e.ChecksumCRC32, e.ChecksumCRC32C, e.ChecksumCRC64NVME, e.ChecksumSHA1, e.ChecksumSHA256 = c.crc32, c.crc32c, c.crc64, c.sha1, c.sha256
	}
	return e
}

// initiator is who began an upload: here the account.
func (s *Service) initiator() *s3types.Initiator { return &s3types.Initiator{ID: s.owner().ID} }

// atMost is how many entries an answer has.
func atMost(asked *int32, most int32, argument string) (int32, error) {
	if asked == nil {
		return most, nil
	}
	if *asked < 0 {
		return 0, fail("InvalidArgument", "Argument "+argument+" must be an integer between 0 and 2147483647")
	}
	return min(*asked, most), nil
}
