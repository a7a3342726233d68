package confine

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"unsafe"
)

// scratch is the folder that overlay file systems need for themselves.
const scratch = ".overlay"

// system are the folders with the machine's programs and settings. The process
// finds them as they are on this machine; what it changes goes into its folder.
func system() []string {
	return []string{"usr", "etc", "bin", "sbin", "lib", "lib32", "lib64", "libx32", "nix"}
}

// Enter makes root the file system of this process. The process must have been
// started with Attributes and must not have used files yet.
func Enter(root string) error {
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("keep mounts from the machine: %w", err)
	}
	if err := syscall.Mount(root, root, "", syscall.MS_BIND|syscall.MS_REC, ""); err != nil {
		return fmt.Errorf("mount %s: %w", root, err)
	}
	if err := os.Chdir(root); err != nil {
		return err
	}
	syscall.Umask(0o022)
	for _, step := range []func() error{programs, devices, processes, hideScratch, pivot} {
		if err := step(); err != nil {
			return err
		}
	}
	return dropMounting()
}

// Leave removes what Enter put into root for itself, once the process is gone.
func Leave(root string) error {
	work, err := filepath.Glob(filepath.Join(root, scratch, "*", "work"))
	if err != nil {
		return err
	}
	for _, w := range work { // the kernel makes them without any permission
		if err := os.Chmod(w, 0o700); err != nil { //nolint:gosec // a folder
			return err
		}
	}
	return os.RemoveAll(filepath.Join(root, scratch))
}

// programs lays the machine's system folders below those of root.
func programs() error {
	for _, name := range system() {
		info, err := os.Lstat("/" + name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if info.Mode()&fs.ModeSymlink != 0 {
			link, err := os.Readlink("/" + name)
			if err != nil {
				return err
			}
			if err := os.Symlink(link, name); err != nil && !errors.Is(err, fs.ErrExist) {
				return err
			}
			continue
		}
		if err := layer(name); err != nil {
			return fmt.Errorf("mount /%s: %w", name, err)
		}
	}
	return nil
}

// layer mounts an overlay: reads fall through to the machine, writes stay in
// root. Where the file system of root cannot hold one, the folder is mounted
// as it is and cannot be written to.
func layer(name string) error {
	work := filepath.Join(scratch, name)
	for _, dir := range []string{name, scratch, work} {
		if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // as / has them
			return err
		}
	}
	if err := own(name, ownDepth); err != nil {
		return err
	}
	options := fmt.Sprintf("lowerdir=/%s,upperdir=%s,workdir=%s,userxattr", name, name, work)
	if syscall.Mount("overlay", name, "overlay", 0, options) == nil {
		return nil
	}
	if err := syscall.Mount("/"+name, name, "", syscall.MS_BIND|syscall.MS_REC, ""); err != nil {
		return err
	}
	return readOnly(name)
}

// ownDepth is how deep own goes: /usr/share/doc and /usr/local/lib, for example.
const ownDepth = 2

// own makes the upper folders of a system folder in root too, if this process
// has no root of the machine: it could not write into somebody else's.
func own(name string, depth int) error {
	const nobody = 65534 // stands for all users that the process does not have
	info, err := os.Stat("/" + name)
	if err != nil {
		return err
	}
	if s, ok := info.Sys().(*syscall.Stat_t); !ok || s.Uid != nobody {
		return nil
	}
	if err := os.MkdirAll(name, info.Mode().Perm()|0o700); err != nil {
		return err
	}
	if depth == 0 {
		return nil
	}
	entries, err := os.ReadDir("/" + name)
	if errors.Is(err, fs.ErrPermission) {
		return nil // then it stays closed
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		if err := own(filepath.Join(name, e.Name()), depth-1); err != nil {
			return err
		}
	}
	return nil
}

