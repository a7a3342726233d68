package template

import (
	"maps"
	"slices"
	"strings"
)

// Order sorts names so that each comes after those it depends on and otherwise
// by name, so that the same template always gives the same order.
// Dependencies on names that are not keys of deps are disregarded. If there is
// no such order, cycle is one circle of names, the first repeated at the end.
func Order(deps map[string][]string) (order, cycle []string) {
	done := make(map[string]bool, len(deps))
	waiting := slices.Sorted(maps.Keys(deps))
	for len(waiting) > 0 {
		i := slices.IndexFunc(waiting, func(name string) bool { return blocker(deps, done, name) == "" })
		if i < 0 {
			return nil, circle(deps, done, waiting[0])
		}
		order = append(order, waiting[i])
		done[waiting[i]] = true
		waiting = slices.Delete(waiting, i, i+1)
	}
	return order, nil
}

// blocker returns the first name, in the order of names, that has to come
// before name and is not done.
func blocker(deps map[string][]string, done map[string]bool, name string) string {
	first := ""
	for _, on := range deps[name] {
		if _, known := deps[on]; known && !done[on] && (first == "" || on < first) {
			first = on
		}
	}
	return first
}

// circle follows blockers from a name that cannot be done until one repeats.
// It starts the circle at its smallest name.
func circle(deps map[string][]string, done map[string]bool, name string) []string {
	var path []string
	for {
		if i := slices.Index(path, name); i >= 0 {
			path = path[i:]
			break
		}
		path = append(path, name)
		name = blocker(deps, done, name)
	}
	at := slices.Index(path, slices.Min(path))
	round := slices.Concat(path[at:], path[:at])
	return append(round, round[0])
}

// Circular spells a cycle in the words of CloudFormation.
func Circular(cycle []string) string {
	return "circular dependency between resources: " + strings.Join(cycle, " -> ")
}

// sortedKeys returns the keys of m in order.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
