package cloudformation_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/host"
	"github.com/pullback-dev/pullback/internal/localaws/sdkhttp"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// account is a running local AWS with clients for it.
type account struct {
	*host.AWS
	config aws.Config
	stacks *cloudformation.Client
}

func newAccount(t *testing.T, mode world.Mode) *account {
	t.Helper()
	local, err := host.Start(t.Context(), host.Options{World: world.Options{Mode: mode}})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, local.Close()) })
	c := config(local)
	return &account{AWS: local, config: c, stacks: cloudformation.NewFromConfig(c)}
}

func config(local *host.AWS) aws.Config {
	return aws.Config{
		Region: "us-east-1", HTTPClient: sdkhttp.Client(), BaseEndpoint: aws.String(local.URL()),
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	}
}

// cdk runs the CDK's own command line and returns what it says.
func (a *account) cdk(t *testing.T, args ...string) (string, error) {
	t.Helper()
	cli, err := filepath.Abs("../../../node_modules/.bin/cdk")
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), cli, append(args, "--no-notices", "--no-color", "--ci")...)
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), a.environment(t)...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (a *account) environment(t *testing.T) []string {
	t.Helper()
	return []string{
		"HOME=" + t.TempDir(), "AWS_ENDPOINT_URL=" + a.URL(), "AWS_REGION=us-east-1", "AWS_DEFAULT_REGION=us-east-1",
		"AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "AWS_EC2_METADATA_DISABLED=true",
		"CDK_DISABLE_CLI_TELEMETRY=true", "CDK_DISABLE_VERSION_CHECK=true",
	}
}

// status returns a stack's status, or "" if there is none.
func (a *account) status(t *testing.T, name string) cfntypes.StackStatus {
	t.Helper()
	out, err := a.stacks.DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{StackName: &name})
	if err != nil {
		require.ErrorContains(t, err, "Stack with id "+name+" does not exist")
		return ""
	}
	return out.Stacks[0].StackStatus
}

// queue returns an attribute of the queue with that name, or "" if there is
// none.
func (a *account) queue(t *testing.T, name string, attribute sqstypes.QueueAttributeName) string {
	t.Helper()
	c := sqs.NewFromConfig(a.config)
	url, err := c.GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: &name})
	if err != nil {
		var missing *sqstypes.QueueDoesNotExist
		require.ErrorAs(t, err, &missing)
		return ""
	}
	out, err := c.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: url.QueueUrl, AttributeNames: []sqstypes.QueueAttributeName{attribute}})
	require.NoError(t, err)
	return out.Attributes[string(attribute)]
}

// assembly writes what "cdk synth" would for one stack "shop" with one function
// whose code is a text, and returns the directory.
func assembly(t *testing.T, resources map[string]any, code string) string {
	t.Helper()
	dir := t.TempDir()
	write := func(name string, content []byte) {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), content, 0o600))
	}
	asJSON := func(v any) []byte {
		text, err := json.Marshal(v)
		require.NoError(t, err)
		return text
	}
	digest := func(b []byte) string {
		sum := sha256.Sum256(b)
		return hex.EncodeToString(sum[:])
	}
	const role = "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/cdk-hnb659fds-"
	const bucket, at = "cdk-hnb659fds-assets-${AWS::AccountId}-${AWS::Region}", "-${AWS::AccountId}-${AWS::Region}"
	codeKey := digest([]byte(code))
	write("asset."+codeKey+"/bootstrap", []byte(code))
	resources["Code"] = map[string]any{"Type": "AWS::Lambda::Function", "Properties": map[string]any{
		"FunctionName": "shop", "Runtime": "provided.al2023", "Handler": "bootstrap", "Role": map[string]any{"Fn::GetAtt": []any{"Role", "Arn"}},
		"Code": map[string]any{"S3Bucket": map[string]any{"Fn::Sub": bucket}, "S3Key": codeKey + ".zip"},
	}}
	resources["Role"] = map[string]any{"Type": "AWS::IAM::Role", "Properties": map[string]any{"AssumeRolePolicyDocument": map[string]any{
		"Version": "2012-10-17", "Statement": []any{map[string]any{
			"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": map[string]any{"Service": "lambda.amazonaws.com"},
		}},
	}}}
	template := asJSON(map[string]any{"Resources": resources, "Outputs": map[string]any{"Function": map[string]any{"Value": map[string]any{"Ref": "Code"}}}})
	write("shop.template.json", template)
	file := func(path, packaging, key string) map[string]any {
		return map[string]any{
			"source": map[string]any{"path": path, "packaging": packaging},
			"destinations": map[string]any{"here": map[string]any{
				"bucketName": bucket, "objectKey": key, "assumeRoleArn": role + "file-publishing-role" + at,
			}},
		}
	}
	write("shop.assets.json", asJSON(map[string]any{"version": "54.0.0", "files": map[string]any{
		codeKey: file("asset."+codeKey, "zip", codeKey+".zip"), digest(template): file("shop.template.json", "file", digest(template)+".json"),
	}}))
	write("manifest.json", asJSON(map[string]any{"version": "54.0.0", "artifacts": map[string]any{
		"shop.assets": map[string]any{"type": "cdk:asset-manifest", "properties": map[string]any{
			"file": "shop.assets.json", "requiresBootstrapStackVersion": 6, "bootstrapStackVersionSsmParameter": "/cdk-bootstrap/hnb659fds/version",
		}},
		"shop": map[string]any{
			"type": "aws:cloudformation:stack", "environment": "aws://unknown-account/unknown-region", "dependencies": []any{"shop.assets"},
			"properties": map[string]any{
				"templateFile": "shop.template.json", "assumeRoleArn": role + "deploy-role" + at,
				"cloudFormationExecutionRoleArn": role + "cfn-exec-role" + at, "requiresBootstrapStackVersion": 6,
				"bootstrapStackVersionSsmParameter": "/cdk-bootstrap/hnb659fds/version", "additionalDependencies": []any{"shop.assets"},
				"stackTemplateAssetObjectUrl": "s3://" + bucket + "/" + digest(template) + ".json",
			},
		},
	}}))
	return dir
}

