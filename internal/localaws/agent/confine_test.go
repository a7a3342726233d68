package agent_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/agent"
)

// outside is a folder of the machine with a file in it.
func outside(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "precious"), []byte("of the machine"), 0o644))
	return dir
}

func assertUntouched(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 1)
	b, err := os.ReadFile(filepath.Join(dir, "precious"))
	require.NoError(t, err)
	assert.Equal(t, "of the machine", string(b))
}

func script(lines ...string) revision {
	return revision{
		"appspec.yml": spec("", "BeforeInstall: [{location: s.sh, timeout: 60}]"),
		"s.sh":        "#!/bin/sh\n" + strings.Join(lines, "\n") + "\n",
	}
}

func TestAScriptDeletesAndWritesInItsInstanceAlone(t *testing.T) {
	t.Parallel()
	h := confined(t, agent.Options{})
	dir := outside(t)
	h.write("/var/www/html/old", "of the instance")
	require.Nil(t, h.deploy("d-1", script(
		"rm -rf /var/www/html/* "+dir+" /etc/passwd /usr/share/common-licenses 2>/dev/null",
		"mkdir -p "+dir+" && echo overwritten > "+dir+"/precious",
		"echo new > /var/www/html/new; echo new > /etc/pullback-was-here; echo new > /usr/share/pullback-was-here",
		"true",
	)))
	assertUntouched(t, dir)
	assert.Equal(t, []string{"new"}, h.names("/var/www/html"))
	assert.Equal(t, "overwritten\n", h.read(filepath.Join(dir, "precious")))
	for _, file := range []string{"/etc/pullback-was-here", "/usr/share/pullback-was-here"} {
		assert.NoFileExists(t, file)
	}
	assert.FileExists(t, "/etc/passwd")
}

func TestAScriptSignalsNoProcessOfTheMachine(t *testing.T) {
	t.Parallel()
	h := confined(t, agent.Options{})
	sleeper := exec.CommandContext(t.Context(), "sleep", "1000")
	require.NoError(t, sleeper.Start())
	defer func() { _ = sleeper.Wait() }()
	defer func() { _ = sleeper.Process.Kill() }()
	require.Nil(t, h.deploy("d-1", script("kill -9 -1; true")))
	require.NoError(t, sleeper.Process.Signal(syscall.Signal(0)), "it is still there")
	require.Nil(t, h.deploy("d-2", script("true")), "and so is the instance")
}

func TestAScriptChangesNoSettingOfTheMachine(t *testing.T) {
	t.Parallel()
	h := confined(t, agent.Options{})
	for _, line := range []string{
		"echo 1 > /proc/sys/vm/drop_caches",
		"mount -t tmpfs none /mnt",
		"mount -o remount,rw /proc/sys",
		"umount /proc/sys",
	} {
		require.NotNil(t, h.deploy("d-1", script(line+" && exit 0", "exit 1")), line)
	}
	require.Nil(t, h.deploy("d-2", script("[ -w /dev/null ] && [ -e /proc/self/status ] && echo x > /dev/null && [ -d /tmp ] && [ -x /bin/sh ]")))
}

// blocked makes an instance that cannot be confined.
func blocked(t *testing.T, o agent.Options) host {
	t.Helper()
	h := newHost(t, o)
	h.write("/usr", "a file where a folder must be")
	return h
}

func TestAnInstanceBeginsTheSameConfinedOrNot(t *testing.T) {
	t.Parallel()
	empty := revision{"appspec.yml": spec("", "")}
	h, without := confined(t, agent.Options{}), newHost(t, agent.Options{Unconfined: true})
	for _, x := range []host{h, without} {
		require.Nil(t, x.deploy("d-1", empty))
		assert.Equal(t, []string{"log", "tmp"}, x.names("/var"))
		assert.Equal(t, 0o777|os.ModeSticky|os.ModeDir, x.mode("/tmp"))
		assert.Empty(t, x.names("/srv"))
	}
}

