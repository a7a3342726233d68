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
	parts := strings.Split(s, ":")
	var a ACE
	if d := parts[0]; len(parts) > 2 && (d == "d" || d == "default") {
		a.Default = true
		parts = parts[1:]
	}
	a.who(parts)
	shared := a.Type == "mask" || a.Type == "other" // and therefore nobody's
	switch {
	case a.Type == "", shared && a.Name != "":
		return ACE{}, invalid("of a problem with the acls permission settings in the application specification file. Invalid acl entry (%s).", s)
	case !a.Default && a.Type != "mask" && a.Name == "":
		return ACE{}, invalid("of a problem with the acls permission settings in the application specification file. "+
			"Use mode to set the base acl entry (%s). Update the permissions section of the AppSpec file, and then try again.", s)
	}
	var err error
	a.Perm, err = acePerm(s, parts[len(parts)-1])
	return a, err
}

// who reads type:name:perm, or one of the two and perm. The type stays empty
// if it is none of these.
func (a *ACE) who(parts []string) {
	switch len(parts) {
	case 3:
		a.Type, a.Name = aceType(parts[0]), parts[1]
		if t := aceType(a.Name); t == "mask" || t == "other" {
			a.Name = t // the agent writes m and o out, even as a name
		}
	case 2:
		a.Type, a.Name = "user", parts[0]
		if t := aceType(parts[0]); t == "mask" || t == "other" {
			a.Type, a.Name = t, ""
		}
	}
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
	for _, defaults := range []bool{false, true} {
		var given []ACE
		for _, a := range p.ACL {
			if a.Default == defaults {
				given = append(given, a)
			}
		}
		if !defaults || given != nil {
			acl = append(acl, missing(given, digits, defaults)...)
		}
	}
	return acl
}

// missing are the base entries and the mask that a list lacks.
func missing(given []ACE, digits string, defaults bool) []ACE {
	base, named := map[string]string{}, false // permissions by type
	for _, a := range given {
		if a.Name == "" {
			base[a.Type] = a.Perm
		} else {
			named = true
		}
	}
	var add []ACE
	for i, kind := range []string{"user", "group", "other"} {
		if base[kind] == "" {
			add = append(add, ACE{defaults, kind, "", OctalPerm(digits[i])})
		}
	}
	if named && base["mask"] == "" {
		mask := OctalPerm(digits[1])
		if defaults && base["group"] != "" {
			mask = base["group"]
		}
		add = append(add, ACE{defaults, "mask", "", mask})
	}
	return add
}
