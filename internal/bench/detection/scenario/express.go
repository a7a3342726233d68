package scenario

import (
	"fmt"
	"math"
	"slices"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/vm"

	"github.com/pullback-dev/pullback/internal/bench/detection/sim"
)

// formula is an expression and the field that holds it.
type formula struct {
	field string
	text  Expression
}

// formulas returns the three expressions with the defaults filled in.
func (s Scenario) formulas() [3]formula {
	or := func(e, otherwise Expression) Expression {
		if e == "" {
			return otherwise
		}
		return e
	}
	baseline := or(s.Baseline, "p0")
	return [3]formula{{"rate", or(s.Rate, "rate")}, {"p_baseline", baseline}, {"p_canary", or(s.Canary, baseline)}}
}

// The variables of an expression.
const (
	varTime   = "t"
	varRate   = "rate"
	varBase   = "p0"
	varWeight = "weight"
	varPi     = "pi"
	varBurst  = "burst" // only with the mechanism that has bursts
)

// variables returns what an expression of a cell may ask for.
func variables(c Cell, m sim.Mechanism) map[string]any {
	v := map[string]any{varTime: 0.0, varRate: c.Rate, varBase: c.Base, varWeight: c.Weight, varPi: math.Pi}
	if m == sim.Bursts {
		v[varBurst] = false
	}
	return v
}

// compile makes a program of it that gives a number.
func (f formula) compile(m sim.Mechanism) (*vm.Program, error) {
	options := []expr.Option{expr.Env(variables(Cell{}, m)), expr.DisableAllBuiltins(), expr.AsFloat64()}
	for name, fn := range map[string]func(float64) float64{"sin": math.Sin, "cos": math.Cos, "exp": math.Exp, "ln": math.Log, "abs": math.Abs} {
		options = append(options, expr.Function(name, func(args ...any) (any, error) {
			v, err := floats(args)
			if err != nil {
				return nil, err
			}
			return fn(v[0]), nil
		}, fn))
	}
	for name, fn := range map[string]func([]float64) float64{"min": slices.Min[[]float64], "max": slices.Max[[]float64]} {
		options = append(options, expr.Function(name, func(args ...any) (any, error) {
			v, err := floats(args)
			if err != nil || len(v) == 0 {
				return nil, fmt.Errorf("%s needs numbers", name)
			}
			return fn(v), nil
		}, func(float64, float64, ...float64) float64 { return 0 }))
	}
	p, err := expr.Compile(string(f.text), options...)
	if err != nil {
		return nil, fmt.Errorf("expression %q: %w", f.text, err)
	}
	return p, nil
}

// floats makes numbers of what the language hands to a function: an expression
// such as 1 + 1 is an integer there.
func floats(args []any) ([]float64, error) {
	all := make([]float64, len(args))
	for i, a := range args {
		switch v := a.(type) {
		case float64:
			all[i] = v
		case int:
			all[i] = float64(v)
		default:
			return nil, fmt.Errorf("%v is not a number", a)
		}
	}
	return all, nil
}

// Spec evaluates the expressions for a cell, once for each second.
func (s Scenario) Spec(c Cell) (sim.Spec, error) {
	spec := sim.Spec{Name: s.Name, Rate: c.Rate, Weight: c.Weight, Base: c.Base, Mechanism: s.Mechanism}
	var err error
	if spec.Calm, err = s.course(c, false); err != nil {
		return spec, err
	}
	if s.Mechanism == sim.Bursts {
		if spec.Storm, err = s.course(c, true); err != nil {
			return spec, err
		}
	}
	if s.Kind == NoData {
		spec.Silent, spec.SilentFrom = true, int(s.Onset)
	}
	return spec, nil
}

func (s Scenario) course(c Cell, burst bool) (sim.Course, error) {
	var series [3][]float64
	given := variables(c, s.Mechanism)
	if s.Mechanism == sim.Bursts {
		given[varBurst] = burst
	}
	for i, f := range s.formulas() {
		program, err := f.compile(s.Mechanism)
		if err != nil {
			return sim.Course{}, fmt.Errorf("scenario %q: %s: %w", s.Name, f.field, err)
		}
		series[i] = make([]float64, sim.Canary)
		for t := range series[i] {
			given[varTime] = float64(t)
			if series[i][t], err = value(program, given, f.field); err != nil {
				return sim.Course{}, fmt.Errorf("scenario %q, cell %s, t = %d: %s: %w", s.Name, c, t, f.field, err)
			}
		}
	}
	return sim.Course{Rate: series[0], P0: series[1], P1: series[2]}, nil
}

// value is what an expression gives, clamped if it is a probability.
func value(p *vm.Program, given map[string]any, field string) (float64, error) {
	out, err := expr.Run(p, given)
	if err != nil {
		return 0, fmt.Errorf("evaluate: %w", err)
	}
	v, ok := out.(float64)
	switch {
	case !ok || math.IsNaN(v):
		return 0, fmt.Errorf("the result is %v, which is not a number", out)
	case field != "rate":
		return min(max(v, 0), 1), nil
	case v < 0 || math.IsInf(v, 1):
		return 0, fmt.Errorf("the rate is %g requests a second; it must be 0 or more, and finite", v)
	default:
		return v, nil
	}
}
