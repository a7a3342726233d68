package policy

import (
	"slices"
	"strings"
)

// Caller is who makes a request. All fields may be empty: then nobody signed
// it.
type Caller struct {
	Account string // 12 digits
	ARN     string // of the user or of the role's session
	Role    string // ARN of the role whose session it is
	Service string // an AWS service that acts by itself: "events.amazonaws.com"
}

// principals is the Principal element of a statement.
type principals struct {
	not     bool
	anybody bool
	aws     []string
	service []string
	other   []string // federated and canonical users, of whom there are none here
}

// The ways in which a statement may mean a caller. They differ in what else is
// needed, see [Policies.Decide].
type meant int

const (
	notMeant meant = iota
	asAccount
	asRole
	asItself // the very user, session or service
	asAnybody
)

func parsePrincipals(f field) (*principals, error) {
	p := &principals{not: strings.HasPrefix(f.name, "Not")}
	if text, err := f.text(); err == nil {
		if text != "*" {
			return nil, syntax("Invalid principal in policy: %q", text)
		}
		p.anybody = true
		return p, nil
	}
	o, err := f.object()
	if err != nil {
		return nil, err
	}
	for _, kind := range o {
		if err := p.add(kind); err != nil {
			return nil, err
		}
	}
	if len(o) == 0 {
		return nil, syntax("Invalid principal in policy: it is empty")
	}
	return p, nil
}

func (p *principals) add(f field) error {
	list, err := f.texts()
	if err != nil {
		return err
	}
	switch f.name {
	case "AWS":
		if i := slices.IndexFunc(list, func(v string) bool { return !isAWS(v) }); i >= 0 {
			return syntax("Invalid principal in policy: \"AWS\":%q", list[i])
		}
		p.aws = list
		p.anybody = p.anybody || slices.Contains(list, "*")
	case "Service":
		if i := slices.IndexFunc(list, func(v string) bool { return !strings.Contains(v, ".amazon") }); i >= 0 {
			return syntax("Invalid principal in policy: \"SERVICE\":%q", list[i])
		}
		p.service = list
	case "Federated", "CanonicalUser":
		p.other = append(p.other, list...)
	default:
		return syntax("Syntax errors in policy. (a principal cannot be %s)", f.name)
	}
	return nil
}

// isAWS reports whether v can be an account, a user, a role, a session or
// everybody.
func isAWS(v string) bool {
	return v == "*" || isAccount(v) || strings.HasPrefix(v, "arn:") || isID(v)
}

func isAccount(v string) bool {
	return len(v) == 12 && strings.Trim(v, "0123456789") == ""
}

// isID reports whether v is the unique id of a user or role, which IAM puts
// where the ARN of a deleted one was.
func isID(v string) bool {
	return strings.HasPrefix(v, "AIDA") || strings.HasPrefix(v, "AROA")
}

// match says how the element means a caller.
func (p *principals) match(c Caller) meant {
	m := p.find(c)
	if !p.not {
		return m
	}
	if m != notMeant {
		return notMeant
	}
	return asAnybody
}

func (p *principals) find(c Caller) meant {
	best := notMeant
	if p.anybody {
		best = asAnybody
	}
	if c.ARN == "" {
		if c.Service != "" && slices.Contains(p.service, c.Service) {
			return asItself
		}
		return best
	}
	for _, v := range p.aws {
		if m := c.is(v); rank(m) > rank(best) {
			best = m
		}
	}
	return best
}

// is says how the name of one principal means the caller.
func (c Caller) is(v string) meant {
	switch v {
	case c.ARN:
		return asItself
	case c.Role:
		return asRole
	case c.Account:
		return asAccount
	}
	if isRoot(v, c.Account) {
		return asAccount
	}
	return notMeant
}

// isRoot reports whether an ARN is an account: its root stands for everybody
// in it.
func isRoot(arn, account string) bool {
	parts := strings.Split(arn, ":")
	return len(parts) == arnParts && parts[2] == "iam" && parts[4] == account && parts[5] == "root"
}
