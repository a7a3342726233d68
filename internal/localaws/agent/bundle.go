package agent

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"
)

// maxUnpacked is how much a bundle may hold. The agent has no limit but its
// disk; this one keeps a broken archive from filling the developer's.
const maxUnpacked = 4 << 30

// errEscapes is a member that would be put outside of the archive's folder.
var errEscapes = errors.New("a member of the archive leads out of it") //nolint:gochecknoglobals // a sentinel

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

type entryMeta struct {
	mode     fs.FileMode
	modified time.Time
}

// unpacker writes the members of an archive with their modes and times.
type unpacker struct {
	root *os.Root
	left int64
	dirs map[string]entryMeta // set at the end, when nothing is written into them any more
}

func (u *unpacker) tgz(b []byte) error {
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return err
	}
	return errors.Join(u.tar(z), z.Close())
}

func (u *unpacker) tar(r io.Reader) error {
	for t := tar.NewReader(r); ; {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil && !errors.Is(err, tar.ErrInsecurePath) {
			return err
		}
		name, err := member(h.Name)
		if err != nil {
			return err
		}
		if name == "." {
			continue
		}
		if err := u.tarMember(h, name, t); err != nil {
			return fmt.Errorf("%s: %w", h.Name, err)
		}
	}
}

func (u *unpacker) tarMember(h *tar.Header, name string, content io.Reader) error {
	meta := entryMeta{h.FileInfo().Mode(), h.ModTime}
	switch h.Typeflag {
	case tar.TypeDir:
		return u.dir(name, meta)
	case tar.TypeReg:
		return u.file(name, meta, content)
	case tar.TypeSymlink:
		return u.symlink(name, h.Linkname)
	case tar.TypeLink:
		target, err := member(h.Linkname)
		if err != nil {
			return err
		}
		if err := u.makeRoom(name); err != nil {
			return err
		}
		return u.root.Link(target, name)
	case tar.TypeXGlobalHeader:
		return nil // git archive writes one; tar ignores it
	default:
		return fmt.Errorf("members of type %q are not supported", h.Typeflag)
	}
}

func (u *unpacker) zip(b []byte) error {
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return err
	}
	for _, f := range z.File {
		name, err := member(f.Name)
		if err != nil {
			return err
		}
		if err := u.zipMember(f, name); err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
	}
	return nil
}

func (u *unpacker) zipMember(f *zip.File, name string) error {
	meta := entryMeta{f.Mode(), f.Modified}
	if f.FileInfo().IsDir() {
		return u.dir(name, meta)
	}
	content, err := f.Open()
	if err != nil {
		return err
	}
	if meta.mode&fs.ModeSymlink != 0 {
		var link []byte
		if link, err = io.ReadAll(io.LimitReader(content, 1<<12)); err == nil {
			err = u.symlink(name, string(link))
		}
	} else {
		err = u.file(name, meta, content)
	}
	return errors.Join(err, content.Close())
}

// member is the name of a member below the archive's folder. A leading slash
// is dropped, as tar and unzip do.
func member(name string) (string, error) {
	name = strings.TrimLeft(name, "/")
	if slices.Contains(strings.Split(name, "/"), "..") {
		return "", fmt.Errorf("%s: %w", name, errEscapes)
	}
	return path.Clean(name), nil
}

func (u *unpacker) dir(name string, meta entryMeta) error {
	u.dirs[name] = meta
	return u.root.MkdirAll(name, dirMode)
}

// makeRoom makes the folder that a member goes into, and removes what an
// earlier member of the same name left.
func (u *unpacker) makeRoom(name string) error {
	if err := u.root.MkdirAll(path.Dir(name), dirMode); err != nil {
		return err
	}
	if err := u.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func (u *unpacker) symlink(name, target string) error {
	if err := u.makeRoom(name); err != nil {
		return err
	}
	return u.root.Symlink(target, name)
}

func (u *unpacker) file(name string, meta entryMeta, content io.Reader) error {
	if err := u.makeRoom(name); err != nil {
		return err
	}
	f, err := u.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	n, err := io.Copy(f, io.LimitReader(content, u.left+1))
	if u.left -= n; u.left < 0 {
		err = errors.Join(err, fmt.Errorf("the bundle unpacks to more than %d bytes", int64(maxUnpacked)))
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	return u.finish(name, meta)
}

func (u *unpacker) finish(name string, meta entryMeta) error {
	if err := u.root.Chmod(name, meta.mode&(fs.ModePerm|fs.ModeSetuid|fs.ModeSetgid|fs.ModeSticky)); err != nil {
		return err
	}
	if meta.modified.IsZero() {
		return nil
	}
	return u.root.Chtimes(name, meta.modified, meta.modified)
}

// finishDirs sets modes and times of folders, the deepest first.
func (u *unpacker) finishDirs() error {
	names := make([]string, 0, len(u.dirs))
	for n := range u.dirs {
		names = append(names, n)
	}
	slices.SortFunc(names, func(a, b string) int { return strings.Compare(b, a) })
	for _, n := range names {
		if err := u.finish(n, u.dirs[n]); err != nil {
			return err
		}
	}
	return nil
}
