package dynamodb

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/pullback-dev/pullback/internal/localaws/dynamodb/attr"
	"github.com/pullback-dev/pullback/internal/localaws/dynamodb/expr"
)

// request is what the operations that write one item have in common.
type request struct {
	table     *string
	item      attr.Item // to put, or
	key       attr.Item // of the item
	condition *string
	update    *string
	names     map[string]string
	values    attr.Item
	onFailure ddbtypes.ReturnValuesOnConditionCheckFailure
	remove    bool
	checkOnly bool // a condition without a write
}

// write is a request that was understood.
type write struct {
	request
	target *table
	env    *expr.Env
	when   *expr.Condition
	how    *expr.Update
	row    *row
	before attr.Item // nil if there is no such item; not a copy
	after  attr.Item // nil if there is none left
}

// understand parses a request and finds its table. What it refuses does not
// depend on any item or key schema; locate does the rest.
func (s *Service) understand(r request) (*write, error) {
	w := &write{request: r}
	var err error
	if r.item != nil {
		if w.item, err = attr.NormalItem(r.item); err != nil {
			return nil, err
		}
		if attr.Size(w.item) > maxItem {
			return nil, attr.Invalid("Item size has exceeded the maximum allowed size")
		}
	} else if w.key, err = attr.NormalItem(r.key); err != nil {
		return nil, err
	}
	if err := w.parse(); err != nil {
		return nil, err
	}
	w.target, err = s.data(r.table)
	return w, err
}

func (w *write) parse() error {
	r := w.request
	if r.condition == nil && r.update == nil {
		if r.names != nil {
			return attr.Invalid("ExpressionAttributeNames can only be specified when using expressions")
		}
		if r.values != nil {
			return attr.Invalid("ExpressionAttributeValues can only be specified when using expressions: " +
				"ConditionExpression is null")
		}
		return nil
	}
	var err error
	if w.env, err = expr.NewEnv(r.names, r.values); err != nil {
		return err
	}
	if r.update != nil {
		if w.how, err = expr.ParseUpdate(*r.update, w.env); err != nil {
			return err
		}
	}
	if r.condition != nil {
		if w.when, err = expr.ParseCondition("ConditionExpression", *r.condition, w.env); err != nil {
			return err
		}
	}
	return w.env.Unused()
}

// locate checks the keys and finds the item.
func (w *write) locate() error {
	var err error
	if w.item != nil {
		w.row, err = w.target.accept(w.item)
	} else {
		w.row, err = w.target.locate(w.key)
	}
	if err != nil {
		return err
	}
	w.before = w.target.get(w.row)
	return w.checkPaths()
}

// checkPaths refuses updates of key attributes and looks into keys.
func (w *write) checkPaths() error {
	if w.when != nil {
		if err := w.target.checkNested(w.when.Paths()); err != nil {
			return err
		}
	}
	if w.how == nil {
		return nil
	}
	for _, name := range w.target.keys.names() {
		for _, p := range w.how.Paths() {
			if p[0].Name == name {
				return attr.Invalid(invalidValues+"Cannot update attribute %s. This attribute is part of the key", name)
			}
		}
	}
	return w.target.checkNested(w.how.Paths())
}

// checkNested refuses paths into the key attributes, which have no parts.
func (t *table) checkNested(paths []expr.Path) error {
	const refusal = "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: "
	for _, p := range paths {
		if len(p) == 1 {
			continue
		}
		for _, name := range t.keys.names() {
			if p[0].Name == name {
				return attr.Invalid(refusal+"Key: %s", name)
			}
		}
		for _, x := range t.indexes {
			for _, name := range x.keys.names() {
				if p[0].Name == name {
					return attr.Invalid(refusal+"IndexKey: %s", name)
				}
			}
		}
	}
	return nil
}

// decide says whether the condition holds and works out the item after the
// write. Nothing is written.
func (w *write) decide() error {
	if w.when != nil && !w.when.Holds(w.before) {
		failed := &ddbtypes.ConditionalCheckFailedException{Message: aws.String(conditionFailed)}
		if w.onFailure == ddbtypes.ReturnValuesOnConditionCheckFailureAllOld {
			failed.Item = attr.CloneItem(w.before)
		}
		return failed
	}
	switch {
	case w.checkOnly:
		w.after = w.before // to commit it changes nothing
	case w.item != nil:
		w.after = w.item
	case w.remove:
		w.after = nil
	default:
		return w.change()
	}
	return nil
}

const conditionFailed = "The conditional request failed"

// change applies the update to the item, or to a new one with only its key.
func (w *write) change() error {
	base := w.before
	if base == nil {
		base = w.key
	}
	after := attr.CloneItem(base)
	if w.how != nil {
		var err error
		if after, err = w.how.Apply(base); err != nil {
			return err
		}
	}
	after, err := attr.NormalItem(after)
	if err != nil {
		return err
	}
	if attr.Size(after) > maxItem {
		return attr.Invalid("Item size to update has exceeded the maximum allowed size")
	}
	w.after = after
	return w.target.checkIndexKeys(after)
}

// commit writes what decide worked out.
func (w *write) commit() { w.target.set(w.row, w.after) }

// run does a single write from beginning to end.
func (s *Service) run(r request) (*write, error) {
	w, err := s.understand(r)
	if err != nil {
		return nil, err
	}
	if err := w.locate(); err != nil {
		return nil, err
	}
	if err := w.decide(); err != nil {
		return nil, err
	}
	w.commit()
	return w, nil
}
