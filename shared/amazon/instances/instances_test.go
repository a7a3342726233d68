package instances_test

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/host"
	"github.com/pullback-dev/pullback/internal/localaws/sdkhttp"
	"github.com/pullback-dev/pullback/internal/localaws/world"
	"github.com/pullback-dev/pullback/shared/amazon/deployments"
	"github.com/pullback-dev/pullback/shared/amazon/instances"
	"github.com/pullback-dev/pullback/shared/deploy"
)

var place = deploy.Place{Target: deploy.Target{Application: "shop", Group: "web"}, Platform: deploy.OnServer}

// cloud is a local AWS with an application "shop", a versioned bucket "bundles"
// and instances.
type cloud struct {
	*host.AWS
	t         *testing.T
	config    aws.Config
	deploys   *codedeploy.Client
	store     *s3.Client
	machines  *ec2.Client
	driver    *deployments.Client
	instances []string
}

func newCloud(t *testing.T) *cloud {
	t.Helper()
	local, err := host.Start(t.Context(), host.Options{World: world.Options{Mode: world.Manual, Seed: 7}, Hosts: t.TempDir()})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, local.Close()) })
	c := &cloud{AWS: local, t: t, config: aws.Config{
		Region: "us-east-1", HTTPClient: sdkhttp.Client(), BaseEndpoint: aws.String(local.URL()), RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
		}),
	}}
	c.deploys, c.machines = codedeploy.NewFromConfig(c.config), ec2.NewFromConfig(c.config)
	c.store = s3.NewFromConfig(c.config, func(o *s3.Options) { o.UsePathStyle = true })
	c.driver = deployments.New(c.deploys, "123456789012", "us-east-1", deployments.Platforms{deploy.OnServer: instances.New(c.deploys, c.store)})
	c.role()
	ok[*s3.CreateBucketOutput](t)(c.store.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("bundles")}))
	ok[*s3.PutBucketVersioningOutput](t)(c.store.PutBucketVersioning(t.Context(), &s3.PutBucketVersioningInput{
		Bucket: aws.String("bundles"), VersioningConfiguration: &s3types.VersioningConfiguration{Status: s3types.BucketVersioningStatusEnabled},
	}))
	ok[*codedeploy.CreateApplicationOutput](t)(c.deploys.CreateApplication(t.Context(), &codedeploy.CreateApplicationInput{
		ApplicationName: aws.String("shop"), ComputePlatform: cdtypes.ComputePlatformServer,
	}))
	return c
}

// ok returns the result of a call that has to succeed.
func ok[O any](t *testing.T) func(O, error) O {
	t.Helper()
	return func(out O, err error) O {
		t.Helper()
		require.NoError(t, err)
		return out
	}
}

// role makes the role of CodeDeploy.
func (c *cloud) role() {
	c.t.Helper()
	identities := iam.NewFromConfig(c.config)
	ok[*iam.CreateRoleOutput](c.t)(identities.CreateRole(c.t.Context(), &iam.CreateRoleInput{
		RoleName: aws.String("CodeDeploy"), AssumeRolePolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow",` +
			`"Principal":{"Service":"codedeploy.amazonaws.com"},"Action":"sts:AssumeRole"}]}`),
	}))
	ok[*iam.AttachRolePolicyOutput](c.t)(identities.AttachRolePolicy(c.t.Context(), &iam.AttachRolePolicyInput{
		RoleName: aws.String("CodeDeploy"), PolicyArn: aws.String("arn:aws:iam::aws:policy/service-role/AWSCodeDeployRole"),
	}))
	ok[*iam.PutRolePolicyOutput](c.t)(identities.PutRolePolicy(c.t.Context(), &iam.PutRolePolicyInput{
		RoleName: aws.String("CodeDeploy"), PolicyName: aws.String("templates"),
		PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ec2:RunInstances","ec2:CreateTags","iam:PassRole"],"Resource":"*"}]}`),
	}))
}

// launch launches instances with a tag "role".
func (c *cloud) launch(n int32, role string) {
	c.t.Helper()
	out := ok[*ec2.RunInstancesOutput](c.t)(c.machines.RunInstances(c.t.Context(), &ec2.RunInstancesInput{
		ImageId: aws.String("ami-00000001"), InstanceType: ec2types.InstanceTypeT3Micro, MinCount: &n, MaxCount: &n,
		TagSpecifications: []ec2types.TagSpecification{{ResourceType: ec2types.ResourceTypeInstance, Tags: []ec2types.Tag{{Key: aws.String("role"), Value: &role}}}},
	}))
	for _, i := range out.Instances {
		c.instances = append(c.instances, *i.InstanceId)
	}
	slices.Sort(c.instances)
	c.advance(time.Minute)
}

// group makes a deployment group of the instances with role=web.
func (c *cloud) group(change ...func(*codedeploy.CreateDeploymentGroupInput)) {
	c.t.Helper()
	in := &codedeploy.CreateDeploymentGroupInput{
		ApplicationName: aws.String("shop"), DeploymentGroupName: aws.String("web"), ServiceRoleArn: aws.String("arn:aws:iam::123456789012:role/CodeDeploy"),
		Ec2TagFilters: role("web"), Tags: []cdtypes.Tag{{Key: aws.String("pullback:enabled"), Value: aws.String("true")}},
	}
	for _, f := range change {
		f(in)
	}
	ok[*codedeploy.CreateDeploymentGroupOutput](c.t)(c.deploys.CreateDeploymentGroup(c.t.Context(), in))
}

