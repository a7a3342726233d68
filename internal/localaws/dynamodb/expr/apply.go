package expr

import (
	"slices"

	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/pullback-dev/pullback/internal/localaws/dynamodb/attr"
)

// Apply returns the item after the update; the item itself does not change.
// All values are taken from, and all list indexes refer to, the item as it was
// before ("Update expressions", developer guide).
func (u *Update) Apply(before attr.Item) (attr.Item, error) {
	after := attr.CloneItem(before)
	if after == nil {
		after = attr.Item{}
	}
	if err := u.set(before, after); err != nil {
		return nil, err
	}
	for _, c := range u.adds {
		if err := c.add(after); err != nil {
			return nil, err
		}
	}
	gone := u.removes
	for _, c := range u.deletes {
		emptied, err := c.delete(after)
		if err != nil {
			return nil, err
		}
		if emptied {
			gone = append(slices.Clone(gone), c.path)
		}
	}
	return after, remove(gone, before, after)
}

// set assigns in the order of the paths, so that elements beyond the end of a
// list are appended in the order of their indexes.
func (u *Update) set(before, after attr.Item) error {
	settings := slices.Clone(u.sets)
	slices.SortStableFunc(settings, func(a, b setting) int { return a.path.compare(b.path) })
	for _, s := range settings {
		v, err := s.term.value(before)
		if err != nil {
			return err
		}
		if err := s.path.assign(after, v); err != nil {
			return err
		}
	}
	return nil
}

func noSuchPath() error {
	return attr.Invalid("The document path provided in the update expression is invalid for update")
}

// parent returns the list or map that holds the end of the path.
func (p Path) parent(item attr.Item) attr.Value {
	if len(p) == 1 {
		return &ddbtypes.AttributeValueMemberM{Value: item}
	}
	return p[:len(p)-1].Find(item)
}

// possible refuses a path whose parent is not a document of the right kind.
func (p Path) possible(item attr.Item) error {
	named := p[len(p)-1].Name != ""
	switch p.parent(item).(type) {
	case *ddbtypes.AttributeValueMemberM:
		if named {
			return nil
		}
	case *ddbtypes.AttributeValueMemberL:
		if !named {
			return nil
		}
	}
	return noSuchPath()
}

// assign puts v at the path.
func (p Path) assign(item attr.Item, v attr.Value) error {
	last := p[len(p)-1]
	switch parent := p.parent(item).(type) {
	case *ddbtypes.AttributeValueMemberM:
		if last.Name != "" {
			parent.Value[last.Name] = v
			return nil
		}
	case *ddbtypes.AttributeValueMemberL:
		if last.Name != "" {
			break
		}
		if last.Index < len(parent.Value) {
			parent.Value[last.Index] = v
		} else {
			parent.Value = append(parent.Value, v)
		}
		return nil
	}
	return noSuchPath()
}

// add adds a number or the elements of a set.
func (c change) add(item attr.Item) error {
	old := c.path.Find(item)
	switch {
	case old == nil:
		return c.path.assign(item, attr.Clone(c.value))
	case attr.Type(old) != attr.Type(c.value):
		return wrongType()
	case attr.Type(old) == "N":
		total, err := added(old, c.value, false)
		if err != nil {
			return err
		}
		return c.path.assign(item, total)
	}
	union, err := attr.Union(old, c.value)
	if err != nil {
		return err
	}
	return c.path.assign(item, union)
}

// delete takes elements out of a set. It reports whether none is left.
func (c change) delete(item attr.Item) (emptied bool, err error) {
	old := c.path.Find(item)
	if old == nil {
		return false, c.path.possible(item)
	}
	if attr.Type(old) != attr.Type(c.value) {
		return false, wrongType()
	}
	rest := attr.Difference(old, c.value)
	if rest == nil {
		return true, nil
	}
	return false, c.path.assign(item, rest)
}

// remove removes what was at the paths, the last list elements first so that
// the indexes of the others stay true.
func remove(paths []Path, before, after attr.Item) error {
	paths = slices.Clone(paths)
	slices.SortFunc(paths, func(a, b Path) int { return b.compare(a) })
	for _, p := range paths {
		if err := p.possible(before); err != nil {
			return err
		}
		if p.Find(before) == nil {
			continue
		}
		last := p[len(p)-1]
		switch parent := p.parent(after).(type) {
		case *ddbtypes.AttributeValueMemberM:
			delete(parent.Value, last.Name)
		case *ddbtypes.AttributeValueMemberL:
			parent.Value = slices.Delete(parent.Value, last.Index, last.Index+1)
		}
	}
	return nil
}