func TestWithoutConfinementScriptsAreRefusedAndFilesAreNot(t *testing.T) {
	t.Parallel()
	h := blocked(t, agent.Options{})
	dir := outside(t)
	r := script("rm -rf " + dir)
	x := h.deploy("d-1", r)
	require.NotNil(t, x)
	assert.Equal(t, agent.Refused, x.Class)
	assert.Equal(t, "UnknownError", x.ErrorCode)
	assert.True(t, strings.HasPrefix(x.Message, "BeforeInstall has scripts, and they are not run: this machine cannot confine them"), x.Message)
	assertUntouched(t, dir)

	require.Nil(t, h.deploy("d-2", revision{"appspec.yml": spec("{source: a, destination: /srv/app}", ""), "a": "1"}))
	assert.Equal(t, "1", h.read("/srv/app/a"))
}

func TestUnconfinedScriptsAreToldWhereTheirInstanceIs(t *testing.T) {
	t.Parallel()
	h := newHost(t, agent.Options{Unconfined: true})
	require.Nil(t, h.deploy("d-1", script("pwd -P > $PULLBACK_INSTANCE_ROOT/said", "ls >> $PULLBACK_INSTANCE_ROOT/said")))
	root, err := filepath.EvalSymlinks(h.Root())
	require.NoError(t, err)
	assert.Equal(t, root+agent.DefaultDir+"/group-id/d-1/deployment-archive\nappspec.yml\ns.sh\n", h.read("/said"))
}

// Links in the instance lead to places of the instance, whoever follows them.
func TestLinksDoNotLeadOutOfTheInstance(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]func(*testing.T, agent.Options) host{"confined": confined, "not confined": blocked} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := start(t, agent.Options{})
			dir := outside(t)
			require.NoError(t, os.MkdirAll(h.Root()+"/srv", 0o755))
			require.NoError(t, os.MkdirAll(h.Root()+dir, 0o755))
			require.NoError(t, os.Symlink(dir, h.Root()+"/srv/absolute"))
			require.NoError(t, os.Symlink("../../../../../../../../../.."+dir, h.Root()+"/srv/relative"))
			require.NoError(t, os.Symlink("loop", h.Root()+"/srv/loop"))
			files := "{source: precious, destination: /srv/absolute}, {source: other, destination: /srv/relative/sub}"
			require.Nil(t, h.deploy("d-1", revision{"appspec.yml": spec(files, ""), "precious": "new", "other": "new"}))
			assertUntouched(t, dir)
			assert.Equal(t, "new", h.read(dir+"/precious"))
			assert.Equal(t, "new", h.read(dir+"/sub/other"))

			require.Nil(t, h.deploy("d-2", revision{"appspec.yml": spec("", "")}))
			assertUntouched(t, dir)
			assert.NoFileExists(t, h.Root()+dir+"/precious")

			require.NotNil(t, h.deploy("d-3", revision{"appspec.yml": spec("{source: a, destination: /srv/loop}", ""), "a": ""}))
		})
	}
}

// What is installed below the system's folders is found by scripts, together
// with what the machine has there.
func TestFilesCanBeInstalledAmongTheSystems(t *testing.T) {
	t.Parallel()
	h := confined(t, agent.Options{})
	x := h.deploy("d-1", revision{
		"appspec.yml": spec("{source: tool.sh, destination: /usr/local/bin}", "AfterInstall: [{location: run.sh}]"),
		"tool.sh":     "#!/bin/sh\necho installed > /var/said\n",
		"run.sh":      "#!/bin/sh\ntool.sh\n",
	})
	if x != nil && x.Class == "Errno::EROFS" {
		t.Skip("the file system of the test's folder cannot hold an overlay")
	}
	require.Nil(t, x)
	assert.Equal(t, "installed\n", h.read("/var/said"))
	assert.FileExists(t, h.Root()+"/usr/local/bin/tool.sh")
	assert.NoFileExists(t, "/usr/local/bin/tool.sh")

	require.NoError(t, h.Close())
	assert.NoDirExists(t, h.Root()+"/.overlay", "nothing is left of the mounts")
	require.Nil(t, h.deploy("d-2", revision{"appspec.yml": spec("", "")}))
	assert.NoFileExists(t, h.Root()+"/usr/local/bin/tool.sh")
}
