//go:build unix

package agent

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"syscall"
)

// credential is who a script runs as.
type credential struct {
	id  *syscall.Credential // nil: as this process
	env []string
}

func (c credential) apply(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: c.id}
}

// credential looks up the user of runas on the instance.
func (p *process) credential() (credential, error) {
	if p.sudo && os.Geteuid() != 0 {
		return credential{}, errNotRoot("sudo")
	}
	if p.runAs == "" {
		return credential{}, nil
	}
	u, err := user.Lookup(p.runAs)
	if err != nil {
		return credential{}, fmt.Errorf("su: user %s does not exist", p.runAs)
	}
	c := credential{env: []string{"HOME=" + u.HomeDir, "USER=" + u.Username, "LOGNAME=" + u.Username}}
	ids, err := u.GroupIds()
	uid, uidErr := strconv.ParseUint(u.Uid, 10, 32)
	gid, gidErr := strconv.ParseUint(u.Gid, 10, 32)
	if err := errors.Join(err, uidErr, gidErr); err != nil {
		return credential{}, err
	}
	if int(uid) == os.Geteuid() {
		return c, nil
	}
	if os.Geteuid() != 0 {
		return credential{}, errNotRoot(p.runAs)
	}
	c.id = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	for _, id := range ids {
		n, err := strconv.ParseUint(id, 10, 32)
		if err != nil {
			return credential{}, err
		}
		c.id.Groups = append(c.id.Groups, uint32(n))
	}
	return c, nil
}

// signalGroup ends a process and all that it started.
func signalGroup(cmd *exec.Cmd, kill bool) {
	signal := syscall.SIGTERM
	if kill {
		signal = syscall.SIGKILL
	}
	_ = syscall.Kill(-cmd.Process.Pid, signal) // it may be gone
}
