package main_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/backtest"
	"github.com/pullback-dev/pullback/internal/demo/shop"
	"github.com/pullback-dev/pullback/internal/localaws/host"
	"github.com/pullback-dev/pullback/internal/localaws/sdkhttp"
	"github.com/pullback-dev/pullback/internal/localaws/traffic"
	"github.com/pullback-dev/pullback/internal/localaws/world"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/health"
)

// releases are the sample shop's, built for this machine.
func releases(t *testing.T) string {
	t.Helper()
	dist := t.TempDir()
	for _, release := range []string{"v1", "v2"} {
		file := filepath.Join(dist, "sample-"+release, "bootstrap")
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o700))
		build := exec.CommandContext(t.Context(), "go", "build", "-tags=lambda.norpc", "-o", file, "github.com/pullback-dev/pullback/internal/demo/sample/"+release)
		out, err := build.CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	return dist
}

// unwatched is a local AWS in which the shop's second release, which fails every
// third order, was rolled out and nobody looked.
func unwatched(t *testing.T) (endpoint string, deployment deploy.ID) {
	t.Helper()
	if built == "" {
		t.Skip("builds and starts programs; run without -short")
	}
	local, err := host.Start(t.Context(), host.Options{World: world.Options{Start: time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC), Seed: 1}})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, local.Close()) })
	config := aws.Config{
		Region: "us-east-1", HTTPClient: sdkhttp.Client(), BaseEndpoint: aws.String(local.URL()),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
		}),
	}
	advance := func(d time.Duration) { require.NoError(t, local.World.Advance(t.Context(), d)) }
	team := shop.New(releases(t), config)
	require.NoError(t, team.Install(t.Context(), shop.Choices{Untagged: true, NoAlarm: true}))
	advance(time.Minute)
	local.World.Lock()
	traffic.Start(local.World, local.Lambda, traffic.Options{
		Function: shop.Alias().Function, Qualifier: shop.Alias().Name, PerSecond: 6,
		Payload: func(n int) []byte { return fmt.Appendf(nil, `{"number":%d}`, n) },
	})
	local.World.Unlock()
	advance(time.Minute)
	code, err := team.Code("v2")
	require.NoError(t, err)
	version, err := team.Publish(t.Context(), code)
	require.NoError(t, err)
	advance(time.Minute)
	id, err := team.Canary(t.Context(), "1", version, false)
	require.NoError(t, err)
	advance(8 * time.Minute)
	return local.URL(), id
}

// ask runs the command against an endpoint.
func ask(t *testing.T, endpoint string, given ...string) (stdout, stderr string, code int) {
	t.Helper()
	if built == "" {
		t.Skip("builds and starts programs; run without -short")
	}
	cmd := exec.CommandContext(t.Context(), filepath.Join(built, "pullback"), append([]string{"backtest"}, given...)...)
	cmd.Env = append(os.Environ(), "AWS_ENDPOINT_URL="+endpoint, "AWS_REGION=us-east-1", "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test",
		"AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null", "AWS_MAX_ATTEMPTS=1")
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	if err := cmd.Run(); err != nil {
		exit := &exec.ExitError{}
		require.ErrorAs(t, err, &exit)
	}
	return out.String(), errOut.String(), cmd.ProcessState.ExitCode()
}

func TestBacktestReplaysADeploymentThatNobodyStopped(t *testing.T) {
	t.Parallel()
	endpoint, id := unwatched(t)
	report := func(given ...string) backtest.Report {
		stdout, stderr, code := ask(t, endpoint, append(given, "-o", "json")...)
		require.Equal(t, 0, code, stderr)
		require.Empty(t, stderr)
		var r backtest.Report
		require.NoError(t, json.Unmarshal([]byte(stdout), &r))
		return r
	}
	minutes := report("--deployment", string(id))
	assert.Equal(t, []string{"checkout", "live", "1", "2"}, []string{minutes.Function, minutes.Alias, string(minutes.Old), string(minutes.New)})
	assert.Equal(t, health.Fail, minutes.Finding.Verdict)
	assert.InDelta(t, 150, minutes.Rules[0].After, 30, "the first whole minute, and one until it is settled")
	assert.False(t, minutes.Rules[1].Fires, "a third of a tenth is less than 5 %")
	assert.True(t, minutes.Rules[2].Fires)
	assert.Equal(t, minutes.To, minutes.Rules[2].At)
	assert.Less(t, minutes.Rules[0].Failed, minutes.Rules[2].Failed)

	lines := report("--deployment", string(id), "--log-group", "/aws/lambda/checkout")
	assert.Equal(t, health.Fail, lines.Finding.Verdict)
	assert.LessOrEqual(t, lines.Rules[0].After, 45.0)
	assert.Less(t, lines.Rules[0].Failed, minutes.Rules[0].Failed)
	assert.GreaterOrEqual(t, lines.Did.New.Requests, minutes.Did.New.Requests, "minutes that are not whole have been left out")

	same := report("--function", "checkout", "--alias", "live", "--old", "1", "--new", "2",
		"--from", minutes.From.Format(time.RFC3339Nano), "--to", minutes.To.Format(time.RFC3339Nano))
	assert.Equal(t, minutes, same)

	stdout, stderr, code := ask(t, endpoint, "--deployment", string(id))
	assert.Equal(t, 0, code)
	assert.Empty(t, stderr)
	var table bytes.Buffer
	require.NoError(t, minutes.Print(&table))
	assert.Equal(t, table.String(), stdout)

	stdout, stderr, code = ask(t, endpoint, "--deployment", string(id), "--new", "3", "--old", "4")
	assert.Empty(t, stdout)
	assert.True(t, strings.HasPrefix(stderr, "pullback: replay a deployment: no request to version 4 or 3 of checkout:live from "), stderr)
	assert.Equal(t, 1, code)

	_, stderr, code = ask(t, endpoint, "--deployment", "d-000000000")
	assert.Contains(t, stderr, "pullback: get deployment d-000000000: ")
	assert.Equal(t, 1, code)
}

func TestBacktestSaysWhichFlagsAreMissingOrWrong(t *testing.T) {
	t.Parallel()
	for why, given := range map[string][]string{
		"--function is missing; --deployment says all of it":               {},
		"--to is missing; --deployment says all of it":                     {"--function", "f", "--alias", "a", "--old", "1", "--new", "2", "--from", "2026-01-05T09:30:00Z"},
		"--from is \"yesterday\", not a time such as 2026-01-05T09:30:00Z": {"--deployment", "d-1", "--from", "yesterday"},
		"output is table or json, not \"csv\"":                             {"-o", "csv"},
		"alpha is 7, not between 1e-12 and 0.5":                            {"--deployment", "d-1", "--alpha", "7"},
		"--boost is only valid where routing is per request":               {"--deployment", "d-1", "--boost", "--mode", "sticky"},
	} {
		stdout, stderr, code := ask(t, "http://127.0.0.1:1", given...)
		assert.Empty(t, stdout, given)
		assert.True(t, strings.HasPrefix(stderr, "pullback: "+why), "%v: %s", given, stderr)
		assert.Equal(t, 2, code, given)
	}
}
