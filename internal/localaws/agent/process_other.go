//go:build !unix

package agent

import (
	"io/fs"
	"os/exec"
)

type credential struct{ env []string }

func (credential) apply(*exec.Cmd) {}

func (p *process) credential() (credential, error) {
	if p.runAs != "" || p.sudo {
		return credential{}, errNotRoot(p.runAs)
	}
	return credential{}, nil
}

func signalGroup(cmd *exec.Cmd, _ bool) { _ = cmd.Process.Kill() }

func copyOwner(string, fs.FileInfo) error { return nil }
