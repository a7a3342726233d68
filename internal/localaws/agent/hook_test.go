package agent_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/agent"
)

// every is a revision whose hooks all say which event ran whose script.
func every(name string) revision {
	var hooks []string
	for _, e := range agent.Events() {
		if e != "DownloadBundle" && e != "Install" {
			hooks = append(hooks, e+": [{location: say.sh, timeout: 10}]")
		}
	}
	return revision{
		"appspec.yml": spec("", strings.Join(hooks, ", ")),
		"say.sh":      "#!/bin/sh\necho $LIFECYCLE_EVENT of " + name + " >> /var/said\n",
	}
}

func TestHooksRunTheScriptsOfTheRightRevision(t *testing.T) {
	t.Parallel()
	h := confined(t, agent.Options{})
	require.Nil(t, h.carryOut(h.deployment("d-1", every("r1")), agent.Events()...))
	require.Nil(t, h.carryOut(h.deployment("d-2", every("r2")), agent.Events()...))
	assert.Equal(t, []string{
		"BeforeInstall of r1", "AfterInstall of r1", "ApplicationStart of r1", "ValidateService of r1", "BeforeAllowTraffic of r1", "AfterAllowTraffic of r1",
		"BeforeBlockTraffic of r1", "AfterBlockTraffic of r1", "ApplicationStop of r1",
		"BeforeInstall of r2", "AfterInstall of r2", "ApplicationStart of r2", "ValidateService of r2", "BeforeAllowTraffic of r2", "AfterAllowTraffic of r2",
	}, strings.Split(strings.TrimSpace(h.read("/var/said")), "\n"))
}

// A blue/green rollback brings no bundle. On the instances that take the
// traffic back, the hooks are those of the last successful revision; on those
// that lose it, of the one that was tried.
func TestABlueGreenRollbackTakesItsHooksFromEarlierRevisions(t *testing.T) {
	t.Parallel()
	h := confined(t, agent.Options{})
	require.Nil(t, h.deploy("d-1", revision{"appspec.yml": spec("", ""), "x": ""}))
	good, tried := every("good"), every("tried")
	tried["appspec.yml"] += "permissions: [{object: /x, mode: 9}]\n" // so that Install of it fails
	require.Nil(t, h.carryOut(h.deployment("d-2", good), "DownloadBundle", "Install"))
	require.Nil(t, h.carryOut(h.deployment("d-3", tried), "DownloadBundle"))
	require.NotNil(t, h.carryOut(h.deployment("d-3", tried), "Install"))

	rollback := h.deployment("d-4", revision{})
	rollback.Creator, rollback.DeploymentType = "codeDeployRollback", "BLUE_GREEN"
	x := h.carryOut(rollback, "BeforeBlockTraffic")
	require.NotNil(t, x, "the most recent revision is the broken one")
	assert.Equal(t, "AppSpecValidationException", x.Class)

	require.Nil(t, h.carryOut(h.deployment("d-5", every("other")), "DownloadBundle"))
	require.Nil(t, h.carryOut(rollback, "BeforeBlockTraffic", "AfterBlockTraffic", "BeforeAllowTraffic", "AfterAllowTraffic"))
	assert.Equal(t, []string{
		"BeforeBlockTraffic of other", "AfterBlockTraffic of other", "BeforeAllowTraffic of good", "AfterAllowTraffic of good",
	}, strings.Split(strings.TrimSpace(h.read("/var/said")), "\n"))

	inPlace := rollback
	inPlace.ID, inPlace.DeploymentType = "d-6", "IN_PLACE"
	require.Nil(t, h.carryOut(inPlace, "BeforeBlockTraffic"))
	assert.True(t, strings.HasSuffix(h.read("/var/said"), "\nBeforeBlockTraffic of good\n"))
}

