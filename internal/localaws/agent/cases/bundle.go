package cases

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
)

// bundle makes the tar file of a revision.
func bundle(r Revision, paths *strings.Replacer) ([]byte, error) {
	files := r.Files
	if r.AppSpec != nil {
		files = append([]File{{Path: "appspec.yml", Content: r.AppSpec, Mode: "0644"}}, files...)
	}
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range files {
		if err := add(w, r.Leading, f, paths); err != nil {
			return nil, fmt.Errorf("bundle %s: %w", f.Path, err)
		}
	}
	return b.Bytes(), w.Close()
}

func add(w *tar.Writer, leading string, f File, paths *strings.Replacer) error {
	h := &tar.Header{Name: leading + f.Path, ModTime: bundled(), Mode: 0o755}
	if f.Mode != "" {
		mode, err := octal(f.Mode)
		if err != nil {
			return err
		}
		h.Mode = int64(mode)
	}
	var content string
	switch f.Type {
	case "", "file":
		h.Typeflag = tar.TypeReg
		if f.Content != nil {
			content = paths.Replace(*f.Content)
		}
		h.Size = int64(len(content))
	case "dir":
		h.Typeflag, h.Name = tar.TypeDir, h.Name+"/"
	case "symlink":
		h.Typeflag, h.Linkname = tar.TypeSymlink, paths.Replace(f.Link)
	default:
		return errors.New("it is no file, symlink or dir")
	}
	if err := w.WriteHeader(h); err != nil {
		return err
	}
	_, err := w.Write([]byte(content))
	return err
}

func octal(mode string) (fs.FileMode, error) {
	m, err := strconv.ParseUint(mode, 8, 12)
	return fs.FileMode(m), err
}
