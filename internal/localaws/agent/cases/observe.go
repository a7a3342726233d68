package cases

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// stamp is the form of the time in front of every line of a script log.
const stamp = "2006-01-02 15:04:05 "

// observe fills in what is on the host after a deployment.
func (p *player) observe(o *Observation, d Deployment) error {
	var err error
	if o.Target, err = p.files(); err != nil {
		return err
	}
	if o.Group, err = p.group(d.Group); err != nil {
		return err
	}
	if o.ScriptLog, err = p.scriptLog(d); err != nil {
		return err
	}
	entries, err := os.ReadDir(p.base + p.agent)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Name() == d.Group || e.Name() == "deployment-instructions" {
			continue
		}
		g, err := p.group(e.Name())
		if err != nil {
			return err
		}
		if o.OtherGroups == nil {
			o.OtherGroups = map[string]Group{}
		}
		o.OtherGroups[e.Name()] = g
	}
	return nil
}

// files is everything below TARGET; nil if TARGET does not exist.
func (p *player) files() ([]File, error) {
	top := p.base + p.to
	if _, err := os.Lstat(top); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	found := []File{}
	err := filepath.WalkDir(top, func(at string, e fs.DirEntry, err error) error {
		if err != nil || at == top {
			return err
		}
		f, err := p.file(at, e)
		f.Path = strings.TrimPrefix(at, top+"/")
		found = append(found, f)
		return err
	})
	slices.SortFunc(found, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	return found, err
}

func (p *player) file(at string, e fs.DirEntry) (File, error) {
	info, err := e.Info()
	if err != nil {
		return File{}, err
	}
	mode := uint32(info.Mode().Perm())
	for flag, bit := range map[fs.FileMode]uint32{fs.ModeSetuid: 0o4000, fs.ModeSetgid: 0o2000, fs.ModeSticky: 0o1000} {
		if info.Mode()&flag != 0 {
			mode |= bit
		}
	}
	f := File{Mode: fmt.Sprintf("%04o", mode), MTime: "now"}
	switch {
	case info.IsDir():
		f.Type, f.MTime = "dir", ""
		return f, nil
	case info.Mode()&fs.ModeSymlink != 0:
		link, err := os.Readlink(at)
		return File{Type: "symlink", Link: p.out.Replace(link)}, err
	case !info.Mode().IsRegular():
		f.Type = info.Mode().Type().String() // nothing that was ever recorded
		return f, nil
	}
	b, err := readAnyhow(at, info)
	content := p.out.Replace(string(b))
	f.Type, f.Content = "file", &content
	if info.ModTime().Equal(bundled()) {
		f.MTime = "bundle"
	}
	return f, err
}

// readAnyhow reads a file that may forbid it to its owner.
func readAnyhow(at string, info fs.FileInfo) ([]byte, error) {
	b, err := os.ReadFile(at) //nolint:gosec // below TARGET
	if !errors.Is(err, fs.ErrPermission) {
		return b, err
	}
	if err := os.Chmod(at, info.Mode()|0o400); err != nil {
		return nil, err
	}
	b, err = os.ReadFile(at) //nolint:gosec // the same
	return b, errors.Join(err, os.Chmod(at, info.Mode()))
}

func (p *player) ofGroup(group, suffix string) string {
	return p.base + p.agent + "/deployment-instructions/" + group + suffix
}

func (p *player) group(name string) (Group, error) {
	var g Group
	cleanup, err := lines(p.ofGroup(name, "-cleanup"))
	if err != nil {
		return g, err
	}
	for i := range cleanup {
		cleanup[i] = p.out.Replace(cleanup[i])
	}
	if g.Cleanup, err = json.Marshal(cleanup); err != nil {
		return g, err
	}
	if g.LastSuccessful, err = p.deployment(p.ofGroup(name, "_last_successful_install")); err != nil {
		return g, err
	}
	if g.MostRecent, err = p.deployment(p.ofGroup(name, "_most_recent_install")); err != nil {
		return g, err
	}
	g.Archives = []string{}
	for _, d := range p.c.Deployments {
		if _, err := os.Stat(filepath.Join(p.base+p.agent, name, d.ID, "deployment-archive")); err == nil {
			g.Archives = append(g.Archives, d.ID)
		}
	}
	return g, nil
}

// deployment is the one that a file names.
func (p *player) deployment(file string) (*string, error) {
	named, err := lines(file)
	if err != nil || len(named) == 0 {
		return nil, err
	}
	id := path.Base(named[0])
	return &id, nil
}

// lines are the lines of a file, nil if there is no such file.
func lines(file string) ([]string, error) {
	b, err := os.ReadFile(file) //nolint:gosec // one of the agent's files
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if len(b) == 0 {
		return []string{}, nil
	}
	return strings.Split(strings.TrimSuffix(string(b), "\n"), "\n"), nil
}

func (p *player) scriptLog(d Deployment) ([]string, error) {
	written, err := lines(filepath.Join(p.base+p.agent, d.Group, d.ID, "logs", "scripts.log"))
	log := []string{}
	for _, l := range written {
		log = append(log, p.out.Replace(l[min(len(stamp), len(l)):]))
	}
	return log, err
}
