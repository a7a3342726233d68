package s3

import "github.com/pullback-dev/pullback/internal/localaws/wire"

func (s *Service) uploadOperations() []wire.Operation {
	id := map[string]string{"uploadId": "UploadId"}
	aborted := map[string]string{
		"X-Amz-Abort-Date": "AbortDate", "X-Amz-Abort-Rule-Id": "AbortRuleId", "X-Amz-Request-Charged": "RequestCharged",
	}
	return []wire.Operation{
		wire.Op("CreateMultipartUpload", s.createUpload).Bind(wire.REST{
			Method: "POST", Path: "/{Bucket}/{Key+}?uploads", Header: createHeaders(),
			OutHeader: merge(encryptedHeaders(), aborted, map[string]string{
				"X-Amz-Checksum-Algorithm": "ChecksumAlgorithm", "X-Amz-Checksum-Type": "ChecksumType",
				"X-Amz-Server-Side-Encryption-Context":            "SSEKMSEncryptionContext",
				"X-Amz-Server-Side-Encryption-Customer-Algorithm": "SSECustomerAlgorithm",
				"X-Amz-Server-Side-Encryption-Customer-Key-Md5":   "SSECustomerKeyMD5",
			}),
		}),
		wire.Op("UploadPart", s.uploadPart).Bind(wire.REST{
			Method: "PUT", Path: "/{Bucket}/{Key+}?partNumber&uploadId", Payload: "Body",
			Query: merge(id, map[string]string{"partNumber": "PartNumber"}),
			Header: merge(callerHeaders(), checksumHeaders(), map[string]string{
				"Content-Md5": "ContentMD5", "X-Amz-Sdk-Checksum-Algorithm": "ChecksumAlgorithm",
			}),
			OutHeader: merge(encryptedHeaders(), checksumHeaders(), map[string]string{
				"Etag": "ETag", "X-Amz-Server-Side-Encryption-Customer-Algorithm": "SSECustomerAlgorithm",
				"X-Amz-Server-Side-Encryption-Customer-Key-Md5": "SSECustomerKeyMD5",
			}),
		}),
		wire.Op("CompleteMultipartUpload", s.completeUpload).Bind(wire.REST{
			Method: "POST", Path: "/{Bucket}/{Key+}?uploadId", Payload: "MultipartUpload", Query: id,
			Header: merge(callerHeaders(), checksumHeaders(), map[string]string{
				"If-Match": "IfMatch", "If-None-Match": "IfNoneMatch", "X-Amz-Checksum-Type": "ChecksumType", "X-Amz-Mp-Object-Size": "MpuObjectSize",
			}),
			OutHeader: merge(encryptedHeaders(), map[string]string{"X-Amz-Expiration": "Expiration", "X-Amz-Version-Id": "VersionId"}),
		}),
		wire.Op("AbortMultipartUpload", s.abortUpload).Bind(wire.REST{
			Method: "DELETE", Path: "/{Bucket}/{Key+}?uploadId", Status: 204, Query: id,
			Header: merge(owner(), map[string]string{
				"X-Amz-Request-Payer": "RequestPayer", "X-Amz-If-Match-Initiated-Time": "IfMatchInitiatedTime",
			}),
			OutHeader: map[string]string{"X-Amz-Request-Charged": "RequestCharged"},
		}),
		wire.Op("ListParts", s.listParts).Bind(wire.REST{
			Method: "GET", Path: "/{Bucket}/{Key+}?uploadId", Header: callerHeaders(), OutHeader: aborted,
			Query: merge(id, map[string]string{"max-parts": "MaxParts", "part-number-marker": "PartNumberMarker"}),
		}),
		wire.Op("ListMultipartUploads", s.listUploads).Bind(wire.REST{
			Method: "GET", Path: "/{Bucket}?uploads", Header: merge(owner(), map[string]string{"X-Amz-Request-Payer": "RequestPayer"}),
			Query: map[string]string{
				"prefix": "Prefix", "delimiter": "Delimiter", "key-marker": "KeyMarker", "upload-id-marker": "UploadIdMarker",
				"max-uploads": "MaxUploads", "encoding-type": "EncodingType",
			},
			OutHeader: map[string]string{"X-Amz-Request-Charged": "RequestCharged"},
		}),
	}
}

// callerHeaders are those that say who pays and which key an object is
// encrypted with.
func callerHeaders() map[string]string {
	return merge(owner(), map[string]string{
		"X-Amz-Request-Payer":                             "RequestPayer",
		"X-Amz-Server-Side-Encryption-Customer-Algorithm": "SSECustomerAlgorithm",
		"X-Amz-Server-Side-Encryption-Customer-Key":       "SSECustomerKey",
		"X-Amz-Server-Side-Encryption-Customer-Key-Md5":   "SSECustomerKeyMD5",
	})
}

// encryptedHeaders are those of an answer that say how an object is encrypted.
func encryptedHeaders() map[string]string {
	return map[string]string{
		"X-Amz-Server-Side-Encryption": "ServerSideEncryption", "X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id": "SSEKMSKeyId",
		"X-Amz-Server-Side-Encryption-Bucket-Key-Enabled": "BucketKeyEnabled", "X-Amz-Request-Charged": "RequestCharged",
	}
}

func createHeaders() map[string]string {
	return merge(callerHeaders(), contentHeaders(), map[string]string{
		"Expires": "Expires", "X-Amz-Acl": "ACL", "X-Amz-Tagging": "Tagging",
		"X-Amz-Checksum-Algorithm": "ChecksumAlgorithm", "X-Amz-Checksum-Type": "ChecksumType",
		"X-Amz-Grant-Full-Control": "GrantFullControl", "X-Amz-Grant-Read": "GrantRead",
		"X-Amz-Grant-Read-Acp": "GrantReadACP", "X-Amz-Grant-Write-Acp": "GrantWriteACP",
		"X-Amz-Object-Lock-Mode": "ObjectLockMode", "X-Amz-Object-Lock-Legal-Hold": "ObjectLockLegalHoldStatus",
		"X-Amz-Object-Lock-Retain-Until-Date":             "ObjectLockRetainUntilDate",
		"X-Amz-Object-Lock-Event-Hold":                    "ObjectLockEventHold",
		"X-Amz-Object-Lock-Event-Hold-Duration-Days":      "ObjectLockEventHoldDurationDays",
		"X-Amz-Object-Lock-Event-Hold-Duration-Years":     "ObjectLockEventHoldDurationYears",
		"X-Amz-Server-Side-Encryption-Bucket-Key-Enabled": "BucketKeyEnabled",
		"X-Amz-Server-Side-Encryption-Context":            "SSEKMSEncryptionContext",
		"X-Amz-Website-Redirect-Location":                 "WebsiteRedirectLocation",
	})
}
