package sandbox

import (
	"bytes"
	"fmt"
	"os"
	"syscall"
)

// processAttributes puts the process into a group of its own and lets the
// kernel kill it when we die without having closed.
func processAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// peak is how much memory a process has used at most, in bytes; 0 if it has gone
// (proc_pid_status(5), VmHWM).
func peak(pid int) int {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := bytes.Cut(status, []byte("VmHWM:"))
	kb := 0
	_, _ = fmt.Sscan(string(rest), &kb) // 0 if there is none
	return kb << 10
}
