package schedule

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// cron is a schedule by the calendar of a time zone (EventBridge user guide,
// "Cron expressions"): minutes, hours, day of month, month, day of week, year.
type cron struct {
	zone                          *time.Location
	minutes, hours, months, years []int                  // what matches, sorted
	day                           func(d time.Time) bool // of a midnight in UTC
}

const (
	cronFields = 6
	firstYear  = 1970
	lastYear   = 2199
)

func parseCron(body string, zone *time.Location) (Schedule, error) {
	f := strings.Fields(body)
	if len(f) != cronFields {
		return nil, fmt.Errorf("cron(%s) has %d fields, not %d", body, len(f), cronFields)
	}
	if (f[2] == "?") == (f[4] == "?") { // one of the two days must be left open
		return nil, fmt.Errorf("cron(%s) wants ? as day of month or as day of week", body)
	}
	c := &cron{zone: zone}
	for _, p := range []struct {
		into      *[]int
		text      string
		low, high int
		names     []string
	}{
		{&c.minutes, f[0], 0, 59, nil},
		{&c.hours, f[1], 0, 23, nil},
		{&c.months, f[3], 1, 12, monthNames()},
		{&c.years, f[5], firstYear, lastYear, nil},
	} {
		set, err := parseSet(p.text, p.low, p.high, p.names)
		if err != nil {
			return nil, err
		}
		*p.into = set
	}
	var err error
	if f[4] == "?" {
		c.day, err = dayOfMonth(f[2])
	} else {
		c.day, err = dayOfWeek(f[4])
	}
	return c, err
}

func monthNames() []string {
	return []string{"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"}
}

func dayNames() []string { return []string{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"} }

// parseSet reads a field: values, ranges, steps and lists of them.
func parseSet(text string, low, high int, names []string) ([]int, error) {
	var out []int
	for part := range strings.SplitSeq(text, ",") {
		span, step, hasStep := strings.Cut(part, "/")
		every := 1
		if hasStep {
			n, err := strconv.Atoi(step)
			if err != nil || n < 1 {
				return nil, fmt.Errorf("cron field %q has a bad step", text)
			}
			every = n
		}
		from, to, err := parseSpan(span, low, high, names)
		if err != nil {
			return nil, err
		}
		if hasStep && from == to {
			to = high // 5/10 is every tenth from 5 on
		}
		for n := from; n <= to; n += every {
			out = append(out, n)
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

func parseSpan(span string, low, high int, names []string) (from, to int, err error) {
	if span == "*" {
		return low, high, nil
	}
	a, b, isRange := strings.Cut(span, "-")
	if !isRange {
		b = a
	}
	if from, err = parseNumber(a, low, high, names); err != nil {
		return 0, 0, err
	}
	if to, err = parseNumber(b, low, high, names); err != nil {
		return 0, 0, err
	}
	if from > to {
		return 0, 0, fmt.Errorf("cron range %q runs backwards", span)
	}
	return from, to, nil
}

func parseNumber(text string, low, high int, names []string) (int, error) {
	if i := slices.Index(names, strings.ToUpper(text)); i >= 0 {
		return low + i, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < low || n > high {
		return 0, fmt.Errorf("cron value %q is not between %d and %d", text, low, high)
	}
	return n, nil
}

// dayOfMonth reads days, L for the last day and nW for the weekday nearest to
// day n in the same month.
func dayOfMonth(text string) (func(time.Time) bool, error) {
	if text == "L" {
		return func(d time.Time) bool { return d.AddDate(0, 0, 1).Day() == 1 }, nil
	}
	if near, ok := strings.CutSuffix(text, "W"); ok {
		n, err := parseNumber(near, 1, 31, nil)
		return func(d time.Time) bool { return d.Day() == nearestWeekday(d, n) }, err
	}
	set, err := parseSet(text, 1, 31, nil)
	return func(d time.Time) bool { return slices.Contains(set, d.Day()) }, err
}

// nearestWeekday is the day of d's month that is a weekday and nearest to n,
// or 0 if the month has no day n.
func nearestWeekday(d time.Time, n int) int {
	want := time.Date(d.Year(), d.Month(), n, 0, 0, 0, 0, time.UTC)
	if want.Month() != d.Month() {
		return 0
	}
	last := want.AddDate(0, 0, 1).Month() != want.Month()
	switch {
	case want.Weekday() == time.Saturday && n > 1:
		return n - 1
	case want.Weekday() == time.Saturday:
		return n + 2
	case want.Weekday() == time.Sunday && last:
		return n - 2
	case want.Weekday() == time.Sunday:
		return n + 1
	default:
		return n
	}
}

// dayOfWeek reads days (1 or SUN to 7 or SAT), L for Saturday, nL for the last
// such day of the month and n#k for the k-th.
func dayOfWeek(text string) (func(time.Time) bool, error) {
	if text == "L" {
		text = "SAT"
	}
	if last, ok := strings.CutSuffix(text, "L"); ok {
		n, err := parseNumber(last, 1, 7, dayNames())
		return func(d time.Time) bool {
			return int(d.Weekday())+1 == n && d.AddDate(0, 0, 7).Month() != d.Month()
		}, err
	}
	if name, count, ok := strings.Cut(text, "#"); ok {
		n, err := parseNumber(name, 1, 7, dayNames())
		if err != nil {
			return nil, err
		}
		k, err := parseNumber(count, 1, 5, nil)
		return func(d time.Time) bool { return int(d.Weekday())+1 == n && (d.Day()-1)/7+1 == k }, err
	}
	set, err := parseSet(text, 1, 7, dayNames())
	return func(d time.Time) bool { return slices.Contains(set, int(d.Weekday())+1) }, err
}

// Next implements [Schedule].
func (c *cron) Next(after time.Time) time.Time {
	local := after.In(c.zone)
	day := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, time.UTC) // the calendar alone has no zone
	for ; day.Year() <= c.years[len(c.years)-1]; day = day.AddDate(0, 0, 1) {
		if !slices.Contains(c.years, day.Year()) || !slices.Contains(c.months, int(day.Month())) || !c.day(day) {
			continue
		}
		for _, h := range c.hours {
			for _, m := range c.minutes {
				if at, ok := c.at(day, h, m); ok && at.After(after) {
					return at.UTC()
				}
			}
		}
	}
	return time.Time{}
}

// at is a time of a day in the zone. A time that the clocks skip in spring does
// not happen, and one that they show twice in autumn happens once (EventBridge
// Scheduler user guide, "Daylight savings time on EventBridge Scheduler").
func (c *cron) at(day time.Time, hour, minute int) (time.Time, bool) {
	at := time.Date(day.Year(), day.Month(), day.Day(), hour, minute, 0, 0, c.zone)
	if first := at.Add(-time.Hour); first.Hour() == hour && first.Minute() == minute {
		at = first
	}
	return at, at.Hour() == hour && at.Minute() == minute
}
