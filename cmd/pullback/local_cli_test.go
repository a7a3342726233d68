package main_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// cli is the AWS CLI, pointed at the local AWS the way its users do it.
type cli struct {
	local *local
	dir   string
	run   func(args []string) (stdout, stderr string, err error)
}

// newCLI skips the test where the AWS CLI is not installed.
func newCLI(t *testing.T, l *local) cli {
	t.Helper()
	c := cli{local: l, dir: t.TempDir()}
	c.run = func(args []string) (string, string, error) {
		cmd := exec.CommandContext(t.Context(), "aws", args...)
		cmd.Dir = c.dir
		cmd.Env = append(os.Environ(),
			"AWS_ENDPOINT_URL="+l.url, "AWS_REGION=us-east-1", "AWS_DEFAULT_REGION=us-east-1", "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test",
			"AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null", "AWS_PAGER=", "AWS_MAX_ATTEMPTS=1", "AWS_DEFAULT_OUTPUT=json",
		)
		var stdout, stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		err := cmd.Run()
		return stdout.String(), stderr.String(), err
	}
	return c
}

func needCLI(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("builds and starts programs; run without -short")
	}
	if _, err := exec.LookPath("aws"); err != nil {
		t.Skip("the AWS CLI is not installed")
	}
}

// ids are what differs from run to run, or may.
var ids = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|d-[A-Z0-9]{9}`)

// says asserts the whole answer of a command, with ID for every id, and
// returns the first id.
func (c cli) says(t *testing.T, want string, args ...string) string {
	t.Helper()
	stdout, stderr, err := c.run(args)
	require.NoError(t, err, "aws %s: %s", strings.Join(args, " "), stderr)
	masked := ids.ReplaceAllString(stdout, "ID")
	if want == "" {
		assert.Empty(t, masked, "aws %s", strings.Join(args, " "))
	} else {
		assert.JSONEq(t, want, masked, "aws %s", strings.Join(args, " "))
	}
	return ids.FindString(stdout)
}

// refuses asserts the error of a command.
func (c cli) refuses(t *testing.T, want string, args ...string) {
	t.Helper()
	_, stderr, err := c.run(args)
	require.Error(t, err, "aws %s", strings.Join(args, " "))
	assert.Equal(t, want, ids.ReplaceAllString(strings.TrimSpace(stderr), "ID"), "aws %s", strings.Join(args, " "))
}

// group makes the deployment group, and the file with the revision.
func (c cli) group(t *testing.T) {
	t.Helper()
	c.says(t, `{"applicationId":"ID"}`, "deploy", "create-application", "--application-name", "checkout", "--compute-platform", "Lambda")
	c.says(t, `{"deploymentGroupId":"ID"}`, "deploy", "create-deployment-group", "--application-name", "checkout", "--deployment-group-name", "live",
		"--service-role-arn", "arn:aws:iam::123456789012:role/codedeploy", "--deployment-config-name", "CodeDeployDefault.LambdaCanary10Percent5Minutes",
		"--deployment-style", "deploymentType=BLUE_GREEN,deploymentOption=WITH_TRAFFIC_CONTROL")
	revision := `{"revisionType":"AppSpecContent","appSpecContent":{"content":` + quoted(spec) + `}}`
	require.NoError(t, os.WriteFile(filepath.Join(c.dir, "revision.json"), []byte(revision), 0o600))
}

func quoted(s string) string { return `"` + strings.ReplaceAll(s, `"`, `\"`) + `"` }

func (c cli) roll(t *testing.T) string {
	t.Helper()
	return c.says(t, `{"deploymentId":"ID"}`, "deploy", "create-deployment", "--application-name", "checkout", "--deployment-group-name", "live", "--revision", "file://revision.json")
}

const aliasStart = `{"AliasArn":"arn:aws:lambda:us-east-1:123456789012:function:checkout:live","Name":"live","Description":"","RevisionId":"ID",`

func TestCLIDeploysToTheEnd(t *testing.T) {
	needCLI(t)
	t.Parallel()
	l := up(t, "--clock", "fast")
	l.clients().install(t)
	c := newCLI(t, l)
	c.group(t)
	id := c.roll(t)
	c.says(t, "", "deploy", "wait", "deployment-successful", "--deployment-id", id)
	c.says(t, `{"id":"ID","status":"Succeeded","creator":"user","overview":{"Pending":0,"InProgress":0,"Succeeded":1,"Failed":0,"Skipped":0,"Ready":0}}`,
		"deploy", "get-deployment", "--deployment-id", id,
		"--query", "deploymentInfo.{id:deploymentId,status:status,creator:creator,overview:deploymentOverview}")
	c.says(t, aliasStart+`"FunctionVersion":"2"}`, "lambda", "get-alias", "--function-name", "checkout", "--name", "live")
	c.says(t, `["2","arn:aws:lambda:us-east-1:123456789012:function:checkout:2","Active"]`,
		"lambda", "publish-version", "--function-name", "checkout", "--query", "[Version,FunctionArn,State]")
	c.refuses(t, "An error occurred (DeploymentAlreadyCompletedException) when calling the StopDeployment operation: The deployment ID is already complete.",
		"deploy", "stop-deployment", "--deployment-id", id)
}

func TestCLIStopsACanary(t *testing.T) {
	needCLI(t)
	t.Parallel()
	l := up(t, "--clock", "manual")
	l.clients().install(t)
	c := newCLI(t, l)
	c.group(t)
	id := c.roll(t)
	l.passMinute(t)
	c.says(t, aliasStart+`"FunctionVersion":"1","RoutingConfig":{"AdditionalVersionWeights":{"2":0.1}}}`, "lambda", "get-alias", "--function-name", "checkout", "--name", "live")
	c.says(t, `{"status":"Pending","statusMessage":"The stop operation is pending: deployment lifecycle events might still be running."}`,
		"deploy", "stop-deployment", "--deployment-id", id, "--auto-rollback-enabled")
	l.passMinute(t)
	c.says(t, `["Stopped",{"code":"MANUAL_STOP","message":"The deployment was stopped manually."},{"rollbackDeploymentId":"ID",`+
		`"rollbackMessage":"Deployment ID terminated. Automatic rollback is triggered with a DeploymentId ID."}]`,
		"deploy", "get-deployment", "--deployment-id", id, "--query", "deploymentInfo.[status,errorInformation,rollbackInfo]")
	c.says(t, aliasStart+`"FunctionVersion":"1"}`, "lambda", "get-alias", "--function-name", "checkout", "--name", "live")
}

func TestCLIUsesEverythingElse(t *testing.T) {
	needCLI(t)
	t.Parallel()
	l := up(t, "--clock", "fast")
	c := newCLI(t, l)
	c.says(t, "", "cloudwatch", "put-metric-alarm", "--alarm-name", "errors", "--namespace", "Shop", "--metric-name", "Errors", "--statistic", "Sum",
		"--period", "60", "--evaluation-periods", "1", "--threshold", "3", "--comparison-operator", "GreaterThanThreshold")
	c.says(t, "", "cloudwatch", "set-alarm-state", "--alarm-name", "errors", "--state-value", "ALARM", "--state-reason", "drill")
	c.says(t, `{"MetricAlarms":[{"AlarmName":"errors","AlarmArn":"arn:aws:cloudwatch:us-east-1:123456789012:alarm:errors","ActionsEnabled":true,
		"OKActions":[],"AlarmActions":[],"InsufficientDataActions":[],"StateValue":"ALARM","StateReason":"drill","MetricName":"Errors","Namespace":"Shop",
		"Statistic":"Sum","Dimensions":[],"Period":60,"EvaluationPeriods":1,"Threshold":3.0,"ComparisonOperator":"GreaterThanThreshold",
		"AlarmConfigurationUpdatedTimestamp":1767603600,"StateUpdatedTimestamp":1767603600,"StateTransitionedTimestamp":1767603600}],"CompositeAlarms":[]}`,
		"cloudwatch", "describe-alarms")
	c.says(t, `{"FailedEntryCount":0,"Entries":[{"EventId":"ID"}]}`, "events", "put-events", "--entries", `[{"Source":"shop","DetailType":"order","Detail":"{}"}]`)

	c.says(t, `"CREATING"`, "dynamodb", "create-table", "--table-name", "orders", "--attribute-definitions", "AttributeName=id,AttributeType=S",
		"--key-schema", "AttributeName=id,KeyType=HASH", "--billing-mode", "PAY_PER_REQUEST", "--query", "TableDescription.TableStatus")
	c.says(t, "", "dynamodb", "put-item", "--table-name", "orders", "--item", `{"id":{"S":"1"},"price":{"N":"1.50"}}`)
	c.says(t, `{"Item":{"id":{"S":"1"},"price":{"N":"1.5"}}}`, "dynamodb", "get-item", "--table-name", "orders", "--key", `{"id":{"S":"1"}}`)

	queue := l.url + "/123456789012/orders"
	c.says(t, `{"QueueUrl":"`+queue+`"}`, "sqs", "create-queue", "--queue-name", "orders", "--endpoint-url", l.url)
	c.says(t, `{"MD5OfMessageBody":"5d41402abc4b2a76b9719d911017c592","MessageId":"ID"}`,
		"sqs", "send-message", "--queue-url", queue, "--message-body", "hello", "--endpoint-url", l.url)
	c.says(t, `["hello"]`, "sqs", "receive-message", "--queue-url", queue, "--endpoint-url", l.url, "--query", "Messages[].Body")

	c.refuses(t, "An error occurred (UnknownOperationException) when calling the ListProjects operation: "+
		"the service with target CodeBuild_20161006 is not part of the local AWS (operation ListProjects)", "codebuild", "list-projects")
}
