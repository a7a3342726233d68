package cloudwatch

import (
	"math"
	"strings"
)

// line is one time series along a grid. NaN means that there is no data.
type line []float64

// operand is what a part of an expression yields: a scalar, a time series or
// an array of time series. One of them is set; word is the name of an option.
type operand struct {
	kind   operandKind
	scalar float64
	lines  []line // exactly one if kind is series
	word   string
}

type operandKind int

const (
	scalarKind operandKind = iota
	lineKind
	linesKind
	wordKind
)

func scalarOf(v float64) operand { return operand{kind: scalarKind, scalar: v} }
func lineOf(l line) operand      { return operand{kind: lineKind, lines: []line{l}} }
func linesOf(l []line) operand   { return operand{kind: linesKind, lines: l} }

// scope is what an expression can see.
type scope struct {
	points  int // on the grid
	grid    grid
	look    func(id string) (operand, error)  // another query
	metrics func(containing string) []operand // the metrics of the request, for METRICS()
}

// node is a part of an expression.
type node interface {
	eval(in scope) (operand, error)
}

type (
	numberNode float64
	textNode   string
	wordNode   string
	idNode     string
	arrayNode  []node
	binaryNode struct {
		op          string
		left, right node
	}
	callNode struct {
		name string
		do   func(in scope, args []operand) (operand, bool)
		args []node
	}
)

func (n numberNode) eval(scope) (operand, error) {
	return scalarOf(float64(n)), nil
}

func (n textNode) eval(scope) (operand, error) {
	return operand{kind: wordKind, word: string(n)}, nil
}

func (n wordNode) eval(scope) (operand, error) {
	return operand{kind: wordKind, word: string(n)}, nil
}

func (n idNode) eval(in scope) (operand, error) {
	return in.look(string(n))
}

func (n arrayNode) eval(in scope) (operand, error) {
	var all []line
	for _, item := range n {
		v, err := item.eval(in)
		if err != nil {
			return operand{}, err
		}
		if v.kind != lineKind && v.kind != linesKind {
			return operand{}, validation("An array in an expression must consist of time series.")
		}
		all = append(all, v.lines...)
	}
	return linesOf(all), nil
}

func (n callNode) eval(in scope) (operand, error) {
	args := make([]operand, len(n.args))
	for i, arg := range n.args {
		v, err := arg.eval(in)
		if err != nil {
			return operand{}, err
		}
		args[i] = v
	}
	v, ok := n.do(in, args)
	if !ok {
		return operand{}, validation("Function %s does not take these arguments in the local CloudWatch.", n.name)
	}
	return v, nil
}

func (n binaryNode) eval(in scope) (operand, error) {
	left, err := n.left.eval(in)
	if err != nil {
		return operand{}, err
	}
	right, err := n.right.eval(in)
	if err != nil {
		return operand{}, err
	}
	if left.kind == wordKind || right.kind == wordKind {
		return operand{}, validation("Operator %s does not take %s%s.", n.op, left.word, right.word)
	}
	if left.kind == linesKind && right.kind == linesKind {
		return operand{}, validation("Operator %s between two arrays is not supported by the local CloudWatch.", n.op)
	}
	return pairwise(left, right, operator(n.op)), nil
}

// pairwise applies an operator point by point. Where only one of two time
// series has a value, the other counts as 0; where a time series meets a
// scalar, a missing value stays missing (CloudWatch user guide, "Use metric
// math", basic arithmetic functions, comparison and logical operators).
func pairwise(a, b operand, do func(x, y float64) float64) operand {
	switch {
	case a.kind == scalarKind && b.kind == scalarKind:
		return scalarOf(do(a.scalar, b.scalar))
	case b.kind == scalarKind:
		return each(a, func(x float64) float64 { return do(x, b.scalar) })
	case a.kind == scalarKind:
		return each(b, func(y float64) float64 { return do(a.scalar, y) })
	}
	many, one, swapped := a, b.lines[0], false
	if b.kind == linesKind {
		many, one, swapped = b, a.lines[0], true
	}
	out := operand{kind: many.kind}
	for _, l := range many.lines {
		row := make(line, len(l))
		for i := range l {
			x, y := l[i], one[i]
			if swapped {
				x, y = y, x
			}
			row[i] = math.NaN()
			if !math.IsNaN(x) || !math.IsNaN(y) {
				row[i] = do(orZero(x), orZero(y))
			}
		}
		out.lines = append(out.lines, row)
	}
	return out
}

// each applies a function to every point that has a value.
func each(a operand, do func(float64) float64) operand {
	out := operand{kind: a.kind}
	for _, l := range a.lines {
		row := make(line, len(l))
		for i, v := range l {
			row[i] = math.NaN()
			if !math.IsNaN(v) {
				row[i] = do(v)
			}
		}
		out.lines = append(out.lines, row)
	}
	return out
}

func orZero(v float64) float64 {
	if math.IsNaN(v) {
		return 0
	}
	return v
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// operator returns what an operator does to two numbers. A division by zero
// drops the data point.
func operator(op string) func(x, y float64) float64 {
	operators := map[string]func(x, y float64) float64{
		"+": func(x, y float64) float64 { return x + y },
		"-": func(x, y float64) float64 { return x - y },
		"*": func(x, y float64) float64 { return x * y },
		"/": func(x, y float64) float64 {
			if y == 0 {
				return math.NaN()
			}
			return x / y
		},
		"==":  func(x, y float64) float64 { return truth(x == y) },
		"!=":  func(x, y float64) float64 { return truth(x != y) },
		"<=":  func(x, y float64) float64 { return truth(x <= y) },
		">=":  func(x, y float64) float64 { return truth(x >= y) },
		"<":   func(x, y float64) float64 { return truth(x < y) },
		">":   func(x, y float64) float64 { return truth(x > y) },
		"AND": func(x, y float64) float64 { return truth(x != 0 && y != 0) },
		"OR":  func(x, y float64) float64 { return truth(x != 0 || y != 0) },
	}
	op = strings.NewReplacer("&&", "AND", "||", "OR").Replace(op)
	return operators[op]
}
