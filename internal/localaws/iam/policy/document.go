// Package policy reads IAM policy documents and decides by them: which
// statements apply to a request, and whether together they allow it.
//
// It is pure: it knows no services, no clock and no account. Everything that a
// decision depends on is in a [Request]. It decides for one account, as AWS's
// page "Policy evaluation logic" describes; there are no organizations here,
// so no service control policies.
package policy

import (
	"fmt"
	"slices"
	"strings"
)

// Kind is what a document is for, which decides what it must and must not say.
type Kind string

// The kinds of documents.
const (
	Identity Kind = "identity-based policy" // of a role or user, and of boundaries and sessions
	Resource Kind = "resource-based policy"
	Trust    Kind = "trust policy" // who may assume a role
)

// The versions of the policy language. Only in the later one ${…} is a
// variable ("IAM JSON policy elements: Version").
const (
	version2008 = "2008-10-17"
	version2012 = "2012-10-17"
)

// Document is a policy that was read.
type Document struct {
	Version    string
	ID         string
	Statements []Statement
}

// Statement is one statement of a document.
type Statement struct {
	Sid        string
	Deny       bool
	principals *principals // nil in an identity-based policy
	actions    patterns
	resources  patterns
	conditions []condition
}

// patterns are the values of an element or of its negation.
type patterns struct {
	not  bool
	list []string
}

// SyntaxError is why a document cannot be read. Its text is what IAM says.
type SyntaxError struct{ Text string }

// Error implements error.
func (e *SyntaxError) Error() string { return e.Text }

func syntax(format string, args ...any) error { return &SyntaxError{fmt.Sprintf(format, args...)} }

// Parse reads a document of a kind.
func Parse(text string, kind Kind) (*Document, error) {
	root, err := readObject(text)
	if err != nil {
		return nil, err
	}
	d := &Document{Version: version2008}
	for _, f := range root {
		switch f.name {
		case "Version":
			d.Version, err = f.text()
		case "Id":
			d.ID, err = f.text()
		case "Statement":
			err = d.statements(f, kind)
		default:
			err = syntax("Syntax errors in policy. (unknown element %s)", f.name)
		}
		if err != nil {
			return nil, err
		}
	}
	return d, d.check(kind)
}

// check is what can only be said of the whole document.
func (d *Document) check(kind Kind) error {
	switch {
	case d.Version != version2008 && d.Version != version2012:
		return syntax("The policy must contain a valid version string")
	case d.Version == version2008 && kind == Identity:
		// IAM API reference, MalformedPolicyDocument: new identity policies
		// must use the current version.
		return syntax("Policy document must be version 2012-10-17 or greater.")
	case len(d.Statements) == 0:
		return syntax("Syntax errors in policy. (no Statement)")
	}
	var sids []string
	for _, s := range d.Statements {
		if s.Sid != "" && slices.Contains(sids, s.Sid) {
			return syntax("Statement IDs (SID) in a single policy must be unique.")
		}
		sids = append(sids, s.Sid)
	}
	return nil
}

func (d *Document) statements(f field, kind Kind) error {
	items, err := f.objects()
	if err != nil {
		return err
	}
	for _, item := range items {
		s, err := parseStatement(item, kind)
		if err != nil {
			return err
		}
		d.Statements = append(d.Statements, s)
	}
	return nil
}

// Label names a statement of the document for people: by its Sid, or else by
// its number.
func (d *Document) Label(i int) string {
	if sid := d.Statements[i].Sid; sid != "" {
		return fmt.Sprintf("statement %q", sid)
	}
	return fmt.Sprintf("statement %d", i+1)
}

func parseStatement(item object, kind Kind) (Statement, error) {
	var s Statement
	seen := map[string]bool{}
	for _, f := range item {
		element := strings.TrimPrefix(f.name, "Not")
		if seen[element] {
			return s, syntax("Syntax errors in policy. (%s together with %s)", element, "Not"+element)
		}
		seen[element] = true
		if err := s.element(f, kind); err != nil {
			return s, err
		}
	}
	return s, complete(seen, kind)
}

// complete says what a statement with these elements lacks, or has too much.
func complete(seen map[string]bool, kind Kind) error {
	switch {
	case !seen["Effect"]:
		return syntax("Syntax errors in policy. (no Effect)")
	case !seen["Action"]:
		return syntax("Policy statement must contain actions.")
	case kind != Trust && !seen["Resource"]:
		return syntax("Policy statement must contain resources.")
	case kind == Trust && seen["Resource"]:
		return syntax("Has prohibited field Resource")
	case kind == Identity && seen["Principal"]:
		return syntax("Policy document should not specify a principal.")
	case kind != Identity && !seen["Principal"]:
		return syntax("Missing required field Principal")
	}
	return nil
}

// element reads one element of a statement.
func (s *Statement) element(f field, kind Kind) error {
	var err error
	switch f.name {
	case "Sid":
		s.Sid, err = f.text()
	case "Effect":
		err = s.effect(f)
	case "Action", "NotAction":
		s.actions, err = f.patterns(checkAction)
	case "Resource", "NotResource":
		s.resources, err = f.patterns(func(v string) error { return checkResource(v, kind) })
	case "Principal", "NotPrincipal":
		s.principals, err = parsePrincipals(f)
	case "Condition":
		s.conditions, err = parseConditions(f)
	default:
		err = syntax("Syntax errors in policy. (unknown element %s)", f.name)
	}
	return err
}

func (s *Statement) effect(f field) error {
	text, err := f.text()
	if err != nil {
		return err
	}
	if text != "Allow" && text != "Deny" {
		return syntax("Syntax errors in policy. (Effect %q)", text)
	}
	s.Deny = text == "Deny"
	return nil
}

// checkAction wants "vendor:Action" or "*".
func checkAction(v string) error {
	vendor, name, ok := strings.Cut(v, ":")
	switch {
	case v == "*":
		return nil
	case !ok || name == "":
		return syntax("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")
	case strings.ContainsAny(vendor, "*? \t/"):
		return syntax("Vendor %s is not valid", vendor)
	}
	return nil
}

// checkResource wants an ARN or "*". S3 and SQS accept shorter names in old
// resource policies; those are refused here, too.
func checkResource(v string, kind Kind) error {
	if v == "*" || strings.HasPrefix(v, "arn:") || strings.HasPrefix(v, "${") || kind == Resource && strings.HasPrefix(v, "*") {
		return nil
	}
	return syntax("Resource %s must be in ARN format or \"*\".", v)
}
