// Package agent is the EC2 side of CodeDeploy: what the CodeDeploy agent
// (version 1.8.1) does on an instance when it carries out the lifecycle events
// of a deployment.
//
// A Host is one instance. Its file system is a folder: the files of a revision,
// the agent's own files and all that scripts leave behind are in there. Scripts
// of hooks run for real, but they see that folder as /, and cannot reach what
// is outside of it (see MODEL.md). Where the machine cannot do that, they are
// not run, and the event fails and says so, unless Options.Unconfined is set.
//
// The witness for it is testdata/cases.json, 19 cases that the real agent was
// recorded on: AWS CodeDeploy agent 1.8.1, its own local deployment code path,
// Ruby 3.1.2, Linux, root, umask 0022. Every case was run four times, on ext4
// and tmpfs and with archive entries in ascending and descending order, and
// only what was the same in all runs was recorded.
package agent

import (
	"context"
	"path"
	"strings"
	"sync"
	"time"
)

// Deployment is what the agent is told of a deployment with each of its events.
type Deployment struct {
	ID                 string
	ApplicationName    string
	GroupID            string
	GroupName          string
	Creator            string // for example user, codeDeployRollback
	DeploymentType     string // IN_PLACE or BLUE_GREEN
	FileExistsBehavior string // DISALLOW if empty; the AppSpec file's own overrides it
	Bundle             Bundle
	AppSpecFilename    string // appspec.yml if empty
}

// Bundle is the archive of a revision and where it came from.
type Bundle struct {
	Bytes []byte // needed for DownloadBundle alone
	Type  string // tar, tgz or zip

	// Where the archive is stored, for the environment of the scripts.
	Bucket, Key, Version, ETag string
	Commit                     string // of a GitHub revision, instead of those
}

// Outcome is how an event ended.
type Outcome struct {
	Noop        bool         // there was no script to run
	Diagnostics *Diagnostics // nil if the event succeeded

	stopped bool // the instance ended before the event did
}

// Diagnostics says why an event failed, as GetDeploymentTarget shows it.
type Diagnostics struct {
	ErrorCode  string // ScriptMissing, ScriptNotExecutable, ScriptTimedOut, ScriptFailed, UnknownError
	ScriptName string // empty if it was no script
	Message    string
	LogTail    string // the last lines of what the scripts wrote, under 2,048 characters

	Code  int    // the agent's own number for it, 1 to 7
	Class string // the agent's own name for it, such as ScriptError or RuntimeError
}

// Options change how a host works.
type Options struct {
	// MaxRevisions is how many revisions the host keeps of a deployment group,
	// 5 if 0. It is the setting max_revisions of the agent.
	MaxRevisions int
	// Dir is where the agent keeps its files on the instance.
	// /opt/codedeploy-agent/deployment-root if empty.
	Dir string
	// Env is added to the environment of the scripts, as NAME=VALUE.
	Env []string
	// Now stamps the lines of the scripts' logs; nil is the machine's clock.
	Now func() time.Time
	// Unconfined lets the scripts run on this machine as they are: whatever
	// they delete, stop or install is deleted, stopped or installed here.
	// PULLBACK_INSTANCE_ROOT tells them the instance's folder.
	Unconfined bool
}

// DefaultDir is where the agent keeps its files unless Options.Dir says where.
const DefaultDir = "/opt/codedeploy-agent/deployment-root"

// defaultMaxRevisions is the agent's default for max_revisions.
const defaultMaxRevisions = 5

// Host is one instance and its agent. Its events are carried out one after the
// other.
type Host struct {
	root string
	o    Options

	mu       sync.Mutex
	instance instance // what the events are carried out in; nil before the first
}

// New returns the instance whose file system is the folder root. The folder
// may be empty or missing, or that of an earlier Host.
func New(root string, o Options) *Host {
	if o.MaxRevisions < 1 {
		o.MaxRevisions = defaultMaxRevisions
	}
	if o.Dir == "" {
		o.Dir = DefaultDir
	}
	if o.Now == nil {
		o.Now = time.Now //nolint:forbidigo // the default for hosts that live in real time
	}
	return &Host{root: root, o: o}
}

// Root is the folder with the instance's file system.
func (h *Host) Root() string { return h.root }

// Run carries out one lifecycle event and returns when it is over. Scripts take
// real time. When ctx ends, the script that runs is killed and the event fails.
func (h *Host) Run(ctx context.Context, event string, d Deployment) Outcome {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := check(event, d); err != nil {
		return Outcome{Diagnostics: diagnose(err)}
	}
	if a := h.agent(); h.instance == nil && a.nothingToRun(event, d) {
		// No instance is started for nothing: most events have no script.
		return a.run(ctx, request{Event: event, Deployment: d})
	}
	if err := h.open(); err != nil {
		return Outcome{Diagnostics: diagnose(err)}
	}
	if event != downloadBundle {
		d.Bundle.Bytes = nil
	}
	out := h.instance.run(ctx, request{Event: event, Deployment: d, Stamp: h.o.Now().Format(stampLayout)})
	if out.stopped {
		_ = h.stop() // it is gone already; the next event starts another
	}
	return out
}

// HasScript says whether an event would have something to do now: DownloadBundle
// and Install always have, a hook has if the revision that its scripts come from
// names any. It is true as well if that cannot be told because the revision is
// broken; Run then says why.
func (h *Host) HasScript(event string, d Deployment) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return check(event, d) != nil || !h.agent().nothingToRun(event, d)
}

func (a *agent) nothingToRun(event string, d Deployment) bool {
	if event == downloadBundle || event == install {
		return false
	}
	hook, err := a.hook(event, d)
	return err == nil && hook == nil
}

// agent is the agent as it works from outside of the instance.
func (h *Host) agent() *agent {
	return &agent{tree: newTree(h.root), dir: path.Clean("/" + h.o.Dir), maxRevisions: h.o.MaxRevisions, env: h.o.Env}
}

// check refuses what cannot be the name of a folder: ids are part of paths.
func check(event string, d Deployment) error {
	if _, known := hookSources()[event]; !known && event != downloadBundle && event != install {
		return fail("CommandExecutor::InvalidCommandNameFailure", "Unsupported command type: %s.", event)
	}
	for _, id := range []string{d.ID, d.GroupID} {
		if id == "" || id == "." || id == ".." || strings.ContainsAny(id, "/\x00") {
			return fail(runtimeError, "the deployment specification has no usable id: %q", id)
		}
	}
	return nil
}