// The scripts that stop an application are the last installed revision's, even
// if its deployment failed: they can make its rollback fail as well.
func TestARollbackRunsTheStopScriptOfTheRevisionThatFailed(t *testing.T) {
	t.Parallel()
	h := confined(t, agent.Options{})
	good := revision{"appspec.yml": spec("", "")}
	bad := revision{
		"appspec.yml": spec("", "ApplicationStop: [{location: fail.sh}], AfterInstall: [{location: fail.sh}]"),
		"fail.sh":     "#!/bin/sh\necho cannot stop >&2\nexit 3\n",
	}
	require.Nil(t, h.deploy("d-1", good))
	require.NotNil(t, h.deploy("d-2", bad))
	assert.Equal(t, &agent.Diagnostics{
		ErrorCode: "ScriptFailed", ScriptName: "fail.sh", Code: 4, Class: "ScriptError",
		Message: "Script at specified location: fail.sh failed with exit code 3",
		LogTail: "LifecycleEvent - ApplicationStop\nScript - fail.sh\n[stderr]cannot stop\n",
	}, h.deploy("d-3", good))

	// ignoreApplicationStopFailures: CodeDeploy goes on with the next event.
	require.Nil(t, h.carryOut(h.deployment("d-4", good), "DownloadBundle", "BeforeInstall", "Install"))
	require.Nil(t, h.deploy("d-5", good))
}

func TestScriptsAreToldTheirDeployment(t *testing.T) {
	t.Parallel()
	h := confined(t, agent.Options{Env: []string{"AWS_ENDPOINT_URL=http://127.0.0.1:4566"}})
	require.Nil(t, h.deploy("d-1", revision{
		"appspec.yml": spec("", "BeforeInstall: [{location: env.sh}]"),
		"env.sh":      "#!/bin/sh\nenv | grep -v '^_=\\|SHLVL\\|OLDPWD' | sort > /var/env\numask >> /var/env\nid -un >> /var/env\n",
	}))
	assert.Equal(t, []string{
		"APPLICATION_NAME=shop", "AWS_ENDPOINT_URL=http://127.0.0.1:4566",
		"BUNDLE_BUCKET=releases", "BUNDLE_ETAG=abc", "BUNDLE_KEY=shop.tar", "BUNDLE_VERSION=v1",
		"DEPLOYMENT_GROUP_ID=group-id", "DEPLOYMENT_GROUP_NAME=production", "DEPLOYMENT_ID=d-1",
		"HOME=/root", "LANG=C.UTF-8", "LIFECYCLE_EVENT=BeforeInstall",
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "PWD=/",
		"0022", "root",
	}, strings.Fields(h.read("/var/env")))
}

