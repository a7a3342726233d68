package conformance_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/host"
	"github.com/pullback-dev/pullback/internal/localaws/sdkhttp"
	"github.com/pullback-dev/pullback/internal/localaws/state"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// caller makes calls with one of the clients.
type caller func(ctx context.Context, service, operation string, in map[string]any) (answer, error)

// side is a client with a local AWS of its own.
type side struct {
	name  string
	aws   *host.AWS
	call  caller
	saved variables
}

func newSide(t *testing.T, name string, connect func(t *testing.T, endpoint string) caller) *side {
	t.Helper()
	local, err := host.Start(t.Context(), host.Options{World: world.Options{Seed: 1}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, local.Close()) })
	return &side{name: name, aws: local, call: connect(t, local.URL()), saved: variables{}}
}

func goSDK(_ *testing.T, endpoint string) caller {
	clients := goClients(aws.Config{
		Region: "us-east-1", HTTPClient: sdkhttp.Client(), BaseEndpoint: aws.String(endpoint), Retryer: func() aws.Retryer { return aws.NopRetryer{} },
		Credentials:                credentials.NewStaticCredentialsProvider("test", "test", ""),
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenSupported, // the default of both clients
		ResponseChecksumValidation: aws.ResponseChecksumValidationWhenSupported,
	})
	return func(ctx context.Context, service, operation string, in map[string]any) (answer, error) {
		return goCall(ctx, clients, service, operation, in)
	}
}

// boto starts boto3. Its calls are made one after the other by one process.
func boto(t *testing.T, endpoint string) caller {
	t.Helper()
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), "python3", filepath.Join("testdata", "client.py"))
	cmd.Env = append(cmd.Environ(), "AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null", "AWS_EC2_METADATA_DISABLED=true")
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = stdin.Close() // it ends then
		assert.NoError(t, cmd.Wait(), stderr.String())
	})
	lines := bufio.NewReader(stdout)
	return func(_ context.Context, service, operation string, in map[string]any) (a answer, err error) {
		request, err := json.Marshal(map[string]any{"endpoint": endpoint, "service": service, "operation": operation, "in": in})
		if err != nil {
			return a, err
		}
		if _, err := io.WriteString(stdin, string(request)+"\n"); err != nil {
			return a, fmt.Errorf("%w: %s", err, stderr.String())
		}
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return a, fmt.Errorf("%w: %s", err, stderr.String())
		}
		return a, json.Unmarshal(line, &a)
	}
}

// do carries out a step, as often as it says, and returns what the client
// understood in the end.
func (s *side) do(t *testing.T, step Step) (last answer) {
	t.Helper()
	for n := range max(step.Times, 1) {
		s.saved["n"] = n + 1
		last = s.once(t, step)
	}
	return last
}

func (s *side) once(t *testing.T, step Step) answer {
	t.Helper()
	if step.Advance != "" {
		d, err := time.ParseDuration(step.Advance)
		require.NoError(t, err)
		require.NoError(t, s.aws.World.Advance(t.Context(), d))
		return answer{}
	}
	in, err := s.saved.fillMap(t.Context(), step.In)
	require.NoError(t, err, s.name)
	params, ok := in.(map[string]any)
	require.True(t, ok, "the input is a structure")
	a, err := s.call(t.Context(), step.Service, step.Operation, params)
	require.NoError(t, err, s.name)
	a.Out, _ = plain(a.Out).(map[string]any)
	seen := answer{Out: a.Out, Code: a.Code, Message: a.Message}
	assert.Equal(t, step.Error, a.Code, "%s: %s", s.name, a.Message)
	if step.Message != "" {
		want, err := s.saved.fill(t.Context(), step.Message)
		require.NoError(t, err)
		assert.Equal(t, want, a.Message, s.name)
	}
	for path, want := range step.Out {
		want, err := s.saved.fill(t.Context(), want)
		require.NoError(t, err)
		got, err := at(any(a.Out), path)
		if want != nil { // null is the value of what is not there
			require.NoError(t, err, "%s: %v", s.name, a.Out)
		}
		assert.Equal(t, plain(want), got, "%s: %s", s.name, path)
	}
	for name, path := range step.Save {
		value, err := at(any(a.Out), path)
		require.NoError(t, err, "%s: %v", s.name, a.Out)
		s.saved[name] = value
	}
	return s.anywhere(t, seen)
}

