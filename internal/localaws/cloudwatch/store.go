package cloudwatch

import (
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// How long data points stay (CloudWatch user guide, "Metrics retention"): the
// coarser tiers of 63 and 455 days are not modelled.
const (
	keepFine   = 3 * time.Hour
	keepCoarse = 15 * 24 * time.Hour
)

// series is one metric: a namespace, a name and a set of dimensions.
type series struct {
	namespace, name string
	dimensions      []cwtypes.Dimension // sorted by name
	seconds         shelf               // standard resolution data stand at the start of their minute
	minutes         shelf               // everything again, by the minute
}

// shelf holds buckets of one length, in order of time.
type shelf struct {
	step, keep time.Duration
	buckets    []bucket
}

// bucket is the data of one step, each unit for itself: "metric data points
// that specify a unit of measure are aggregated separately" (API reference,
// PutMetricAlarm).
type bucket struct {
	at    time.Time
	parts []part
}

type part struct {
	unit    cwtypes.StandardUnit
	summary summary
}

// seriesKey identifies a metric. The dimensions may come in any order.
func seriesKey(namespace, name string, dimensions []cwtypes.Dimension) string {
	parts := []string{namespace, name}
	for _, d := range sortedDimensions(dimensions) {
		parts = append(parts, aws.ToString(d.Name), aws.ToString(d.Value))
	}
	return strings.Join(parts, "\x00")
}

func sortedDimensions(dimensions []cwtypes.Dimension) []cwtypes.Dimension {
	sorted := slices.Clone(dimensions)
	slices.SortFunc(sorted, func(a, b cwtypes.Dimension) int {
		return strings.Compare(aws.ToString(a.Name), aws.ToString(b.Name))
	})
	return sorted
}

// series finds a metric or makes it.
func (s *Service) series(namespace, name string, dimensions []cwtypes.Dimension) *series {
	key := seriesKey(namespace, name, dimensions)
	if found := s.metrics[key]; found != nil {
		return found
	}
	made := &series{
		namespace:  namespace,
		name:       name,
		dimensions: sortedDimensions(dimensions),
		seconds:    shelf{step: time.Second, keep: keepFine},
		minutes:    shelf{step: time.Minute, keep: keepCoarse},
	}
	s.metrics[key] = made
	at, _ := slices.BinarySearch(s.keys, key)
	s.keys = slices.Insert(s.keys, at, key)
	return made
}

// add files data that was seen at the given time.
func (sh *shelf) add(at, now time.Time, unit cwtypes.StandardUnit, data summary) {
	at = at.Truncate(sh.step)
	old := sort.Search(len(sh.buckets), func(i int) bool { return !sh.buckets[i].at.Before(now.Add(-sh.keep)) })
	sh.buckets = slices.Delete(sh.buckets, 0, old)
	i := sh.from(at)
	if i == len(sh.buckets) || !sh.buckets[i].at.Equal(at) {
		sh.buckets = slices.Insert(sh.buckets, i, bucket{at: at})
	}
	b := &sh.buckets[i]
	for p := range b.parts {
		if b.parts[p].unit == unit {
			b.parts[p].summary.merge(data)
			return
		}
	}
	b.parts = append(b.parts, part{unit: unit})
	b.parts[len(b.parts)-1].summary.merge(data)
}

// from is the index of the first bucket that is not before at.
func (sh *shelf) from(at time.Time) int {
	return sort.Search(len(sh.buckets), func(i int) bool { return !sh.buckets[i].at.Before(at) })
}

// read sums up what was seen from start until before end. An empty unit means
// all units.
func (sh *shelf) read(start, end, now time.Time, unit cwtypes.StandardUnit) summary {
	var total summary
	if oldest := now.Add(-sh.keep); start.Before(oldest) {
		start = oldest
	}
	for i := sh.from(start); i < len(sh.buckets) && sh.buckets[i].at.Before(end); i++ {
		for _, p := range sh.buckets[i].parts {
			if unit == "" || unit == p.unit {
				total.merge(p.summary)
			}
		}
	}
	return total
}

// units lists the units seen from start until before end.
func (sh *shelf) units(start, end time.Time) []cwtypes.StandardUnit {
	var units []cwtypes.StandardUnit
	for i := sh.from(start); i < len(sh.buckets) && sh.buckets[i].at.Before(end); i++ {
		for _, p := range sh.buckets[i].parts {
			if !slices.Contains(units, p.unit) {
				units = append(units, p.unit)
			}
		}
	}
	slices.Sort(units)
	return units
}

// shelf picks the resolution that can answer for a period.
func (m *series) shelf(period time.Duration) *shelf {
	if period < time.Minute {
		return &m.seconds
	}
	return &m.minutes
}

// newest is the time of the last data point.
func (m *series) newest() time.Time {
	if len(m.minutes.buckets) == 0 {
		return time.Time{}
	}
	return m.minutes.buckets[len(m.minutes.buckets)-1].at
}

// grid is a row of periods, oldest first.
type grid struct {
	start  time.Time
	period time.Duration
	n      int
}

func (g grid) at(i int) time.Time { return g.start.Add(time.Duration(i) * g.period) }

// summaries reads a metric along a grid.
func (s *Service) summaries(key string, unit cwtypes.StandardUnit, g grid) []summary {
	row := make([]summary, g.n)
	m := s.metrics[key]
	if m == nil {
		return row
	}
	sh, now := m.shelf(g.period), s.world.Now()
	for i := range row {
		row[i] = sh.read(g.at(i), g.at(i+1), now, unit)
	}
	return row
}
