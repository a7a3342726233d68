package stages_test

import (
	"archive/zip"
	"bytes"
	"context"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	cptypes "github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/host"
	"github.com/pullback-dev/pullback/internal/localaws/iam/access"
	"github.com/pullback-dev/pullback/internal/localaws/sdkhttp"
	"github.com/pullback-dev/pullback/internal/localaws/world"
	"github.com/pullback-dev/pullback/shared/amazon/stages"
	"github.com/pullback-dev/pullback/shared/deploy"
)

const (
	account = "123456789012"
	region  = "us-east-1"
	role    = "arn:aws:iam::" + account + ":role/everything"
)

var (
	target = deploy.Target{Kind: deploy.KindStage, Application: "line", Group: "Prod"}
	place  = deploy.Place{Target: target}
	on     = map[string]string{"pullback:enabled": "true", "pullback:alarms": "errors", "pullback:alarms:Prod": "latency,errors", "team": "shop"}
)

// cloud is a local AWS with a source bucket, an artifact store, and an instance
// with a deployment group for it.
type cloud struct {
	*host.AWS
	t      *testing.T
	line   *codepipeline.Client
	deploy *codedeploy.Client
	alarms *cloudwatch.Client
	store  *s3.Client
	client *stages.Client
}

func newCloud(t *testing.T) *cloud {
	t.Helper()
	local, err := host.Start(t.Context(), host.Options{
		World: world.Options{Start: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}, IAM: access.Options{Mode: access.Off}, Hosts: t.TempDir(),
	})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, local.Close()) })
	config := aws.Config{
		Region: region, HTTPClient: sdkhttp.Client(), BaseEndpoint: aws.String(local.URL()), RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
		}),
	}
	c := &cloud{
		AWS: local, t: t, line: codepipeline.NewFromConfig(config), deploy: codedeploy.NewFromConfig(config),
		alarms: cloudwatch.NewFromConfig(config),
		store:  s3.NewFromConfig(config, func(o *s3.Options) { o.UsePathStyle = true }),
	}
	c.client = stages.New(c.line, c.store, account, region)
	for _, bucket := range []string{"source", "artifacts"} {
		_, err := c.store.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &bucket})
		require.NoError(t, err)
	}
	_, err = c.store.PutBucketVersioning(t.Context(), &s3.PutBucketVersioningInput{
		Bucket: aws.String("source"), VersioningConfiguration: &s3types.VersioningConfiguration{Status: s3types.BucketVersioningStatusEnabled},
	})
	require.NoError(t, err)
	c.fleet(ec2.NewFromConfig(config))
	return c
}

func (c *cloud) fleet(machines *ec2.Client) {
	c.t.Helper()
	_, err := machines.RunInstances(c.t.Context(), &ec2.RunInstancesInput{
		ImageId: aws.String("ami-0123456789abcdef0"), InstanceType: ec2types.InstanceTypeT3Micro, MinCount: aws.Int32(1), MaxCount: aws.Int32(1),
		IamInstanceProfile: &ec2types.IamInstanceProfileSpecification{Name: aws.String("everything")},
		TagSpecifications: []ec2types.TagSpecification{{
			ResourceType: ec2types.ResourceTypeInstance, Tags: []ec2types.Tag{{Key: aws.String("role"), Value: aws.String("web")}},
		}},
	})
	require.NoError(c.t, err)
	_, err = c.deploy.CreateApplication(c.t.Context(), &codedeploy.CreateApplicationInput{ApplicationName: aws.String("shop")})
	require.NoError(c.t, err)
	_, err = c.deploy.CreateDeploymentGroup(c.t.Context(), &codedeploy.CreateDeploymentGroupInput{
		ApplicationName: aws.String("shop"), DeploymentGroupName: aws.String("web"), ServiceRoleArn: aws.String(role),
		Ec2TagFilters: []cdtypes.EC2TagFilter{{Key: aws.String("role"), Value: aws.String("web"), Type: cdtypes.EC2TagFilterTypeKeyAndValue}},
	})
	require.NoError(c.t, err)
	c.pass(time.Minute)
}

func (c *cloud) pass(d time.Duration) {
	c.t.Helper()
	require.NoError(c.t, c.World.Advance(c.t.Context(), d))
}

// now is the cloud's time.
func (c *cloud) now() time.Time {
	c.World.Lock()
	defer c.World.Unlock()
	return c.World.Now()
}

// bundle is a revision that installs a page; without one it is broken.
func bundle(t *testing.T, page string) []byte {
	t.Helper()
	files := map[string]string{"appspec.yml": "version: 0.0\nos: linux\nfiles:\n  - source: /index.html\n    destination: /var/www/html\n"}
	if page != "" {
		files["index.html"] = page
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		f, err := z.Create(name)
		require.NoError(t, err)
		_, err = f.Write([]byte(files[name]))
		require.NoError(t, err)
	}
	require.NoError(t, z.Close())
	return b.Bytes()
}

