package bench_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/bench"
)

const root = "../.."

// built returns the folder with the functions, or skips the test.
func built(t *testing.T) string {
	t.Helper()
	dist := filepath.Join(root, "dist", "local")
	for _, name := range append(bench.Functions(), "sample-v1", "sample-v2", "sample-v3") {
		if _, err := os.Stat(filepath.Join(dist, name, "bootstrap")); err != nil {
			t.Skipf("%s is not built for this machine: make build", name)
		}
	}
	return dist
}

func TestFunctionsAreNoLargerThanTheyMayBe(t *testing.T) {
	all, err := bench.Candidates(built(t))
	require.NoError(t, err)
	require.Len(t, all, 4)
	for _, c := range all {
		assert.Positive(t, c.Gates.Bytes, c.Name)
		assert.LessOrEqual(t, c.Bytes, c.Gates.Bytes, c.Name)
		assert.Less(t, c.Zip, c.Bytes/2, "%s packs badly", c.Name)
	}
}

func TestFunctionThatIsNotBuiltIsNamedWithTheRemedy(t *testing.T) {
	_, err := bench.Candidates(t.TempDir())
	require.Error(t, err)
	assert.Contains(t, err.Error(), "measure pretraffic (make build builds it): ")
}

// TestFunctionsCarryNothingThatCostsAStart holds every function to the AWS
// services that it calls: each one costs up to a millisecond of every start,
// whether it is used or not. The SDK's config module would drag in four more,
// and net/rpc's reflection keeps code alive that nobody calls.
func TestFunctionsCarryNothingThatCostsAStart(t *testing.T) {
	// What it takes to look at every kind of target.
	targets := []string{"autoscaling", "codedeploy", "codepipeline", "ec2", "ecr", "ecs", "elasticloadbalancingv2", "iam", "kms", "lambda", "s3", "secretsmanager", "ssm"}
	want := map[string][]string{
		"pretraffic":  {"autoscaling", "backup", "codedeploy", "dynamodb", "ec2", "ecr", "ecs", "elasticloadbalancingv2", "iam", "kms", "lambda", "secretsmanager", "ssm"},
		"posttraffic": {"cloudwatch", "cloudwatchlogs", "codedeploy", "dynamodb", "ecs", "elasticloadbalancingv2", "lambda", "sqs"},
		"alarmrouter": append([]string{"backup", "cloudwatch", "dynamodb", "eventbridge", "sns", "sqs"}, targets...),
		"rollbacker":  append([]string{"cloudwatch", "dynamodb", "sns", "sqs"}, targets...),
	}
	const sdk = "github.com/aws/aws-sdk-go-v2/"
	for name, services := range want {
		list := exec.CommandContext(t.Context(), "go", "list", "-deps", "-tags", "lambda.norpc", "./functions/"+name+"/bootstrap")
		list.Dir = root
		out, err := list.Output()
		require.NoError(t, err, name)
		deps := strings.Fields(string(out))
		var got []string
		for _, d := range deps {
			if service, ok := strings.CutPrefix(d, sdk+"service/"); ok && !strings.Contains(service, "/") {
				got = append(got, service)
			}
		}
		assert.ElementsMatch(t, services, got, name)
		assert.NotContains(t, deps, "net/rpc", name)
		assert.NotContains(t, deps, sdk+"config", name)
	}
}

// TestEveryFunctionDoesItsWork lets every function start and work as it is
// measured. What it measures is not looked at.
func TestEveryFunctionDoesItsWork(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes; run without -short")
	}
	report, err := bench.Run(t.Context(), bench.Options{Dist: built(t), Starts: 1, Now: time.Now})
	require.NoError(t, err)
	calls := make(map[string]int)
	for _, row := range report.Rows {
		calls[row.Name] = row.Calls
		assert.Positive(t, row.Init, row.Name)
		assert.Greater(t, row.First, row.Init, row.Name)
	}
	for name, least := range map[string]int{"pretraffic": 8, "posttraffic": 8, "alarmrouter": 10, "rollbacker": 10} {
		assert.GreaterOrEqual(t, calls[name], least, "%s did less than its work", name)
	}
	assert.Empty(t, report.Broken(false))
}

func row(init float64, verdicts map[string]bool) bench.Row {
	return bench.Row{
		Name: "pretraffic", Binary: 9.8, Zip: 3.8, Init: init, InitMin: 4.5, First: 10.1, Warm: 4.05, Memory: 10.8, Loaded: 15.5, Calls: 10,
		Verdicts: verdicts, Ratios: &bench.Ratios{Init: 50, First: 25, Call: 3.5, Memory: 3.1},
	}
}

func TestGatesThatNoiseCanBreakCountOnlyIfStrict(t *testing.T) {
	r := bench.Report{Rows: []bench.Row{row(13, map[string]bool{"binary": false, "init": false, "memory": true})}}
	assert.Equal(t, []string{"pretraffic binary"}, r.Broken(false))
	assert.Equal(t, []string{"pretraffic binary", "pretraffic init"}, r.Broken(true))
}

func TestReport(t *testing.T) {
	r := bench.Report{Go: "go1.26", System: "linux/amd64", CPUs: 2, Starts: 15, Warm: 50, Skipped: "there is no python3 here", Rows: []bench.Row{
		row(13, map[string]bool{"binary": true, "init": false, "memory": true}),
		{Name: "python hook", Init: 250, InitMin: 240, First: 258, Warm: 2.9, Memory: 49.4, Loaded: 49.6, Calls: 2},
	}}
	var text, data bytes.Buffer
	require.NoError(t, r.Print(&text))
	assert.Equal(t, `             binary MB  zip MB  init ms (min)    first answer ms  warm ms  AWS calls  memory MB (loaded)  Python takes
pretraffic   9.8 ok     3.8     13.0 (4.5) OVER  10.1             4.05     10         10.8 (15.5) ok      50x init, 25x first, 3.5x a call, 3.1x memory
python hook  -          -       250.0 (240.0)    258.0            2.90     2          49.4 (49.6)         -
python hook: skipped, there is no python3 here

15 starts of each, taking turns, and 50 invocations after the first answer; medians; go1.26, linux/amd64, 2 CPUs.
The Python hook makes fewer calls to AWS than ours, so its warm invocations are compared by the call.
Processes on this machine: on AWS, fetching the code and a smaller share of a processor come on top.
`, text.String())

	require.NoError(t, r.JSON(&data))
	var back bench.Report
	require.NoError(t, json.Unmarshal(data.Bytes(), &back))
	assert.Equal(t, r, back)
}