// readOnly makes a mount and all below it read-only.
func readOnly(name string) error {
	const (
		sysMountSetattr = 442 // on every architecture
		atFdcwd         = -100
		atRecursive     = 0x8000
		attrReadOnly    = 0x1
	)
	p, err := syscall.BytePtrFromString(name)
	if err != nil {
		return err
	}
	attr := struct{ set, clear, propagation, userns uint64 }{set: attrReadOnly}
	cwd := atFdcwd
	_, _, no := syscall.Syscall6(sysMountSetattr, uintptr(cwd), uintptr(unsafe.Pointer(p)), atRecursive, //nolint:gosec // a system call
		uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr), 0) //nolint:gosec // the same
	if no != 0 {
		return no
	}
	return nil
}

// devices makes a /dev with what programs cannot do without.
func devices() error {
	if err := os.MkdirAll("dev", 0o755); err != nil { //nolint:gosec // as / has it
		return err
	}
	if err := syscall.Mount("tmpfs", "dev", "tmpfs", syscall.MS_NOSUID|syscall.MS_NOEXEC, "mode=0755"); err != nil {
		return fmt.Errorf("mount /dev: %w", err)
	}
	for _, name := range []string{"null", "zero", "full", "random", "urandom", "tty"} {
		if err := cover("/dev/"+name, "dev/"+name); err != nil {
			return fmt.Errorf("mount /dev/%s: %w", name, err)
		}
	}
	for name, target := range map[string]string{
		"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2",
	} {
		if err := os.Symlink(target, "dev/"+name); err != nil {
			return err
		}
	}
	if err := os.Mkdir("dev/shm", 0o755); err != nil { //nolint:gosec // the mount has its own mode
		return err
	}
	return syscall.Mount("tmpfs", "dev/shm", "tmpfs", syscall.MS_NOSUID|syscall.MS_NODEV, "mode=1777")
}

// cover mounts a file of the machine over one that is made for it.
func cover(file, at string) error {
	f, err := os.OpenFile(at, os.O_CREATE|os.O_WRONLY, 0o644) //nolint:gosec // in the new /dev
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return syscall.Mount(file, at, "", syscall.MS_BIND, "")
}

// processes mounts /proc. Its settings are the machine's, so they are
// read-only: their files do not ask for more than the user root.
func processes() error {
	if err := os.MkdirAll("proc", 0o755); err != nil { //nolint:gosec // as / has it
		return err
	}
	err := syscall.Mount("proc", "proc", "proc", syscall.MS_NOSUID|syscall.MS_NODEV|syscall.MS_NOEXEC, "")
	if err != nil { // in a container that hides parts of its own
		err = syscall.Mount("/proc", "proc", "", syscall.MS_BIND|syscall.MS_REC, "")
	}
	if err != nil {
		return fmt.Errorf("mount /proc: %w", err)
	}
	for _, name := range []string{"proc/sys", "proc/sysrq-trigger", "proc/irq", "proc/bus", "proc/fs"} {
		if _, err := os.Lstat(name); err != nil {
			continue
		}
		if err := syscall.Mount(name, name, "", syscall.MS_BIND|syscall.MS_REC, ""); err != nil {
			return fmt.Errorf("mount /%s: %w", name, err)
		}
		if err := readOnly(name); err != nil {
			return fmt.Errorf("protect /%s: %w", name, err)
		}
	}
	return nil
}

func hideScratch() error {
	if _, err := os.Lstat(scratch); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return syscall.Mount("tmpfs", scratch, "tmpfs", syscall.MS_RDONLY, "mode=0700")
}

// pivot makes the current folder / and lets go of the machine's file system.
func pivot() error {
	if err := syscall.PivotRoot(".", "."); err != nil {
		return fmt.Errorf("change /: %w", err)
	}
	if err := syscall.Unmount(".", syscall.MNT_DETACH); err != nil {
		return fmt.Errorf("let go of the machine's /: %w", err)
	}
	return os.Chdir("/")
}

// dropMounting keeps the programs that this thread starts from changing the
// mounts: what is read-only stays so.
func dropMounting() error {
	const (
		prCapbsetDrop = 24
		capSysAdmin   = 21
	)
	if _, _, no := syscall.RawSyscall(syscall.SYS_PRCTL, prCapbsetDrop, capSysAdmin, 0); no != 0 {
		return fmt.Errorf("give up mounting: %w", no)
	}
	return nil
}
