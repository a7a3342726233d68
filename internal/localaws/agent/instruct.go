package agent

import (
	"encoding/json"

	"github.com/pullback-dev/pullback/internal/localaws/agent/appspec"
)

// instruction is one step of an installation.
type instruction struct {
	Type        string   `json:"type"` // copy, mkdir, chmod, chown, setfacl, semanage
	Source      string   `json:"source,omitempty"`
	Destination string   `json:"destination,omitempty"`
	Directory   string   `json:"directory,omitempty"`
	File        string   `json:"file,omitempty"`
	Mode        string   `json:"mode,omitempty"`
	Owner       string   `json:"owner,omitempty"`
	Group       string   `json:"group,omitempty"`
	ACL         []string `json:"acl,omitempty"`
	Context     any      `json:"context,omitempty"`

	permission *appspec.Permission // for setfacl and semanage
}

// plan is what an installation will do. All of it is worked out before the
// first file is touched, so that contradictions are found first.
type plan struct {
	steps   []instruction
	copies  []string // destinations in order
	dirs    []string // the same
	sources map[string]string
	making  map[string]bool
	set     map[string]bool // objects with permissions
}

func newPlan() *plan {
	return &plan{sources: map[string]string{}, making: map[string]bool{}, set: map[string]bool{}}
}

func (p *plan) copy(source, destination string) error {
	destination = clean(destination)
	if other, taken := p.sources[destination]; taken {
		return fail(runtimeError, "The deployment failed because the application specification file specifies two source files named %s and %s for the same destination (%s). "+
			"Remove one of the source file paths from the AppSpec file, and then try again.", source, other, destination)
	}
	if p.making[destination] {
		return fail(runtimeError, "The deployment failed because the application specification file calls for installing the file %s, "+
			"but a file with that name already exists at the location (%s). Update your AppSpec file or directory structure, and then try again.", source, destination)
	}
	p.steps = append(p.steps, instruction{Type: "copy", Source: source, Destination: destination})
	p.copies = append(p.copies, destination)
	p.sources[destination] = source
	return nil
}

func (p *plan) mkdir(dir string) error {
	dir = clean(dir)
	if source, taken := p.sources[dir]; taken {
		return fail(runtimeError, "The deployment failed because the application specification file includes an mkdir command more than once for the same destination path (%s) from (%s). "+
			"Update the files section of the AppSpec file, and then try again.", dir, source)
	}
	if p.making[dir] {
		return nil
	}
	p.steps = append(p.steps, instruction{Type: "mkdir", Directory: dir})
	p.dirs = append(p.dirs, dir)
	p.making[dir] = true
	return nil
}

func (p *plan) permit(object string, permission *appspec.Permission) error {
	object = clean(object)
	if p.set[object] {
		return fail(runtimeError, "The deployment failed because the permissions setting for (%s) is specified more than once in the application specification file. "+
			"Update the files section of the AppSpec file, and then try again.", object)
	}
	p.set[object] = true
	if permission.Mode != "" {
		p.steps = append(p.steps, instruction{Type: "chmod", File: object, Mode: permission.Mode})
	}
	if permission.ACL != nil {
		acl := make([]string, len(permission.ACL))
		for i, a := range permission.ACL {
			acl[i] = a.String()
		}
		p.steps = append(p.steps, instruction{Type: "setfacl", File: object, ACL: acl, permission: permission})
	}
	if permission.Context != nil {
		p.steps = append(p.steps, instruction{Type: "semanage", File: object, Context: permission.Context, permission: permission})
	}
	if permission.Owner != "" || permission.Group != "" {
		p.steps = append(p.steps, instruction{Type: "chown", File: object, Owner: permission.Owner, Group: permission.Group})
	}
	return nil
}

// matches are the files and then the folders that a permission on a folder
// means: those of this installation alone.
func (p *plan) matches(permission *appspec.Permission) ([]string, error) {
	base := clean(permission.Object)
	var found []string
	if permission.For("file") {
		for _, c := range p.copies {
			if permission.Matches(base, c) {
				if err := permission.CheckFileACL(); err != nil {
					return nil, err
				}
				found = append(found, c)
			}
		}
	}
	if permission.For("directory") {
		for _, d := range p.dirs {
			if permission.Matches(base, d) {
				found = append(found, d)
			}
		}
	}
	return found, nil
}

func (p *plan) json() ([]byte, error) {
	return json.Marshal(map[string][]instruction{"instructions": p.steps})
}
