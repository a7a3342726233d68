package resource

import (
	"context"
	"fmt"
	"maps"
	"strings"

	"github.com/pullback-dev/pullback/internal/localaws/cloudformation/template"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// job is one resource on its way: first only checked (dry), then created, later
// updated and removed. A dry job runs the same code, but makes no call, so that what the
// check accepts and what creation does cannot differ.
type job struct {
	ctx  context.Context //nolint:containedctx // a job lives exactly as long as the call that it serves
	env  env
	id   string
	kind kind
	dry  bool

	desired Desired
	old     Resource // of an update: as it was

	properties map[string]any // evaluated
	left       map[string]any // properties that nobody has used yet
	resource   Resource
	problems   template.ValidationError
}

// env is what a job works in.
type env struct {
	*Provider
	Owner
}

func (p *Provider) job(ctx context.Context, o Owner, d Desired) *job {
	j := &job{
		ctx: ctx, env: env{p, o}, id: d.LogicalID, kind: p.kinds[d.Type], desired: d,
		properties: d.Properties, left: map[string]any{},
	}
	maps.Copy(j.left, d.Properties)
	j.resource = Resource{LogicalID: d.LogicalID, Type: d.Type, Properties: d.Properties, Attributes: map[string]string{}}
	return j
}

func (j *job) report(path, reason string) {
	j.problems = append(j.problems, template.Problem{
		LogicalID: j.id, Type: j.resource.Type, Property: path, Reason: reason,
	})
}

// known reports properties that the type does not have here and required ones
// that are missing.
func (j *job) known() {
	names := map[string]bool{}
	for name := range strings.FieldsSeq(j.kind.properties) {
		bare := strings.TrimSuffix(name, "!")
		names[bare] = true
		if _, ok := j.left[bare]; !ok && bare != name {
			j.report(bare, "is required")
		}
	}
	for _, name := range keys(j.left) {
		if !names[name] && j.kind.properties != anyProperties {
			j.report(name, "is not supported")
			delete(j.left, name)
		}
	}
}

// take hands out a property that needs more than the mapper. Nil if absent.
func (j *job) take(name string) any {
	v := j.left[name]
	delete(j.left, name)
	return v
}

// text hands out a property that is a text. It stays for fill.
func (j *job) text(name string) string {
	v, ok := j.left[name]
	if !ok {
		v, ok = j.properties[name]
	}
	s, isText := template.Text(v)
	if _, later := v.(template.Unknown); ok && !isText && !later {
		j.report(name, "must be a text")
	}
	return s
}

// object hands out a property that is an object. Nil if it is absent or not
// known yet.
func (j *job) object(name string) map[string]any {
	v := j.take(name)
	object, ok := v.(map[string]any)
	if _, later := v.(template.Unknown); v != nil && !ok && !later {
		j.report(name, "must be an object")
	}
	return object
}

// list hands out a property that is a list.
func (j *job) list(name string) []any {
	v := j.take(name)
	list, ok := v.([]any)
	if _, later := v.(template.Unknown); v != nil && !ok && !later {
		j.report(name, "must be a list")
	}
	return list
}

// texts hands out a property that is a list of texts.
func (j *job) texts(name string) []string {
	var out []string
	for i, v := range j.list(name) {
		s, ok := template.Text(v)
		if _, later := v.(template.Unknown); !ok && !later {
			j.report(fmt.Sprintf("%s[%d]", name, i), "must be a text")
		}
		out = append(out, s)
	}
	return out
}

// name settles the physical name: the given one, or one made up. It leaves the
// name among the properties.
func (j *job) name(property string, limit int, suffix string) string {
	if _, given := j.left[property]; !given {
		j.left[property] = j.env.name(j.id, limit-len(suffix), j.dry) + suffix
	}
	return j.text(property)
}

// fill maps all properties that were not taken to the operation's Input.
func (j *job) fill(in any) {
	m := mapper{rename: j.kind.rename, asJSON: j.kind.asJSON, report: j.report}
	m.fill(in, j.left)
	j.left = map[string]any{}
}

// into maps one value, as fill does.
func (j *job) into(in any, name string, v any) {
	m := mapper{rename: j.kind.rename, asJSON: j.kind.asJSON, report: j.report}
	m.fill(in, map[string]any{name: v})
}

// nested maps one property, which is an object, to a struct of its own.
func (j *job) nested(in any, name string, v any) {
	object, ok := v.(map[string]any)
	if !ok {
		if !isUnknown(v) {
			j.report(name, "must be an object")
		}
		return
	}
	m := mapper{report: func(path, reason string) { j.report(name+"."+path, reason) }}
	m.fill(in, object)
}

// made says that the resource now exists, so that it is removed again if
// something goes wrong later. Attributes are names and values by turns.
func (j *job) made(physicalID string, attributes ...string) {
	j.resource.PhysicalID = physicalID
	for i := 0; i+1 < len(attributes); i += 2 {
		j.resource.Attributes[attributes[i]] = attributes[i+1]
	}
}

// call makes a call of a service for a job. A dry job gets an empty answer.
func call[O any](j *job, service, operation string, in any) (*O, error) {
	if j.dry {
		return new(O), nil
	}
	if err := j.problems.Err(); err != nil {
		return nil, err
	}
	out, err := wire.Do[O](j.ctx, j.env.caller, j.env.Principal, service, operation, in)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", service, operation, err)
	}
	return out, nil
}
