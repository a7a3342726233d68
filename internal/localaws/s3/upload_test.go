package s3_test

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	locals3 "github.com/pullback-dev/pullback/internal/localaws/s3"
	"github.com/pullback-dev/pullback/internal/localaws/sdkhttp"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

const mebibyte = 1 << 20

// noise is some bytes that do not repeat, always the same.
func noise(size int) []byte {
	b := make([]byte, size)
	r := rand.New(rand.NewPCG(1, 2))
	for i := 0; i+8 <= size; i += 8 {
		binary.LittleEndian.PutUint64(b[i:], r.Uint64())
	}
	return b
}

// begun is an upload in parts of a test.
type begun struct {
	t  *testing.T
	c  *s3.Client
	id *string
	in s3.CreateMultipartUploadInput
}

func begin(t *testing.T, c *s3.Client, in s3.CreateMultipartUploadInput) *begun {
	t.Helper()
	in.Bucket = aws.String("bin")
	out, err := c.CreateMultipartUpload(t.Context(), &in)
	require.NoError(t, err)
	return &begun{t: t, c: c, id: out.UploadId, in: in}
}

func (u *begun) part(number int32, body []byte) s3types.CompletedPart {
	u.t.Helper()
	out, err := u.c.UploadPart(u.t.Context(), &s3.UploadPartInput{
		Bucket: u.in.Bucket, Key: u.in.Key, UploadId: u.id, PartNumber: &number, Body: bytes.NewReader(body), ChecksumAlgorithm: u.in.ChecksumAlgorithm,
	})
	require.NoError(u.t, err)
	return s3types.CompletedPart{
		PartNumber: &number, ETag: out.ETag, ChecksumCRC32: out.ChecksumCRC32, ChecksumCRC32C: out.ChecksumCRC32C,
		ChecksumCRC64NVME: out.ChecksumCRC64NVME, ChecksumSHA1: out.ChecksumSHA1, ChecksumSHA256: out.ChecksumSHA256,
	}
}

func (u *begun) complete(parts ...s3types.CompletedPart) (*s3.CompleteMultipartUploadOutput, error) {
	return u.c.CompleteMultipartUpload(u.t.Context(), &s3.CompleteMultipartUploadInput{
		Bucket: u.in.Bucket, Key: u.in.Key, UploadId: u.id, MultipartUpload: &s3types.CompletedMultipartUpload{Parts: parts},
	})
}

// crc is the base64 of a CRC32, as S3 writes it.
func crc(b []byte) []byte { return binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE(b)) }

func TestAnObjectOfPartsIsReadAsOne(t *testing.T) {
	c, _ := store(t)
	body := noise(12 * mebibyte)
	first, second, third := body[:5*mebibyte], body[5*mebibyte:10*mebibyte], body[10*mebibyte:]
	u := begin(t, c, s3.CreateMultipartUploadInput{
		Key: aws.String("dir/big"), ContentType: aws.String("application/zip"), CacheControl: aws.String("no-store"),
		Metadata: map[string]string{"build": "7"}, ServerSideEncryption: s3types.ServerSideEncryptionAwsKms, SSEKMSKeyId: aws.String("key"),
		ChecksumAlgorithm: s3types.ChecksumAlgorithmCrc32,
	})
	three := u.part(3, third) // in any order, and again
	u.part(1, second)
	one, two := u.part(1, first), u.part(2, second)
	out, err := u.complete(one, two, three)
	require.NoError(t, err)

	var digests, crcs []byte
	for _, p := range [][]byte{first, second, third} {
		d := md5.Sum(p)
		digests, crcs = append(digests, d[:]...), append(crcs, crc(p)...)
	}
	etag := fmt.Sprintf(`"%x-3"`, md5.Sum(digests))
	composite := base64.StdEncoding.EncodeToString(crc(crcs)) + "-3"
	assert.Equal(t, etag, *out.ETag)
	assert.Equal(t, composite, *out.ChecksumCRC32)
	assert.Equal(t, s3types.ChecksumTypeComposite, out.ChecksumType)
	assert.Equal(t, string(body), get(t, c, s3.GetObjectInput{Key: aws.String("dir/big"), ChecksumMode: s3types.ChecksumModeEnabled}))
	head, err := c.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: aws.String("bin"), Key: aws.String("dir/big"), ChecksumMode: s3types.ChecksumModeEnabled})
	require.NoError(t, err)
	head.ResultMetadata = out.ResultMetadata
	assert.Equal(t, &s3.HeadObjectOutput{
		AcceptRanges: aws.String("bytes"), ContentLength: aws.Int64(int64(len(body))), ContentType: aws.String("application/zip"), CacheControl: aws.String("no-store"),
		Metadata: map[string]string{"build": "7"}, ETag: &etag, LastModified: aws.Time(time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)),
		ServerSideEncryption: s3types.ServerSideEncryptionAwsKms, SSEKMSKeyId: aws.String("key"),
		ChecksumCRC32: &composite, ChecksumType: s3types.ChecksumTypeComposite, ResultMetadata: out.ResultMetadata,
	}, head)
}

