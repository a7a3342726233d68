package cloudformation

import (
	"errors"
	"slices"
	"strings"

	"github.com/pullback-dev/pullback/internal/localaws/cloudformation/template"
)

// refusal is what is wrong with a template in CloudFormation's words, where it
// has any for all of it; else in ours, which name every problem.
func refusal(err error) error {
	found, ok := errors.AsType[template.ValidationError](err)
	if !ok {
		return invalid("Template format error: %v", err)
	}
	kind := found[0].Kind
	if slices.ContainsFunc(found, func(p template.Problem) bool { return p.Kind != kind }) {
		kind = ""
	}
	names := "[" + strings.Join(subjects(found), ", ") + "]"
	switch kind {
	case template.KindMissing:
		return invalid("Parameters: %s must have values", names)
	case template.KindUnasked:
		return invalid("Parameters: %s do not exist in the template", names)
	case template.KindNobody:
		return invalid("Template format error: Unresolved resource dependencies %s in the Resources block of the template", names)
	case template.KindType:
		return invalid("Template format error: Unrecognized resource types: %s", names)
	case template.KindCircle:
		return invalid("Circular dependency between resources: %s", names)
	case template.KindRule:
		return invalid("Template validation error: Template failed rule: %s: %s", found[0].LogicalID, found[0].Reason)
	case template.KindValue:
		return invalid("Parameter '%s': %s", found[0].LogicalID, found[0].Reason)
	default:
		return invalid("Template error: %v", found)
	}
}

// subjects names what the problems are about, each once.
func subjects(found template.ValidationError) []string {
	var out []string
	for _, p := range found {
		names := []string{p.LogicalID}
		if p.Kind == template.KindType {
			names = []string{p.Type}
		}
		if p.Kind == template.KindNobody {
			_, name, _ := strings.Cut(p.Reason, `"`)
			name, _, _ = strings.Cut(name, `"`)
			names = []string{name}
		}
		if p.Kind == template.KindCircle {
			_, circle, _ := strings.Cut(p.Reason, ": ")
			names = uniqueNames(circle)
		}
		for _, name := range names {
			if !slices.Contains(out, name) {
				out = append(out, name)
			}
		}
	}
	return out
}

// uniqueNames takes a circle apart.
func uniqueNames(circle string) []string {
	names := strings.Split(circle, " -> ")
	slices.Sort(names)
	return slices.Compact(names)
}