// anywhere replaces the address of the side's own AWS, the one thing that
// differs.
func (s *side) anywhere(t *testing.T, a answer) answer {
	t.Helper()
	text, err := json.Marshal(a)
	require.NoError(t, err)
	var same answer
	require.NoError(t, json.Unmarshal([]byte(strings.ReplaceAll(string(text), strings.TrimPrefix(s.aws.URL(), "http://"), "HOST")), &same))
	return same
}

// mute are the errors (service and code) whose shape has no member for a text, so that the
// Go SDK does not read it; boto3 always does.
var mute = []string{"sqs AWS.SimpleQueueService.MessageNotInflight", "s3 NotFound"}

func scripts(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "*.yaml"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	return files
}

func hasBoto(t *testing.T) bool {
	t.Helper()
	return exec.CommandContext(t.Context(), "python3", "-c", "import boto3").Run() == nil
}

func TestTheGoSDKAndBoto3UnderstandTheSame(t *testing.T) {
	t.Parallel()
	python := hasBoto(t)
	if !python {
		t.Log("python3 with boto3 is not installed: only the Go SDK is driven")
	}
	for _, file := range scripts(t) {
		script, err := Read(file)
		require.NoError(t, err)
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			t.Parallel()
			sides := []*side{newSide(t, "Go SDK", goSDK)}
			if python {
				sides = append(sides, newSide(t, "boto3", boto))
			}
			for _, step := range script.Steps {
				name := fmt.Sprintf("%s line %d %s %s%s", file, step.Line, step.Service, step.Operation, step.Advance)
				first := sides[0].do(t, step)
				for _, other := range sides[1:] {
					second := other.do(t, step)
					if slices.Contains(mute, step.Service+" "+first.Code) {
						first.Message = second.Message
					}
					assert.Equal(t, first, second, "%s: Go SDK, and %s", name, other.name)
				}
				if t.Failed() {
					t.Fatalf("at %s", name)
				}
			}
		})
	}
}

// unscripted is the service whose script is still to come.
const unscripted = "codepipeline"

func TestEveryOperationIsDriven(t *testing.T) {
	driven, scripted := map[string][]string{}, map[string]bool{}
	for _, file := range scripts(t) {
		script, err := Read(file)
		require.NoError(t, err)
		scripted[script.Service] = true
		for _, step := range script.Steps {
			driven[step.Service] = append(driven[step.Service], step.Operation)
		}
	}
	var missing []string
	all := operations(t)
	for _, service := range slices.Sorted(maps.Keys(all)) {
		if service == unscripted && driven[service] == nil {
			continue
		}
		for _, op := range all[service] {
			if !slices.Contains(driven[service], op) {
				missing = append(missing, service+" "+op)
			}
		}
	}
	assert.Empty(t, missing, "operations that no script drives")
}

// TestStateComesBackAfterEveryScript plays a script, ends the local AWS and starts
// it again: what it would write down then is what it had written down before.
func TestStateComesBackAfterEveryScript(t *testing.T) {
	t.Parallel()
	for _, file := range scripts(t) {
		script, err := Read(file)
		require.NoError(t, err)
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			s := &side{name: "Go SDK", saved: variables{}}
			s.aws, err = host.Start(t.Context(), host.Options{World: world.Options{Seed: 1}, State: dir})
			require.NoError(t, err)
			s.call = goSDK(t, s.aws.URL())
			for _, step := range script.Steps {
				s.do(t, step)
			}
			require.NoError(t, s.aws.Close())
			before := kept(t, dir)

			again, err := host.Start(t.Context(), host.Options{World: world.Options{Seed: 1}, State: dir})
			require.NoError(t, err)
			require.NoError(t, again.Close())
			assert.Equal(t, before, kept(t, dir))
		})
	}
}

// kept is what is in a folder of state, by service.
func kept(t *testing.T, dir string) map[string]string {
	t.Helper()
	store, err := state.OpenStore(dir)
	require.NoError(t, err)
	defer store.Close() //nolint:errcheck // only read
	all, err := store.Get()
	require.NoError(t, err)
	texts := map[string]string{}
	for name, d := range all {
		texts[name] = string(d.Text)
	}
	return texts
}
