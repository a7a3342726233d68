package main_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// patience is how long anything here may take before the test gives up. It is
// no measurement.
const patience = time.Minute

// built is where TestMain puts what the tests run.
var built string

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(runTests(m))
}

func runTests(m *testing.M) int {
	if testing.Short() {
		return m.Run()
	}
	dir, err := os.MkdirTemp("", "pullback-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	built = dir
	for output, pkg := range map[string]string{"pullback": ".", "bootstrap": "../../internal/demo/sample/v1"} {
		build := exec.CommandContext(context.Background(), "go", "build", "-tags", "lambda.norpc", "-o", filepath.Join(dir, output), pkg)
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build %s: %v\n%s", pkg, err, out)
			return 1
		}
	}
	return m.Run()
}

// output takes what a process writes while it is running.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// local is a running "pullback local up".
type local struct {
	url    string
	cmd    *exec.Cmd
	stderr output
	exited chan error
	stop   func() error // interrupts it, once, and returns how it ended
}

// up starts the local AWS on a free port, and interrupts it after the test.
func up(t *testing.T, args ...string) *local {
	t.Helper()
	if built == "" {
		t.Skip("builds and starts programs; run without -short")
	}
	l := &local{exited: make(chan error, 1)}
	l.cmd = exec.CommandContext(context.WithoutCancel(t.Context()), filepath.Join(built, "pullback"),
		append([]string{"local", "up", "--listen", "127.0.0.1:0"}, args...)...)
	l.cmd.Stderr = &l.stderr
	stdout, err := l.cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, l.cmd.Start())
	l.stop = sync.OnceValue(l.interrupt)
	t.Cleanup(func() { assert.NoError(t, l.stop(), "interrupted; stderr:\n%s", &l.stderr) })
	kill := time.AfterFunc(patience, func() { _ = l.cmd.Process.Kill() }) // ends the read below
	line, err := bufio.NewReader(stdout).ReadString('\n')
	kill.Stop()
	require.NoError(t, err, "first line on stdout; stderr:\n%s", &l.stderr)
	go func() { l.exited <- l.cmd.Wait() }()
	url, ok := strings.CutPrefix(strings.TrimSpace(line), "ready ")
	require.True(t, ok, "first line on stdout: %q", line)
	require.Regexp(t, `^http://127\.0\.0\.1:[1-9][0-9]*$`, url)
	l.url = url
	return l
}

func (l *local) interrupt() error {
	if err := l.cmd.Process.Signal(os.Interrupt); err != nil {
		return err
	}
	select {
	case err := <-l.exited:
		return err
	case <-time.After(patience):
		return errors.Join(errors.New("it does not end"), l.cmd.Process.Kill())
	}
}

// passMinute lets a minute pass in mode manual.
func (l *local) passMinute(t *testing.T) {
	t.Helper()
	body := strings.NewReader(`{"advance":"1m"}`)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, l.url+"/_local/clock", body)
	require.NoError(t, err)
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, http.StatusOK, res.StatusCode)
}

// refused runs a command that must fail, and returns its exit code and stderr.
func refused(t *testing.T, args ...string) (int, string) {
	t.Helper()
	if built == "" {
		t.Skip("builds and starts programs; run without -short")
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(built, "pullback"), args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	exit, ok := errors.AsType[*exec.ExitError](cmd.Run())
	require.True(t, ok, "it did not fail; stderr:\n%s", &stderr)
	assert.Empty(t, stdout.String(), "stdout is for what was found")
	return exit.ExitCode(), stderr.String()
}

func TestPortInUseIsOneSentenceWithTheRemedy(t *testing.T) {
	t.Parallel()
	taken, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, taken.Close()) }()
	address := taken.Addr().String()
	code, stderr := refused(t, "local", "up", "--listen", address)
	assert.Equal(t, 1, code)
	assert.Equal(t, "pullback: "+address+" is in use by another program: choose another port with --listen, or port 0 for any free one\n", stderr)
}

func TestWrongCallsAreUsageErrors(t *testing.T) {
	t.Parallel()
	for want, args := range map[string][]string{
		"pullback: clock \"slow\" is not one of real, fast, manual\n":                                                                              {"local", "up", "--clock", "slow"},
		"pullback: unknown flag: --fast; see pullback local up --help\n":                                                                           {"local", "up", "--fast"},
		"pullback: unknown command \"now\" for \"pullback local up\"; usage: pullback local up [flags]\n":                                          {"local", "up", "now"},
		"pullback: --reason is missing: say why, it is kept in the ledger\n":                                                                       {"release", "checkout/live"},
		"pullback: target \"checkout\" is not APPLICATION/GROUP, alias:FUNCTION/ALIAS, ecs:CLUSTER/SERVICE, asg:NAME or pipeline:PIPELINE/STAGE\n": {"explain", "checkout"},
		"pullback: accepts 1 arg(s), received 0; usage: pullback explain TARGET [flags]\n":                                                         {"explain"},
	} {
		code, stderr := refused(t, args...)
		assert.Equal(t, want, stderr)
		assert.Equal(t, 2, code, want)
	}
}

func TestTemplateThatIsNotThereIsOneSentenceWithTheRemedy(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "cdk.out", "pullback.template.json")
	code, stderr := refused(t, "local", "up", "--listen", "127.0.0.1:0", "--stack", path)
	assert.Equal(t, 1, code)
	assert.Equal(t, "pullback: read the template (make synth writes it): read template: open "+path+": no such file or directory\n", stderr)
}

func TestTemplateWithAnUnknownResourceTypeIsRefusedByName(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "shop.template.json")
	text := `{"Resources":{"Line":{"Type":"AWS::Kinesis::Stream","Properties":{}},"Topic":{"Type":"AWS::SNS::Topic"}}}`
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	code, stderr := refused(t, "local", "up", "--listen", "127.0.0.1:0", "--stack", path)
	assert.Equal(t, 1, code)
	assert.Equal(t, "pullback: deploy shop: template has 1 problem(s)\n  Line (AWS::Kinesis::Stream): resource type is not supported\n", stderr)
}

// TestInterruptLeavesNothingBehind makes a function run, so that there is a
// process of a process.
func TestInterruptLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/proc/self/task"); err != nil {
		t.Skip("looks for processes in /proc")
	}
	for _, mode := range []string{"real", "fast", "manual"} {
		l := up(t, "--clock", mode)
		c := l.clients()
		c.install(t)
		_, err := c.lambda.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: new("checkout:live")})
		require.NoError(t, err)
		children := childrenOf(t, l.cmd.Process.Pid)
		require.NotEmpty(t, children, "the function's process")
		require.NoError(t, l.stop(), mode)
		for _, pid := range children {
			require.ErrorIs(t, syscall.Kill(-pid, 0), syscall.ESRCH, "mode %s: process group %d is still there", mode, pid)
		}
	}
}

// childrenOf returns the processes that a process has started.
func childrenOf(t *testing.T, pid int) []int {
	t.Helper()
	lists, err := filepath.Glob(filepath.Join("/proc", strconv.Itoa(pid), "task", "*", "children"))
	require.NoError(t, err)
	var all []int
	for _, name := range lists {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		for field := range strings.FieldsSeq(string(text)) {
			child, err := strconv.Atoi(field)
			require.NoError(t, err)
			all = append(all, child)
		}
	}
	slices.Sort(all)
	return all
}
