package cloudwatch

import (
	"math"
	"time"
)

// seriesFunctions are the functions of metric math that look at a whole time
// series, or at its times (CloudWatch user guide, "Using metric math", table of
// functions).
func seriesFunctions() map[string]func(in scope, args []operand) (operand, bool) {
	return map[string]func(in scope, args []operand) (operand, bool){
		"CEIL":            pointwise(math.Ceil),
		"FLOOR":           pointwise(math.Floor),
		"LOG":             pointwise(math.Log),
		"LOG10":           pointwise(math.Log10),
		"RATE":            changes(func(value, seconds float64) float64 { return value / seconds }),
		"DIFF":            changes(func(value, _ float64) float64 { return value }),
		"DIFF_TIME":       changes(func(_, seconds float64) float64 { return seconds }),
		"RUNNING_SUM":     runningSum,
		"STDDEV":          summing(deviation),
		"DATAPOINT_COUNT": summing(func(l line) float64 { return float64(len(present(l))) }),
		"FIRST":           picking(func([]line) int { return 0 }),
		"LAST":            picking(func(all []line) int { return len(all) - 1 }),
		"METRIC_COUNT":    metricCount,
		"TIME_SERIES":     timeSeries,
		"PERIOD":          period,
		"EPOCH":           timeOf(func(at time.Time) int { return int(at.Unix()) }),
		"MINUTE":          timeOf(time.Time.Minute),
		"HOUR":            timeOf(time.Time.Hour),
		"DAY":             timeOf(func(at time.Time) int { return (int(at.Weekday())+6)%7 + 1 }), // Monday is 1
		"DATE":            timeOf(time.Time.Day),
		"MONTH":           timeOf(func(at time.Time) int { return int(at.Month()) }),
		"YEAR":            timeOf(time.Time.Year),
	}
}

// isSeries reports whether there is one argument, and it is of time series.
func isSeries(args []operand) bool {
	return len(args) == 1 && (args[0].kind == lineKind || args[0].kind == linesKind)
}

// pointwise makes a function of each value. What has no result has no value.
func pointwise(do func(float64) float64) func(scope, []operand) (operand, bool) {
	return func(_ scope, args []operand) (operand, bool) {
		if !isSeries(args) {
			return operand{}, false
		}
		return each(args[0], func(v float64) float64 {
			if v = do(v); math.IsInf(v, 0) {
				return math.NaN()
			}
			return v
		}), true
	}
}

// whole applies a function to each time series as a whole.
func whole(args []operand, do func(l line) line) (operand, bool) {
	if !isSeries(args) {
		return operand{}, false
	}
	out := operand{kind: args[0].kind}
	for _, l := range args[0].lines {
		out.lines = append(out.lines, do(l))
	}
	return out, true
}

// changes compares each value with the one before, across gaps. The first has
// none before.
func changes(do func(value, seconds float64) float64) func(scope, []operand) (operand, bool) {
	return func(in scope, args []operand) (operand, bool) {
		return whole(args, func(l line) line {
			out, before := make(line, len(l)), -1
			for i, v := range l {
				out[i] = math.NaN()
				if math.IsNaN(v) {
					continue
				}
				if before >= 0 {
					out[i] = do(v-l[before], in.grid.at(i).Sub(in.grid.at(before)).Seconds())
				}
				before = i
			}
			return out
		})
	}
}

func runningSum(_ scope, args []operand) (operand, bool) {
	return whole(args, func(l line) line {
		out, sum := make(line, len(l)), 0.0
		for i, v := range l {
			if !math.IsNaN(v) {
				sum += v
				v = sum
			}
			out[i] = v
		}
		return out
	})
}

// present are the values that exist.
func present(l line) line {
	var out line
	for _, v := range l {
		if !math.IsNaN(v) {
			out = append(out, v)
		}
	}
	return out
}

// deviation is the standard deviation of the values that exist.
func deviation(l line) float64 {
	values := present(l)
	if len(values) == 0 {
		return math.NaN()
	}
	mean, sum := 0.0, 0.0
	for _, v := range values {
		mean += v / float64(len(values))
	}
	for _, v := range values {
		sum += (v - mean) * (v - mean)
	}
	return math.Sqrt(sum / float64(len(values)))
}

// summing makes a function that turns one time series into a scalar and an array
// of them into one, point by point.
func summing(do func(l line) float64) func(scope, []operand) (operand, bool) {
	return func(in scope, args []operand) (operand, bool) {
		if !isSeries(args) {
			return operand{}, false
		}
		if args[0].kind == lineKind {
			return scalarOf(do(args[0].lines[0])), true
		}
		out := make(line, in.points)
		for i := range out {
			column := make(line, len(args[0].lines))
			for j, l := range args[0].lines {
				column[j] = l[i]
			}
			out[i] = do(column)
		}
		return lineOf(out), true
	}
}

// picking makes a function that takes one time series out of an array.
func picking(which func(all []line) int) func(scope, []operand) (operand, bool) {
	return func(_ scope, args []operand) (operand, bool) {
		if !isSeries(args) || len(args[0].lines) == 0 {
			return operand{}, false
		}
		return lineOf(args[0].lines[which(args[0].lines)]), true
	}
}

func metricCount(_ scope, args []operand) (operand, bool) {
	if !isSeries(args) {
		return operand{}, false
	}
	return scalarOf(float64(len(args[0].lines))), true
}

// timeSeries repeats a scalar.
func timeSeries(in scope, args []operand) (operand, bool) {
	if len(args) != 1 || args[0].kind != scalarKind {
		return operand{}, false
	}
	out := make(line, in.points)
	for i := range out {
		out[i] = args[0].scalar
	}
	return lineOf(out), true
}

// period is a metric's period in seconds.
func period(in scope, args []operand) (operand, bool) {
	if len(args) != 1 || args[0].kind != lineKind {
		return operand{}, false
	}
	return scalarOf(in.grid.period.Seconds()), true
}

// timeOf makes a function of the times at which there are values.
func timeOf(do func(at time.Time) int) func(scope, []operand) (operand, bool) {
	return func(in scope, args []operand) (operand, bool) {
		return whole(args, func(l line) line {
			out := make(line, len(l))
			for i, v := range l {
				if out[i] = math.NaN(); !math.IsNaN(v) {
					out[i] = float64(do(in.grid.at(i).UTC()))
				}
			}
			return out
		})
	}
}
