package confine

import (
	"fmt"
	"os"
	"syscall"
)

// Maps are the ways to give the process its users, the best first.
func Maps() []Map {
	if os.Geteuid() == 0 {
		return []Map{AllUsers, OneUser}
	}
	return []Map{OneUser}
}

// Map says which users of the machine the process has.
type Map int

const (
	// AllUsers is every user that this process has. It takes root.
	AllUsers Map = iota
	// OneUser is the user of this process alone, as root.
	OneUser
)

// Attributes start a process in namespaces of its own. It must call Enter.
func Attributes(m Map) (*syscall.SysProcAttr, error) {
	a := &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWIPC | syscall.CLONE_NEWUTS,
		// A terminal's interrupt is for this process, which then ends that one.
		Setpgid: true,
	}
	if m == OneUser {
		a.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
		a.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
		return a, nil
	}
	a.GidMappingsEnableSetgroups = true
	var err error
	if a.UidMappings, err = same("/proc/self/uid_map"); err != nil {
		return nil, err
	}
	a.GidMappings, err = same("/proc/self/gid_map")
	return a, err
}

// same maps every id that this process has to itself.
func same(file string) ([]syscall.SysProcIDMap, error) {
	f, err := os.Open(file) //nolint:gosec // one of two of the kernel's files
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it was only read
	var maps []syscall.SysProcIDMap
	for {
		var inside, outside, size int
		if n, err := fmt.Fscan(f, &inside, &outside, &size); n < 3 {
			if len(maps) == 0 {
				return nil, fmt.Errorf("read %s: %w", file, err)
			}
			return maps, nil
		}
		maps = append(maps, syscall.SysProcIDMap{ContainerID: inside, HostID: inside, Size: size})
	}
}
