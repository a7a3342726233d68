package codedeploy_test

import (
	"archive/zip"
	"bytes"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	sdk "github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	localcloudwatch "github.com/pullback-dev/pullback/internal/localaws/cloudwatch"
	"github.com/pullback-dev/pullback/internal/localaws/codedeploy"
	localeventbridge "github.com/pullback-dev/pullback/internal/localaws/eventbridge"
	locallambda "github.com/pullback-dev/pullback/internal/localaws/lambda"
	"github.com/pullback-dev/pullback/internal/localaws/sdkhttp"
	localsns "github.com/pullback-dev/pullback/internal/localaws/sns"
	localsqs "github.com/pullback-dev/pullback/internal/localaws/sqs"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// region is the service among the others of the local AWS, as clients see it.
type region struct {
	t           *testing.T
	w           *world.World
	deployments *sdk.Client
	functions   *lambda.Client
	alarms      *cloudwatch.Client
}

func newRegion(t *testing.T) *region {
	t.Helper()
	w := world.New(world.Options{})
	mux := wire.NewMux(w)
	server := httptest.NewServer(mux)
	functions := locallambda.New(w, mux, locallambda.Options{
		Endpoint: func() string { return server.URL },
		Issue: func(p wire.Principal) (id, secret, token string) {
			c := mux.Issue(p)
			return c.AccessKeyID, c.SecretAccessKey, c.SessionToken
		},
	})
	t.Cleanup(func() {
		server.Close()
		require.NoError(t, functions.Close())
	})
	for _, s := range []wire.Service{
		codedeploy.New(w, mux, codedeploy.Options{}).Wire(), functions.Wire(), localcloudwatch.New(w, mux).Wire(), localeventbridge.New(w, mux).Wire(),
		localsns.New(w, mux).Wire(), localsqs.New(w, mux, localsqs.Options{}).Wire(),
	} {
		mux.Handle(s)
	}
	c := aws.Config{Region: "us-east-1", HTTPClient: sdkhttp.Client(), BaseEndpoint: aws.String(server.URL), Credentials: credentials.NewStaticCredentialsProvider("AKID", "secret", "")}
	return &region{t: t, w: w, deployments: sdk.NewFromConfig(c), functions: lambda.NewFromConfig(c), alarms: cloudwatch.NewFromConfig(c)}
}

// packaged builds testdata/hook into a deployment package.
func packaged(t *testing.T) []byte {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "bootstrap")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-tags=lambda.norpc", "-ldflags=-s -w", "-o", bin, "./testdata/hook").CombinedOutput()
	require.NoError(t, err, "%s", out)
	contents, err := os.ReadFile(bin)
	require.NoError(t, err)
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	h := &zip.FileHeader{Name: "bootstrap", Method: zip.Store}
	h.SetMode(0o755)
	f, err := z.CreateHeader(h)
	require.NoError(t, err)
	_, err = f.Write(contents)
	require.NoError(t, err)
	require.NoError(t, z.Close())
	return b.Bytes()
}

// function creates a function that answers hooks, with the versions 1 and 2.
func (r *region) function(name, answer string, code []byte) {
	r.t.Helper()
	ctx := r.t.Context()
	_, err := r.functions.CreateFunction(ctx, &lambda.CreateFunctionInput{
		FunctionName: aws.String(name), Role: aws.String(role), Runtime: lambdatypes.RuntimeProvidedal2023, Handler: aws.String("bootstrap"),
		Code: &lambdatypes.FunctionCode{ZipFile: code}, Publish: true,
		Environment: &lambdatypes.Environment{Variables: map[string]string{"ANSWER": answer}},
	})
	require.NoError(r.t, err)
	_, err = r.functions.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{FunctionName: aws.String(name), MemorySize: aws.Int32(256)})
	require.NoError(r.t, err)
	_, err = r.functions.PublishVersion(ctx, &lambda.PublishVersionInput{FunctionName: aws.String(name)})
	require.NoError(r.t, err)
}

func (r *region) alias() (version string, weights map[string]float64) {
	r.t.Helper()
	out, err := r.functions.GetAlias(r.t.Context(), &lambda.GetAliasInput{FunctionName: aws.String("checkout"), Name: aws.String("live")})
	require.NoError(r.t, err)
	if out.RoutingConfig != nil {
		weights = out.RoutingConfig.AdditionalVersionWeights
	}
	return *out.FunctionVersion, weights
}

