package agent

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/pullback-dev/pullback/internal/localaws/agent/appspec"
)

// stampLayout is how the lines of a script log begin.
const stampLayout = "2006-01-02 15:04:05"

// hook is the scripts of one lifecycle event and where they are.
type hook struct {
	agent      *agent
	event      string
	deployment Deployment
	archive    string
	scripts    []appspec.Script
}

// run runs the scripts one after the other until one fails.
func (h *hook) run(ctx context.Context, stamp string) error {
	if h.agent.hooks != nil {
		return fmt.Errorf("%s has scripts, and they are not run: %w", h.event, h.agent.hooks)
	}
	log, err := h.openLog(stamp)
	if err != nil {
		return err
	}
	log.add("LifecycleEvent - " + h.event + "\n")
	for _, s := range h.scripts {
		if err = h.runScript(ctx, s, log); err != nil {
			break
		}
	}
	if f, ok := errors.AsType[*failure](err); ok && f.class == scriptError {
		f.log = log.tail()
	}
	return errors.Join(err, log.close())
}

func (h *hook) fail(s appspec.Script, code int, format string, a ...any) error {
	return &failure{class: scriptError, code: code, script: s.Location, message: fmt.Sprintf(format, a...)}
}

func (h *hook) runScript(ctx context.Context, s appspec.Script, log *scriptLog) error {
	name := join(h.archive, s.Location)
	at, err := h.agent.tree.real(name)
	if err != nil {
		return err
	}
	info, err := os.Stat(at)
	if err != nil {
		return h.fail(s, codeMissing, "Script does not exist at specified location: %s", clean(name))
	}
	if info.Mode()&0o111 == 0 {
		if err := os.Chmod(at, info.Mode().Perm()|0o111); err != nil {
			return h.fail(s, codeNotExecutable, "Unable to set script at specified location: %s as executable", s.Location)
		}
	}
	log.add("Script - " + s.Location + "\n")
	end, err := h.process(s, at).run(ctx, log)
	prefix := "Script at specified location: " + s.Location
	as := prefix
	if s.RunAs != "" {
		as += " run as user " + s.RunAs
	}
	switch {
	case err != nil:
		d := diagnose(err)
		return h.fail(s, codeFailed, "%s failed with error %s with message %s", as, d.Class, d.Message)
	case end.cancelled != nil:
		return h.fail(s, codeUnknown, "%s was stopped: %v", as, end.cancelled)
	case end.timedOut:
		return h.fail(s, codeTimedOut, "%s failed to complete in %d seconds", prefix, s.Timeout)
	case end.open != "":
		return h.fail(s, codeOutputOpen, "%s failed to close %s", prefix, end.open)
	case end.exit != "0":
		return h.fail(s, codeFailed, "%s failed with exit code %s", as, end.exit)
	}
	return nil
}

// process is how a script is started.
func (h *hook) process(s appspec.Script, at string) *process {
	d := h.deployment
	env := []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LANG=C.UTF-8"}
	dir := "/"
	if h.agent.unconfined {
		env = append(env, "PULLBACK_INSTANCE_ROOT="+h.agent.tree.root)
		dir = path.Dir(at)
		if a, err := h.agent.tree.real(h.archive); err == nil {
			dir = a
		}
	}
	env = append(env, h.agent.env...)
	env = append(env,
		"LIFECYCLE_EVENT="+h.event, "DEPLOYMENT_ID="+d.ID, "APPLICATION_NAME="+d.ApplicationName,
		"DEPLOYMENT_GROUP_NAME="+d.GroupName, "DEPLOYMENT_GROUP_ID="+d.GroupID)
	for _, v := range [][2]string{
		{"BUNDLE_BUCKET", d.Bundle.Bucket},
		{"BUNDLE_KEY", d.Bundle.Key},
		{"BUNDLE_VERSION", d.Bundle.Version},
		{"BUNDLE_ETAG", d.Bundle.ETag},
		{"BUNDLE_COMMIT", d.Bundle.Commit},
	} {
		if v[1] != "" {
			env = append(env, v[0]+"="+v[1])
		}
	}
	return &process{path: at, runAs: s.RunAs, sudo: s.Sudo, timeout: s.Timeout, env: env, dir: dir}
}

// maxTail is the room that the end of a log has in diagnostics.
const maxTail = 2048

// scriptLog takes what the scripts of a deployment write.
type scriptLog struct {
	mu    sync.Mutex
	file  *os.File
	stamp string
	last  []string
	err   error
}

// openLog opens the log of the deployment that runs, even if the scripts come
// from another one.
func (h *hook) openLog(stamp string) (*scriptLog, error) {
	t := h.agent.tree
	dir := join(h.agent.deploymentDir(h.deployment), "logs")
	if err := t.mkdirAll(dir); err != nil {
		return nil, err
	}
	at, err := t.real(join(dir, "scripts.log"))
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(at, os.O_WRONLY|os.O_CREATE|os.O_APPEND, fileMode) //nolint:gosec // as the agent leaves its files
	if err != nil {
		return nil, t.inside(err)
	}
	return &scriptLog{file: f, stamp: stamp}, nil
}

// add writes one entry. Entries that no longer fit into the tail are dropped
// from it, the oldest first, and never cut.
func (l *scriptLog) add(entry string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, err := l.file.WriteString(l.stamp + " " + entry); err != nil && l.err == nil {
		l.err = err
	}
	l.last = append(l.last, entry)
	room, first := maxTail, len(l.last)
	for first > 0 && room-utf8.RuneCountInString(l.last[first-1]) > 0 {
		first--
		room -= utf8.RuneCountInString(l.last[first])
	}
	l.last = l.last[first:]
}

func (l *scriptLog) tail() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.ToValidUTF8(strings.Join(l.last, ""), "\uFFFD")
}

func (l *scriptLog) close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return errors.Join(l.err, l.file.Close())
}