func queueOf(name string, properties map[string]any) map[string]any {
	properties["QueueName"] = name
	return map[string]any{"Type": "AWS::SQS::Queue", "Properties": properties}
}

// The real command line of the CDK, with nothing but an endpoint to tell it that
// this is not AWS.
func TestTheCDKBootstrapsDeploysDiffsRollsBackAndDestroys(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("../../../node_modules/.bin/cdk"); err != nil {
		t.Skip("the CDK's command line is not installed (npm ci): ", err)
	}
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("there is no node: ", err)
	}
	a := newAccount(t, world.Real) // the SDK of JavaScript takes another time for a fault, and tries again
	succeed := func(args ...string) string {
		t.Helper()
		out, err := a.cdk(t, args...)
		require.NoError(t, err, out)
		return out
	}
	succeed("bootstrap", "aws://123456789012/us-east-1")
	assert.Equal(t, cfntypes.StackStatusCreateComplete, a.status(t, "CDKToolkit"))

	first := assembly(t, map[string]any{"Work": queueOf("work", map[string]any{"VisibilityTimeout": 40}), "Old": queueOf("old", map[string]any{})}, "one")
	out := succeed("deploy", "--app", first, "--require-approval", "never")
	assert.Contains(t, out, "shop.Function = shop")
	assert.Equal(t, cfntypes.StackStatusCreateComplete, a.status(t, "shop"))
	assert.Equal(t, "40", a.queue(t, "work", sqstypes.QueueAttributeNameVisibilityTimeout))
	assert.Contains(t, succeed("diff", "--app", first, "--fail"), "There were no differences")
	assert.Contains(t, succeed("deploy", "--app", first, "--require-approval", "never"), "(no changes)")

	second := assembly(t, map[string]any{"Work": queueOf("work", map[string]any{"VisibilityTimeout": 50}), "New": queueOf("new", map[string]any{})}, "two")
	out, err := a.cdk(t, "diff", "--app", second, "--fail")
	require.Error(t, err, "differences are an exit code")
	for _, line := range []string{"[-] AWS::SQS::Queue Old destroy", "[+] AWS::SQS::Queue New", "[~] AWS::SQS::Queue Work", "[-] 40", "[+] 50", "[~] AWS::Lambda::Function Code"} {
		assert.Contains(t, out, line)
	}
	before := a.codeDigest(t)
	succeed("deploy", "--app", second, "--require-approval", "never")
	assert.Equal(t, cfntypes.StackStatusUpdateComplete, a.status(t, "shop"))
	assert.NotEqual(t, before, a.codeDigest(t))
	assert.Equal(t, "50", a.queue(t, "work", sqstypes.QueueAttributeNameVisibilityTimeout))
	assert.NotEmpty(t, a.queue(t, "new", sqstypes.QueueAttributeNameQueueArn))
	assert.Empty(t, a.queue(t, "old", sqstypes.QueueAttributeNameQueueArn))

	third := assembly(t, map[string]any{
		"Work": queueOf("work", map[string]any{"VisibilityTimeout": 60}), "New": queueOf("newer", map[string]any{}),
		"Zero": map[string]any{"Type": "AWS::SQS::Queue", "DependsOn": []any{"Work", "New"}, "Properties": map[string]any{"DelaySeconds": 100000}},
	}, "two")
	out, err = a.cdk(t, "deploy", "--app", third, "--require-approval", "never")
	require.Error(t, err)
	assert.Contains(t, out, "Invalid value for the parameter DelaySeconds")
	assert.Equal(t, cfntypes.StackStatusUpdateRollbackComplete, a.status(t, "shop"))
	assert.Equal(t, "50", a.queue(t, "work", sqstypes.QueueAttributeNameVisibilityTimeout))
	assert.NotEmpty(t, a.queue(t, "new", sqstypes.QueueAttributeNameQueueArn), "what was replaced is still there")
	assert.Empty(t, a.queue(t, "newer", sqstypes.QueueAttributeNameQueueArn), "what replaced it is gone")
	assert.Contains(t, succeed("diff", "--app", second, "--fail"), "There were no differences")

	succeed("destroy", "--app", second, "--force")
	assert.Empty(t, a.status(t, "shop"))
	assert.Empty(t, a.queue(t, "work", sqstypes.QueueAttributeNameQueueArn))
	functions, err := lambda.NewFromConfig(a.config).ListFunctions(t.Context(), &lambda.ListFunctionsInput{})
	require.NoError(t, err)
	assert.Empty(t, functions.Functions)
	assert.Contains(t, succeed("bootstrap", "aws://123456789012/us-east-1"), "(no changes)")
}

// codeDigest is what the function's code hashes to.
func (a *account) codeDigest(t *testing.T) string {
	t.Helper()
	out, err := lambda.NewFromConfig(a.config).GetFunctionConfiguration(t.Context(), &lambda.GetFunctionConfigurationInput{FunctionName: aws.String("shop")})
	require.NoError(t, err)
	return strings.TrimSpace(*out.CodeSha256)
}
