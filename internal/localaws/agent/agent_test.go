package agent_test

import (
	"archive/tar"
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/agent"
)

// host is an instance in a folder of the test.
type host struct {
	*agent.Host
	t *testing.T
}

func newHost(t *testing.T, o agent.Options) host {
	t.Helper()
	o.Now = func() time.Time { return time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC) }
	h := host{agent.New(filepath.Join(t.TempDir(), "i-1"), o), t}
	t.Cleanup(func() { assert.NoError(t, h.Close()) })
	return h
}

// confined is an instance whose scripts run, or the test is skipped.
func confined(t *testing.T, o agent.Options) host {
	t.Helper()
	if !canConfine(t) {
		t.Skip("this machine cannot confine scripts")
	}
	return newHost(t, o)
}

func canConfine(t *testing.T) bool {
	t.Helper()
	h := newHost(t, agent.Options{})
	x := h.deploy("d-probe", revision{"appspec.yml": spec("", "AfterInstall: [{location: s.sh}]"), "s.sh": "#!/bin/sh\n"})
	return x == nil || x.Class != agent.Refused
}

// revision is the files of a bundle. Those that end in .sh can be executed.
type revision map[string]string

func (r revision) tar(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(r)) {
		mode := int64(0o644)
		if strings.HasSuffix(name, ".sh") {
			mode = 0o755
		}
		require.NoError(t, w.WriteHeader(&tar.Header{Name: name, Mode: mode, Size: int64(len(r[name])), Typeflag: tar.TypeReg}))
		_, err := w.Write([]byte(r[name]))
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return b.Bytes()
}

// spec is an AppSpec file that installs files and has hooks.
func spec(files, hooks string) string {
	return "version: 0.0\nos: linux\nfiles: [" + files + "]\nhooks: {" + hooks + "}\n"
}

func (h host) deployment(id string, r revision) agent.Deployment {
	h.t.Helper()
	return agent.Deployment{
		ID: id, ApplicationName: "shop", GroupID: "group-id", GroupName: "production", Creator: "user", DeploymentType: "IN_PLACE",
		Bundle: agent.Bundle{Bytes: r.tar(h.t), Type: "tar", Bucket: "releases", Key: "shop.tar", Version: "v1", ETag: "abc"},
	}
}

// deploy carries out all events of an in-place deployment and returns why it
// failed.
func (h host) deploy(id string, r revision, change ...func(*agent.Deployment)) *agent.Diagnostics {
	h.t.Helper()
	d := h.deployment(id, r)
	for _, c := range change {
		c(&d)
	}
	return h.carryOut(d, "ApplicationStop", "DownloadBundle", "BeforeInstall", "Install", "AfterInstall", "ApplicationStart", "ValidateService")
}

func (h host) carryOut(d agent.Deployment, events ...string) *agent.Diagnostics {
	h.t.Helper()
	for _, e := range events {
		if x := h.Run(h.t.Context(), e, d).Diagnostics; x != nil {
			return x
		}
	}
	return nil
}

func behavior(b string) func(*agent.Deployment) {
	return func(d *agent.Deployment) { d.FileExistsBehavior = b }
}

// read is a file of the instance.
func (h host) read(name string) string {
	h.t.Helper()
	b, err := os.ReadFile(filepath.Join(h.Root(), name))
	require.NoError(h.t, err)
	return string(b)
}

func (h host) write(name, content string) {
	h.t.Helper()
	at := filepath.Join(h.Root(), name)
	require.NoError(h.t, os.MkdirAll(filepath.Dir(at), 0o755))
	require.NoError(h.t, os.WriteFile(at, []byte(content), 0o644))
}

