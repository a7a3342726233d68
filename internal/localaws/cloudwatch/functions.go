package cloudwatch

import (
	"math"
)

// function finds a function of metric math. The others that AWS has are
// refused by name.
func function(name string) (func(in scope, args []operand) (operand, bool), bool) {
	functions := map[string]func(in scope, args []operand) (operand, bool){
		"METRICS": metricsFunction,
		"IF":      ifFunction,
		"FILL":    fillFunction,
		"SUM":     reducer(func(x, y float64) float64 { return x + y }, false),
		"AVG":     reducer(func(x, y float64) float64 { return x + y }, true),
		"MIN":     reducer(math.Min, false),
		"MAX":     reducer(math.Max, false),
		"ABS": func(_ scope, args []operand) (operand, bool) {
			if len(args) != 1 || args[0].kind == wordKind || args[0].kind == scalarKind {
				return operand{}, false
			}
			return each(args[0], math.Abs), true
		},
	}
	if do, ok := functions[name]; ok {
		return do, true
	}
	do, ok := seriesFunctions()[name]
	return do, ok
}

// metricsFunction returns the metrics of the request, not its expressions;
// with a text only those whose id contains it.
func metricsFunction(in scope, args []operand) (operand, bool) {
	containing := ""
	switch {
	case len(args) == 1 && args[0].kind == wordKind:
		containing = args[0].word
	case len(args) > 0:
		return operand{}, false
	}
	var all []line
	for _, m := range in.metrics(containing) {
		all = append(all, m.lines...)
	}
	return linesOf(all), true
}

// reducer makes a function that turns one time series into a scalar and an
// array of time series into one, point by point. Points without any value
// stay missing. AVG counts the missing values of an array as 0, as documented.
func reducer(do func(x, y float64) float64, mean bool) func(in scope, args []operand) (operand, bool) {
	return func(in scope, args []operand) (operand, bool) {
		if len(args) != 1 {
			return operand{}, false
		}
		switch a := args[0]; a.kind {
		case lineKind:
			total, n := fold(a.lines[0], do)
			if mean {
				total /= float64(n)
			}
			return scalarOf(total), true
		case linesKind:
			out := make(line, in.points)
			for i := range out {
				column := make(line, len(a.lines))
				for j, l := range a.lines {
					column[j] = l[i]
				}
				out[i], _ = fold(column, do)
				if mean {
					out[i] /= float64(len(a.lines))
				}
			}
			return lineOf(out), true
		case scalarKind, wordKind:
			return operand{}, false
		default:
			return operand{}, false
		}
	}
}

// fold combines the values that exist; NaN if none does.
func fold(l line, do func(x, y float64) float64) (total float64, n int) {
	total = math.NaN()
	for _, v := range l {
		switch {
		case math.IsNaN(v):
			continue
		case n == 0:
			total = v
		default:
			total = do(total, v)
		}
		n++
	}
	return total, n
}

// fillFunction replaces missing values by a scalar, by another time series or
// by the value before. LINEAR draws a line
// between the values on both sides of a gap.
func fillFunction(_ scope, args []operand) (operand, bool) {
	if len(args) != 2 || args[0].kind == scalarKind || args[0].kind == wordKind {
		return operand{}, false
	}
	with := args[1]
	if with.kind == linesKind || with.kind == wordKind && with.word != "REPEAT" && with.word != "LINEAR" {
		return operand{}, false
	}
	out := operand{kind: args[0].kind}
	for _, l := range args[0].lines {
		if with.word == "LINEAR" {
			out.lines = append(out.lines, interpolated(l))
			continue
		}
		row, last := make(line, len(l)), math.NaN()
		for i, v := range l {
			if math.IsNaN(v) {
				v = filler(with, i, last)
			}
			row[i], last = v, v
		}
		out.lines = append(out.lines, row)
	}
	return out, true
}

// interpolated fills the gaps between values with the line from one to the next.
// What is outside of all values stays missing.
func interpolated(l line) line {
	out, before := append(line(nil), l...), -1
	for i, v := range l {
		if math.IsNaN(v) {
			continue
		}
		for j := before + 1; before >= 0 && j < i; j++ {
			out[j] = l[before] + (v-l[before])*float64(j-before)/float64(i-before)
		}
		before = i
	}
	return out
}

func filler(with operand, i int, last float64) float64 {
	switch with.kind {
	case scalarKind:
		return with.scalar
	case lineKind:
		return with.lines[0][i]
	case wordKind, linesKind:
		return last
	default:
		return last
	}
}

// ifFunction picks, point by point, the second argument where the first is
// not 0 and the third where it is. No condition, no value; true without a
// value in a time series gives 0; false without a value gives none
// (CloudWatch user guide, "Using IF expressions").
func ifFunction(in scope, args []operand) (operand, bool) {
	if !ifArguments(args) {
		return operand{}, false
	}
	condition, otherwise := args[0], scalarOf(math.NaN())
	if len(args) == 3 {
		otherwise = args[2]
	}
	out := make(line, in.points)
	for i := range out {
		switch c := condition.value(i); {
		case math.IsNaN(c):
			out[i] = math.NaN()
		case c == 0:
			out[i] = otherwise.value(i)
		case condition.kind == lineKind:
			out[i] = orZero(args[1].value(i))
		default:
			out[i] = args[1].value(i)
		}
	}
	return lineOf(out), true
}

// ifArguments allows the documented combinations: scalars and time series, and
// not a scalar for both the condition and the value, because the result must
// be a time series.
func ifArguments(args []operand) bool {
	if len(args) != 2 && len(args) != 3 {
		return false
	}
	for _, a := range args {
		if a.kind != scalarKind && a.kind != lineKind {
			return false
		}
	}
	return args[0].kind == lineKind || args[1].kind == lineKind
}

// value is the i-th point of a time series, or the scalar.
func (o operand) value(i int) float64 {
	if o.kind == lineKind {
		return o.lines[0][i]
	}
	return o.scalar
}
