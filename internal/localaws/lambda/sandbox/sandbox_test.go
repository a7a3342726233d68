package sandbox_test

import (
	"archive/zip"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/lambda/sandbox"
)

// start builds and runs testdata/raw.
func start(t *testing.T) *sandbox.Sandbox {
	t.Helper()
	dir := t.TempDir()
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(dir, "bootstrap"), "./testdata/raw").CombinedOutput()
	require.NoError(t, err, string(out))
	s, err := sandbox.Start(sandbox.Config{Code: dir, Env: []string{"PATH=" + os.Getenv("PATH")}})
	require.NoError(t, err)
	t.Cleanup(func() {
		s.Kill()
		<-s.Gone()
	})
	return s
}

// invoke waits for the outcome of one invocation.
func invoke(t *testing.T, s *sandbox.Sandbox, payload string) sandbox.Outcome {
	t.Helper()
	got := make(chan sandbox.Outcome, 1)
	require.True(t, s.Invoke(sandbox.Request{ID: "id-1", Payload: []byte(payload), Timeout: time.Minute}, func(o sandbox.Outcome) { got <- o }))
	return <-got
}

func TestTheRuntimeAPI(t *testing.T) {
	s := start(t)
	tests := map[string]struct {
		payload string
		want    sandbox.Outcome
	}{
		"an answer":                   {"hello", sandbox.Outcome{Payload: []byte("5")}},
		"a payload above any buffer":  {strings.Repeat("x", 5<<20), sandbox.Outcome{Payload: []byte("5242880")}},
		"an answer to something else": {"wrong id", sandbox.Outcome{Payload: []byte(`400 {"errorType":"InvalidRequestID","errorMessage":"Invalid request ID"}`)}},
		"a path that does not exist":  {"unknown path", sandbox.Outcome{Payload: []byte(`404 {"errorType":"NotFound","errorMessage":"no such operation of the Runtime API"}`)}},
		"an error in the trailers":    {"trailer", sandbox.Outcome{Failed: true, Payload: []byte(`{"errorType":"Runtime.Broken"}`)}},
		"a client that wants a go":    {"expect", sandbox.Outcome{Payload: []byte("ok")}},
		"a second answer":             {"twice", sandbox.Outcome{Payload: []byte("first"), Log: []byte("400 {\"errorType\":\"InvalidRequestID\",\"errorMessage\":\"Invalid request ID\"}\n")}},
		"asking again without answering": {"no answer", sandbox.Outcome{
			Failed: true, Payload: []byte(`{"errorType":"Runtime.ExitError","errorMessage":"RequestId: id-1 Error: Runtime exited without providing a reason"}`),
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, tt.want, invoke(t, s, tt.payload))
		})
	}
}

func TestAnInvocationIsNotCompleteBeforeTheNext(t *testing.T) {
	s := start(t)
	out := invoke(t, s, "answer and exit")
	assert.True(t, out.Failed)
	assert.True(t, out.Dead)
	assert.JSONEq(t, `{"errorType":"Runtime.ExitError","errorMessage":"RequestId: id-1 Error: Runtime exited without providing a reason"}`, string(out.Payload))
	<-s.Gone()
	assert.False(t, s.Invoke(sandbox.Request{ID: "id-2", Timeout: time.Minute}, func(sandbox.Outcome) { t.Error("nothing runs in a dead sandbox") }))
}

func TestTheEndOfALongLogIsKept(t *testing.T) {
	out := invoke(t, start(t), "much")
	assert.Len(t, out.Log, 256<<10)
	assert.True(t, strings.HasSuffix(string(out.Log), "x\nend\n"))
}

func TestWhatAProcessStartedDiesWithIt(t *testing.T) {
	s := start(t)
	out := invoke(t, s, "child")
	pid, err := strconv.Atoi(string(out.Payload))
	require.NoError(t, err, string(out.Payload))
	require.NoError(t, syscall.Kill(pid, 0))
	s.Kill()
	<-s.Gone()
	require.Eventually(t, func() bool { return dead(pid) }, 10*time.Second, time.Millisecond)
}

// dead reports whether a process has ended; nobody may have reaped it yet.
func dead(pid int) bool {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err != nil || strings.Contains(string(stat), ") Z ")
}

// pack is a deployment package.
func pack(t *testing.T, mode os.FileMode, names ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range names {
		h := &zip.FileHeader{Name: name}
		h.SetMode(mode)
		f, err := z.CreateHeader(h)
		require.NoError(t, err)
		_, err = f.Write([]byte(name))
		require.NoError(t, err)
	}
	require.NoError(t, z.Close())
	return b.Bytes()
}

func TestAPackageIsUnpackedOnce(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	s := sandbox.NewStore()
	contents := pack(t, 0o755, "bootstrap", "sub/data")
	dir, err := s.Unpack("key", contents)
	require.NoError(t, err)
	again, err := s.Unpack("key", nil)
	require.NoError(t, err)
	assert.Equal(t, dir, again)
	got, err := os.ReadFile(filepath.Join(dir, "sub", "data"))
	require.NoError(t, err)
	assert.Equal(t, "sub/data", string(got))
	info, err := os.Stat(filepath.Join(dir, "bootstrap"))
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o755), info.Mode())
	require.NoError(t, s.Close())
	left, err := os.ReadDir(os.Getenv("TMPDIR"))
	require.NoError(t, err)
	assert.Empty(t, left)
}

func TestPackagesThatAreNotSafeAreRefused(t *testing.T) {
	require.EqualError(t, sandbox.Check(pack(t, 0o644, "/etc/passwd")), `file name "/etc/passwd" leads out of the package`)
	require.EqualError(t, sandbox.Check(pack(t, 0o644, "a/../../b")), `file name "a/../../b" leads out of the package`)
	require.EqualError(t, sandbox.Check(pack(t, os.ModeSymlink|0o777, "link")), "link is neither a file nor a directory")
	require.ErrorIs(t, sandbox.Check([]byte("text")), zip.ErrFormat)
}
