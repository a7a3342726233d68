package ecr_test

import (
	"crypto/sha256"
	"fmt"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	ecrtypes "github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	localecr "github.com/pullback-dev/pullback/internal/localaws/ecr"
	"github.com/pullback-dev/pullback/internal/localaws/sdkhttp"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/wire/wiretest"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

const manifest = `{"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "config": {"size": 5}, "layers": [{"size": 7}]}`

// registry starts a local ECR with a repository "app".
func registry(t *testing.T, mutability ecrtypes.ImageTagMutability) *ecr.Client {
	t.Helper()
	w := world.New(world.Options{})
	mux := wire.NewMux(w)
	mux.Handle(localecr.New(w, mux).Wire())
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	c := ecr.New(ecr.Options{
		Region: "us-east-1", HTTPClient: sdkhttp.Client(), BaseEndpoint: aws.String(server.URL), Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	})
	_, err := c.CreateRepository(t.Context(), &ecr.CreateRepositoryInput{RepositoryName: aws.String("app"), ImageTagMutability: mutability})
	require.NoError(t, err)
	return c
}

func push(t *testing.T, c *ecr.Client, text, tag string) (string, error) {
	t.Helper()
	out, err := c.PutImage(t.Context(), &ecr.PutImageInput{RepositoryName: aws.String("app"), ImageManifest: &text, ImageTag: &tag})
	if err != nil {
		return "", err
	}
	return *out.Image.ImageId.ImageDigest, nil
}

func TestImagesAreFoundByTagAndDigest(t *testing.T) {
	c := registry(t, "")
	digest, err := push(t, c, manifest, "one")
	require.NoError(t, err)
	assert.Equal(t, fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(manifest))), digest)
	again, err := push(t, c, manifest, "two")
	require.NoError(t, err)
	assert.Equal(t, digest, again, "the same manifest is the same image")

	got, err := c.DescribeImages(t.Context(), &ecr.DescribeImagesInput{RepositoryName: aws.String("app"), ImageIds: []ecrtypes.ImageIdentifier{{ImageTag: aws.String("two")}}})
	require.NoError(t, err)
	assert.Equal(t, []string{"one", "two"}, got.ImageDetails[0].ImageTags)
	assert.Equal(t, int64(12), *got.ImageDetails[0].ImageSizeInBytes)
	batch, err := c.BatchGetImage(t.Context(), &ecr.BatchGetImageInput{RepositoryName: aws.String("app"), ImageIds: []ecrtypes.ImageIdentifier{
		{ImageDigest: &digest}, {ImageTag: aws.String("none")},
	}})
	require.NoError(t, err)
	assert.JSONEq(t, manifest, *batch.Images[0].ImageManifest)
	assert.Equal(t, ecrtypes.ImageFailureCodeImageNotFound, batch.Failures[0].FailureCode)

	_, err = c.DescribeImages(t.Context(), &ecr.DescribeImagesInput{RepositoryName: aws.String("app"), ImageIds: []ecrtypes.ImageIdentifier{{ImageTag: aws.String("none")}}})
	var missing *ecrtypes.ImageNotFoundException
	require.ErrorAs(t, err, &missing)
	assert.Equal(t, "The image with imageId {imageDigest:'null', imageTag:'none'} does not exist within the repository with name 'app' "+
		"in the registry with id '123456789012'", *missing.Message)
}

func TestTagsMoveUnlessTheyAreImmutable(t *testing.T) {
	other := manifest + " "
	c := registry(t, ecrtypes.ImageTagMutabilityMutable)
	_, err := push(t, c, manifest, "live")
	require.NoError(t, err)
	second, err := push(t, c, other, "live")
	require.NoError(t, err)
	got, err := c.DescribeImages(t.Context(), &ecr.DescribeImagesInput{RepositoryName: aws.String("app"), ImageIds: []ecrtypes.ImageIdentifier{{ImageTag: aws.String("live")}}})
	require.NoError(t, err)
	assert.Equal(t, second, *got.ImageDetails[0].ImageDigest)

	c = registry(t, ecrtypes.ImageTagMutabilityImmutable)
	_, err = push(t, c, manifest, "live")
	require.NoError(t, err)
	_, err = push(t, c, other, "live")
	var taken *ecrtypes.ImageTagAlreadyExistsException
	require.ErrorAs(t, err, &taken)
}

func TestARepositoryGoesWithItsImagesOnlyByForce(t *testing.T) {
	c := registry(t, "")
	_, err := push(t, c, manifest, "live")
	require.NoError(t, err)
	_, err = c.DeleteRepository(t.Context(), &ecr.DeleteRepositoryInput{RepositoryName: aws.String("app")})
	var full *ecrtypes.RepositoryNotEmptyException
	require.ErrorAs(t, err, &full)
	_, err = c.DeleteRepository(t.Context(), &ecr.DeleteRepositoryInput{RepositoryName: aws.String("app"), Force: true})
	require.NoError(t, err)
	_, err = c.DescribeRepositories(t.Context(), &ecr.DescribeRepositoriesInput{RepositoryNames: []string{"app"}})
	var missing *ecrtypes.RepositoryNotFoundException
	require.ErrorAs(t, err, &missing)
}

func TestPoliciesAreKept(t *testing.T) {
	c := registry(t, "")
	name := aws.String("app")
	_, err := c.GetLifecyclePolicy(t.Context(), &ecr.GetLifecyclePolicyInput{RepositoryName: name})
	var none *ecrtypes.LifecyclePolicyNotFoundException
	require.ErrorAs(t, err, &none)
	const rules = `{"rules": [{"rulePriority": 1, "selection": {"tagStatus": "untagged"}, "action": {"type": "expire"}}]}`
	_, err = c.PutLifecyclePolicy(t.Context(), &ecr.PutLifecyclePolicyInput{RepositoryName: name, LifecyclePolicyText: aws.String(rules)})
	require.NoError(t, err)
	got, err := c.GetLifecyclePolicy(t.Context(), &ecr.GetLifecyclePolicyInput{RepositoryName: name})
	require.NoError(t, err)
	assert.JSONEq(t, rules, *got.LifecyclePolicyText)
	_, err = c.SetRepositoryPolicy(t.Context(), &ecr.SetRepositoryPolicyInput{RepositoryName: name, PolicyText: aws.String("{}")})
	var invalid *ecrtypes.InvalidParameterException
	require.ErrorAs(t, err, &invalid)
}

func TestRequestsAndAnswersTravelAsTheSDKWritesAndReadsThem(t *testing.T) {
	w := world.New(world.Options{})
	svc := localecr.New(w, wire.NewMux(w)).Wire()
	wiretest.Snapshots(t, svc, "github.com/aws/aws-sdk-go-v2/service/ecr")
}
