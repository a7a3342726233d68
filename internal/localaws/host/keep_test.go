package host_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/host"
	"github.com/pullback-dev/pullback/internal/localaws/sdkhttp"
	"github.com/pullback-dev/pullback/internal/localaws/state"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// start starts a local AWS and returns how to reach it.
func start(t *testing.T, o host.Options) (*host.AWS, aws.Config) {
	t.Helper()
	local, err := host.Start(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { _ = local.Close() })
	return local, aws.Config{
		Region: "us-east-1", HTTPClient: sdkhttp.Client(), BaseEndpoint: aws.String(local.URL()), Retryer: func() aws.Retryer { return aws.NopRetryer{} },
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	}
}

func TestStateIsKeptOverARestart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	body := strings.Repeat("x", 10000)
	before, config := start(t, host.Options{State: dir, World: world.Options{Seed: 1}})
	require.NoError(t, before.World.Advance(t.Context(), time.Hour))
	_, err := ssm.NewFromConfig(config).PutParameter(t.Context(), &ssm.PutParameterInput{
		Name: aws.String("version"), Value: aws.String("7"), Type: ssmtypes.ParameterTypeString,
	})
	require.NoError(t, err)
	store := s3.NewFromConfig(config, func(o *s3.Options) { o.UsePathStyle = true })
	_, err = store.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("bundles")})
	require.NoError(t, err)
	_, err = store.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("bundles"), Key: aws.String("app.zip"), Body: strings.NewReader(body)})
	require.NoError(t, err)
	require.NoError(t, before.Close())

	after, config := start(t, host.Options{State: dir, World: world.Options{Seed: 2}})
	after.World.Lock()
	assert.Equal(t, time.Date(2026, 1, 5, 10, 0, 0, 0, time.UTC), after.World.Now())
	after.World.Unlock()
	got, err := ssm.NewFromConfig(config).GetParameter(t.Context(), &ssm.GetParameterInput{Name: aws.String("version")})
	require.NoError(t, err)
	assert.Equal(t, "7", *got.Parameter.Value)
	object, err := s3.NewFromConfig(config, func(o *s3.Options) { o.UsePathStyle = true }).HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: aws.String("bundles"), Key: aws.String("app.zip")})
	require.NoError(t, err)
	assert.Equal(t, int64(len(body)), *object.ContentLength)
}

func TestWithoutAFolderNothingIsKept(t *testing.T) {
	before, config := start(t, host.Options{})
	_, err := ssm.NewFromConfig(config).PutParameter(t.Context(), &ssm.PutParameterInput{
		Name: aws.String("version"), Value: aws.String("7"), Type: ssmtypes.ParameterTypeString,
	})
	require.NoError(t, err)
	require.NoError(t, before.Close())
	_, config = start(t, host.Options{})
	_, err = ssm.NewFromConfig(config).GetParameter(t.Context(), &ssm.GetParameterInput{Name: aws.String("version")})
	var missing *ssmtypes.ParameterNotFound
	assert.ErrorAs(t, err, &missing)
}

func TestADamagedStateSaysWhatToDo(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "localaws.db"), []byte("no database"), 0o600))
	_, err := host.Start(t.Context(), host.Options{State: dir})
	assert.ErrorContains(t, err, "if it is damaged, delete it")
}

func TestEveryServiceKeepsItsState(t *testing.T) {
	dir := t.TempDir()
	local, _ := start(t, host.Options{State: dir})
	require.NoError(t, local.Close())
	store, err := state.OpenStore(dir)
	require.NoError(t, err)
	defer store.Close() //nolint:errcheck // only read
	all, err := store.Get()
	require.NoError(t, err)
	for _, s := range local.Mux.Services() {
		assert.Contains(t, all, s.Name)
	}
}
