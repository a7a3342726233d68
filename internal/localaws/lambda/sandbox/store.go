package sandbox

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
)

// maxUnzipped is the largest deployment package, unpacked (Lambda developer
// guide, "Lambda quotas": 250 MB).
const maxUnzipped = 262144000

// ErrTooLarge says that a deployment package is above the limit.
var ErrTooLarge = fmt.Errorf("unzipped size must be smaller than %d bytes", maxUnzipped)

// Store unpacks deployment packages, each once. Several local AWS in one
// process may share one.
type Store struct {
	mu   sync.Mutex
	root string
	dirs map[string]string
}

// NewStore returns an empty store. It creates nothing before it is needed.
func NewStore() *Store { return &Store{dirs: map[string]string{}} }

// Unpack returns the directory with the contents of a package. The key
// identifies the contents.
func (s *Store) Unpack(key string, contents []byte) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if dir, ok := s.dirs[key]; ok {
		return dir, nil
	}
	if s.root == "" {
		root, err := os.MkdirTemp("", "localaws-code-")
		if err != nil {
			return "", err
		}
		s.root = root
	}
	dir, err := os.MkdirTemp(s.root, "task-")
	if err != nil {
		return "", err
	}
	if err := unpack(dir, contents); err != nil {
		return "", errors.Join(err, os.RemoveAll(dir))
	}
	s.dirs[key] = dir
	return dir, nil
}

// Close removes everything that was unpacked. The store can be used again.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.root == "" {
		return nil
	}
	err := os.RemoveAll(s.root)
	s.root, s.dirs = "", map[string]string{}
	return err
}

// Check says what is wrong with a deployment package, without unpacking it.
func Check(contents []byte) error {
	_, err := files(contents)
	return err
}

// files lists the files of a package that are safe to unpack.
func files(contents []byte) ([]*zip.File, error) {
	r, err := zip.NewReader(bytes.NewReader(contents), int64(len(contents)))
	if err != nil {
		return nil, err
	}
	var size uint64
	for _, f := range r.File {
		size += f.UncompressedSize64
		if size > maxUnzipped {
			return nil, ErrTooLarge
		}
		if !filepath.IsLocal(f.Name) || strings.Contains(f.Name, `\`) {
			return nil, fmt.Errorf("file name %q leads out of the package", f.Name)
		}
		if m := f.Mode(); !m.IsDir() && !m.IsRegular() {
			return nil, fmt.Errorf("%s is neither a file nor a directory", f.Name)
		}
	}
	return r.File, nil
}

// unpack writes the contents of a package into dir.
func unpack(dir string, contents []byte) (err error) {
	list, err := files(contents)
	if err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	for _, f := range list {
		if f.Mode().IsDir() {
			err = root.MkdirAll(filepath.Clean(f.Name), 0o750)
		} else if err = root.MkdirAll(filepath.Dir(f.Name), 0o750); err == nil {
			err = unpackFile(root, f)
		}
		if err != nil {
			return fmt.Errorf("unpack %s: %w", f.Name, err)
		}
	}
	return nil
}

// unpackFile writes one file. While it is open for writing no process may be
// started: a child that inherits the descriptor, if only until it executes
// something else, makes executing the file fail with "text file busy".
func unpackFile(root *os.Root, f *zip.File) (err error) {
	in, err := f.Open()
	if err != nil {
		return err
	}
	defer in.Close() //nolint:errcheck // read to the end or failed already
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	out, err := root.OpenFile(f.Name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, f.Mode().Perm()|0o444)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	_, err = io.Copy(out, io.LimitReader(in, maxUnzipped))
	return err
}
