package agent

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// semanageMark begins the cleanup file's lines about SELinux contexts.
const semanageMark = "semanage\x00"

// cleanUp removes what the last installation of the group put here, the last
// thing first, and with it the list. Folders that hold something else stay.
// A last line that was not finished is not believed.
func (a *agent) cleanUp(group string) error {
	list := a.ofGroup(group, cleanupSuffix)
	text, err := a.tree.read(list)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	lines := strings.Split(string(text), "\n")
	for _, line := range slices.Backward(lines[:len(lines)-1]) {
		if object, ok := strings.CutPrefix(line, semanageMark); ok {
			_ = a.program("semanage", "fcontext", "-d", strings.TrimSpace(object)) // the agent does not look either
			continue
		}
		if err := a.remove(strings.TrimSpace(line)); err != nil {
			return err
		}
	}
	return a.tree.removeAll(list)
}

func (a *agent) remove(p string) error {
	at, err := a.tree.entry(p)
	if err != nil {
		return err
	}
	err = os.Remove(at)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.ENOTEMPTY) || errors.Is(err, syscall.EEXIST) {
		return nil
	}
	return a.tree.inside(err)
}

// apply carries a plan out and writes the cleanup file as it goes, so that it
// names what was done even if something fails.
func (a *agent) apply(group string, p *plan) error {
	at, err := a.tree.real(a.ofGroup(group, cleanupSuffix))
	if err != nil {
		return err
	}
	list, err := os.OpenFile(at, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, fileMode) //nolint:gosec // as the agent leaves its files
	if err != nil {
		return a.tree.inside(err)
	}
	for _, step := range p.steps {
		if err = a.step(step, list); err != nil {
			break
		}
	}
	return errors.Join(a.tree.inside(err), list.Close())
}

func (a *agent) step(s instruction, list io.Writer) error {
	switch s.Type {
	case "copy":
		if _, err := fmt.Fprintln(list, s.Destination); err != nil {
			return err
		}
		return a.copy(s.Source, s.Destination)
	case "mkdir":
		if err := a.makeDir(s.Directory); err != nil {
			return err
		}
		_, err := fmt.Fprintln(list, s.Directory)
		return err
	case "chmod":
		return a.chmod(s.File, s.Mode)
	case "chown":
		return a.chown(s.File, s.Owner, s.Group)
	case "setfacl":
		return a.setACL(s)
	default:
		return a.setContext(s, list)
	}
}

func (a *agent) makeDir(dir string) error {
	at, err := a.tree.entry(dir)
	if err != nil {
		return err
	}
	if err := os.Mkdir(at, dirMode); err != nil {
		return err
	}
	return os.Chmod(at, dirMode)
}

// copy copies a file with its mode, owner and times, and a link as a link. If
// a folder is at the destination, the copy goes into it, as cp does.
func (a *agent) copy(source, destination string) error {
	from, err := a.tree.entry(source)
	if err != nil {
		return err
	}
	info, err := os.Lstat(from)
	if err != nil {
		return err
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		link, err := os.Readlink(from)
		if err != nil {
			return err
		}
		if a.tree.isDir(destination) {
			destination = join(destination, path.Base(link))
		}
		to, err := a.tree.entry(destination)
		if err != nil {
			return err
		}
		return os.Symlink(link, to)
	}
	if a.tree.isDir(destination) {
		destination = join(destination, path.Base(source))
	}
	to, err := a.tree.real(destination)
	if err != nil {
		return err
	}
	return copyFile(from, to, info)
}

func copyFile(from, to string, info fs.FileInfo) error {
	in, err := os.Open(from) //nolint:gosec // within the instance
	if err != nil {
		return err
	}
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, info.Mode().Perm()) //nolint:gosec // within the instance
	if err != nil {
		return errors.Join(err, in.Close())
	}
	_, err = io.Copy(out, in)
	if err := errors.Join(err, out.Close(), in.Close()); err != nil {
		return err
	}
	mode := info.Mode() & (fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky)
	if err := copyOwner(to, info); err != nil {
		mode &^= fs.ModeSetuid | fs.ModeSetgid // a program must not become another user's
	}
	if err := os.Chmod(to, mode); err != nil {
		return err
	}
	return os.Chtimes(to, info.ModTime(), info.ModTime())
}

func (a *agent) chmod(object, mode string) error {
	bits, err := strconv.ParseUint(mode, 8, 12)
	if err != nil {
		return err
	}
	at, err := a.tree.real(object)
	if err != nil {
		return err
	}
	m := fs.FileMode(bits) & fs.ModePerm
	for bit, flag := range map[uint64]fs.FileMode{0o4000: fs.ModeSetuid, 0o2000: fs.ModeSetgid, 0o1000: fs.ModeSticky} {
		if bits&bit != 0 {
			m |= flag
		}
	}
	return os.Chmod(at, m)
}

// chown looks names up on the instance: numbers are no names to the agent.
func (a *agent) chown(object, owner, group string) error {
	uid, gid := -1, -1
	if owner != "" {
		u, err := user.Lookup(owner)
		if err != nil {
			return fail(argumentError, "can't find user for %s", owner)
		}
		if uid, err = strconv.Atoi(u.Uid); err != nil {
			return err
		}
	}
	if group != "" {
		g, err := user.LookupGroup(group)
		if err != nil {
			return fail(argumentError, "can't find group for %s", group)
		}
		if gid, err = strconv.Atoi(g.Gid); err != nil {
			return err
		}
	}
	at, err := a.tree.real(object)
	if err != nil {
		return err
	}
	return os.Chown(at, uid, gid)
}

func (a *agent) setACL(s instruction) error {
	at, err := a.tree.real(s.File)
	if err != nil {
		return err
	}
	info, err := os.Stat(at)
	if err != nil {
		return err
	}
	full := s.permission.FullACL(fmt.Sprintf("%03o", info.Mode().Perm()))
	acl := make([]string, len(full))
	for i, e := range full {
		acl[i] = e.String()
	}
	list := strings.Join(acl, ",")
	if err := a.program("setfacl", "--set", list, at); err != nil {
		return fail(runtimeError, "The deployment failed because of a problem with the acls permission settings in the application specification file for this object: %s. "+
			"Failed command: setfacl --set %s %s. Exit code: %v", s.File, list, s.File, err)
	}
	return nil
}

func (a *agent) setContext(s instruction, list io.Writer) error {
	at, err := a.tree.real(s.File)
	if err != nil {
		return err
	}
	if at, err = filepath.EvalSymlinks(at); err != nil {
		return err
	}
	c := s.permission.Context
	args := []string{"fcontext", "-a"}
	if c.User != "" {
		args = append(args, "-s", c.User)
	}
	args = append(args, "-t", c.Type)
	if c.Range != "" {
		args = append(args, "-r", c.Range)
	}
	for _, command := range [][]string{append([]string{"semanage"}, append(args, at)...), {"restorecon", "-v", at}} {
		if err := a.program(command[0], command[1:]...); err != nil {
			return fail(runtimeError, "The deployment failed because the application specification file contains an error in the settings for the context parameter. "+
				"Update the permissions section of the AppSpec file, and then try again. Failed command: %s. Exit code: %v", strings.Join(command, " "), err)
		}
	}
	_, err = fmt.Fprintf(list, "%s%s\n", semanageMark, s.File)
	return err
}

// program runs one of the system's programs on the instance. They reach
// further than one file, so the same holds for them as for scripts.
func (a *agent) program(name string, args ...string) error {
	if a.hooks != nil {
		return a.hooks
	}
	return exec.Command(name, args...).Run() //nolint:gosec,noctx // the agent's own commands, and short ones
}