func TestAScriptThatFails(t *testing.T) {
	t.Parallel()
	const where = agent.DefaultDir + "/group-id/d-1/deployment-archive/"
	tests := map[string]struct {
		script string // of s.sh, empty if there is none
		hook   string
		want   agent.Diagnostics
	}{
		"is missing": {
			"", "location: s.sh",
			agent.Diagnostics{ErrorCode: "ScriptMissing", Code: 1, Message: "Script does not exist at specified location: " + where + "s.sh", LogTail: "LifecycleEvent - BeforeInstall\n"},
		},
		"takes too long": {
			"#!/bin/sh\necho begun\nsleep 60\n", "location: s.sh, timeout: 1",
			agent.Diagnostics{
				ErrorCode: "ScriptTimedOut", Code: 3, Message: "Script at specified location: s.sh failed to complete in 1 seconds",
				LogTail: "LifecycleEvent - BeforeInstall\nScript - s.sh\n[stdout]begun\n",
			},
		},
		"leaves its errors open": {
			"#!/bin/sh\nsleep 60 > /dev/null &\n", "location: s.sh, timeout: 1",
			agent.Diagnostics{
				ErrorCode: "UnknownError", Code: 6, Message: "Script at specified location: s.sh failed to close STDERR",
				LogTail: "LifecycleEvent - BeforeInstall\nScript - s.sh\n",
			},
		},
		"names no program": {
			"#!/no/such/program\n", "location: s.sh",
			agent.Diagnostics{
				ErrorCode: "ScriptFailed", Code: 4,
				Message: "Script at specified location: s.sh failed with error Errno::ENOENT with message No such file or directory - " + where + "s.sh",
				LogTail: "LifecycleEvent - BeforeInstall\nScript - s.sh\n",
			},
		},
		"is for a user that is not there": {
			"#!/bin/sh\n", "location: s.sh, runas: nobody-at-all",
			agent.Diagnostics{
				ErrorCode: "ScriptFailed", Code: 4,
				Message: "Script at specified location: s.sh run as user nobody-at-all failed with error RuntimeError with message su: user nobody-at-all does not exist",
				LogTail: "LifecycleEvent - BeforeInstall\nScript - s.sh\n",
			},
		},
		"writes more than fits": {
			"#!/bin/sh\nhead -c 2100 /dev/zero | tr '\\0' x; echo; echo last; exit 1\n", "location: s.sh",
			agent.Diagnostics{ErrorCode: "ScriptFailed", Code: 4, Message: "Script at specified location: s.sh failed with exit code 1", LogTail: "[stdout]last\n"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := confined(t, agent.Options{})
			r := revision{"appspec.yml": spec("", "BeforeInstall: [{"+test.hook+"}]")}
			if test.script != "" {
				r["s.sh"] = test.script
			}
			test.want.ScriptName, test.want.Class = "s.sh", "ScriptError"
			assert.Equal(t, &test.want, h.deploy("d-1", r))
		})
	}
}

func TestAScriptThatCannotBeExecutedIsMadeExecutable(t *testing.T) {
	t.Parallel()
	h := confined(t, agent.Options{})
	require.Nil(t, h.deploy("d-1", revision{
		"appspec.yml": spec("", "BeforeInstall: [{location: plain}]"),
		"plain":       "echo without a first line > /var/said\n",
	}))
	assert.Equal(t, "without a first line\n", h.read("/var/said"))
}

func TestAScriptRunsAsAnotherUser(t *testing.T) {
	t.Parallel()
	h := confined(t, agent.Options{})
	x := h.deploy("d-1", revision{
		"appspec.yml": spec("", "BeforeInstall: [{location: open.sh}, {location: who.sh, runas: nobody}]"),
		"open.sh":     "#!/bin/sh\nmkdir -m 777 /var/open\n",
		"who.sh":      "#!/bin/sh\nid -un > /var/open/who\n",
	})
	if os.Geteuid() != 0 {
		require.NotNil(t, x)
		assert.Equal(t, "ScriptFailed", x.ErrorCode)
		return
	}
	require.Nil(t, x)
	assert.Equal(t, "nobody\n", h.read("/var/open/who"))
}

func TestTheScriptLogIsTheDeploymentsOwn(t *testing.T) {
	t.Parallel()
	h := confined(t, agent.Options{})
	r := revision{
		"appspec.yml": spec("", "ApplicationStop: [{location: s.sh}], AfterInstall: [{location: s.sh}]"),
		"s.sh":        "#!/bin/sh\necho $LIFECYCLE_EVENT\nprintf unfinished\n",
	}
	require.Nil(t, h.deploy("d-1", r))
	require.Nil(t, h.deploy("d-2", r))
	const at = "2026-03-04 05:06:07 "
	assert.Equal(t, at+"LifecycleEvent - ApplicationStop\n"+at+"Script - s.sh\n"+at+"[stdout]ApplicationStop\n"+at+"[stdout]unfinished"+
		at+"LifecycleEvent - AfterInstall\n"+at+"Script - s.sh\n"+at+"[stdout]AfterInstall\n"+at+"[stdout]unfinished",
		h.read(agent.DefaultDir+"/group-id/d-2/logs/scripts.log"))
}