// names are the entries of a folder of the instance.
func (h host) names(dir string) []string {
	h.t.Helper()
	entries, err := os.ReadDir(filepath.Join(h.Root(), dir))
	require.NoError(h.t, err)
	names := []string{}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

const instructions = agent.DefaultDir + "/deployment-instructions/"

// The user guide's example, "Redeploy and roll back a deployment with
// CodeDeploy": the scripts of a revision made e.txt and f.txt, and a rollback
// removes the four files that were deployed, but not those two.
func TestARollbackRemovesWhatWasDeployedAndNotWhatScriptsMade(t *testing.T) {
	t.Parallel()
	h := confined(t, agent.Options{})
	const temp = "/tmp/app"
	release := func(v string) revision {
		return revision{
			"appspec.yml": spec("{source: a.txt, destination: "+temp+"}, {source: b.txt, destination: "+temp+"}, "+
				"{source: c.sh, destination: "+temp+"}, {source: d.sh, destination: "+temp+"}",
				"AfterInstall: [{location: c.sh, timeout: 10}, {location: d.sh, timeout: 10}]"),
			"a.txt": "a of " + v, "b.txt": "b of " + v,
			"c.sh": "#!/bin/sh\n[ -e " + temp + "/e.txt ] || echo e of " + v + " > " + temp + "/e.txt\n",
			"d.sh": "#!/bin/sh\n[ -e " + temp + "/f.txt ] || echo f of " + v + " > " + temp + "/f.txt\n",
		}
	}
	require.Nil(t, h.deploy("d-1", release("1")))
	assert.Equal(t, []string{"/tmp/app", "/tmp/app/a.txt", "/tmp/app/b.txt", "/tmp/app/c.sh", "/tmp/app/d.sh"},
		strings.Fields(h.read(instructions+"group-id-cleanup")))

	require.Nil(t, h.deploy("d-2", release("2")))
	require.Nil(t, h.deploy("d-3", release("1")), "the rollback")
	assert.Equal(t, "a of 1", h.read(temp+"/a.txt"))
	assert.Equal(t, "b of 1", h.read(temp+"/b.txt"))
	assert.Equal(t, "e of 1\n", h.read(temp+"/e.txt"), "nobody made it again")
	assert.Equal(t, "f of 1\n", h.read(temp+"/f.txt"))

	// What the agent removes by itself: the revision with nothing in it.
	require.Nil(t, h.deploy("d-4", revision{"appspec.yml": spec("", "")}))
	assert.Equal(t, []string{"e.txt", "f.txt"}, h.names(temp))
}

// The user guide's table, "Rollback behavior with existing content": what
// RETAIN kept is gone after a failed deployment with OVERWRITE, and the
// rollback with RETAIN does not bring it back.
func TestOverwriteLosesWhatRetainKept(t *testing.T) {
	t.Parallel()
	h := confined(t, agent.Options{})
	release := func(v, hooks string) revision {
		return revision{
			"appspec.yml":  spec("{source: app, destination: /var/www/html}", hooks),
			"app/page":     "page of " + v,
			"app/conf.ini": "settings of " + v,
			"fail.sh":      "#!/bin/sh\nexit 1\n",
		}
	}
	h.write("/var/www/html/conf.ini", "the operator's settings")

	require.Nil(t, h.deploy("d-1", release("1", ""), behavior("RETAIN")))
	assert.Equal(t, "the operator's settings", h.read("/var/www/html/conf.ini"))

	x := h.deploy("d-2", release("2", "AfterInstall: [{location: fail.sh}]"), behavior("OVERWRITE"))
	require.NotNil(t, x)
	assert.Equal(t, "ScriptFailed", x.ErrorCode)
	assert.Equal(t, "settings of 2", h.read("/var/www/html/conf.ini"))

	require.Nil(t, h.deploy("d-3", release("1", ""), behavior("RETAIN")), "the rollback")
	assert.Equal(t, "page of 1", h.read("/var/www/html/page"))
	assert.Equal(t, "settings of 1", h.read("/var/www/html/conf.ini"), "not the operator's any more")
}

// Between the removal of the old files and the first of the new ones there is
// the check that fails: until somebody rolls back, there is no application.
func TestDisallowFailsOnlyAfterTheOldRevisionIsGone(t *testing.T) {
	t.Parallel()
	h := newHost(t, agent.Options{})
	files := "{source: app, destination: /srv/app}"
	require.Nil(t, h.deploy("d-1", revision{"appspec.yml": spec(files, ""), "app/a": "1", "app/sub/c": "1"}))
	h.write("/srv/app/e.txt", "made by a script")

	x := h.deploy("d-2", revision{"appspec.yml": spec(files, ""), "app/a": "2", "app/e.txt": "2"})
	assert.Equal(t, &agent.Diagnostics{
		ErrorCode: "UnknownError", Code: 5, Class: "RuntimeError",
		Message: "The deployment failed because a specified file already exists at this location: /srv/app/e.txt",
	}, x)
	assert.Equal(t, []string{"e.txt"}, h.names("/srv/app"))
	assert.Equal(t, agent.DefaultDir+"/group-id/d-1", h.read(instructions+"group-id_last_successful_install"))
	assert.Equal(t, agent.DefaultDir+"/group-id/d-2", h.read(instructions+"group-id_most_recent_install"))

	require.Nil(t, h.deploy("d-3", revision{"appspec.yml": spec(files, ""), "app/a": "1", "app/sub/c": "1"}))
	assert.Equal(t, []string{"a", "e.txt", "sub"}, h.names("/srv/app"))
}

func TestAnAppSpecFilesOwnFileExistsBehaviorWins(t *testing.T) {
	t.Parallel()
	h := newHost(t, agent.Options{})
	h.write("/srv/app/conf", "the operator's")
	text := spec("{source: conf, destination: /srv/app}", "") + "file_exists_behavior: RETAIN\n"
	require.Nil(t, h.deploy("d-1", revision{"appspec.yml": text, "conf": "the revision's"}, behavior("DISALLOW")))
	assert.Equal(t, "the operator's", h.read("/srv/app/conf"))
}

func TestTheOldestRevisionsMakeRoomButNotTheLastSuccessfulOne(t *testing.T) {
	t.Parallel()
	h := newHost(t, agent.Options{MaxRevisions: 2})
	good := revision{"appspec.yml": spec("", "")}
	require.Nil(t, h.deploy("d-9", good))
	for _, id := range []string{"d-8", "d-7", "d-6"} {
		require.NotNil(t, h.deploy(id, revision{"a": "no AppSpec file"}))
	}
	assert.Equal(t, []string{"d-6", "d-9"}, h.names(agent.DefaultDir+"/group-id"))
}

func TestAHostGoesOnFromItsFiles(t *testing.T) {
	t.Parallel()
	h := newHost(t, agent.Options{})
	files := spec("{source: a, destination: /srv/app}", "")
	require.Nil(t, h.deploy("d-1", revision{"appspec.yml": files, "a": "1"}))
	require.NoError(t, h.Close())

	again := host{agent.New(h.Root(), agent.Options{}), t}
	t.Cleanup(func() { assert.NoError(t, again.Close()) })
	require.Nil(t, again.deploy("d-2", revision{"appspec.yml": files, "a": "2"}), "it knows that the file is its own")
	assert.Equal(t, "2", again.read("/srv/app/a"))
}

func TestGroupsOfOneHostHaveTheirOwnFiles(t *testing.T) {
	t.Parallel()
	h := newHost(t, agent.Options{})
	other := func(d *agent.Deployment) { d.GroupID = "other-id" }
	require.Nil(t, h.deploy("d-1", revision{"appspec.yml": spec("{source: a, destination: /srv/one}", ""), "a": "1"}))
	require.Nil(t, h.deploy("d-2", revision{"appspec.yml": spec("{source: b, destination: /srv/two}", ""), "b": "2"}, other))
	assert.Equal(t, "/srv/one\n/srv/one/a\n", h.read(instructions+"group-id-cleanup"))

	x := h.deploy("d-3", revision{"appspec.yml": spec("{source: a, destination: /srv/one}", ""), "a": "3"}, other)
	require.NotNil(t, x, "the file is the other group's")
	assert.Equal(t, "The deployment failed because a specified file already exists at this location: /srv/one/a", x.Message)
}

func TestIdsThatAreNoFolderNamesAreRefused(t *testing.T) {
	t.Parallel()
	h := newHost(t, agent.Options{})
	for _, id := range []string{"", "..", "a/b"} {
		x := h.deploy(id, revision{"appspec.yml": spec("", "")})
		require.NotNil(t, x, id)
		assert.Equal(t, `the deployment specification has no usable id: "`+id+`"`, x.Message)
	}
	assert.NoDirExists(t, h.Root())
}

func TestAnEventThatIsNotTheAgentsIsRefused(t *testing.T) {
	t.Parallel()
	h := newHost(t, agent.Options{})
	out := h.Run(t.Context(), "AllowTraffic", h.deployment("d-1", revision{}))
	require.NotNil(t, out.Diagnostics)
	assert.Equal(t, "Unsupported command type: AllowTraffic.", out.Diagnostics.Message)
}
