package appspec

import "strings"

// ACE is one entry of an access control list, as setfacl writes it.
type ACE struct {
	Default bool
	Type    string // user, group, mask, other
	Name    string
	Perm    string // rwx, with - for what is not allowed
}

func (a ACE) String() string {
	s := a.Type + ":" + a.Name + ":" + a.Perm
	if a.Default {
		s = "default:" + s
	}
	return s
}

func readACL(p *Permission, m mapping) error {
	v := m.get("acls")
	if v == nil {
		return nil
	}
	listed, err := asList(v, "permissions: acls")
	if err != nil {
		return err
	}
	p.ACL = []ACE{}
	for _, v := range listed {
		a, err := parseACE(text(v))
		if err != nil {
			return err
		}
		p.ACL = append(p.ACL, a)
	}
	return nil
}

// parseACE reads [default:][type:]name:perm. The base entries (the owner's, the
// group's and the others') belong into mode, and are refused.
func parseACE(s string) (ACE, error) {
	malformed := invalid("of a problem with the acls permission settings in the application specification file. Invalid acl entry (%s).", s)
	parts := strings.Split(s, ":")
	var a ACE
	if d := parts[0]; len(parts) > 2 && (d == "d" || d == "default") {
		a.Default = true
		parts = parts[1:]
	}
	switch {
	case len(parts) == 3:
		a.Type, a.Name = aceType(parts[0]), parts[1]
		if t := aceType(a.Name); t == "mask" || t == "other" {
			a.Name = t // the agent writes m and o out, even as a name
		}
	case len(parts) == 2:
		a.Type = "user"
		if t := aceType(parts[0]); t == "mask" || t == "other" {
			a.Type = t
		} else {
			a.Name = parts[0]
		}
	}
	if a.Type == "" || (a.Type == "mask" || a.Type == "other") && a.Name != "" {
		return ACE{}, malformed
	}
	if !a.Default && a.Type != "mask" && a.Name == "" {
		return ACE{}, invalid("of a problem with the acls permission settings in the application specification file. "+
			"Use mode to set the base acl entry (%s). Update the permissions section of the AppSpec file, and then try again.", s)
	}
	var err error
	a.Perm, err = acePerm(s, parts[len(parts)-1])
	return a, err
}

func aceType(s string) string {
	switch s {
	case "m", "mask":
		return "mask"
	case "o", "other":
		return "other"
	case "g", "group":
		return "group"
	case "u", "user":
		return "user"
	}
	return ""
}

// acePerm reads an octal digit or the letters of rwx.
func acePerm(ace, perm string) (string, error) {
	if len(perm) == 1 && perm[0] >= '0' && perm[0] <= '7' {
		return OctalPerm(perm[0]), nil
	}
	rwx := []byte("---")
	for _, c := range perm {
		i := strings.IndexRune("rwx", c)
		switch {
		case i >= 0:
			rwx[i] = "rwx"[i]
		case c != '-':
			return "", invalid("the access control list (ACL) named %s in the application specification file contains an invalid character (%c). "+
				"Correct the ACL in the hooks section of the AppSpec file, and then try again.", ace, c)
		}
	}
	return string(rwx), nil
}

// OctalPerm writes an octal digit of a mode in letters.
func OctalPerm(digit byte) string {
	rwx := []byte("---")
	for i := range rwx {
		if (digit-'0')>>(2-i)&1 == 1 {
			rwx[i] = "rwx"[i]
		}
	}
	return string(rwx)
}

// CheckFileACL refuses default entries for a file: only directories have them.
func (p Permission) CheckFileACL() error {
	for _, a := range p.ACL {
		if a.Default {
			return errDefaultACL
		}
	}
	return nil
}

// FullACL is the list that setfacl --set needs: the base entries from the
// object's mode, a mask where names need one, and the same for defaults.
func (p Permission) FullACL(mode string) []ACE {
	digits := mode[len(mode)-3:]
	acl := append([]ACE{}, p.ACL...)
	for _, isDefault := range []bool{false, true} {
		acl = append(acl, missingBase(p.ACL, digits, isDefault)...)
	}
	return acl
}

func missingBase(given []ACE, digits string, isDefault bool) []ACE {
	has, named, of := map[string]bool{}, false, 0
	for _, a := range given {
		if a.Default != isDefault {
			continue
		}
		of++
		if a.Name == "" {
			has[a.Type] = true
		} else {
			named = true
		}
	}
	if isDefault && of == 0 {
		return nil
	}
	var add []ACE
	for i, kind := range []string{"user", "group", "other"} {
		if !has[kind] {
			add = append(add, ACE{isDefault, kind, "", OctalPerm(digits[i])})
		}
	}
	if named && !has["mask"] {
		mask := OctalPerm(digits[1])
		for _, a := range given {
			if a.Default && isDefault && a.Type == "group" && a.Name == "" {
				mask = a.Perm
			}
		}
		add = append(add, ACE{isDefault, "mask", "", mask})
	}
	return add
}
