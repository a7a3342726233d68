package main_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/sdkhttp"
)

// TestTheCommandsOfGuidesDoWhatTheySay runs testdata/guides/commands.sh.
func TestTheCommandsOfGuidesDoWhatTheySay(t *testing.T) {
	needCLI(t)
	t.Parallel()
	l := up(t, "--clock", "manual")
	g := guide{t: t, local: l, config: aws.Config{
		Region: "us-east-1", HTTPClient: sdkhttp.Client(), BaseEndpoint: aws.String(l.url), Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	}}
	g.roles()
	g.fleet()
	g.releases()
	g.function()
	g.service()
	script, err := filepath.Abs(filepath.Join("..", "..", "testdata", "guides", "commands.sh"))
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), "bash", script)
	cmd.Dir = t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(cmd.Dir, "function.zip"), packed(t, map[string]string{"bootstrap": "third"}), 0o600))
	cmd.Env = append(os.Environ(),
		"AWS_ENDPOINT_URL="+l.url, "AWS_REGION=us-east-1", "AWS_DEFAULT_REGION=us-east-1", "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test",
		"AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null", "AWS_PAGER=", "AWS_MAX_ATTEMPTS=1", "AWS_DEFAULT_OUTPUT=json",
		"LAMBDA_FUNCTION=myapp-api",
	)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s\n%s", out, l.stderr.String())
}

// guide makes what the guides take for granted.
type guide struct {
	t      *testing.T
	local  *local
	config aws.Config
}

// packed is a zip file.
func packed(t *testing.T, files map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, text := range files {
		h := &zip.FileHeader{Name: name}
		h.SetMode(0o755)
		w, err := z.CreateHeader(h)
		require.NoError(t, err)
		_, err = w.Write([]byte(text))
		require.NoError(t, err)
	}
	require.NoError(t, z.Close())
	return b.Bytes()
}

