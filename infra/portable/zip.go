package portable

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"time"
)

// epoch is the time of all files in a zip: the first that its format knows.
var epoch = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC) //nolint:gochecknoglobals // a constant that Go cannot write as one

// Zip packs a folder's files, so that the same files make the same bytes wherever and
// whenever. All may be run: a zip that was made on Windows knows no modes, and Lambda
// wants to run bootstrap.
func Zip(folder fs.FS) ([]byte, error) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	err := fs.WalkDir(folder, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(folder, path)
		if err != nil {
			return fmt.Errorf("read %s: %w", path, err)
		}
		h := &zip.FileHeader{Name: path, Method: zip.Deflate, Modified: epoch}
		h.SetMode(0o755)
		in, err := w.CreateHeader(h)
		if err != nil {
			return fmt.Errorf("add %s: %w", path, err)
		}
		_, err = in.Write(text)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("pack the code: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("end the zip: %w", err)
	}
	return b.Bytes(), nil
}

// ZipName is the name of a function's zip: another one for other code, so that an update
// of the stack sees it.
func ZipName(function string, code []byte) string {
	return function + "-" + Sum(code) + ".zip"
}

// Sum is the SHA-256 of a file.
func Sum(file []byte) string {
	sum := sha256.Sum256(file)
	return hex.EncodeToString(sum[:])
}
