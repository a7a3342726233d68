package s3_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

func TestAListComesInPagesAndFolders(t *testing.T) {
	c, _ := store(t)
	for _, key := range []string{"a", "dir/1", "dir/2", "dir/sub/3", "z <&>"} {
		put(t, c, key, key)
	}
	list := func(in s3.ListObjectsV2Input) (keys, prefixes []string) {
		in.Bucket = aws.String("bin")
		pages := s3.NewListObjectsV2Paginator(c, &in)
		for pages.HasMorePages() {
			page, err := pages.NextPage(t.Context())
			require.NoError(t, err)
			for _, o := range page.Contents {
				keys = append(keys, *o.Key)
			}
			for _, p := range page.CommonPrefixes {
				prefixes = append(prefixes, *p.Prefix)
			}
		}
		return keys, prefixes
	}
	keys, prefixes := list(s3.ListObjectsV2Input{MaxKeys: aws.Int32(2)})
	assert.Equal(t, []string{"a", "dir/1", "dir/2", "dir/sub/3", "z <&>"}, keys)
	assert.Empty(t, prefixes)
	for limit := range int32(3) {
		keys, prefixes = list(s3.ListObjectsV2Input{Delimiter: aws.String("/"), MaxKeys: aws.Int32(limit + 1)})
		assert.Equal(t, []string{"a", "z <&>"}, keys)
		assert.Equal(t, []string{"dir/"}, prefixes)
	}
	keys, prefixes = list(s3.ListObjectsV2Input{Delimiter: aws.String("/"), Prefix: aws.String("dir/")})
	assert.Equal(t, []string{"dir/1", "dir/2"}, keys)
	assert.Equal(t, []string{"dir/sub/"}, prefixes)
	keys, _ = list(s3.ListObjectsV2Input{StartAfter: aws.String("dir/2")})
	assert.Equal(t, []string{"dir/sub/3", "z <&>"}, keys)

	out, err := c.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("bin"), Prefix: aws.String("a"), FetchOwner: aws.Bool(true)})
	require.NoError(t, err)
	require.Len(t, out.Contents, 1)
	assert.Equal(t, int32(1), *out.KeyCount)
	assert.Equal(t, int64(1), *out.Contents[0].Size)
	assert.Equal(t, s3types.ObjectStorageClassStandard, out.Contents[0].StorageClass)
	assert.NotNil(t, out.Contents[0].Owner)
}

func TestBucketsComeAndGo(t *testing.T) {
	c, _ := store(t)
	_, err := c.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("another")})
	require.NoError(t, err)
	out, err := c.ListBuckets(t.Context(), &s3.ListBucketsInput{})
	require.NoError(t, err)
	require.Len(t, out.Buckets, 2)
	assert.Equal(t, s3types.Bucket{
		Name: aws.String("another"), CreationDate: aws.Time(time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)),
	}, out.Buckets[0])

	head, err := c.HeadBucket(t.Context(), &s3.HeadBucketInput{Bucket: aws.String("bin")})
	require.NoError(t, err)
	assert.Equal(t, "us-east-1", *head.BucketRegion)
	location, err := c.GetBucketLocation(t.Context(), &s3.GetBucketLocationInput{Bucket: aws.String("bin")})
	require.NoError(t, err)
	assert.Empty(t, location.LocationConstraint)
	encryption, err := c.GetBucketEncryption(t.Context(), &s3.GetBucketEncryptionInput{Bucket: aws.String("bin")})
	require.NoError(t, err)
	assert.Equal(t, s3types.ServerSideEncryptionAes256,
		encryption.ServerSideEncryptionConfiguration.Rules[0].ApplyServerSideEncryptionByDefault.SSEAlgorithm)

	put(t, c, "k", "x")
	_, err = c.DeleteBucket(t.Context(), &s3.DeleteBucketInput{Bucket: aws.String("bin")})
	got, status := code(t, err)
	assert.Equal(t, "BucketNotEmpty", got)
	assert.Equal(t, http.StatusConflict, status)
	_, err = c.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: aws.String("bin"), Key: aws.String("k")})
	require.NoError(t, err)
	_, err = c.DeleteBucket(t.Context(), &s3.DeleteBucketInput{Bucket: aws.String("bin")})
	require.NoError(t, err)
	_, err = c.HeadBucket(t.Context(), &s3.HeadBucketInput{Bucket: aws.String("bin")})
	var notFound *s3types.NotFound
	require.ErrorAs(t, err, &notFound)
}

func TestWhatWouldBeIgnoredIsRefusedByName(t *testing.T) {
	c, mux := store(t)
	for name, call := range map[string]func() error{
		"ACL": func() error {
			_, err := c.PutObject(t.Context(), &s3.PutObjectInput{
				Bucket: aws.String("bin"), Key: aws.String("k"), ACL: s3types.ObjectCannedACLPublicRead,
			})
			return err
		},
		"aws:kms:dsse": func() error {
			_, err := c.PutObject(t.Context(), &s3.PutObjectInput{
				Bucket: aws.String("bin"), Key: aws.String("k"), ServerSideEncryption: s3types.ServerSideEncryptionAwsKmsDsse,
			})
			return err
		},
		"X-Amz-Copy-Source": func() error {
			_, err := c.CopyObject(t.Context(), &s3.CopyObjectInput{
				Bucket: aws.String("bin"), Key: aws.String("k"), CopySource: aws.String("bin/other"),
			})
			return err
		},
		"tagging": func() error {
			_, err := c.GetObjectTagging(t.Context(), &s3.GetObjectTaggingInput{Bucket: aws.String("bin"), Key: aws.String("k")})
			return err
		},
		"POST /bin/k?restore": func() error {
			_, err := c.RestoreObject(t.Context(), &s3.RestoreObjectInput{Bucket: aws.String("bin"), Key: aws.String("k")})
			return err
		},
		"X-Amz-Copy-Source of UploadPart": func() error {
			_, err := c.UploadPartCopy(t.Context(), &s3.UploadPartCopyInput{
				Bucket: aws.String("bin"), Key: aws.String("k"), CopySource: aws.String("bin/other"), PartNumber: aws.Int32(1), UploadId: aws.String("u"),
			})
			return err
		},
	} {
		require.ErrorContains(t, call(), name)
	}
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPut, "/B_B", nil))
	assert.Contains(t, w.Body.String(), "<Code>InvalidBucketName</Code>")
}

func TestServicesReadObjectsWithoutHTTP(t *testing.T) {
	_, mux := store(t)
	as := wire.Principal{Service: "lambda.amazonaws.com"}
	_, err := wire.Do[s3.PutObjectOutput](t.Context(), mux, as, "s3", "PutObject", &s3.PutObjectInput{
		Bucket: aws.String("bin"), Key: aws.String("fn.zip"), Body: strings.NewReader("zip"),
	})
	require.NoError(t, err)
	out, err := wire.Do[s3.GetObjectOutput](t.Context(), mux, as, "s3", "GetObject", &s3.GetObjectInput{
		Bucket: aws.String("bin"), Key: aws.String("fn.zip"),
	})
	require.NoError(t, err)
	body, err := io.ReadAll(out.Body)
	require.NoError(t, err)
	assert.Equal(t, "zip", string(body))

	_, err = wire.Do[s3.GetObjectOutput](t.Context(), mux, as, "s3", "GetObject", &s3.GetObjectInput{
		Bucket: aws.String("bin"), Key: aws.String("other"),
	})
	var noKey *s3types.NoSuchKey
	assert.ErrorAs(t, err, &noKey)
}
