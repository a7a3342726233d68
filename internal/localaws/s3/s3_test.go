package s3_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	locals3 "github.com/pullback-dev/pullback/internal/localaws/s3"
	"github.com/pullback-dev/pullback/internal/localaws/sdkhttp"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// store starts a local S3 with a bucket "bin".
func store(t *testing.T) (*s3.Client, *wire.Mux) {
	t.Helper()
	w := world.New(world.Options{})
	mux := wire.NewMux(w)
	mux.Handle(locals3.New(w, mux).Wire())
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	c := s3.New(s3.Options{
		Region:     "us-east-1",
		HTTPClient: sdkhttp.Client(), BaseEndpoint: aws.String(server.URL),
		UsePathStyle:               true,
		Credentials:                credentials.NewStaticCredentialsProvider("test", "test", ""),
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenSupported, // as the config package has it
		ResponseChecksumValidation: aws.ResponseChecksumValidationWhenSupported,
	})
	_, err := c.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("bin")})
	require.NoError(t, err)
	return c, mux
}

func put(t *testing.T, c *s3.Client, key, body string) *s3.PutObjectOutput {
	t.Helper()
	out, err := c.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("bin"), Key: aws.String(key), Body: strings.NewReader(body)})
	require.NoError(t, err)
	return out
}

func get(t *testing.T, c *s3.Client, in s3.GetObjectInput) string {
	t.Helper()
	in.Bucket = aws.String("bin")
	out, err := c.GetObject(t.Context(), &in)
	require.NoError(t, err)
	b, err := io.ReadAll(out.Body)
	require.NoError(t, err)
	return string(b)
}

// code returns an error's code and HTTP status.
func code(t *testing.T, err error) (string, int) {
	t.Helper()
	var api smithy.APIError
	require.ErrorAs(t, err, &api)
	var response *awshttp.ResponseError
	require.ErrorAs(t, err, &response)
	return api.ErrorCode(), response.HTTPStatusCode()
}

func TestAnObjectIsReadAsItWasPut(t *testing.T) {
	c, _ := store(t)
	out, err := c.PutObject(t.Context(), &s3.PutObjectInput{
		Bucket: aws.String("bin"), Key: aws.String("dir/ä b+c.txt"), Body: strings.NewReader("hello"),
		ContentType: aws.String("text/plain"), CacheControl: aws.String("no-store"), ContentEncoding: aws.String("identity"),
		Metadata: map[string]string{"version": "1.2.3"},
	})
	require.NoError(t, err)
	assert.Equal(t, `"5d41402abc4b2a76b9719d911017c592"`, *out.ETag)
	assert.Nil(t, out.VersionId)
	assert.NotNil(t, out.ChecksumCRC32, "the SDK's default checksum comes back")

	got, err := c.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("bin"), Key: aws.String("dir/ä b+c.txt")})
	require.NoError(t, err)
	body, err := io.ReadAll(got.Body)
	require.NoError(t, err)
	assert.Equal(t, "hello", string(body))
	head, err := c.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: aws.String("bin"), Key: aws.String("dir/ä b+c.txt")})
	require.NoError(t, err)
	for _, o := range []s3.HeadObjectOutput{*head, {
		ContentType: got.ContentType, ContentLength: got.ContentLength, ETag: got.ETag, LastModified: got.LastModified,
		CacheControl: got.CacheControl, ContentEncoding: got.ContentEncoding, Metadata: got.Metadata,
	}} {
		assert.Equal(t, "text/plain", *o.ContentType)
		assert.Equal(t, int64(5), *o.ContentLength)
		assert.Equal(t, *out.ETag, *o.ETag)
		assert.Equal(t, time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC), *o.LastModified)
		assert.Equal(t, "no-store", *o.CacheControl)
		assert.Equal(t, "identity", *o.ContentEncoding)
		assert.Equal(t, map[string]string{"version": "1.2.3"}, o.Metadata)
	}
}

func TestAStreamIsPutWithoutItsFraming(t *testing.T) {
	c, _ := store(t)
	// A reader that cannot seek makes the SDK send aws-chunked with a checksum
	// in the trailer; large enough for more than one chunk.
	body := strings.Repeat("0123456789abcdef", 10_000)
	for _, algorithm := range []s3types.ChecksumAlgorithm{
		s3types.ChecksumAlgorithmCrc32, s3types.ChecksumAlgorithmCrc32c, s3types.ChecksumAlgorithmCrc64nvme,
		s3types.ChecksumAlgorithmSha1, s3types.ChecksumAlgorithmSha256,
	} {
		t.Run(string(algorithm), func(t *testing.T) {
			_, err := c.PutObject(t.Context(), &s3.PutObjectInput{
				Bucket: aws.String("bin"), Key: aws.String("k"), Body: bytes.NewReader([]byte(body)), ChecksumAlgorithm: algorithm,
			})
			require.NoError(t, err)
			assert.Equal(t, body, get(t, c, s3.GetObjectInput{Key: aws.String("k"), ChecksumMode: s3types.ChecksumModeEnabled}))
		})
	}
}

func TestChunkedFramingIsRemovedAndItsTrailerChecked(t *testing.T) {
	_, mux := store(t)
	send := func(crc string) int {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPut, "/bin/k", strings.NewReader(
			"5;chunk-signature=aa\r\nhello\r\n6\r\n world\r\n0\r\nx-amz-checksum-crc32:"+crc+"\r\n\r\n"))
		r.Header.Set("X-Amz-Content-Sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER")
		r.Header.Set("Content-Encoding", "aws-chunked")
		r.Header.Set("X-Amz-Trailer", "x-amz-checksum-crc32")
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		return w.Code
	}
	assert.Equal(t, http.StatusOK, send("DUoRhQ=="))
	assert.Equal(t, http.StatusBadRequest, send("AAAAAA=="))

	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/bin/k", nil))
	assert.Equal(t, "hello world", w.Body.String())
	assert.Empty(t, w.Header().Get("Content-Encoding"))
}

