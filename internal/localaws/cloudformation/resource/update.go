package resource

import (
	"reflect"
	"slices"

	"github.com/pullback-dev/pullback/internal/localaws/cloudformation/template"
)

// changed says whether any of these properties differs from what it was.
func (j *job) changed(names ...string) bool {
	return slices.ContainsFunc(names, func(name string) bool {
		old, has := j.old.Properties[name]
		now, will := j.properties[name]
		return has != will || !reflect.DeepEqual(plainly(old), plainly(now))
	})
}

// without forgets properties that a call does not take.
func (j *job) without(names ...string) {
	for _, name := range names {
		delete(j.left, name)
	}
}

// lacking gives properties that were taken away the values that the service
// has without them. A property without such a value is a problem: to take it
// away would leave it as it was.
func (j *job) lacking(defaults map[string]any) {
	for _, name := range names(j.old.Properties, nil) {
		if _, still := j.properties[name]; still {
			continue
		}
		v, ok := defaults[name]
		if !ok {
			j.report(name, "cannot be taken away")
			continue
		}
		j.left[name] = v
	}
}

// was hands out a property as it was before the update.
func (j *job) was(name string) any { return j.old.Properties[name] }

// wasTexts hands out a list of texts as it was.
func (j *job) wasTexts(name string) []string {
	list, _ := j.was(name).([]any)
	var out []string
	for _, v := range list {
		if text, ok := template.Text(v); ok {
			out = append(out, text)
		}
	}
	return out
}

// tagsOf reads tags in either of their forms.
func tagsOf(v any) map[string]string {
	object, ok := v.(map[string]any)
	if list, isList := v.([]any); isList {
		object, ok = pairs(list)
	}
	out := map[string]string{}
	if !ok {
		return out
	}
	for name, one := range object {
		out[name], _ = template.Text(one)
	}
	return out
}

// retag hands out the tags that an update sets and the keys of those that it
// takes away, both sorted. Tags are gone from what is left.
func (j *job) retag() (set []pair, gone []string) {
	before, after := tagsOf(j.was("Tags")), tagsOf(j.take("Tags"))
	for _, name := range keys(after) {
		if old, has := before[name]; !has || old != after[name] {
			set = append(set, pair{name, after[name]})
		}
	}
	for _, name := range keys(before) {
		if _, stays := after[name]; !stays {
			gone = append(gone, name)
		}
	}
	return set, gone
}

// pair is one tag.
type pair struct{ Key, Value string }

// tagList makes tags of a service's own type.
func tagList[T any](set []pair, one func(key, value *string) T) []T {
	var out []T
	for _, p := range set {
		out = append(out, one(&p.Key, &p.Value))
	}
	return out
}

// tagMap makes tags of a map.
func tagMap(set []pair) map[string]string {
	out := map[string]string{}
	for _, p := range set {
		out[p.Key] = p.Value
	}
	return out
}

// both calls tag for tags that are set and untag for those that go, where there
// are any.
func both(set []pair, gone []string, tag func() error, untag func() error) error {
	if len(set) > 0 {
		if err := tag(); err != nil {
			return err
		}
	}
	if len(gone) > 0 {
		return untag()
	}
	return nil
}
