package agent

import (
	"path"
	"slices"
	"strings"

	"github.com/pullback-dev/pullback/internal/localaws/agent/appspec"
)

const (
	downloadBundle = "DownloadBundle"
	install        = "Install"
)

// Events are the lifecycle events that reach an instance, in the order of an
// in-place deployment behind a load balancer. An AppSpec file may have hooks
// of no other name.
func Events() []string {
	return []string{
		"BeforeBlockTraffic", "AfterBlockTraffic", "ApplicationStop", downloadBundle, "BeforeInstall", install, "AfterInstall",
		"ApplicationStart", "ValidateService", "BeforeAllowTraffic", "AfterAllowTraffic",
	}
}

// install takes the files of the last revision away and puts those of the new
// one in their place. That the old ones are gone first is why a mistake that is
// found between the two leaves nothing.
func (a *agent) install(d Deployment) error {
	if err := a.tree.mkdirAll(a.instructions()); err != nil {
		return err
	}
	spec, err := a.installSpec(d)
	if err != nil {
		return err
	}
	if err := a.cleanUp(d.GroupID); err != nil {
		return err
	}
	behavior := strings.ToUpper(d.FileExistsBehavior)
	if behavior == "" {
		behavior = "DISALLOW"
	}
	if spec.FileExistsBehavior != "" {
		behavior = spec.FileExistsBehavior
	}
	p, err := a.plan(spec, archive(a.deploymentDir(d)), behavior)
	if err != nil {
		return err
	}
	written, err := p.json()
	if err != nil {
		return err
	}
	if err := a.tree.write(a.ofGroup(d.GroupID, installSuffix), written); err != nil {
		return err
	}
	if err := a.apply(d.GroupID, p); err != nil {
		return err
	}
	return a.tree.write(a.ofGroup(d.GroupID, lastSuccessful), []byte(a.deploymentDir(d)))
}

// installSpec reads the AppSpec file for Install, which looks for it under
// more names than the hooks do.
func (a *agent) installSpec(d Deployment) (*appspec.Spec, error) {
	dir := archive(a.deploymentDir(d))
	name := "appspec.yml"
	for _, n := range []string{d.AppSpecFilename, "appspec.yml", "appspec.yaml"} {
		if n != "" && a.tree.exists(join(dir, n)) {
			name = n
			break
		}
	}
	text, err := a.tree.read(join(dir, name))
	if err != nil {
		return nil, err
	}
	spec, err := appspec.Parse(text)
	if err != nil {
		return nil, err
	}
	var unknown []string
	for _, h := range spec.Hooks {
		if !slices.Contains(Events(), h.Event) {
			unknown = append(unknown, h.Event)
		}
	}
	if unknown != nil {
		return nil, fail(argumentError, "%s file contains unknown lifecycle events: %s", path.Base(name), appspec.Inspect(unknown))
	}
	return spec, nil
}

// plan works out the installation of a revision.
func (a *agent) plan(spec *appspec.Spec, archiveDir, behavior string) (*plan, error) {
	p := newPlan()
	for _, f := range spec.Files {
		source, destination := join(archiveDir, f.Source), f.Destination
		add := a.planDir
		if !a.tree.isDir(source) {
			add, destination = a.planFile, join(destination, path.Base(source))
		}
		if err := a.planAncestors(p, destination); err != nil {
			return nil, err
		}
		if err := add(p, source, destination, behavior); err != nil {
			return nil, err
		}
	}
	for i := range spec.Permissions {
		if err := a.planPermission(p, &spec.Permissions[i]); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// planAncestors makes the folders above a destination that are not there.
func (a *agent) planAncestors(p *plan, destination string) error {
	var missing []string
	for dir := path.Dir(destination); !a.tree.exists(dir) && dir != "." && dir != "/"; dir = path.Dir(dir) {
		missing = append(missing, dir)
	}
	for _, dir := range slices.Backward(missing) {
		if err := p.mkdir(dir); err != nil {
			return err
		}
	}
	return nil
}

func (a *agent) planDir(p *plan, source, destination, behavior string) error {
	if !a.tree.isDir(destination) {
		if err := p.mkdir(destination); err != nil {
			return err
		}
	}
	names, err := a.tree.names(source)
	if err != nil {
		return err
	}
	for _, n := range names {
		add := a.planFile
		if a.tree.isDir(join(source, n)) { // a link to a folder is followed
			add = a.planDir
		}
		if err := add(p, join(source, n), join(destination, n), behavior); err != nil {
			return err
		}
	}
	return nil
}

// planFile decides about one file. What is at its place was not put there by
// the agent, or it would have been cleaned up.
func (a *agent) planFile(p *plan, source, destination, behavior string) error {
	if !a.tree.exists(destination) {
		return p.copy(source, destination)
	}
	switch behavior {
	case "OVERWRITE":
		return p.copy(source, destination)
	case "RETAIN":
		return nil
	case "DISALLOW":
		return fail(runtimeError, "The deployment failed because a specified file already exists at this location: %s", destination)
	default:
		return fail(runtimeError, "The deployment failed because an invalid option was specified for fileExistsBehavior: %s. "+
			"Valid options include OVERWRITE, RETAIN, and DISALLOW.", behavior)
	}
}

// planPermission applies to what this installation copies or makes. An object
// that is none of it, and no folder either, is passed over.
func (a *agent) planPermission(p *plan, permission *appspec.Permission) error {
	object := clean(permission.Object)
	if _, copied := p.sources[object]; copied {
		if !permission.For("file") {
			return nil
		}
		if err := permission.CheckFile(); err != nil {
			return err
		}
		return p.permit(object, permission)
	}
	if !p.making[object] && !a.tree.isDir(object) {
		return nil
	}
	found, err := p.matches(permission)
	if err != nil {
		return err
	}
	for _, f := range found {
		if err := p.permit(f, permission); err != nil {
			return err
		}
	}
	return nil
}
