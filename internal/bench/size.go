package bench

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

// sizes returns how large a program is, as it is and packed for Lambda.
func sizes(path string) (plain, packed int64, err error) {
	f, err := os.Open(path) //nolint:gosec // a path that the caller chose
	if err != nil {
		return 0, 0, fmt.Errorf("open: %w", err)
	}
	defer func() { _ = f.Close() }() // it was only read
	var out count
	z := zip.NewWriter(&out)
	w, err := z.Create("bootstrap")
	if err != nil {
		return 0, 0, fmt.Errorf("zip: %w", err)
	}
	if plain, err = io.Copy(w, f); err != nil {
		return 0, 0, fmt.Errorf("zip: %w", err)
	}
	if err := z.Close(); err != nil {
		return 0, 0, fmt.Errorf("zip: %w", err)
	}
	return plain, int64(out), nil
}

// count counts what is written to it.
type count int64

// Write implements io.Writer.
func (c *count) Write(p []byte) (int, error) {
	*c += count(len(p))
	return len(p), nil
}

// resident returns how many bytes of memory a process occupies, or 0 on
// systems without /proc. The kernel counts in units of 1024 bytes and calls
// them kB (proc_pid_status(5), VmRSS).
func resident(pid int) int64 {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return 0
	}
	for line := range bytes.Lines(text) {
		if size, ok := strings.CutPrefix(string(line), "VmRSS:"); ok {
			n, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(size), "kB")), 10, 64)
			if err != nil {
				return 0
			}
			return n * 1024
		}
	}
	return 0
}
