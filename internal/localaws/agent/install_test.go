package agent_test

import (
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/agent"
)

func withPermissions(permissions string) revision {
	return revision{
		"appspec.yml": spec("{source: app, destination: /srv/app}", "") + "permissions: [" + permissions + "]\n",
		"app/a.sh":    "", "app/b.txt": "", "app/sub/c.sh": "",
	}
}

func (h host) mode(name string) fs.FileMode {
	h.t.Helper()
	info, err := os.Stat(h.Root() + name)
	require.NoError(h.t, err)
	return info.Mode()
}

func TestPermissionsSetTheSpecialBits(t *testing.T) {
	t.Parallel()
	h := newHost(t, agent.Options{})
	require.Nil(t, h.deploy("d-1", withPermissions("{object: /srv/app/a.sh, mode: 4755}, {object: /srv, mode: 1777, type: [directory]}")))
	assert.Equal(t, 0o755|fs.ModeSetuid, h.mode("/srv/app/a.sh"))
	assert.Equal(t, 0o777|fs.ModeSticky|fs.ModeDir, h.mode("/srv/app/sub"))
	assert.Equal(t, 0o777|fs.ModeSticky|fs.ModeDir, h.mode("/srv/app"))
	assert.Equal(t, 0o755|fs.ModeDir, h.mode("/srv"), "the object itself is not meant")
}

func TestAnOwnerThatIsNotThere(t *testing.T) {
	t.Parallel()
	h := newHost(t, agent.Options{})
	for permission, want := range map[string]string{
		"owner: nobody-at-all": "can't find user for nobody-at-all",
		"group: nobody-at-all": "can't find group for nobody-at-all",
	} {
		x := h.deploy("d-1", withPermissions("{object: /srv/app, "+permission+"}"))
		require.NotNil(t, x)
		assert.Equal(t, want, x.Message)
		assert.Equal(t, "ArgumentError", x.Class)
	}
	require.Nil(t, h.deploy("d-2", withPermissions("")), "what was copied is in the cleanup file")
}

func TestOwnersAreChanged(t *testing.T) {
	t.Parallel()
	h := confined(t, agent.Options{})
	r := withPermissions("")
	r["appspec.yml"] = spec("{source: app, destination: /srv/app}", "AfterInstall: [{location: ls.sh}]") +
		"permissions: [{object: /srv/app, pattern: '*.sh', owner: nobody, type: [file]}]\n"
	r["ls.sh"] = "#!/bin/sh\nstat -c '%n %U' /srv/app/* /srv/app/sub/* > /var/said\n"
	x := h.deploy("d-1", r)
	if os.Geteuid() != 0 {
		require.NotNil(t, x, "only root can")
		return
	}
	require.Nil(t, x)
	assert.Equal(t, "/srv/app/a.sh nobody\n/srv/app/b.txt root\n/srv/app/sub root\n/srv/app/sub/c.sh root\n", h.read("/var/said"))
}

// An access control list and an SELinux context are set by the system's own
// programs. Where they are missing or refuse, the deployment fails.
func TestAccessControlListsAndContextsNeedTheirPrograms(t *testing.T) {
	t.Parallel()
	h := confined(t, agent.Options{})
	if _, err := exec.LookPath("setfacl"); err != nil {
		x := h.deploy("d-1", withPermissions("{object: /srv/app/a.sh, acls: ['u:nobody:rw']}"))
		require.NotNil(t, x)
		assert.Contains(t, x.Message, "Failed command: setfacl --set user:nobody:rw-,user::rwx,group::r-x,other::r-x,mask::r-x /srv/app/a.sh. Exit code: ")
	}
	if _, err := exec.LookPath("semanage"); err != nil {
		x := h.deploy("d-2", withPermissions("{object: /srv/app/a.sh, context: {name: system_u, type: httpd_t, range: 's0:c2,c1'}}"))
		require.NotNil(t, x)
		assert.Contains(t, x.Message, "Failed command: semanage fcontext -a -s system_u -t httpd_t -r s0:c1.c2 /srv/app/a.sh. Exit code: ")
	}
}

func TestAFileIntoTheFolderOfAnotherMapping(t *testing.T) {
	t.Parallel()
	h := newHost(t, agent.Options{})
	x := h.deploy("d-1", revision{
		"appspec.yml": spec("{source: deep, destination: /srv/app/name}, {source: name, destination: /srv/app}", ""),
		"deep/file":   "", "name": "",
	})
	require.NotNil(t, x)
	assert.Equal(t, "The deployment failed because the application specification file calls for installing the file "+
		agent.DefaultDir+"/group-id/d-1/deployment-archive/name, but a file with that name already exists at the location (/srv/app/name). "+
		"Update your AppSpec file or directory structure, and then try again.", x.Message)
}

func TestASourceThatIsNotThere(t *testing.T) {
	t.Parallel()
	h := newHost(t, agent.Options{})
	x := h.deploy("d-1", revision{"appspec.yml": spec("{source: none, destination: /srv/app}", "")})
	require.NotNil(t, x)
	assert.Equal(t, &agent.Diagnostics{
		ErrorCode: "UnknownError", Code: 5, Class: "Errno::ENOENT",
		Message: "No such file or directory - " + agent.DefaultDir + "/group-id/d-1/deployment-archive/none",
	}, x)
	assert.Equal(t, "/srv/app\n/srv/app/none\n", h.read(instructions+"group-id-cleanup"), "it is written before the copy")
}

func TestAnInvalidFileExistsBehaviorMattersOnlyForFilesThatExist(t *testing.T) {
	t.Parallel()
	h := newHost(t, agent.Options{})
	r := revision{"appspec.yml": spec("{source: a, destination: /srv/app}", ""), "a": "1"}
	require.Nil(t, h.deploy("d-1", r, behavior("KEEP")))
	h.write("/srv/other/a", "")
	r["appspec.yml"] = spec("{source: a, destination: /srv/other}", "")
	x := h.deploy("d-2", r, behavior("keep"))
	require.NotNil(t, x)
	assert.Equal(t, "The deployment failed because an invalid option was specified for fileExistsBehavior: KEEP. "+
		"Valid options include OVERWRITE, RETAIN, and DISALLOW.", x.Message)
}

func TestTheInstructionsAreWrittenDown(t *testing.T) {
	t.Parallel()
	h := newHost(t, agent.Options{})
	require.Nil(t, h.deploy("d-1", withPermissions("{object: /srv/app/a.sh, mode: 700}")))
	var written struct {
		Instructions []map[string]string `json:"instructions"`
	}
	require.NoError(t, json.Unmarshal([]byte(h.read(instructions+"group-id-install.json")), &written))
	from := agent.DefaultDir + "/group-id/d-1/deployment-archive/app"
	want := []map[string]string{
		{"type": "mkdir", "directory": "/srv/app"},
		{"type": "copy", "source": from + "/a.sh", "destination": "/srv/app/a.sh"},
		{"type": "copy", "source": from + "/b.txt", "destination": "/srv/app/b.txt"},
		{"type": "mkdir", "directory": "/srv/app/sub"},
		{"type": "copy", "source": from + "/sub/c.sh", "destination": "/srv/app/sub/c.sh"},
		{"type": "chmod", "mode": "700", "file": "/srv/app/a.sh"},
	}
	assert.Equal(t, want, written.Instructions)
}