func TestARangeIsAPartOfTheObject(t *testing.T) {
	c, _ := store(t)
	put(t, c, "k", "0123456789")
	for header, want := range map[string]string{
		"bytes=0-0": "0", "bytes=2-4": "234", "bytes=7-": "789", "bytes=-3": "789", "bytes=8-99": "89", "bytes=-99": "0123456789",
	} {
		assert.Equal(t, want, get(t, c, s3.GetObjectInput{Key: aws.String("k"), Range: aws.String(header)}), header)
	}
	for _, header := range []string{"bytes=10-", "bytes=-0", "bytes=4-2", "lines=1-2", "bytes=x"} {
		_, err := c.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("bin"), Key: aws.String("k"), Range: aws.String(header)})
		got, status := code(t, err)
		assert.Equal(t, "InvalidRange", got, header)
		assert.Equal(t, http.StatusRequestedRangeNotSatisfiable, status)
	}
}

func TestWhatIsNotThereSaysSo(t *testing.T) {
	c, _ := store(t)
	_, err := c.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("bin"), Key: aws.String("k")})
	var noKey *s3types.NoSuchKey
	require.ErrorAs(t, err, &noKey)
	_, err = c.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: aws.String("bin"), Key: aws.String("k")})
	var notFound *s3types.NotFound
	require.ErrorAs(t, err, &notFound)
	_, err = c.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("other")})
	got, status := code(t, err)
	assert.Equal(t, "NoSuchBucket", got)
	assert.Equal(t, http.StatusNotFound, status)
}

func TestOldVersionsStayReadableInAVersionedBucket(t *testing.T) {
	c, _ := store(t)
	put(t, c, "k", "before")
	versioning(t, c, s3types.BucketVersioningStatusEnabled)
	one, two := put(t, c, "k", "one"), put(t, c, "k", "two")
	require.NotEqual(t, *one.VersionId, *two.VersionId)
	assert.Equal(t, "two", get(t, c, s3.GetObjectInput{Key: aws.String("k")}))
	assert.Equal(t, "one", get(t, c, s3.GetObjectInput{Key: aws.String("k"), VersionId: one.VersionId}))
	assert.Equal(t, "before", get(t, c, s3.GetObjectInput{Key: aws.String("k"), VersionId: aws.String("null")}))

	deleted, err := c.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: aws.String("bin"), Key: aws.String("k")})
	require.NoError(t, err)
	assert.True(t, *deleted.DeleteMarker)
	var noKey *s3types.NoSuchKey
	_, err = c.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("bin"), Key: aws.String("k")})
	require.ErrorAs(t, err, &noKey)

	_, err = c.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: aws.String("bin"), Key: aws.String("k"), VersionId: deleted.VersionId})
	require.NoError(t, err)
	assert.Equal(t, "two", get(t, c, s3.GetObjectInput{Key: aws.String("k")}), "without its delete marker the object is back")

	versioning(t, c, s3types.BucketVersioningStatusSuspended)
	assert.Equal(t, "null", *put(t, c, "k", "three").VersionId)
	assert.Equal(t, "three", get(t, c, s3.GetObjectInput{Key: aws.String("k"), VersionId: aws.String("null")}))
	for version, want := range map[string]string{"x": "InvalidArgument", strings.Repeat("A", 32): "NoSuchVersion"} {
		_, err = c.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("bin"), Key: aws.String("k"), VersionId: &version})
		got, _ := code(t, err)
		assert.Equal(t, want, got)
	}
}

func versioning(t *testing.T, c *s3.Client, status s3types.BucketVersioningStatus) {
	t.Helper()
	_, err := c.PutBucketVersioning(t.Context(), &s3.PutBucketVersioningInput{
		Bucket: aws.String("bin"), VersioningConfiguration: &s3types.VersioningConfiguration{Status: status},
	})
	require.NoError(t, err)
	out, err := c.GetBucketVersioning(t.Context(), &s3.GetBucketVersioningInput{Bucket: aws.String("bin")})
	require.NoError(t, err)
	require.Equal(t, status, out.Status)
}

func TestConditionsGuardReadsAndWrites(t *testing.T) {
	c, _ := store(t)
	in := s3.PutObjectInput{Bucket: aws.String("bin"), Key: aws.String("k"), Body: strings.NewReader("x"), IfNoneMatch: aws.String("*")}
	out, err := c.PutObject(t.Context(), &in)
	require.NoError(t, err)
	in.Body = strings.NewReader("y")
	_, err = c.PutObject(t.Context(), &in)
	got, status := code(t, err)
	assert.Equal(t, "PreconditionFailed", got)
	assert.Equal(t, http.StatusPreconditionFailed, status)

	_, err = c.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("bin"), Key: aws.String("k"), IfNoneMatch: out.ETag})
	var response *awshttp.ResponseError
	require.ErrorAs(t, err, &response)
	assert.Equal(t, http.StatusNotModified, response.HTTPStatusCode())
	_, err = c.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("bin"), Key: aws.String("k"), IfMatch: aws.String("other")})
	got, _ = code(t, err)
	assert.Equal(t, "PreconditionFailed", got)
	assert.Equal(t, "x", get(t, c, s3.GetObjectInput{Key: aws.String("k"), IfMatch: out.ETag}))
}
