package appspec

import (
	"slices"
	"strings"
)

// everything is the pattern that matches at any depth.
const everything = "**"

// Permission is one entry of the permissions section.
type Permission struct {
	Object  string
	Pattern string // everything unless given
	Except  []string
	Types   []string // file, directory
	Owner   string
	Group   string
	Mode    string // octal digits, at least three; empty if not given
	ACL     []ACE  // nil if not given
	Context *Context
}

func readPermissions(s *Spec, file mapping) error {
	listed, err := asList(file.get("permissions"), "permissions")
	if err != nil {
		return err
	}
	for _, v := range listed {
		m, err := asMapping(v, "permissions")
		if err != nil {
			return err
		}
		p, err := readPermission(m)
		if err != nil {
			return err
		}
		s.Permissions = append(s.Permissions, p)
	}
	return nil
}

func readPermission(m mapping) (Permission, error) {
	p := Permission{
		Object: strings.TrimSpace(text(m.get("object"))), Pattern: everything,
		Owner: text(m.get("owner")), Group: text(m.get("group")),
	}
	if p.Object == "" {
		return Permission{}, invalid("a permission listed in the application specification file has no object value. " +
			"Update the permissions section of the AppSpec file, and then try again.")
	}
	if v := m.get("pattern"); v != nil {
		p.Pattern = text(v)
	}
	for _, read := range []func(*Permission, mapping) error{readExcept, readTypes, readMode, readACL, readContext} {
		if err := read(&p, m); err != nil {
			return Permission{}, err
		}
	}
	return p, nil
}

func readExcept(p *Permission, m mapping) error {
	listed, err := asList(m.get("except"), "permissions: except")
	for _, v := range listed {
		p.Except = append(p.Except, text(v))
	}
	return err
}

func readTypes(p *Permission, m mapping) error {
	known := []string{"file", "directory"}
	listed, err := asList(m.get("type"), "permissions: type")
	if err != nil {
		return err
	}
	if listed == nil {
		p.Types = known
	}
	for _, v := range listed {
		if !slices.Contains(known, text(v)) {
			return invalid("the application specification filespecifies a permission for an object type not supported for permissions (%s). "+
				"Update the permissions section of the AppSpec file, and then try again.", text(v))
		}
		p.Types = append(p.Types, text(v))
	}
	return nil
}

func readMode(p *Permission, m mapping) error {
	v := m.get("mode")
	if v == nil {
		return nil
	}
	mode := text(v)
	if short := 3 - len(mode); short > 0 {
		mode = strings.Repeat("0", short) + mode
	}
	if len(mode) > 4 {
		return invalid("the length of a permissions mode (%s) in the application specification file is invalid. "+
			"Permissions modes must be between one and four characters long. "+
			"Update the permissions section of the AppSpec file, and then try again.", mode)
	}
	for _, c := range mode {
		if c < '0' || c > '7' {
			return invalid("the permissions mode (%s) in the application specification file contains an invalid character (%c). "+
				"Update the permissions section of the AppSpec file, and then try again.", mode, c)
		}
	}
	p.Mode = mode
	return nil
}

// For says whether the permission is for files or directories.
func (p Permission) For(kind string) bool { return slices.Contains(p.Types, kind) }

// CheckFile refuses what makes no sense for an object that is a file.
func (p Permission) CheckFile() error {
	switch {
	case p.Pattern != everything:
		return invalid("the application specification file includes an object (%s) with an invalid pattern (%s), "+
			"such as a pattern for a file applied to a directory. "+
			"Correct the permissions section of the AppSpec file, and then try again.", p.Object, p.Pattern)
	case len(p.Except) > 0:
		return invalid("the except parameter for a pattern in the permissions section (%s) for the object named %s contains an invalid format. "+
			"Update the AppSpec file, and then try again.", Inspect(p.Except), p.Object)
	}
	return p.CheckFileACL()
}

// Matches says whether a path below the object is meant. A pattern is about
// names directly in the object, except for **.
func (p Permission) Matches(base, path string) bool {
	name, below := strings.CutPrefix(path, strings.TrimSuffix(base, "/")+"/")
	if !below {
		return false
	}
	for _, e := range p.Except {
		if glob(name, e) {
			return false
		}
	}
	return p.Pattern == everything || glob(name, p.Pattern)
}

// glob matches a name in which * stands for any characters, but not for those
// of other directories.
func glob(name, pattern string) bool {
	if strings.Contains(name, "/") {
		return false
	}
	parts := strings.Split(pattern, "*")
	last := len(parts) - 1
	if last == 0 {
		return name == pattern
	}
	name, ok := strings.CutPrefix(name, parts[0])
	for _, p := range parts[1:last] {
		_, after, found := strings.Cut(name, p)
		name, ok = after, ok && found
	}
	return ok && strings.HasSuffix(name, parts[last])
}

// Inspect writes a list as the agent's messages show it.
func Inspect(list []string) string {
	quoted := make([]string, len(list))
	for i, s := range list {
		quoted[i] = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}
