package sandbox

import "syscall"

// processAttributes puts the process into a group of its own and lets the
// kernel kill it when we die without having closed.
func processAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
