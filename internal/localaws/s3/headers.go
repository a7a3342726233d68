package s3

import (
	"maps"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// The bindings below are those of the request and response syntax in the
// Amazon S3 API reference, as far as a struct field belongs to them.

func merge(all ...map[string]string) map[string]string {
	out := map[string]string{}
	for _, m := range all {
		maps.Copy(out, m)
	}
	return out
}

func owner() map[string]string {
	return map[string]string{"X-Amz-Expected-Bucket-Owner": "ExpectedBucketOwner"}
}

func bucketHeaders() map[string]string {
	return map[string]string{
		"X-Amz-Acl": "ACL", "X-Amz-Bucket-Namespace": "BucketNamespace",
		"X-Amz-Grant-Full-Control": "GrantFullControl", "X-Amz-Grant-Read": "GrantRead",
		"X-Amz-Grant-Read-Acp": "GrantReadACP", "X-Amz-Grant-Write": "GrantWrite", "X-Amz-Grant-Write-Acp": "GrantWriteACP",
		"X-Amz-Bucket-Object-Lock-Enabled": "ObjectLockEnabledForBucket", "X-Amz-Object-Ownership": "ObjectOwnership",
	}
}

func checksumHeaders() map[string]string {
	return map[string]string{
		"X-Amz-Checksum-Crc32": "ChecksumCRC32", "X-Amz-Checksum-Crc32c": "ChecksumCRC32C",
		"X-Amz-Checksum-Crc64nvme": "ChecksumCRC64NVME",
		"X-Amz-Checksum-Sha1":      "ChecksumSHA1", "X-Amz-Checksum-Sha256": "ChecksumSHA256",
		"X-Amz-Checksum-Sha512": "ChecksumSHA512", "X-Amz-Checksum-Md5": "ChecksumMD5",
		"X-Amz-Checksum-Xxhash3": "ChecksumXXHASH3", "X-Amz-Checksum-Xxhash64": "ChecksumXXHASH64",
		"X-Amz-Checksum-Xxhash128": "ChecksumXXHASH128",
	}
}

func contentHeaders() map[string]string {
	return map[string]string{
		"Cache-Control": "CacheControl", "Content-Disposition": "ContentDisposition", "Content-Encoding": "ContentEncoding",
		"Content-Language": "ContentLanguage", "Content-Type": "ContentType", "X-Amz-Meta-*": "Metadata",
		"X-Amz-Server-Side-Encryption": "ServerSideEncryption", "X-Amz-Storage-Class": "StorageClass",
		"X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id": "SSEKMSKeyId",
	}
}

func putHeaders() map[string]string {
	return merge(owner(), checksumHeaders(), contentHeaders(), map[string]string{
		"Content-Md5": "ContentMD5", "Expires": "Expires", "If-Match": "IfMatch", "If-None-Match": "IfNoneMatch",
		"X-Amz-Acl": "ACL", "X-Amz-Tagging": "Tagging", "X-Amz-Request-Payer": "RequestPayer",
		"X-Amz-Grant-Full-Control": "GrantFullControl", "X-Amz-Grant-Read": "GrantRead",
		"X-Amz-Grant-Read-Acp": "GrantReadACP", "X-Amz-Grant-Write-Acp": "GrantWriteACP",
		"X-Amz-Object-Lock-Mode": "ObjectLockMode", "X-Amz-Object-Lock-Legal-Hold": "ObjectLockLegalHoldStatus",
		"X-Amz-Object-Lock-Retain-Until-Date":             "ObjectLockRetainUntilDate",
		"X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id":     "SSEKMSKeyId",
		"X-Amz-Server-Side-Encryption-Bucket-Key-Enabled": "BucketKeyEnabled",
		"X-Amz-Server-Side-Encryption-Context":            "SSEKMSEncryptionContext",
		"X-Amz-Website-Redirect-Location":                 "WebsiteRedirectLocation",
		"X-Amz-Write-Offset-Bytes":                        "WriteOffsetBytes",
		"X-Amz-Server-Side-Encryption-Customer-Algorithm": "SSECustomerAlgorithm",
		"X-Amz-Server-Side-Encryption-Customer-Key":       "SSECustomerKey",
		"X-Amz-Server-Side-Encryption-Customer-Key-Md5":   "SSECustomerKeyMD5",
	})
}

func writtenHeaders() map[string]string {
	return merge(checksumHeaders(), map[string]string{
		"Etag": "ETag", "X-Amz-Version-Id": "VersionId", "X-Amz-Server-Side-Encryption": "ServerSideEncryption",
		"X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id": "SSEKMSKeyId",
		"X-Amz-Checksum-Type":                         "ChecksumType",
	})
}

func readHeaders() map[string]string {
	return merge(owner(), map[string]string{
		"If-Match": "IfMatch", "If-None-Match": "IfNoneMatch", "Range": "Range",
		"If-Modified-Since": "IfModifiedSince", "If-Unmodified-Since": "IfUnmodifiedSince",
		"X-Amz-Checksum-Mode": "ChecksumMode", "X-Amz-Request-Payer": "RequestPayer",
		"X-Amz-Server-Side-Encryption-Customer-Algorithm": "SSECustomerAlgorithm",
		"X-Amz-Server-Side-Encryption-Customer-Key":       "SSECustomerKey",
		"X-Amz-Server-Side-Encryption-Customer-Key-Md5":   "SSECustomerKeyMD5",
	})
}

func objectHeaders() map[string]string {
	return merge(writtenHeaders(), contentHeaders(), map[string]string{
		"Accept-Ranges": "AcceptRanges", "Content-Length": "ContentLength", "Content-Range": "ContentRange",
		"Expires": "ExpiresString", "Last-Modified": "LastModified",
	})
}

// partial is the status of an answer that has only a range of the object.
func partial(out any) int {
	switch o := out.(type) {
	case *s3.GetObjectOutput:
		if o.ContentRange != nil {
			return http.StatusPartialContent
		}
	case *s3.HeadObjectOutput:
		if o.ContentRange != nil {
			return http.StatusPartialContent
		}
	}
	return 0
}
