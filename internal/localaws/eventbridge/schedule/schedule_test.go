package schedule_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/eventbridge/schedule"
)

// Berlin moves its clocks on 2026-03-29 from 02:00 to 03:00 and on 2026-10-25
// from 03:00 to 02:00.
func TestNextIsTheFirstTimeAfterThat(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	for name, c := range map[string]struct {
		expression, after, want string
	}{
		"rate":                       {"rate(90 minutes)", "2026-01-05T09:00:30Z", "2026-01-05T10:30:30Z"},
		"calendar":                   {"cron(0 9 * * ? *)", "2026-01-05T08:00:00Z", "2026-01-06T08:00:00Z"},
		"summer":                     {"cron(0 9 * * ? *)", "2026-07-05T08:00:00Z", "2026-07-06T07:00:00Z"},
		"an hour that is skipped":    {"cron(30 2 29 3 ? *)", "2026-01-05T08:00:00Z", "2027-03-29T00:30:00Z"},
		"an hour that comes twice":   {"cron(30 2 25 10 ? 2026)", "2026-01-05T08:00:00Z", "2026-10-25T00:30:00Z"},
		"but happens once":           {"cron(30 2 25 10 ? 2026)", "2026-10-25T00:30:00Z", ""},
		"the day that never is":      {"cron(0 0 30 2 ? *)", "2026-01-05T08:00:00Z", ""},
		"a year that is over":        {"cron(0 0 1 1 ? 2025)", "2026-01-05T08:00:00Z", ""},
		"once":                       {"at(2026-07-05T09:00:00)", "2026-01-05T08:00:00Z", "2026-07-05T07:00:00Z"},
		"once, but not at that time": {"at(2026-07-05T09:00:00)", "2026-07-05T07:00:00Z", ""},
	} {
		t.Run(name, func(t *testing.T) {
			after, err := time.Parse(time.RFC3339, c.after)
			require.NoError(t, err)
			s, err := schedule.ParseOnce(c.expression, berlin)
			if err != nil {
				s, err = schedule.Parse(c.expression, berlin)
			}
			require.NoError(t, err)
			got := ""
			if next := s.Next(after); !next.IsZero() {
				got = next.Format(time.RFC3339)
			}
			assert.Equal(t, c.want, got)
		})
	}
}
