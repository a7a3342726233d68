package agent

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"
)

// maxLinks is how many symbolic links a path may lead through, as on Linux.
const maxLinks = 40

// tree is a file system in a folder. Paths are those of the instance: /var/www
// is root/var/www. Links are followed within the folder, so that no link of a
// bundle or a script leads out of it.
type tree struct{ root string }

func newTree(root string) tree {
	if abs, err := filepath.Abs(root); err == nil {
		root = abs
	}
	return tree{root}
}

// clean makes a path one of the instance. The agent's working folder is /.
func clean(p string) string { return path.Clean("/" + p) }

// join puts paths together as Ruby's File.join does: without cleaning them.
func join(a string, more ...string) string {
	for _, b := range more {
		a = strings.TrimRight(a, "/") + "/" + strings.TrimLeft(b, "/")
	}
	return a
}

// real is where a path is on this machine, all links followed.
func (t tree) real(p string) (string, error) { return t.resolve(p, true) }

// entry is where a path is on this machine if its last part is not followed.
func (t tree) entry(p string) (string, error) { return t.resolve(p, false) }

func (t tree) resolve(p string, last bool) (string, error) {
	p = clean(p)
	if t.root == "/" {
		return p, nil // the system follows links itself
	}
	at, rest, links := "/", strings.Split(p[1:], "/"), 0
	for len(rest) > 0 {
		part := rest[0]
		rest = rest[1:]
		next := path.Join(at, part) // at is / at the top, and stays there with ..
		link, err := os.Readlink(t.root + next)
		if err != nil || len(rest) == 0 && !last {
			at = next
			continue
		}
		if links++; links > maxLinks {
			return "", &fs.PathError{Op: "resolve", Path: p, Err: syscall.ELOOP}
		}
		if strings.HasPrefix(link, "/") {
			at = "/"
		}
		rest = append(strings.Split(strings.Trim(link, "/"), "/"), rest...)
	}
	return filepath.Join(t.root, at), nil
}

// inside makes errors speak of the instance's paths.
func (t tree) inside(err error) error {
	strip := func(p *string) {
		if rest, ok := strings.CutPrefix(*p, t.root); ok && t.root != "/" {
			*p = clean(rest)
		}
	}
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		strip(&e.Path)
	}
	if e, ok := errors.AsType[*os.LinkError](err); ok {
		strip(&e.Old)
		strip(&e.New)
	}
	return err
}

// exists says whether something is at a path, links followed.
func (t tree) exists(p string) bool {
	_, err := t.stat(p)
	return err == nil
}

func (t tree) isDir(p string) bool {
	info, err := t.stat(p)
	return err == nil && info.IsDir()
}

func (t tree) stat(p string) (fs.FileInfo, error) {
	at, err := t.real(p)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(at)
	return info, t.inside(err)
}

// names are the entries of a folder in order. The real agent takes them as the
// file system has them; one order is as good as another, and this one repeats.
func (t tree) names(p string) ([]string, error) {
	at, err := t.real(p)
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(at)
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return names, t.inside(err)
}

// mkdirAll makes a folder and those above it.
func (t tree) mkdirAll(p string) error {
	at, err := t.real(p)
	if err == nil {
		err = os.MkdirAll(at, dirMode)
	}
	return t.inside(err)
}

func (t tree) read(p string) ([]byte, error) {
	at, err := t.real(p)
	if err != nil {
		return nil, err
	}
	b, err := os.ReadFile(at) //nolint:gosec // a path within the instance
	return b, t.inside(err)
}

func (t tree) write(p string, b []byte) error {
	at, err := t.real(p)
	if err == nil {
		err = os.WriteFile(at, b, fileMode)
	}
	return t.inside(err)
}

func (t tree) removeAll(p string) error {
	at, err := t.entry(p)
	if err == nil {
		err = os.RemoveAll(at)
	}
	return t.inside(err)
}

// What the agent's umask of 0022 leaves.
const (
	dirMode  = 0o755
	fileMode = 0o644
)
