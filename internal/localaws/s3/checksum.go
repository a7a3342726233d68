package s3

import (
	"crypto/sha1" //nolint:gosec // one of the checksums of S3
	"crypto/sha256"
	"encoding/base64"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// nvme is the polynomial of CRC-64/NVME, reversed as hash/crc64 wants it
// ("Checking object integrity in Amazon S3").
const nvme = 0x9a6c9329ac4bc9b5

// checksums are those that were given with an object, in base64.
type checksums struct {
	crc32, crc32c, crc64, sha1, sha256 *string

	composite bool // of the parts' checksums, not of the object
}

// kind says whether a checksum is one of the whole object or of its parts'
// checksums.
func (c checksums) kind() s3types.ChecksumType {
	switch {
	case c == (checksums{}):
		return ""
	case c.composite:
		return s3types.ChecksumTypeComposite
	default:
		return s3types.ChecksumTypeFullObject
	}
}

// algorithm makes one of the checksums.
type algorithm struct {
	name s3types.ChecksumAlgorithm
	hash func() hash.Hash
	of   func(*checksums) **string
}

// algorithms are those of an object's checksums that the store can make.
func algorithms() []algorithm {
	return []algorithm{
		{s3types.ChecksumAlgorithmCrc32, func() hash.Hash { return crc32.NewIEEE() }, func(c *checksums) **string { return &c.crc32 }},
		{s3types.ChecksumAlgorithmCrc32c, func() hash.Hash { return crc32.New(crc32.MakeTable(crc32.Castagnoli)) }, func(c *checksums) **string { return &c.crc32c }},
		{s3types.ChecksumAlgorithmCrc64nvme, func() hash.Hash { return crc64.New(crc64.MakeTable(nvme)) }, func(c *checksums) **string { return &c.crc64 }},
		{s3types.ChecksumAlgorithmSha1, sha1.New, func(c *checksums) **string { return &c.sha1 }},
		{s3types.ChecksumAlgorithmSha256, sha256.New, func(c *checksums) **string { return &c.sha256 }},
	}
}

// algorithmOf finds an algorithm by its name, or nil.
func algorithmOf(name s3types.ChecksumAlgorithm) *algorithm {
	for _, a := range algorithms() {
		if a.name == name {
			return &a
		}
	}
	return nil
}

// sum is the checksum of some bytes, in base64.
func (a algorithm) sum(of ...[]byte) string {
	h := a.hash()
	for _, b := range of {
		_, _ = h.Write(b) // a hash does not fail
	}
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// linear says that the checksum of an object follows from those of its parts,
// so that one of the whole object may be had ("Full object and composite
// checksum types").
func (a algorithm) linear() bool { return strings.HasPrefix(string(a.name), "CRC") }

// given are the checksums that came with an object.
func given(in *s3.PutObjectInput) checksums {
	return checksums{
		crc32: in.ChecksumCRC32, crc32c: in.ChecksumCRC32C, crc64: in.ChecksumCRC64NVME,
		sha1: in.ChecksumSHA1, sha256: in.ChecksumSHA256,
	}
}

// verify compares a body with the checksums that came with it.
func (c checksums) verify(body []byte) error {
	for _, a := range algorithms() {
		if want := *a.of(&c); want != nil && a.sum(body) != *want {
			return badDigest(a)
		}
	}
	return nil
}

func badDigest(a algorithm) error {
	return fail("BadDigest", "The "+string(a.name)+" you specified did not match the calculated checksum.")
}

// only are the checksums without those of other algorithms.
func (c checksums) only(a *algorithm) checksums {
	out := checksums{composite: c.composite}
	*a.of(&out) = *a.of(&c)
	return out
}

// first names the algorithm of a checksum as errors do; "null" is none.
func (c checksums) first() string {
	for _, a := range algorithms() {
		if *a.of(&c) != nil {
			return strings.ToLower(string(a.name))
		}
	}
	return "null"
}
