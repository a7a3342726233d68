// Package schedule reads the schedule expressions of EventBridge and of
// EventBridge Scheduler and says when they come due. It sets no timers.
package schedule

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Schedule says when something happens by itself.
type Schedule interface {
	// Next is the first time after the given one, in UTC; zero if there is none.
	Next(after time.Time) time.Time
}

// Rate is a schedule that repeats. Where it starts is up to its owner.
type Rate time.Duration

// Next implements [Schedule].
func (r Rate) Next(after time.Time) time.Time { return after.Add(time.Duration(r)) }

// Once is a schedule of a single moment.
type Once time.Time

// Next implements [Schedule].
func (o Once) Next(after time.Time) time.Time {
	if at := time.Time(o); at.After(after) {
		return at
	}
	return time.Time{}
}

// maxRate keeps a rate within what a time.Duration can hold.
const maxRate = 250 * 365 * 24 * time.Hour

// Parse reads rate(…), or cron(…) by the calendar of a time zone (EventBridge
// user guide, "Creating a rule that runs on a schedule").
func Parse(expression string, zone *time.Location) (Schedule, error) {
	if body, ok := strings.CutPrefix(expression, "cron("); ok && strings.HasSuffix(body, ")") {
		return parseCron(strings.TrimSuffix(body, ")"), zone)
	}
	m := regexp.MustCompile(`^rate\(([1-9][0-9]*) (minute|hour|day)(s?)\)$`).FindStringSubmatch(expression)
	if m == nil {
		return nil, fmt.Errorf("schedule %q is neither a rate nor a cron expression", expression)
	}
	n, err := strconv.Atoi(m[1])
	if err != nil || (n == 1) == (m[3] == "s") { // the unit of 1 is singular, any other plural
		return nil, fmt.Errorf("schedule %q: number and unit do not agree", expression)
	}
	unit := map[string]time.Duration{"minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour}[m[2]]
	if n > int(maxRate/unit) {
		return nil, fmt.Errorf("schedule %q is too long", expression)
	}
	return Rate(time.Duration(n) * unit), nil
}

// ParseOnce reads at(yyyy-mm-ddThh:mm:ss) in a time zone (EventBridge Scheduler
// user guide, "One-time schedules").
func ParseOnce(expression string, zone *time.Location) (Schedule, error) {
	body, ok := strings.CutPrefix(expression, "at(")
	if !ok || !strings.HasSuffix(body, ")") {
		return nil, fmt.Errorf("schedule %q is no at expression", expression)
	}
	at, err := time.ParseInLocation("2006-01-02T15:04:05", strings.TrimSuffix(body, ")"), zone)
	if err != nil {
		return nil, fmt.Errorf("schedule %q: want at(yyyy-mm-ddThh:mm:ss)", expression)
	}
	return Once(at.UTC()), nil
}
