package cloudformation_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/cloudformation"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares got with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(got), 0o600))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, string(want), got)
}

func canary(t *testing.T) cloudformation.Input {
	t.Helper()
	in, err := cloudformation.ReadAssembly("testdata/canary.out", "")
	require.NoError(t, err)
	return in
}

// deploy deploys with a CloudFormation of its own.
func deploy(ctx context.Context, c wire.Caller, w *world.World, in cloudformation.Input) (cloudformation.Stack, error) {
	return cloudformation.New(w, c, cloudformation.Options{}).Deploy(ctx, in)
}

func TestDeployMakesTheResourcesOfASynthesizedStack(t *testing.T) {
	t.Parallel()
	r := newRecorder()
	clear(r.parameters)
	clear(r.buckets)
	cfn := cloudformation.New(world.New(world.Options{}), r, cloudformation.Options{})
	stack, err := cfn.Deploy(t.Context(), canary(t))
	require.NoError(t, err)
	golden(t, "canary.calls", strings.Join(r.calls, "\n")+"\n")
	golden(t, "canary.stack", spellStack(stack))
}

func TestDeployIsTheSameEveryTime(t *testing.T) {
	t.Parallel()
	first, second := newRecorder(), newRecorder()
	for _, r := range []*recorder{first, second} {
		_, err := deploy(t.Context(), r, world.New(world.Options{Seed: 7}), canary(t))
		require.NoError(t, err)
	}
	assert.Equal(t, first.calls, second.calls)
}

func TestDeleteRemovesTheLastMadeFirst(t *testing.T) {
	t.Parallel()
	r := newRecorder()
	cfn := cloudformation.New(world.New(world.Options{}), r, cloudformation.Options{})
	_, err := cfn.Deploy(t.Context(), canary(t))
	require.NoError(t, err)
	r.calls = nil
	require.NoError(t, cfn.Delete(t.Context(), "canary"))
	golden(t, "canary.delete", strings.Join(r.calls, "\n")+"\n")
}

// spellStack writes a stack for people to read.
func spellStack(s cloudformation.Stack) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s\n", s.Name, s.ID)
	for _, r := range s.Resources {
		fmt.Fprintf(&b, "%s %s\n  %s %v\n", r.LogicalID, r.Type, r.PhysicalID, r.Attributes)
	}
	fmt.Fprintf(&b, "outputs %v\nexports %v\n", s.Outputs, s.Exports)
	return b.String()
}

// three is a chain: a topic on a queue on a dead letter queue.
const three = `{"Resources": {
	"A": {"Type": "AWS::SQS::Queue"},
	"B": {"Type": "AWS::SQS::Queue", "Properties": {"RedrivePolicy": {"deadLetterTargetArn": {"Fn::GetAtt": "A.Arn"}, "maxReceiveCount": 3}}},
	"C": {"Type": "AWS::SNS::Topic", "Properties": {"Subscription": [{"Protocol": "sqs", "Endpoint": {"Fn::GetAtt": ["B", "Arn"]}}]}}
}}`

func TestFailureRollsBackWhatWasMade(t *testing.T) {
	t.Parallel()
	r := newRecorder()
	cause := &smithy.GenericAPIError{Code: "Throttled", Message: "slow down"}
	r.fail["sns Subscribe"] = cause
	_, err := deploy(t.Context(), r, world.New(world.Options{}), cloudformation.Input{StackName: "s", Template: []byte(three)})
	require.EqualError(t, err, "deploy s: create C (AWS::SNS::Topic): sns Subscribe: api error Throttled: slow down")
	failure, ok := errors.AsType[*cloudformation.ResourceError](err)
	require.True(t, ok)
	assert.Equal(t, "C", failure.LogicalID)
	require.ErrorIs(t, err, cause)
	assert.Equal(t, []string{
		"sqs CreateQueue", "sqs CreateQueue", "sns CreateTopic", "sns Subscribe",
		"sns DeleteTopic", "sqs DeleteQueue", "sqs DeleteQueue",
	}, r.operations())
	assert.Contains(t, r.calls[len(r.calls)-2], "s-B-")
	assert.Contains(t, r.calls[len(r.calls)-1], "s-A-")
}

func TestACallerWhoGivesUpLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	r := newRecorder()
	r.onCall = func(name string) {
		if name == "sns CreateTopic" {
			cancel()
		}
	}
	text := `{"Resources": {"A": {"Type": "AWS::SNS::Topic"}, "B": {"Type": "AWS::SQS::Queue", "DependsOn": "A"}}}`
	_, err := deploy(ctx, r, world.New(world.Options{}), cloudformation.Input{StackName: "s", Template: []byte(text)})
	require.ErrorIs(t, err, context.Canceled)
	assert.Equal(t, []string{"sns CreateTopic", "sns DeleteTopic"}, r.operations())
}

