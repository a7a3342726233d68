// Package s3 is the object store of the local AWS: buckets and objects in
// memory, with versions, entity tags and checksums, addressed by path, put at
// once or in parts. It refuses copies, access control lists, customers' own
// encryption keys and everything else that it does not list.
package s3

import (
	"slices"

	"github.com/aws/smithy-go"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// Service is the object store.
type Service struct {
	world   *world.World
	buckets map[string]*bucket
	written uint64 // versions written so far
	begun   uint64 // uploads in parts begun so far

	watching bool `state:"-"` // a timer applies lifecycle rules at midnight
}

// New makes a store without buckets. S3 calls no other service.
func New(w *world.World, _ wire.Caller) *Service {
	return &Service{world: w, buckets: map[string]*bucket{}}
}

// Wire lists the operations.
func (s *Service) Wire() wire.Service {
	return wire.Service{
		Name: "s3", Protocol: wire.RESTXML, Version: "2006-03-01", Style: wire.Pascal,
		Status:     statuses(),
		Operations: slices.Concat(s.bucketOperations(), s.settingOperations(), s.objectOperations(), s.uploadOperations()),
	}
}

// statuses are the HTTP statuses of error codes ("Error responses", list of
// error codes).
func statuses() map[string]int {
	return map[string]int{
		"NotModified":        304,
		"NoSuchBucket":       404,
		"NoSuchKey":          404,
		"NoSuchVersion":      404,
		"NoSuchUpload":       404,
		"NotFound":           404,
		"NoSuchBucketPolicy": 404, "NoSuchLifecycleConfiguration": 404, "NoSuchTagSet": 404,
		"NoSuchPublicAccessBlockConfiguration": 404,
		"AccessDenied":                         403,
		"BucketAlreadyOwnedByYou":              409, "BucketNotEmpty": 409,
		"PreconditionFailed": 412,
		"InvalidRange":       416,
		"InternalError":      500,
	}
}

func (s *Service) bucketOperations() []wire.Operation {
	location := map[string]string{"X-Amz-Bucket-Region": "BucketRegion"}
	return []wire.Operation{
		wire.Op("ListBuckets", s.listBuckets).Bind(wire.REST{Method: "GET", Path: "/", Query: map[string]string{
			"prefix": "Prefix", "max-buckets": "MaxBuckets", "continuation-token": "ContinuationToken", "bucket-region": "BucketRegion",
		}}),
		wire.Op("CreateBucket", s.createBucket).Bind(wire.REST{
			Method: "PUT", Path: "/{Bucket}", Payload: "CreateBucketConfiguration",
			OutHeader: map[string]string{"Location": "Location", "X-Amz-Bucket-Arn": "BucketArn"},
			Header:    bucketHeaders(),
		}),
		wire.Op("HeadBucket", s.headBucket).Bind(wire.REST{
			Method: "HEAD", Path: "/{Bucket}", OutHeader: location, Header: owner(),
		}),
		wire.Op("DeleteBucket", s.deleteBucket).Bind(wire.REST{
			Method: "DELETE", Path: "/{Bucket}", Status: 204, Header: owner(),
		}),
		wire.Op("GetBucketLocation", s.getBucketLocation).Bind(wire.REST{
			Method: "GET", Path: "/{Bucket}?location", Header: owner(),
		}),
		wire.Op("GetBucketEncryption", s.getBucketEncryption).Bind(wire.REST{
			Method: "GET", Path: "/{Bucket}?encryption", Header: owner(), OutPayload: "ServerSideEncryptionConfiguration",
		}),
		wire.Op("GetBucketVersioning", s.getBucketVersioning).Bind(wire.REST{
			Method: "GET", Path: "/{Bucket}?versioning", Header: owner(),
		}),
		wire.Op("PutBucketVersioning", s.putBucketVersioning).Bind(wire.REST{
			Method: "PUT", Path: "/{Bucket}?versioning", Payload: "VersioningConfiguration",
			Header: merge(owner(), map[string]string{"X-Amz-Mfa": "MFA"}),
		}),
		wire.Op("ListObjectsV2", s.listObjects).Bind(wire.REST{
			Method: "GET", Path: "/{Bucket}?list-type=2",
			Query: map[string]string{
				"prefix": "Prefix", "delimiter": "Delimiter", "max-keys": "MaxKeys", "start-after": "StartAfter",
				"continuation-token": "ContinuationToken", "encoding-type": "EncodingType", "fetch-owner": "FetchOwner",
			},
			Header: merge(owner(), map[string]string{
				"X-Amz-Request-Payer": "RequestPayer", "X-Amz-Optional-Object-Attributes": "OptionalObjectAttributes",
			}),
		}),
	}
}

func (s *Service) objectOperations() []wire.Operation {
	read := map[string]string{
		"versionId": "VersionId", "partNumber": "PartNumber",
		"response-cache-control": "ResponseCacheControl", "response-content-disposition": "ResponseContentDisposition",
		"response-content-encoding": "ResponseContentEncoding", "response-content-language": "ResponseContentLanguage",
		"response-content-type": "ResponseContentType", "response-expires": "ResponseExpires",
	}
	return []wire.Operation{
		wire.Op("PutObject", s.putObject).Bind(wire.REST{
			Method: "PUT", Path: "/{Bucket}/{Key+}", Payload: "Body", Header: putHeaders(), OutHeader: writtenHeaders(),
		}),
		wire.Op("GetObject", s.getObject).Bind(wire.REST{
			Method: "GET", Path: "/{Bucket}/{Key+}", Query: read, Header: readHeaders(),
			OutPayload: "Body", OutHeader: objectHeaders(), StatusOf: partial,
		}),
		wire.Op("HeadObject", s.headObject).Bind(wire.REST{
			Method: "HEAD", Path: "/{Bucket}/{Key+}", Query: read, Header: readHeaders(),
			OutHeader: objectHeaders(), StatusOf: partial,
		}),
		wire.Op("DeleteObject", s.deleteObject).Bind(wire.REST{
			Method: "DELETE", Path: "/{Bucket}/{Key+}", Status: 204, Query: map[string]string{"versionId": "VersionId"},
			Header: merge(owner(), map[string]string{
				"X-Amz-Mfa": "MFA", "X-Amz-Request-Payer": "RequestPayer", "If-Match": "IfMatch",
				"X-Amz-Bypass-Governance-Retention": "BypassGovernanceRetention",
				"X-Amz-If-Match-Last-Modified-Time": "IfMatchLastModifiedTime", "X-Amz-If-Match-Size": "IfMatchSize",
			}),
			OutHeader: map[string]string{"X-Amz-Delete-Marker": "DeleteMarker", "X-Amz-Version-Id": "VersionId"},
		}),
	}
}

// fail makes an error without a type of its own in the SDK.
func fail(code, message string) error {
	return &smithy.GenericAPIError{Code: code, Message: message, Fault: smithy.FaultClient}
}