func role(value string) []cdtypes.EC2TagFilter {
	return []cdtypes.EC2TagFilter{{Key: aws.String("role"), Value: &value, Type: cdtypes.EC2TagFilterTypeKeyAndValue}}
}

// bundle uploads a revision that is one page, and scripts by their lifecycle
// events.
func (c *cloud) bundle(key string, scripts map[string]string) *cdtypes.S3Location {
	c.t.Helper()
	files := map[string]string{"index.html": key}
	spec := "version: 0.0\nos: linux\nfiles:\n  - source: index.html\n    destination: /var/www\n"
	if len(scripts) > 0 {
		spec += "hooks:\n"
	}
	for _, event := range slices.Sorted(maps.Keys(scripts)) {
		spec += fmt.Sprintf("  %s:\n    - location: %s.sh\n", event, event)
		files[event+".sh"] = "#!/bin/bash\n" + scripts[event] + "\n"
	}
	files["appspec.yml"] = spec
	var archive bytes.Buffer
	z := zip.NewWriter(&archive)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		h := &zip.FileHeader{Name: name, Method: zip.Deflate}
		h.SetMode(0o755)
		w := ok[interface{ Write([]byte) (int, error) }](c.t)(z.CreateHeader(h))
		ok[int](c.t)(w.Write([]byte(files[name])))
	}
	require.NoError(c.t, z.Close())
	out := ok[*s3.PutObjectOutput](c.t)(c.store.PutObject(c.t.Context(), &s3.PutObjectInput{Bucket: aws.String("bundles"), Key: &key, Body: bytes.NewReader(archive.Bytes())}))
	return &cdtypes.S3Location{Bucket: aws.String("bundles"), Key: &key, BundleType: cdtypes.BundleTypeZip, Version: out.VersionId, ETag: aws.String(strings.Trim(*out.ETag, `"`))}
}

// name is how the location of a bundle is written.
func name(at *cdtypes.S3Location) deploy.Revision {
	return deploy.Revision(fmt.Sprintf("s3://%s/%s?bundleType=zip&eTag=%s&versionId=%s", *at.Bucket, *at.Key, *at.ETag, *at.Version))
}

// begin creates a deployment.
func (c *cloud) begin(at *cdtypes.S3Location, change ...func(*codedeploy.CreateDeploymentInput)) deploy.ID {
	c.t.Helper()
	in := &codedeploy.CreateDeploymentInput{
		ApplicationName: aws.String("shop"), DeploymentGroupName: aws.String("web"),
		Revision: &cdtypes.RevisionLocation{RevisionType: cdtypes.RevisionLocationTypeS3, S3Location: at},
	}
	for _, f := range change {
		f(in)
	}
	return deploy.ID(*ok[*codedeploy.CreateDeploymentOutput](c.t)(c.deploys.CreateDeployment(c.t.Context(), in)).DeploymentId)
}

// to creates a deployment and lets it end.
func (c *cloud) to(at *cdtypes.S3Location, change ...func(*codedeploy.CreateDeploymentInput)) deploy.Deployment {
	c.t.Helper()
	id := c.begin(at, change...)
	c.settle()
	return c.get(id)
}

func (c *cloud) get(id deploy.ID) deploy.Deployment {
	c.t.Helper()
	return ok[deploy.Deployment](c.t)(c.driver.Get(c.t.Context(), place.Target, id))
}

func (c *cloud) live() deploy.Live {
	c.t.Helper()
	return ok[deploy.Live](c.t)(c.driver.Live(c.t.Context(), place))
}

func (c *cloud) restore(r deploy.Restore) deploy.Deployment {
	c.t.Helper()
	r.Place = place
	id := ok[deploy.ID](c.t)(c.driver.Restore(c.t.Context(), r))
	c.settle()
	return c.get(id)
}

func (c *cloud) advance(d time.Duration) {
	c.t.Helper()
	require.NoError(c.t, c.World.Advance(c.t.Context(), d))
}

// settle lets time pass until no deployment is under way.
func (c *cloud) settle() {
	c.t.Helper()
	for range 200 {
		c.advance(time.Minute)
		all := ok[[]deploy.Deployment](c.t)(c.driver.Recent(c.t.Context(), place.Target, time.Time{}))
		if !slices.ContainsFunc(all, deploy.Deployment.Running) {
			return
		}
	}
	c.t.Fatal("the deployment does not end")
}

// page is what an instance shows.
func (c *cloud) page(instance string) string {
	c.t.Helper()
	return c.file(instance, "var/www/index.html")
}

func (c *cloud) path(instance, file string) string {
	c.t.Helper()
	c.World.Lock()
	defer c.World.Unlock()
	return filepath.Join(ok[string](c.t)(c.CodeDeploy.Root(instance)), file)
}

// file reads a file of an instance; nothing if it is not there.
func (c *cloud) file(instance, name string) string {
	c.t.Helper()
	text, err := os.ReadFile(c.path(instance, name))
	if os.IsNotExist(err) {
		return ""
	}
	require.NoError(c.t, err)
	return string(text)
}
