//go:build unix && !linux

package sandbox

import "syscall"

// processAttributes puts the process into a group of its own.
func processAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// peak would be how much memory a process has used at most; it is not known.
func peak(int) int { return 0 }