func TestDeleteGoesOnAfterAFailure(t *testing.T) {
	t.Parallel()
	r := newRecorder()
	cfn := cloudformation.New(world.New(world.Options{}), r, cloudformation.Options{})
	_, err := cfn.Deploy(t.Context(), cloudformation.Input{StackName: "s", Template: []byte(three)})
	require.NoError(t, err)
	r.calls, r.fail["sns DeleteTopic"] = nil, errors.New("busy")
	err = cfn.Delete(t.Context(), "s")
	require.EqualError(t, err, "delete s: delete C (AWS::SNS::Topic): sns DeleteTopic: busy")
	assert.Equal(t, []string{"sns DeleteTopic", "sqs DeleteQueue", "sqs DeleteQueue"}, r.operations())
}

func TestRollbackThatFailsIsReportedToo(t *testing.T) {
	t.Parallel()
	r := newRecorder()
	r.fail["sns CreateTopic"] = errors.New("no")
	r.fail["sqs DeleteQueue"] = errors.New("stuck")
	_, err := deploy(t.Context(), r, world.New(world.Options{}), cloudformation.Input{StackName: "s", Template: []byte(three)})
	require.EqualError(t, err, "deploy s: create C (AWS::SNS::Topic): sns CreateTopic: no\n"+
		"delete B (AWS::SQS::Queue): sqs DeleteQueue: stuck\ndelete A (AWS::SQS::Queue): sqs DeleteQueue: stuck")
}

func TestDeletionPolicyDecidesWhatStays(t *testing.T) {
	t.Parallel()
	const text = `{"Resources": {
		"Gone":   {"Type": "AWS::SQS::Queue", "DeletionPolicy": "Delete"},
		"Kept":   {"Type": "AWS::SQS::Queue", "DeletionPolicy": "Retain"},
		"Later":  {"Type": "AWS::SQS::Queue", "DeletionPolicy": "RetainExceptOnCreate"},
		"Z":      {"Type": "AWS::SNS::Topic"}}}`
	in := cloudformation.Input{StackName: "s", Template: []byte(text)}
	deleted := func(r *recorder) string { return strings.Join(r.calls[len(r.calls)-2:], "\n") }

	r := newRecorder()
	cfn := cloudformation.New(world.New(world.Options{}), r, cloudformation.Options{})
	_, err := cfn.Deploy(t.Context(), in)
	require.NoError(t, err)
	require.NoError(t, cfn.Delete(t.Context(), "s"))
	assert.Regexp(t, `\Asns DeleteTopic .*\nsqs DeleteQueue .*s-Gone-.*\z`, deleted(r))

	r = newRecorder()
	r.fail["sns CreateTopic"] = errors.New("no")
	_, err = deploy(t.Context(), r, world.New(world.Options{}), in)
	require.Error(t, err)
	assert.Regexp(t, `\Asqs DeleteQueue .*s-Later-.*\nsqs DeleteQueue .*s-Gone-.*\z`, deleted(r))
}

func TestReplaceGivesAFunctionOtherCode(t *testing.T) {
	t.Parallel()
	host := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(host, "bootstrap"), []byte("for this machine"), 0o700))
	in := canary(t)
	var asked []string
	in.Options.Replace = func(id string, _ map[string]any, dir string) (string, error) {
		asked = append(asked, id+" "+filepath.ToSlash(dir)[:len("testdata/canary.out/asset")])
		return host, nil
	}
	r := newRecorder()
	_, err := deploy(t.Context(), r, world.New(world.Options{}), in)
	require.NoError(t, err)
	assert.Equal(t, []string{"Gate3038665D testdata/canary.out/asset", "HookB39E2767 testdata/canary.out/asset"}, asked)
	all := strings.Join(r.calls, "\n")
	assert.Regexp(t, `s3 PutObject .*Body:<-rwx------ bootstrap 16>`, all)
	assert.NotContains(t, all, "13c0e9dabafb067674dbc5519d274af7259521c399bff2baeeb2bb7572680c64",
		"nobody needs the code that was replaced")

	in.Options.Replace = func(string, map[string]any, string) (string, error) { return "", errors.New("not built") }
	_, err = deploy(t.Context(), r, world.New(world.Options{}), in)
	require.EqualError(t, err, "deploy canary: replace code of Gate3038665D: not built")
}
