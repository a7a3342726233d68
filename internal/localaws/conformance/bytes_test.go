package conformance_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// blob is a value that is bytes.
type blob []byte

// MarshalJSON writes a blob so that the other client can tell it from a text.
func (b blob) MarshalJSON() ([]byte, error) {
	return []byte(`{"$bytes":"` + base64.StdEncoding.EncodeToString(b) + `"}`), nil
}

// asBytes replaces a map that stands for bytes.
func asBytes(ctx context.Context, m map[string]any) (any, error) {
	if len(m) != 1 {
		return m, nil
	}
	if files, ok := m["$zip"].(map[string]any); ok {
		texts := map[string]string{}
		for name, text := range files {
			texts[name] = fmt.Sprint(text)
		}
		return zipped(texts)
	}
	if r, ok := m["$repeat"].(map[string]any); ok { // as a part of an upload must be large
		times, err := strconv.Atoi(fmt.Sprint(r["times"]))
		return blob(strings.Repeat(fmt.Sprint(r["text"]), max(times, 0))), err
	}
	if folder, ok := m["$function"].(string); ok {
		return compiled(ctx, folder)
	}
	return m, nil
}

// zipped makes the same bytes of the same files.
func zipped(files map[string]string) (blob, error) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		h := &zip.FileHeader{Name: name, Method: zip.Deflate, Modified: time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)}
		h.SetMode(0o755)
		w, err := z.CreateHeader(h)
		if err != nil {
			return nil, fmt.Errorf("zip %s: %w", name, err)
		}
		if _, err := io.WriteString(w, files[name]); err != nil {
			return nil, fmt.Errorf("zip %s: %w", name, err)
		}
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("zip: %w", err)
	}
	return b.Bytes(), nil
}

// built are the functions that were compiled, by their folder.
var built sync.Map

// compiled builds a function of testdata as Lambda wants it, once.
func compiled(ctx context.Context, folder string) (blob, error) {
	build, _ := built.LoadOrStore(folder, sync.OnceValues(func() (blob, error) { return compile(context.WithoutCancel(ctx), folder) }))
	return build.(func() (blob, error))() //nolint:forcetypeassert // nothing else is stored
}

func compile(ctx context.Context, folder string) (blob, error) {
	dir, err := os.MkdirTemp("", "function")
	if err != nil {
		return nil, fmt.Errorf("build function: %w", err)
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary folder
	out := filepath.Join(dir, "bootstrap")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", out, "./"+filepath.Join("testdata", folder))
	cmd.Env = append(cmd.Environ(), "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build function %s: %w: %s", folder, err, text)
	}
	program, err := os.ReadFile(out)
	if err != nil {
		return nil, fmt.Errorf("build function: %w", err)
	}
	return zipped(map[string]string{"bootstrap": string(program)})
}