// setUp makes functions, alias, alarm and deployment group.
func (r *region) setUp() {
	r.t.Helper()
	ctx, code := r.t.Context(), packaged(r.t)
	r.function("checkout", "", code)
	r.function("CodeDeployHook_pre", "Succeeded", code)
	r.function("CodeDeployHook_post", "Failed", code)
	_, err := r.functions.CreateAlias(ctx, &lambda.CreateAliasInput{FunctionName: aws.String("checkout"), Name: aws.String("live"), FunctionVersion: aws.String("1")})
	require.NoError(r.t, err)
	_, err = r.alarms.PutMetricAlarm(ctx, &cloudwatch.PutMetricAlarmInput{
		AlarmName: aws.String("errors"), Namespace: aws.String("AWS/Lambda"), MetricName: aws.String("Errors"), Statistic: cwtypes.StatisticSum,
		Period: aws.Int32(60), EvaluationPeriods: aws.Int32(1), Threshold: aws.Float64(1),
		ComparisonOperator: cwtypes.ComparisonOperatorGreaterThanOrEqualToThreshold, TreatMissingData: aws.String("notBreaching"),
	})
	require.NoError(r.t, err)
	_, err = r.deployments.CreateApplication(ctx, &sdk.CreateApplicationInput{ApplicationName: aws.String(app), ComputePlatform: cdtypes.ComputePlatformLambda})
	require.NoError(r.t, err)
	_, err = r.deployments.CreateDeploymentGroup(ctx, &sdk.CreateDeploymentGroupInput{
		ApplicationName: aws.String(app), DeploymentGroupName: aws.String(grp), ServiceRoleArn: aws.String(role), AlarmConfiguration: watch("errors"),
		AutoRollbackConfiguration: rollbackOn(cdtypes.AutoRollbackEventDeploymentFailure, cdtypes.AutoRollbackEventDeploymentStopOnAlarm),
		DeploymentConfigName:      aws.String("CodeDeployDefault.LambdaCanary10Percent5Minutes"),
	})
	require.NoError(r.t, err)
}

func (r *region) deploy() string {
	r.t.Helper()
	out, err := r.deployments.CreateDeployment(r.t.Context(), input(spec()))
	require.NoError(r.t, err)
	return *out.DeploymentId
}

// ended returns why a deployment and how its rollback ended.
func (r *region) ended(id string) (why cdtypes.ErrorCode, back cdtypes.DeploymentStatus) {
	r.t.Helper()
	d, err := r.deployments.GetDeployment(r.t.Context(), &sdk.GetDeploymentInput{DeploymentId: aws.String(id)})
	require.NoError(r.t, err)
	require.NotNil(r.t, d.DeploymentInfo.RollbackInfo)
	b, err := r.deployments.GetDeployment(r.t.Context(), &sdk.GetDeploymentInput{DeploymentId: d.DeploymentInfo.RollbackInfo.RollbackDeploymentId})
	require.NoError(r.t, err)
	return d.DeploymentInfo.ErrorInformation.Code, b.DeploymentInfo.Status
}

func TestDeploymentsRunAmongTheOtherServices(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("builds a function")
	}
	r := newRegion(t)
	r.setUp()
	require.NoError(t, r.w.Advance(t.Context(), 5*time.Minute)) // the alarm becomes OK

	id := r.deploy()
	require.NoError(t, r.w.Advance(t.Context(), time.Minute))
	version, weights := r.alias()
	assert.Equal(t, "1", version)
	assert.Equal(t, map[string]float64{"2": 0.1}, weights)
	_, err := r.alarms.SetAlarmState(t.Context(), &cloudwatch.SetAlarmStateInput{
		AlarmName: aws.String("errors"), StateValue: cwtypes.StateValueAlarm, StateReason: aws.String("test"),
	})
	require.NoError(t, err)
	require.NoError(t, r.w.Advance(t.Context(), time.Hour))
	why, back := r.ended(id)
	assert.Equal(t, cdtypes.ErrorCodeAlarmActive, why)
	assert.Equal(t, cdtypes.DeploymentStatusSucceeded, back)
	version, weights = r.alias()
	assert.Equal(t, "1", version)
	assert.Empty(t, weights)

	id = r.deploy() // the second hook fails it
	require.NoError(t, r.w.Advance(t.Context(), time.Hour))
	why, back = r.ended(id)
	assert.Equal(t, cdtypes.ErrorCodeHookExecutionFailure, why)
	assert.Equal(t, cdtypes.DeploymentStatusSucceeded, back)
	version, _ = r.alias()
	assert.Equal(t, "1", version)
}