func (g guide) roles() {
	client := iam.NewFromConfig(g.config)
	for _, name := range []string{"CodeDeployRole", "function"} {
		_, err := client.CreateRole(g.t.Context(), &iam.CreateRoleInput{RoleName: aws.String(name), AssumeRolePolicyDocument: aws.String(
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":["codedeploy.amazonaws.com","lambda.amazonaws.com"]},"Action":"sts:AssumeRole"}]}`)})
		require.NoError(g.t, err)
		_, err = client.PutRolePolicy(g.t.Context(), &iam.PutRolePolicyInput{RoleName: aws.String(name), PolicyName: aws.String("all"), PolicyDocument: aws.String(
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`)})
		require.NoError(g.t, err)
	}
}

// fleet is two instances in an Auto Scaling group behind a load balancer, with
// alarms.
func (g guide) fleet() {
	balancers := elasticloadbalancingv2.NewFromConfig(g.config)
	group, err := balancers.CreateTargetGroup(g.t.Context(), &elasticloadbalancingv2.CreateTargetGroupInput{
		Name: aws.String("myapp-tg"), Protocol: elbtypes.ProtocolEnumHttp, Port: aws.Int32(80), VpcId: aws.String("vpc-0de4a017c0de4a017"), TargetType: elbtypes.TargetTypeEnumInstance,
	})
	require.NoError(g.t, err)
	_, err = ec2.NewFromConfig(g.config).CreateLaunchTemplate(g.t.Context(), &ec2.CreateLaunchTemplateInput{
		LaunchTemplateName: aws.String("myapp"), LaunchTemplateData: &ec2types.RequestLaunchTemplateData{
			ImageId: aws.String("ami-0123456789abcdef0"), InstanceType: ec2types.InstanceTypeT3Micro,
		},
	})
	require.NoError(g.t, err)
	_, err = autoscaling.NewFromConfig(g.config).CreateAutoScalingGroup(g.t.Context(), autoScaling(*group.TargetGroups[0].TargetGroupArn))
	require.NoError(g.t, err)
	g.local.passMinute(g.t)
	for _, name := range []string{"myapp-5xx-errors", "myapp-high-latency", "myapp-p99-latency"} {
		_, err := cloudwatch.NewFromConfig(g.config).PutMetricAlarm(g.t.Context(), &cloudwatch.PutMetricAlarmInput{
			AlarmName: aws.String(name), Namespace: aws.String("myapp"), MetricName: aws.String(name), Statistic: cwtypes.StatisticSum,
			Period: aws.Int32(60), EvaluationPeriods: aws.Int32(2), Threshold: aws.Float64(5), TreatMissingData: aws.String("notBreaching"),
			ComparisonOperator: cwtypes.ComparisonOperatorGreaterThanThreshold,
		})
		require.NoError(g.t, err)
	}
}

// autoScaling is a group of two instances.
func autoScaling(targets string) *autoscaling.CreateAutoScalingGroupInput {
	return &autoscaling.CreateAutoScalingGroupInput{
		AutoScalingGroupName: aws.String("myapp-asg-prod"), MinSize: aws.Int32(2), MaxSize: aws.Int32(4), DesiredCapacity: aws.Int32(2),
		AvailabilityZones: []string{"us-east-1a"}, TargetGroupARNs: []string{targets},
		LaunchTemplate: &astypes.LaunchTemplateSpecification{LaunchTemplateName: aws.String("myapp"), Version: aws.String("1")},
	}
}

func (g guide) put(bucket, key string, body []byte) {
	client := s3.NewFromConfig(g.config, func(o *s3.Options) { o.UsePathStyle = true })
	_, err := client.HeadBucket(g.t.Context(), &s3.HeadBucketInput{Bucket: aws.String(bucket)})
	if err != nil {
		_, err = client.CreateBucket(g.t.Context(), &s3.CreateBucketInput{Bucket: aws.String(bucket)})
		require.NoError(g.t, err)
	}
	_, err = client.PutObject(g.t.Context(), &s3.PutObjectInput{Bucket: aws.String(bucket), Key: aws.String(key), Body: bytes.NewReader(body)})
	require.NoError(g.t, err)
}

// releases are two that can be installed, one that cannot, and the second group of
// the application, whose service role and instances are the first one's.
func (g guide) releases() {
	const good = "version: 0.0\nos: linux\nfiles:\n  - source: /index.html\n    destination: /opt/myapp\nfile_exists_behavior: OVERWRITE\n"
	for _, version := range []string{"1.2.2", "1.2.3"} {
		g.put("myapp-artifacts", "releases/myapp-"+version+".zip", packed(g.t, map[string]string{"appspec.yml": good, "index.html": version}))
	}
	bad := "version: 0.0\nos: linux\nfiles:\n  - source: /missing.html\n    destination: /opt/myapp\n"
	g.put("myapp-artifacts", "releases/myapp-1.2.4.zip", packed(g.t, map[string]string{"appspec.yml": bad}))
	for name, value := range map[string]string{"/myapp/prod/db-host": "db.internal", "/myapp/prod/db-password": "secret"} {
		kind := ssmtypes.ParameterTypeString
		if value == "secret" {
			kind = ssmtypes.ParameterTypeSecureString
		}
		_, err := ssm.NewFromConfig(g.config).PutParameter(g.t.Context(), &ssm.PutParameterInput{Name: aws.String(name), Value: aws.String(value), Type: kind})
		require.NoError(g.t, err)
	}
}

// function is a function with two versions, deployed by a group of its own.
func (g guide) function() {
	client, deploys := lambda.NewFromConfig(g.config), codedeploy.NewFromConfig(g.config)
	name := aws.String("myapp-api")
	_, err := client.CreateFunction(g.t.Context(), &lambda.CreateFunctionInput{
		FunctionName: name, Runtime: lambdatypes.RuntimeProvidedal2023, Handler: aws.String("bootstrap"), Role: aws.String("arn:aws:iam::123456789012:role/function"),
		Code: &lambdatypes.FunctionCode{ZipFile: packed(g.t, map[string]string{"bootstrap": "first"})}, Publish: true,
	})
	require.NoError(g.t, err)
	_, err = client.UpdateFunctionCode(g.t.Context(), &lambda.UpdateFunctionCodeInput{
		FunctionName: name, ZipFile: packed(g.t, map[string]string{"bootstrap": "second"}), Publish: true,
	})
	require.NoError(g.t, err)
	_, err = client.CreateAlias(g.t.Context(), &lambda.CreateAliasInput{FunctionName: name, Name: aws.String("live"), FunctionVersion: aws.String("1")})
	require.NoError(g.t, err)
	g.put("myapp-appspec", "appspec.yaml", []byte(`version: 0.0
Resources:
  - MyLambdaFunction:
      Type: AWS::Lambda::Function
      Properties:
        Name: myapp-api
        Alias: live
        CurrentVersion: "1"
        TargetVersion: "2"
`))
	_, err = deploys.CreateApplication(g.t.Context(), &codedeploy.CreateApplicationInput{ApplicationName: aws.String("myapp-lambda"), ComputePlatform: cdtypes.ComputePlatformLambda})
	require.NoError(g.t, err)
	_, err = deploys.CreateDeploymentGroup(g.t.Context(), &codedeploy.CreateDeploymentGroupInput{
		ApplicationName: aws.String("myapp-lambda"), DeploymentGroupName: aws.String("production"), ServiceRoleArn: aws.String("arn:aws:iam::123456789012:role/CodeDeployRole"),
		DeploymentStyle: &cdtypes.DeploymentStyle{DeploymentType: cdtypes.DeploymentTypeBlueGreen, DeploymentOption: cdtypes.DeploymentOptionWithTrafficControl},
	})
	require.NoError(g.t, err)
}

// service is an ECS service that runs the 43rd revision of its task definition.
func (g guide) service() {
	client := ecs.NewFromConfig(g.config)
	_, err := client.CreateCluster(g.t.Context(), &ecs.CreateClusterInput{ClusterName: aws.String("my-cluster")})
	require.NoError(g.t, err)
	for n := range 43 {
		_, err := client.RegisterTaskDefinition(g.t.Context(), &ecs.RegisterTaskDefinitionInput{
			Family: aws.String("api"), ContainerDefinitions: []ecstypes.ContainerDefinition{{
				Name: aws.String("api"), Image: aws.String(fmt.Sprintf("api:%d", n+1)), Essential: aws.Bool(true), Memory: aws.Int32(128),
			}},
		})
		require.NoError(g.t, err)
	}
	_, err = client.CreateService(g.t.Context(), &ecs.CreateServiceInput{
		Cluster: aws.String("my-cluster"), ServiceName: aws.String("api-service"), TaskDefinition: aws.String("api:43"), DesiredCount: aws.Int32(2),
	})
	require.NoError(g.t, err)
	for range 5 {
		g.local.passMinute(g.t)
	}
}
