package access

import (
	_ "embed"
	"fmt"
	"strings"
)

// actionsText says what must be allowed for which operation; it explains its
// own form.
//
//go:embed actions.txt
var actionsText string

// table has the rules by service and operation.
type table map[string]map[string][]rule

// rule is one line of the table.
type rule struct {
	prefix   string // of the service's actions and ARNs
	action   string
	resource string
	when     string            // the member that must be set
	keys     map[string]string // condition key, in lower case, to its template
	tags     bool              // the request's tags are Tags
	tagKeys  bool              // the request's tags are TagKeys
	leading  bool              // the request has a key of a table
}

const (
	none       = "none"
	everything = "*"
)

func readTable() table {
	all := table{}
	service, prefix := "", ""
	for n, line := range strings.Split(actionsText, "\n") {
		fields := strings.Fields(line)
		switch {
		case len(fields) == 0 || fields[0] == "#" || strings.HasPrefix(line, "#"):
		case fields[0] == "service" && len(fields) == 3:
			service, prefix = fields[1], fields[2]
			all[service] = map[string][]rule{}
		case len(fields) < 2 || len(fields) == 2 && fields[1] != none:
			panic(fmt.Sprintf("actions.txt:%d: %s", n+1, line)) // our own constant
		default:
			all[service][fields[0]] = append(all[service][fields[0]], parseRule(prefix, fields))
		}
	}
	return all
}

func parseRule(prefix string, fields []string) rule {
	r := rule{prefix: prefix, action: fields[1], keys: map[string]string{}}
	if r.action == "=" {
		r.action = fields[0]
	}
	if len(fields) > 2 {
		r.resource = fields[2]
	}
	for _, f := range fields[min(3, len(fields)):] {
		name, value, _ := strings.Cut(f, "=")
		switch name {
		case "if":
			r.when = value
		case "tags":
			r.tags = true
		case "tagkeys":
			r.tagKeys = true
		case "keys":
			r.leading = true
		default:
			r.keys[strings.ToLower(name)] = value
		}
	}
	return r
}
