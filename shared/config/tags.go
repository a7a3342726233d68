package config

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/settings"
)

// TagPrefix is what the names of pullback's tags begin with.
const TagPrefix = "pullback:"

// otherTags are those that say no policy. Drivers read or write them.
func otherTags() []string { return []string{"enabled", "alarms", "alias", "aliases", "restoring"} }

// Tag is a tag on a target that sets one value of its policy.
type Tag struct {
	Name    string // such as pullback:judge.alpha
	About   string
	Allowed string
	Default string
}

// Tags returns the tags that set a value, in the order of the policy's fields.
func Tags() []Tag {
	var all []Tag
	p := reflect.ValueOf(Default().Base.Policy)
	for _, l := range taggable() {
		f := p.Type().FieldByIndex(l.index)
		all = append(all, Tag{
			Name: TagPrefix + l.path, About: f.Tag.Get("jsonschema_description"), Allowed: l.rules.allowed(l.kind),
			Default: write(p.FieldByIndex(l.index).Interface()),
		})
	}
	return all
}

// TagError is a tag that cannot be used.
type TagError struct {
	Target  deploy.Target
	Tag     string
	Value   string
	Allowed string // what is allowed, or what is wrong with the name
	Mend    string // the command that mends it
}

// Error says it all.
func (e *TagError) Error() string {
	return fmt.Sprintf("tag %s=%q of %s: %s; mend it with: %s", e.Tag, e.Value, e.Target, e.Allowed, e.Mend)
}

// For returns a target's policy: the defaults, changed by what the file says of
// the target, changed by its tags. If a tag is wrong, it returns the policy that
// holds without tags, and a *TagError for each that is wrong.
func (c Config) For(t deploy.Target, tags map[string]string) (Policy, error) {
	without := c.policy(t)
	with := without
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(tags)) {
		key, ours := keyOf(t, name)
		if !ours {
			continue
		}
		if err := c.tag(&with, t, name, key, tags[name]); err != nil {
			errs = append(errs, err)
		}
	}
	if lacks := with.lacks(); lacks != "" && len(errs) == 0 {
		name := TagPrefix + "restorePoint.kind"
		errs = append(errs, &TagError{t, name, tags[name], lacks, c.untag(t, name)})
	}
	if err := errors.Join(errs...); err != nil {
		return without, err
	}
	return with, nil
}

// keyOf returns which value of t's policy a tag sets, if it sets any. Aliases
// share the tags of their function, and stages those of their pipeline: there,
// ":NAME" behind a tag makes it that of one alias or stage. In the order of names
// it comes after the tag for all, and so is the stronger.
func keyOf(t deploy.Target, name string) (string, bool) {
	key, ours := strings.CutPrefix(name, TagPrefix)
	word, of, single := strings.Cut(key, ":")
	if !ours || slices.Contains(otherTags(), word) {
		return "", false
	}
	if single && (t.Kind == deploy.KindAlias || t.Kind == deploy.KindStage) {
		return word, of == t.Group
	}
	return key, true
}

// policy returns a target's policy without its tags.
func (c Config) policy(t deploy.Target) Policy {
	e, _ := c.Entry(t)
	return e.on(c.Defaults())
}

// on returns the policy that an entry makes of the defaults.
func (e Entry) on(d Defaults) Policy {
	e.Changes.apply(&d.Policy)
	return d.Policy
}

// tag writes one tag into p.
func (c Config) tag(p *Policy, t deploy.Target, name, key, value string) error {
	at, f, ok := find(reflect.ValueOf(p).Elem(), key)
	if !ok || f.Type.Kind() == reflect.Struct || f.Type.Kind() == reflect.Slice {
		var words []string
		for _, l := range taggable() {
			words = append(words, l.path)
		}
		return &TagError{t, name, value, "there is no such tag; " + didYouMean(key, append(words, otherTags()...)), c.untag(t, name)}
	}
	now := write(at.Interface())
	if err := set(at, rulesOf(f.Tag), value); err != nil {
		if key == "smoke" {
			now = settings.SmokeOff // JSON has signs that tags may not have
		}
		return &TagError{t, name, value, err.Error(), c.retag(t, name, now)}
	}
	return nil
}

// taggable returns the values that a tag can set: all but lists.
func taggable() []leaf {
	return slices.DeleteFunc(leaves(reflect.TypeFor[Policy]()), func(l leaf) bool { return l.kind.Kind() == reflect.Slice })
}