func typed(category cptypes.ActionCategory, provider string) *cptypes.ActionTypeId {
	return &cptypes.ActionTypeId{Category: category, Owner: cptypes.ActionOwnerAws, Provider: &provider, Version: aws.String("1")}
}

// asking is a stage with an approval.
func asking(name string) cptypes.StageDeclaration {
	return cptypes.StageDeclaration{Name: &name, Actions: []cptypes.ActionDeclaration{{
		Name: aws.String("Look"), ActionTypeId: typed(cptypes.ActionCategoryApproval, "Manual"),
	}}}
}

// prod is the stage that deploys.
func prod(changes ...func(*cptypes.StageDeclaration)) cptypes.StageDeclaration {
	stage := cptypes.StageDeclaration{Name: aws.String("Prod"), Actions: []cptypes.ActionDeclaration{{
		Name: aws.String("Deploy"), ActionTypeId: typed(cptypes.ActionCategoryDeploy, "CodeDeploy"), InputArtifacts: []cptypes.InputArtifact{{Name: aws.String("App")}},
		Configuration: map[string]string{"ApplicationName": "shop", "DeploymentGroupName": "web"},
	}}}
	for _, change := range changes {
		change(&stage)
	}
	return stage
}

// structure is a pipeline of type V2.
func structure(name string, rest ...cptypes.StageDeclaration) *cptypes.PipelineDeclaration {
	source := cptypes.StageDeclaration{Name: aws.String("Source"), Actions: []cptypes.ActionDeclaration{{
		Name: aws.String("Read"), ActionTypeId: typed(cptypes.ActionCategorySource, "S3"),
		Configuration:   map[string]string{"S3Bucket": "source", "S3ObjectKey": "app.zip", "PollForSourceChanges": "false"},
		OutputArtifacts: []cptypes.OutputArtifact{{Name: aws.String("App")}},
	}}}
	return &cptypes.PipelineDeclaration{
		Name: &name, RoleArn: aws.String(role), PipelineType: cptypes.PipelineTypeV2,
		ArtifactStore: &cptypes.ArtifactStore{Type: cptypes.ArtifactStoreTypeS3, Location: aws.String("artifacts")},
		Stages:        append([]cptypes.StageDeclaration{source}, rest...),
	}
}

// upload makes a new version of the source.
func (c *cloud) upload(page string) {
	c.t.Helper()
	_, err := c.store.PutObject(c.t.Context(), &s3.PutObjectInput{Bucket: aws.String("source"), Key: aws.String("app.zip"), Body: bytes.NewReader(bundle(c.t, page))})
	require.NoError(c.t, err)
}

// create makes a pipeline, which runs at once, and returns its execution.
func (c *cloud) create(d *cptypes.PipelineDeclaration, tags map[string]string) deploy.ID {
	c.t.Helper()
	in := &codepipeline.CreatePipelineInput{Pipeline: d}
	for key, value := range tags {
		in.Tags = append(in.Tags, cptypes.Tag{Key: &key, Value: &value})
	}
	_, err := c.line.CreatePipeline(c.t.Context(), in)
	require.NoError(c.t, err)
	out, err := c.line.ListPipelineExecutions(c.t.Context(), &codepipeline.ListPipelineExecutionsInput{PipelineName: d.Name})
	require.NoError(c.t, err)
	return deploy.ID(*out.PipelineExecutionSummaries[0].PipelineExecutionId)
}

func (c *cloud) update(d *cptypes.PipelineDeclaration) {
	c.t.Helper()
	_, err := c.line.UpdatePipeline(c.t.Context(), &codepipeline.UpdatePipelineInput{Pipeline: d})
	require.NoError(c.t, err)
}

// release starts an execution with a new page.
func (c *cloud) release(page string) deploy.ID {
	c.t.Helper()
	c.upload(page)
	return c.start()
}

func (c *cloud) start() deploy.ID {
	c.t.Helper()
	out, err := c.line.StartPipelineExecution(c.t.Context(), &codepipeline.StartPipelineExecutionInput{Name: aws.String("line")})
	require.NoError(c.t, err)
	return deploy.ID(*out.PipelineExecutionId)
}

func (c *cloud) get(id deploy.ID) deploy.Deployment {
	c.t.Helper()
	d, err := c.client.Get(c.t.Context(), target, id)
	require.NoError(c.t, err)
	return d
}

// live is what serves.
func (c *cloud) live() deploy.Live {
	c.t.Helper()
	live, err := c.client.Live(c.t.Context(), place)
	require.NoError(c.t, err)
	return live
}

// restore rolls the stage back.
func (c *cloud) restore(to deploy.ID) (deploy.ID, error) {
	return c.client.Restore(c.t.Context(), deploy.Restore{Place: place, To: deploy.Revision(to)})
}
