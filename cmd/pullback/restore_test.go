package main_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/backup"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/sdkhttp"
	"github.com/pullback-dev/pullback/shared/amazon/restorepoints"
	"github.com/pullback-dev/pullback/shared/amazon/table"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
	"github.com/pullback-dev/pullback/shared/restorepoint"
	"github.com/pullback-dev/pullback/shared/restorepoint/taker"
	"github.com/pullback-dev/pullback/shared/settings"
)

func TestARestorationThatIsNotConfirmedIsRefused(t *testing.T) {
	for name, test := range map[string]struct {
		args []string
		code int
		says string
	}{
		"another id":       {[]string{"--point", "rp-1", "--confirm", "rp-2", "--reason", "x"}, 5, `pullback: not confirmed: --confirm "rp-2" is not --point "rp-1"; nothing was restored` + "\n"},
		"no point":         {[]string{"--confirm", "rp-2", "--reason", "x"}, 5, `pullback: not confirmed: --confirm "rp-2" is not --point ""; nothing was restored` + "\n"},
		"nothing twice":    {[]string{"--point", "", "--confirm", "", "--reason", "x"}, 5, `pullback: not confirmed: --confirm "" is not --point ""; nothing was restored` + "\n"},
		"no reason":        {[]string{"--point", "rp-1", "--confirm", "rp-1"}, 5, "pullback: --reason is missing: say why, it is kept with what is done; nothing was restored\n"},
		"neither":          {[]string{"--point", "rp-1"}, 2, "pullback: either --plan or --confirm: look at the plan first\n"},
		"both":             {[]string{"--plan", "--point", "rp-1", "--confirm", "rp-1"}, 2, "pullback: either --plan or --confirm: look at the plan first\n"},
		"an output":        {[]string{"--plan", "-o", "xml"}, 2, "pullback: output is table or json, not \"xml\"\n"},
		"without patience": {[]string{"--plan", "--every", "0s"}, 2, "pullback: --every must be more than nothing\n"},
	} {
		t.Run(name, func(t *testing.T) {
			code, stderr := refused(t, append([]string{"restore", "shop/servers"}, test.args...)...)
			assert.Equal(t, []any{test.code, test.says}, []any{code, stderr})
		})
	}
}

// volumes is a local AWS with an instance of two volumes, of which there is a
// restore point.
type volumes struct {
	t        *testing.T
	ec2      *ec2.Client
	ledger   *table.Table
	instance string
	point    ledger.RestorePoint
}

var servers = deploy.Target{Application: "shop", Group: "servers"}

func newVolumes(t *testing.T) *volumes {
	t.Helper()
	l := up(t, "--clock", "fast")
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": l.url, "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
		"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
	} {
		t.Setenv(name, value)
	}
	cfg := aws.Config{
		Region: "us-east-1", HTTPClient: sdkhttp.Client(), BaseEndpoint: aws.String(l.url), Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	}
	v := &volumes{t: t, ec2: ec2.NewFromConfig(cfg), ledger: table.New(dynamodb.NewFromConfig(cfg), "ledger")}
	v.control(cfg)
	run, err := v.ec2.RunInstances(t.Context(), &ec2.RunInstancesInput{
		ImageId: aws.String("ami-0123456789abcdef0"), InstanceType: ec2types.InstanceTypeT3Micro, MinCount: aws.Int32(1), MaxCount: aws.Int32(1),
		BlockDeviceMappings: []ec2types.BlockDeviceMapping{{DeviceName: aws.String("/dev/sdf"), Ebs: &ec2types.EbsBlockDevice{VolumeSize: aws.Int32(20)}}},
	})
	require.NoError(t, err)
	v.instance = *run.Instances[0].InstanceId
	require.Eventually(t, func() bool {
		out, err := v.ec2.DescribeInstances(t.Context(), &ec2.DescribeInstancesInput{InstanceIds: []string{v.instance}})
		return err == nil && out.Reservations[0].Instances[0].State.Name == ec2types.InstanceStateNameRunning
	}, patience, 10*time.Millisecond)
	keeper := restorepoints.NewKeeper(codedeploy.NewFromConfig(cfg), autoscaling.NewFromConfig(cfg), v.ec2, backup.NewFromConfig(cfg), "123456789012", "us-east-1")
	policy := restorepoint.Policy{Kind: ledger.Snapshots}
	for _, volume := range v.attached() {
		policy.Resources = append(policy.Resources, "arn:aws:ec2:us-east-1:123456789012:volume/"+volume)
	}
	take := taker.New(v.ledger, keeper, time.Now)
	v.point, _, err = take.Take(t.Context(), deploy.Deployment{ID: "d-1", Target: servers, Status: deploy.InProgress}, policy)
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		point, err := take.Refresh(t.Context(), v.point)
		return err == nil && point.State == ledger.PointReady
	}, patience, 10*time.Millisecond)
	return v
}