func TestAChecksumOfTheWholeObjectComesFromItsBytes(t *testing.T) {
	c, _ := store(t)
	body := noise(6 * mebibyte)
	whole := base64.StdEncoding.EncodeToString(crc(body))
	u := begin(t, c, s3.CreateMultipartUploadInput{
		Key: aws.String("k"), ChecksumAlgorithm: s3types.ChecksumAlgorithmCrc32, ChecksumType: s3types.ChecksumTypeFullObject,
	})
	parts := []s3types.CompletedPart{u.part(1, body[:5*mebibyte]), u.part(2, body[5*mebibyte:])}
	in := &s3.CompleteMultipartUploadInput{
		Bucket: aws.String("bin"), Key: aws.String("k"), UploadId: u.id, ChecksumType: s3types.ChecksumTypeFullObject,
		MultipartUpload: &s3types.CompletedMultipartUpload{Parts: parts}, ChecksumCRC32: aws.String("AAAAAA=="),
	}
	_, err := c.CompleteMultipartUpload(t.Context(), in)
	got, _ := code(t, err)
	assert.Equal(t, "BadDigest", got)
	in.ChecksumCRC32 = &whole
	out, err := c.CompleteMultipartUpload(t.Context(), in)
	require.NoError(t, err)
	assert.Equal(t, whole, *out.ChecksumCRC32)
	assert.Equal(t, s3types.ChecksumTypeFullObject, out.ChecksumType)

	// The SDK checks CRC64NVME of the whole object when it reads.
	for _, algorithm := range []s3types.ChecksumAlgorithm{s3types.ChecksumAlgorithmCrc64nvme, ""} {
		u = begin(t, c, s3.CreateMultipartUploadInput{Key: aws.String("n"), ChecksumAlgorithm: algorithm})
		one, two := u.part(1, body[:5*mebibyte]), u.part(2, body[5*mebibyte:])
		one.ChecksumCRC32, two.ChecksumCRC32 = nil, nil // the SDK's own, which nobody asked for
		out, err = u.complete(one, two)
		require.NoError(t, err)
		assert.NotEmpty(t, out.ChecksumCRC64NVME)
		assert.Equal(t, s3types.ChecksumTypeFullObject, out.ChecksumType)
		assert.Equal(t, string(body), get(t, c, s3.GetObjectInput{Key: aws.String("n"), ChecksumMode: s3types.ChecksumModeEnabled}))
	}
}

func TestTheUploadThatBeganLastIsTheCurrentVersion(t *testing.T) {
	c, w := timedStore(t)
	versioning(t, c, s3types.BucketVersioningStatusEnabled)
	first := begin(t, c, s3.CreateMultipartUploadInput{Key: aws.String("k")})
	pass(t, w, time.Hour)
	second := begin(t, c, s3.CreateMultipartUploadInput{Key: aws.String("k")})
	part := func(u *begun, body string) s3types.CompletedPart {
		p := u.part(1, []byte(body))
		p.ChecksumCRC32 = nil
		return p
	}
	_, err := second.complete(part(second, "second"))
	require.NoError(t, err)
	out, err := first.complete(part(first, "first"))
	require.NoError(t, err)
	assert.Equal(t, "second", get(t, c, s3.GetObjectInput{Key: aws.String("k")}))
	assert.Equal(t, "first", get(t, c, s3.GetObjectInput{Key: aws.String("k"), VersionId: out.VersionId}))
}

