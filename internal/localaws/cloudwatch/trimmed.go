package cloudwatch

import (
	"math"
	"regexp"
	"strconv"
	"strings"
)

// The statistics that need the single values (CloudWatch user guide,
// "CloudWatch statistics definitions").
const (
	percentile     = "p"
	trimmedMean    = "TM"
	trimmedCount   = "TC"
	trimmedSum     = "TS"
	winsorizedMean = "WM"
	percentileRank = "PR"
)

// bounds are a stretch of values: without the lower one, with the upper one.
// In percent, they are a stretch of the sorted values, and a value on the edge
// belongs to it in part.
type bounds struct {
	low, high float64
	percent   bool
}

// The two ways to write a statistic with bounds: tm90 and TM(10%:90%).
// Numbers have "up to 10 decimal places".
var (
	shortStatistic = regexp.MustCompile(`^(p|tm|tc|ts|wm)(\d{1,3}(?:\.\d{1,10})?)$`)
	longStatistic  = regexp.MustCompile(`^(TM|TC|TS|WM|PR)\((\d+(?:\.\d{1,10})?%?)?:(\d+(?:\.\d{1,10})?%?)?\)$`)
)

// parseBounded knows the statistics with bounds, and IQM, the interquartile
// mean, which is TM(25%:75%).
func parseBounded(name string) (statistic, bool) {
	if name == "IQM" {
		return statistic{name, trimmedMean, bounds{25, 75, true}}, true
	}
	if m := shortStatistic.FindStringSubmatch(name); m != nil {
		p, err := strconv.ParseFloat(m[2], 64)
		kind := strings.ToUpper(m[1])
		if m[1] == percentile {
			kind = percentile
		}
		return statistic{name, kind, bounds{0, p, true}}, err == nil && p > 0 && p <= 100
	}
	m := longStatistic.FindStringSubmatch(name)
	if m == nil || m[2]+m[3] == "" {
		return statistic{}, false
	}
	b, ok := readBounds(m[2], m[3])
	return statistic{name, m[1], b}, ok && (!b.percent || m[1] != percentileRank)
}

// readBounds reads what stands around the colon. Both are values or both are
// percentages, and one of them may be left out.
func readBounds(low, high string) (bounds, bool) {
	b := bounds{0, 100, strings.HasSuffix(low+high, "%")}
	if !b.percent {
		b.low, b.high = math.Inf(-1), math.Inf(1)
	}
	for _, one := range []struct {
		text string
		to   *float64
	}{{low, &b.low}, {high, &b.high}} {
		if one.text == "" {
			continue
		}
		number, percent := strings.CutSuffix(one.text, "%")
		v, err := strconv.ParseFloat(number, 64)
		if err != nil || percent != b.percent || percent && v > 100 {
			return b, false
		}
		*one.to = v
	}
	return b, b.low < b.high
}

// alarms reports whether an alarm takes the statistic: values are bounds of PR
// only, and percentages lie between 10 and 90 where they are written with bounds
// (API reference, PutMetricAlarm, ExtendedStatistic).
func (t statistic) alarms() bool {
	switch {
	case !strings.Contains(t.name, ":"), t.kind == percentileRank:
		return true
	case !t.bounds.percent:
		return false
	}
	low, high := t.bounds.low, t.bounds.high
	return (low == 0 || low >= 10) && (high == 100 || high <= 90)
}

// bounded computes a statistic with bounds. There is none without the single
// values, which a statistic set does not tell, and none if a value is negative
// (API reference, GetMetricStatistics).
func (s *summary) bounded(kind string, b bounds) float64 {
	if s.opaque || s.low < 0 {
		return math.NaN()
	}
	switch kind {
	case percentile:
		return s.percentile(b.high)
	case winsorizedMean:
		return s.winsorized(b)
	}
	count, sum := s.within(b)
	switch kind {
	case trimmedCount:
		return count
	case trimmedSum:
		return sum
	case percentileRank:
		return 100 * count / s.count
	default: // the mean of nothing is not a number
		return sum / count
	}
}

// within counts and sums up what lies within the bounds.
func (s *summary) within(b bounds) (count, sum float64) {
	below := 0.0
	for _, v := range s.values {
		n := 0.0
		switch {
		case b.percent:
			n = max(0, min(below+v.count, b.high/100*s.count)-max(below, b.low/100*s.count))
		case b.low < v.value && v.value <= b.high:
			n = v.count
		}
		below += v.count
		count += n
		sum += n * v.value
	}
	return count, sum
}

// winsorized is the mean with what lies outside of the bounds moved to them.
func (s *summary) winsorized(b bounds) float64 {
	low, high := b.low, b.high
	if b.percent {
		low, high = s.percentile(low), s.percentile(high)
	}
	sum := 0.0
	for _, v := range s.values {
		sum += v.count * max(low, min(high, v.value))
	}
	return sum / s.count
}
