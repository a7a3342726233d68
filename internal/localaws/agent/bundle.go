package agent

import (
	"bytes"
	"errors"
	"os"
	"regexp"
	"slices"
)

// maxUnpacked is how much a bundle may hold. The agent has no limit but its
// disk; this one keeps a broken archive from filling the developer's.
const maxUnpacked = 4 << 30

// errEscapes is a member that would be put outside of the archive's folder.
var errEscapes = errors.New("a member of the archive leads out of it")

// download puts the bundle of a deployment on the instance and unpacks it.
func (a *agent) download(d Deployment) error {
	if err := a.prune(d); err != nil {
		return err
	}
	dir := a.deploymentDir(d)
	if err := a.tree.write(join(dir, "bundle.tar"), d.Bundle.Bytes); err != nil { // whatever its type
		return err
	}
	if err := a.tree.removeAll(archive(dir)); err != nil {
		return err
	}
	if err := a.unpack(d.Bundle, archive(dir)); err != nil {
		return err
	}
	if err := a.stripLeading(dir); err != nil {
		return err
	}
	if err := a.tree.mkdirAll(a.instructions()); err != nil {
		return err
	}
	if err := a.makeNewest(d); err != nil {
		return err
	}
	return a.tree.write(a.ofGroup(d.GroupID, mostRecentSuffix), []byte(dir))
}

// unpack writes what is in a bundle below a folder. The folder is an os.Root:
// no name and no link in a bundle reaches out of it.
func (a *agent) unpack(b Bundle, dir string) error {
	if err := a.tree.mkdirAll(dir); err != nil {
		return err
	}
	at, err := a.tree.real(dir)
	if err != nil {
		return err
	}
	root, err := os.OpenRoot(at)
	if err != nil {
		return a.tree.inside(err)
	}
	u := &unpacker{root: root, left: maxUnpacked, dirs: map[string]entryMeta{}}
	switch b.Type {
	case "zip":
		err = u.zip(b.Bytes)
	case "tgz":
		err = u.tgz(b.Bytes)
	default: // the agent takes everything else for tar
		err = u.tar(bytes.NewReader(b.Bytes))
	}
	if err == nil {
		err = u.finishDirs()
	}
	if err = errors.Join(err, root.Close()); err != nil {
		what := "tar"
		if b.Type == "zip" {
			what = "zip"
		}
		return fail(runtimeError, "Error extracting %s archive: %v", what, err)
	}
	return nil
}

// stripLeading removes the one folder around everything, if there is one and
// an AppSpec file is in it.
func (a *agent) stripLeading(dir string) error {
	top, err := a.tree.names(archive(dir))
	if err != nil || len(top) != 1 {
		return err
	}
	nested := join(archive(dir), top[0])
	if !a.tree.isDir(nested) {
		return nil
	}
	inner, err := a.tree.names(nested)
	appspecs := regexp.MustCompile(`(?i)appspec`)
	if err != nil || !slices.ContainsFunc(inner, appspecs.MatchString) {
		return err
	}
	temporary := join(dir, "deployment-archive-temp")
	if err := a.tree.removeAll(temporary); err != nil {
		return err
	}
	if err := a.tree.rename(archive(dir), temporary); err != nil {
		return err
	}
	if err := a.tree.rename(join(temporary, top[0]), archive(dir)); err != nil {
		return err
	}
	return a.tree.removeAll(temporary)
}

func (t tree) rename(from, to string) error {
	source, err := t.entry(from)
	if err != nil {
		return err
	}
	target, err := t.entry(to)
	if err != nil {
		return err
	}
	return t.inside(os.Rename(source, target))
}