func TestARuleGivesUpUploadsThatTakeTooLong(t *testing.T) {
	c, w := timedStore(t)
	_, err := c.PutBucketLifecycleConfiguration(t.Context(), &s3.PutBucketLifecycleConfigurationInput{
		Bucket: aws.String("bin"), LifecycleConfiguration: &s3types.BucketLifecycleConfiguration{Rules: []s3types.LifecycleRule{{
			ID: aws.String("tidy"), Status: s3types.ExpirationStatusEnabled, Filter: &s3types.LifecycleRuleFilter{Prefix: aws.String("tmp/")},
			AbortIncompleteMultipartUpload: &s3types.AbortIncompleteMultipartUpload{DaysAfterInitiation: aws.Int32(1)},
		}}},
	})
	require.NoError(t, err)
	doomed := begin(t, c, s3.CreateMultipartUploadInput{Key: aws.String("tmp/a")})
	kept := begin(t, c, s3.CreateMultipartUploadInput{Key: aws.String("b")})
	parts, err := c.ListParts(t.Context(), &s3.ListPartsInput{Bucket: aws.String("bin"), Key: aws.String("tmp/a"), UploadId: doomed.id})
	require.NoError(t, err)
	assert.Equal(t, aws.Time(time.Date(2026, 1, 7, 0, 0, 0, 0, time.UTC)), parts.AbortDate, "09:00 and a day, at the next midnight")
	assert.Equal(t, "tidy", *parts.AbortRuleId)

	open := func() (ids []string) {
		out, err := c.ListMultipartUploads(t.Context(), &s3.ListMultipartUploadsInput{Bucket: aws.String("bin")})
		require.NoError(t, err)
		for _, u := range out.Uploads {
			ids = append(ids, *u.UploadId)
		}
		return ids
	}
	pass(t, w, 38*time.Hour)
	assert.Equal(t, []string{*kept.id, *doomed.id}, open())
	pass(t, w, 2*time.Hour)
	assert.Equal(t, []string{*kept.id}, open())
}

// timedStore is a store whose time passes when the test says so.
func timedStore(t *testing.T) (*s3.Client, *world.World) {
	t.Helper()
	w := world.New(world.Options{})
	mux := wire.NewMux(w)
	mux.Handle(locals3.New(w, mux).Wire())
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	c := s3.New(s3.Options{
		Region: "us-east-1", HTTPClient: sdkhttp.Client(), BaseEndpoint: aws.String(server.URL), UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	})
	_, err := c.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("bin")})
	require.NoError(t, err)
	return c, w
}

func pass(t *testing.T, w *world.World, d time.Duration) {
	t.Helper()
	require.NoError(t, w.Advance(t.Context(), d))
}

// The AWS CLI cuts files of more than 8 MB in parts.
func TestTheAWSCLICopiesAFileOf20MBThereAndBack(t *testing.T) {
	if _, err := exec.LookPath("aws"); err != nil {
		t.Skip("the AWS CLI is not installed")
	}
	c, mux := store(t)
	calls := map[string]int{}
	mux.Trail(func(e wire.Entry) { calls[e.Operation]++ })
	server := httptest.NewServer(http.Handler(mux))
	t.Cleanup(server.Close)
	dir, body := t.TempDir(), noise(20*mebibyte)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "there.zip"), body, 0o600))
	aws3 := func(args ...string) {
		cmd := exec.CommandContext(t.Context(), "aws", append([]string{"s3", "cp", "--no-progress"}, args...)...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "AWS_ENDPOINT_URL="+server.URL, "AWS_REGION=us-east-1", "AWS_DEFAULT_REGION=us-east-1", "AWS_ACCESS_KEY_ID=test",
			"AWS_SECRET_ACCESS_KEY=test", "AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null", "AWS_MAX_ATTEMPTS=1")
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	aws3("there.zip", "s3://bin/big.zip")
	aws3("s3://bin/big.zip", "back.zip")
	back, err := os.ReadFile(filepath.Join(dir, "back.zip"))
	require.NoError(t, err)
	assert.True(t, bytes.Equal(body, back), "the file came back as it was sent")
	assert.Equal(t, 3, calls["UploadPart"])
	head, err := c.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: aws.String("bin"), Key: aws.String("big.zip")})
	require.NoError(t, err)
	assert.Contains(t, *head.ETag, "-3")
}
