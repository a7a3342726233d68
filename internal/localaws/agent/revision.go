package agent

import (
	"cmp"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/pullback-dev/pullback/internal/localaws/agent/appspec"
)

// agent is the CodeDeploy agent of an instance. What it knows from one
// deployment to the next is in its files.
type agent struct {
	tree         tree
	dir          string // where it keeps its files
	maxRevisions int
	env          []string
	unconfined   bool
	hooks        error // why scripts are not run; nil if they are
}

// The folders and files of the agent, as paths on the instance.
func (a *agent) instructions() string { return join(a.dir, "deployment-instructions") }

func (a *agent) ofGroup(group, suffix string) string { return join(a.instructions(), group+suffix) }

func (a *agent) deploymentDir(d Deployment) string { return join(a.dir, d.GroupID, d.ID) }

func archive(deploymentDir string) string { return join(deploymentDir, "deployment-archive") }

const (
	cleanupSuffix    = "-cleanup"
	installSuffix    = "-install.json"
	lastSuccessful   = "_last_successful_install"
	mostRecentSuffix = "_most_recent_install"
)

// named is the deployment folder that one of the two files names.
func (a *agent) named(d Deployment, suffix string) string {
	b, err := a.tree.read(a.ofGroup(d.GroupID, suffix))
	if err != nil {
		return ""
	}
	return strings.TrimRight(string(b), "\r\n")
}

// source is the revision that the scripts of a hook come from.
type source int

const (
	fromNew source = iota
	fromLastSuccessful
	fromMostRecent
)

// hookSources says for every hook which revision its scripts come from.
func hookSources() map[string]source {
	return map[string]source{
		"BeforeBlockTraffic": fromLastSuccessful, "AfterBlockTraffic": fromLastSuccessful, "ApplicationStop": fromLastSuccessful,
		"BeforeInstall": fromNew, "AfterInstall": fromNew, "ApplicationStart": fromNew, "ValidateService": fromNew,
		"BeforeAllowTraffic": fromNew, "AfterAllowTraffic": fromNew,
	}
}

// sourceOf is the same for one deployment. When a blue/green deployment is
// rolled back, nothing is installed: traffic goes back to instances that have
// the last successful revision, and away from those with the most recent one.
func sourceOf(event string, d Deployment) source {
	if d.Creator == "codeDeployRollback" && d.DeploymentType == "BLUE_GREEN" {
		switch event {
		case "BeforeBlockTraffic", "AfterBlockTraffic":
			return fromMostRecent
		case "BeforeAllowTraffic", "AfterAllowTraffic":
			return fromLastSuccessful
		}
	}
	return hookSources()[event]
}

// scriptsDir is the deployment folder that the scripts of a hook come from,
// empty if there is none. Once the deployment's own bundle is there, every
// script comes from it.
func (a *agent) scriptsDir(event string, d Deployment) string {
	own := a.deploymentDir(d)
	from := sourceOf(event, d)
	switch {
	case from == fromNew || a.tree.exists(archive(own)):
		return own
	case from == fromLastSuccessful:
		return a.named(d, lastSuccessful)
	default:
		return a.named(d, mostRecentSuffix)
	}
}

// hook is what there is to run for an event; nil if there is nothing.
func (a *agent) hook(event string, d Deployment) (*hook, error) {
	from := a.scriptsDir(event, d)
	if from == "" {
		return nil, nil //nolint:nilnil // nothing to run is no error
	}
	name := d.AppSpecFilename
	if name == "" {
		name = "appspec.yml"
	}
	file := join(archive(from), name)
	text, err := a.tree.read(file)
	if err != nil {
		return nil, fail(runtimeError, "The CodeDeploy agent did not find an AppSpec file within the unpacked revision directory at revision-relative path %q. "+
			"The revision was unpacked to directory %q, and the AppSpec file was expected but not found at path %q. "+
			"Consult the AWS CodeDeploy Appspec documentation for more information at "+
			"http://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file.html", name, archive(from), file)
	}
	spec, err := appspec.Parse(text)
	if err != nil {
		return nil, err
	}
	scripts := spec.Scripts(event)
	if len(scripts) == 0 {
		return nil, nil //nolint:nilnil // the same
	}
	return &hook{agent: a, event: event, deployment: d, archive: archive(from), scripts: scripts}, nil
}

// prune deletes the oldest deployments of the group until there is room for
// one more. The last successful one stays, even if it is the oldest.
func (a *agent) prune(d Deployment) error {
	group := join(a.dir, d.GroupID)
	names, err := a.tree.names(group)
	if err != nil {
		return err
	}
	names = slices.DeleteFunc(names, func(n string) bool { return n == d.ID })
	extra := len(names) - a.maxRevisions + 1
	if extra <= 0 {
		return nil
	}
	keep := path.Base(a.named(d, lastSuccessful))
	names = slices.DeleteFunc(names, func(n string) bool { return n == keep })
	slices.SortStableFunc(names, func(x, y string) int {
		return cmp.Or(a.modified(join(group, x)).Compare(a.modified(join(group, y))), cmp.Compare(x, y))
	})
	for _, n := range names[:min(extra, len(names))] {
		if err := a.tree.removeAll(join(group, n)); err != nil {
			return err
		}
	}
	return nil
}

func (a *agent) modified(p string) time.Time {
	info, err := a.tree.stat(p)
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}

// makeNewest gives the deployment's folder a later time than the others of its
// group have. The clock of file systems ticks too slowly to tell two
// deployments apart that follow each other at once.
func (a *agent) makeNewest(d Deployment) error {
	group := join(a.dir, d.GroupID)
	names, err := a.tree.names(group)
	if err != nil {
		return err
	}
	own := a.modified(a.deploymentDir(d))
	latest := own
	for _, n := range names {
		if m := a.modified(join(group, n)); n != d.ID && !m.Before(latest) {
			latest = m.Add(1)
		}
	}
	if latest.Equal(own) {
		return nil
	}
	at, err := a.tree.real(a.deploymentDir(d))
	if err != nil {
		return err
	}
	return a.tree.inside(os.Chtimes(at, latest, latest))
}
