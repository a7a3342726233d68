//go:build unix

package agent

import (
	"io/fs"
	"os"
	"syscall"
)

// copyOwner gives a file the owner of the one it was copied from.
func copyOwner(to string, info fs.FileInfo) error {
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	return os.Chown(to, int(s.Uid), int(s.Gid))
}
