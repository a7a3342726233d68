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
	"slices"
	"strings"
	"time"
)

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