// control makes what the command line needs of the control plane: the ledger, and
// the function that says where it is.
func (v *volumes) control(cfg aws.Config) {
	v.t.Helper()
	_, err := dynamodb.NewFromConfig(cfg).CreateTable(v.t.Context(), &dynamodb.CreateTableInput{
		TableName: aws.String("ledger"), BillingMode: ddbtypes.BillingModePayPerRequest,
		AttributeDefinitions: []ddbtypes.AttributeDefinition{
			{AttributeName: aws.String(table.PartitionKey), AttributeType: ddbtypes.ScalarAttributeTypeS},
			{AttributeName: aws.String(table.SortKey), AttributeType: ddbtypes.ScalarAttributeTypeS},
		},
		KeySchema: []ddbtypes.KeySchemaElement{
			{AttributeName: aws.String(table.PartitionKey), KeyType: ddbtypes.KeyTypeHash}, {AttributeName: aws.String(table.SortKey), KeyType: ddbtypes.KeyTypeRange},
		},
	})
	require.NoError(v.t, err)
	_, err = iam.NewFromConfig(cfg).CreateRole(v.t.Context(), &iam.CreateRoleInput{RoleName: aws.String("function"), AssumeRolePolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`)})
	require.NoError(v.t, err)
	s := settings.Default()
	s.Account, s.Table, s.Signals, s.Rollbacks, s.Watch = "123456789012", "ledger", "https://q/signals", "https://q/rollbacks.fifo", "https://q/watch"
	_, err = lambda.NewFromConfig(cfg).CreateFunction(v.t.Context(), &lambda.CreateFunctionInput{
		FunctionName: aws.String("pullback_rollbacker"), Runtime: lambdatypes.RuntimeProvidedal2023, Handler: aws.String("bootstrap"),
		Role: aws.String("arn:aws:iam::123456789012:role/function"), Code: &lambdatypes.FunctionCode{ZipFile: packed(v.t, map[string]string{"bootstrap": "x"})},
		Environment: &lambdatypes.Environment{Variables: s.Env()},
	})
	require.NoError(v.t, err)
}

// attached are the instance's volumes.
func (v *volumes) attached() map[string]string {
	v.t.Helper()
	out, err := v.ec2.DescribeVolumes(v.t.Context(), &ec2.DescribeVolumesInput{
		Filters: []ec2types.Filter{{Name: aws.String("attachment.instance-id"), Values: []string{v.instance}}},
	})
	require.NoError(v.t, err)
	all := map[string]string{}
	for _, volume := range out.Volumes {
		all[*volume.Attachments[0].Device] = *volume.VolumeId
	}
	return all
}

// sources are the snapshots that the instance's volumes were made of.
func (v *volumes) sources() map[string]string {
	v.t.Helper()
	out, err := v.ec2.DescribeVolumes(v.t.Context(), &ec2.DescribeVolumesInput{
		Filters: []ec2types.Filter{{Name: aws.String("attachment.instance-id"), Values: []string{v.instance}}},
	})
	require.NoError(v.t, err)
	all := map[string]string{}
	for _, volume := range out.Volumes {
		all[*volume.Attachments[0].Device] = *volume.SnapshotId
	}
	return all
}

// kept are the snapshots of the point, as sources shows them.
func (v *volumes) kept() map[string]string {
	all := map[string]string{}
	for _, k := range v.point.Kept {
		all[k.Device] = k.Snapshot
	}
	return all
}

func TestDataIsRestoredAfterAPlanAndAConfirmation(t *testing.T) {
	v := newVolumes(t)
	before, id := v.attached(), string(v.point.ID)
	stdout, stderr, code := run(t, "", "restore", "shop/servers", "--plan", "-o", "json")
	require.Equal(t, []any{0, ""}, []any{code, stderr})
	var plan restorepoint.Plan
	require.NoError(t, json.Unmarshal([]byte(stdout), &plan))
	assert.Equal(t, []any{v.point.ID, servers, deploy.ID("d-1"), 4}, []any{plan.Point, plan.Target, plan.Deployment, len(plan.Steps)})
	assert.Equal(t, before, v.attached(), "a plan changes nothing")

	stdout, stderr, code = run(t, "", "restore", "shop/servers", "--point", id, "--confirm", id, "--reason", "the prices are wrong", "--every", "10ms")
	require.Equal(t, 0, code, stderr)
	assert.Equal(t, "restored "+id+" of shop/servers\n", stdout)
	assert.Equal(t, v.kept(), v.sources())

	stdout, _, code = run(t, "", "explain", "shop/servers")
	require.Equal(t, 0, code)
	assert.Contains(t, stdout, "restoration 1 of "+id+": the prices are wrong")
	assert.Contains(t, stdout, `ec2:DetachVolume {"VolumeId":"`+before["/dev/sdf"]+`"`)

	_, stderr, code = run(t, "", "restore", "shop/other", "--plan")
	assert.Equal(t, []any{5, "pullback: restore shop/other: there is no such restore point: none was ever taken; see docs/restore-points.md\n"}, []any{code, stderr})
}

func TestAPlanCanBeCarriedOutWithTheAWSCLI(t *testing.T) {
	needCLI(t)
	v := newVolumes(t)
	script, stderr, code := run(t, "", "restore", "shop/servers", "--plan")
	require.Equal(t, 0, code, stderr)
	file := filepath.Join(t.TempDir(), "plan.sh")
	require.NoError(t, os.WriteFile(file, []byte(script), 0o600))
	cmd := exec.CommandContext(t.Context(), "bash", file)
	cmd.Env = append(os.Environ(), "AWS_PAGER=")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s\n%s", script, out)
	require.Eventually(t, func() bool { return v.sources()["/dev/xvda"] == v.kept()["/dev/xvda"] }, patience, 100*time.Millisecond, "the last step of a plan is not waited for")
	assert.Equal(t, v.kept(), v.sources())
}
