package s3

import (
	"crypto/sha1" //nolint:gosec // one of the checksums of S3
	"crypto/sha256"
	"encoding/base64"
	"hash"
	"hash/crc32"
	"hash/crc64"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// nvme is the polynomial of CRC-64/NVME, reversed as hash/crc64 wants it
// ("Checking object integrity in Amazon S3").
const nvme = 0x9a6c9329ac4bc9b5

// checksums are those that were given with an object, in base64.
type checksums struct{ crc32, crc32c, crc64, sha1, sha256 *string }

// kind says that a checksum is one of the whole object.
func (c checksums) kind() s3types.ChecksumType {
	if c == (checksums{}) {
		return ""
	}
	return s3types.ChecksumTypeFullObject
}

// verify compares the body with the checksums that came with it.
func verify(body []byte, in *s3.PutObjectInput) (checksums, error) {
	for _, c := range []struct {
		name string
		want *string
		sum  hash.Hash
	}{
		{"CRC32", in.ChecksumCRC32, crc32.NewIEEE()},
		{"CRC32C", in.ChecksumCRC32C, crc32.New(crc32.MakeTable(crc32.Castagnoli))},
		{"CRC64NVME", in.ChecksumCRC64NVME, crc64.New(crc64.MakeTable(nvme))},
		{"SHA1", in.ChecksumSHA1, sha1.New()}, //nolint:gosec // one of the checksums of S3
		{"SHA256", in.ChecksumSHA256, sha256.New()},
	} {
		if c.want == nil {
			continue
		}
		_, _ = c.sum.Write(body) // a hash does not fail
		if got := base64.StdEncoding.EncodeToString(c.sum.Sum(nil)); got != *c.want {
			return checksums{}, fail("BadDigest", "The "+c.name+" you specified did not match the calculated checksum.")
		}
	}
	return checksums{
		crc32: in.ChecksumCRC32, crc32c: in.ChecksumCRC32C, crc64: in.ChecksumCRC64NVME,
		sha1: in.ChecksumSHA1, sha256: in.ChecksumSHA256,
	}, nil
}