// Servers that ApplicationStart leaves in the background are there for
// ValidateService, and end with the instance.
func TestWhatAScriptStartsStaysUntilTheInstanceCloses(t *testing.T) {
	t.Parallel()
	h := confined(t, agent.Options{})
	r := revision{
		"appspec.yml": spec("", "ApplicationStop: [{location: stop.sh}], ApplicationStart: [{location: start.sh}], ValidateService: [{location: check.sh}]"),
		"start.sh":    "#!/bin/sh\nsleep 1000 > /dev/null 2>&1 &\necho $! > /run/app.pid\n",
		"check.sh":    "#!/bin/sh\nkill -0 $(cat /run/app.pid)\n",
		"stop.sh":     "#!/bin/sh\nkill $(cat /run/app.pid)\n",
	}
	require.Nil(t, h.deploy("d-1", r))
	require.Nil(t, h.deploy("d-2", r), "its stop script finds what the first deployment started")
	require.NoError(t, h.Close())
	x := h.deploy("d-3", r)
	require.NotNil(t, x)
	assert.Equal(t, "Script at specified location: stop.sh failed with exit code 1", x.Message)
}

func TestAnEventEndsWithItsContext(t *testing.T) {
	t.Parallel()
	h := confined(t, agent.Options{})
	d := h.deployment("d-1", revision{
		"appspec.yml": spec("", "BeforeInstall: [{location: s.sh}], AfterInstall: [{location: after.sh}]"),
		"s.sh":        "#!/bin/sh\necho begun > /var/begun\nexec sleep 1000\n",
		"after.sh":    "#!/bin/sh\n",
	})
	require.Nil(t, h.carryOut(d, "DownloadBundle"))
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for { // until the script runs
			if b, err := os.ReadFile(h.Root() + "/var/begun"); err == nil && len(b) > 0 {
				cancel()
				return
			} else if err != nil && !errors.Is(err, os.ErrNotExist) {
				cancel()
				return
			}
		}
	}()
	x := h.Run(ctx, "BeforeInstall", d).Diagnostics
	require.NotNil(t, x)
	assert.Equal(t, "Script at specified location: s.sh was stopped: context canceled", x.Message)
	assert.Nil(t, h.carryOut(d, "Install", "AfterInstall"), "the next event is not stopped")
}

func TestEventsWithoutScriptsAreKnownBeforehand(t *testing.T) {
	t.Parallel()
	h := newHost(t, agent.Options{})
	d := h.deployment("d-1", revision{"appspec.yml": spec("", "AfterInstall: [{location: s.sh}], ApplicationStop: [{location: s.sh}], ValidateService:")})
	assert.False(t, h.HasScript("ApplicationStop", d), "nothing is installed")
	assert.True(t, h.HasScript("DownloadBundle", d))
	assert.True(t, h.HasScript("BeforeInstall", d), "nobody knows before the bundle is there")
	assert.Equal(t, agent.Outcome{Noop: true}, h.Run(t.Context(), "ApplicationStop", d))
	require.Nil(t, h.carryOut(d, "DownloadBundle", "Install"))
	for event, has := range map[string]bool{"BeforeInstall": false, "Install": true, "AfterInstall": true, "ValidateService": false} {
		assert.Equal(t, has, h.HasScript(event, d), event)
	}
	assert.Equal(t, agent.Outcome{Noop: true}, h.Run(t.Context(), "ValidateService", d))
	next := h.deployment("d-2", revision{})
	assert.True(t, h.HasScript("ApplicationStop", next))
}

func TestAScriptThatDoesNotWantToEndIsKilled(t *testing.T) {
	t.Parallel()
	h := confined(t, agent.Options{})
	x := h.deploy("d-1", revision{
		"appspec.yml": spec("", "BeforeInstall: [{location: s.sh, timeout: 1}]"),
		"s.sh":        "#!/bin/sh\ntrap '' TERM\nwhile :; do sleep 1; done\n",
	})
	require.NotNil(t, x)
	assert.Equal(t, "ScriptTimedOut", x.ErrorCode)
}
