package cloudwatch

import (
	"math"
	"slices"
	"strconv"

	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// maxValues bounds the distinct values that one bucket remembers as they are.
// From then on they are rounded to three significant digits, so that percentiles
// stay within half a percent and there are at most 900 of a magnitude.
const maxValues = 1000

// summary is what CloudWatch knows about the data of one stretch of time.
type summary struct {
	count, sum, low, high float64
	values                []sample // sorted; for percentiles
	coarse                bool     // values are rounded
	opaque                bool     // a statistic set came in, so values are incomplete
}

// sample is a value and how often it was seen.
type sample struct{ value, count float64 }

// seen is the summary of one value that was reported count times.
func seen(value, count float64) summary {
	return summary{count: count, sum: value * count, low: value, high: value, values: []sample{{value, count}}}
}

// merge adds other to s.
func (s *summary) merge(other summary) {
	if other.count == 0 {
		return
	}
	if s.count == 0 {
		s.low, s.high = other.low, other.high
	}
	s.count += other.count
	s.sum += other.sum
	s.low, s.high = min(s.low, other.low), max(s.high, other.high)
	s.opaque = s.opaque || other.opaque
	if other.coarse {
		s.round()
	}
	for _, v := range other.values {
		s.remember(v)
	}
	if len(s.values) > maxValues {
		s.round()
	}
}

// round rounds the values that there are and those to come.
func (s *summary) round() {
	if s.coarse {
		return
	}
	old := s.values
	s.values, s.coarse = nil, true
	for _, v := range old {
		s.remember(v)
	}
}

func (s *summary) remember(v sample) {
	if s.coarse {
		v.value = rounded(v.value)
	}
	at, found := slices.BinarySearchFunc(s.values, v.value, func(have sample, value float64) int {
		switch {
		case have.value < value:
			return -1
		case have.value > value:
			return 1
		default:
			return 0
		}
	})
	if found {
		s.values[at].count += v.count
		return
	}
	s.values = slices.Insert(s.values, at, v)
}

func rounded(v float64) float64 {
	r, err := strconv.ParseFloat(strconv.FormatFloat(v, 'e', 2, 64), 64)
	if err != nil {
		return v
	}
	return r
}

// statistic is one number out of a summary.
type statistic struct {
	name   string
	kind   string // of a statistic with bounds, else empty
	bounds bounds
}

// parseStatistic knows SampleCount, Average, Sum, Minimum, Maximum and those
// with bounds.
func parseStatistic(name string) (statistic, error) {
	if slices.Contains(cwtypes.Statistic("").Values(), cwtypes.Statistic(name)) {
		return statistic{name: name}, nil
	}
	if t, ok := parseBounded(name); ok {
		return t, nil
	}
	return statistic{}, invalid("The value %s for parameter Stat is not supported by the local CloudWatch. "+
		"It knows SampleCount, Average, Sum, Minimum, Maximum, percentiles such as p99.9, IQM, "+
		"and TM, TC, TS, WM and PR as in tm90, TM(10%%:90%%) and TC(0.005:0.030).", name)
}

// of returns the statistic, or NaN if there is no data for it.
func (t statistic) of(s summary) float64 {
	switch {
	case s.count == 0:
		return math.NaN()
	case t.kind != "":
		return s.bounded(t.kind, t.bounds)
	}
	switch cwtypes.Statistic(t.name) {
	case cwtypes.StatisticSampleCount:
		return s.count
	case cwtypes.StatisticAverage:
		return s.sum / s.count
	case cwtypes.StatisticSum:
		return s.sum
	case cwtypes.StatisticMinimum:
		return s.low
	case cwtypes.StatisticMaximum:
		return s.high
	default:
		return math.NaN()
	}
}

// percentile is the smallest value that at least p percent of the samples do
// not exceed.
func (s *summary) percentile(p float64) float64 {
	rank, below := p/100*s.count, 0.0
	for _, v := range s.values {
		below += v.count
		if below >= rank {
			return v.value
		}
	}
	return s.high
}
