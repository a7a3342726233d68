package scheduler_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/scheduler"
	schedulertypes "github.com/aws/aws-sdk-go-v2/service/scheduler/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func from(text string) change {
	return func(in *sdk.CreateScheduleInput) { in.StartDate = moment(text) }
}

func until(text string) change {
	return func(in *sdk.CreateScheduleInput) { in.EndDate = moment(text) }
}

func moment(text string) *time.Time {
	at, err := time.Parse(time.DateTime, "2026-"+text)
	if err != nil {
		panic(err)
	}
	return &at
}

// The world begins on Monday 2026-01-05 at 09:00:00 UTC. Europe/Berlin moves its
// clocks on 2026-03-29 from 02:00 to 03:00 and on 2026-10-25 from 03:00 to 02:00.
func TestScheduleComesDueByItsExpression(t *testing.T) {
	for name, c := range map[string]struct {
		changes []change
		wait    time.Duration // before what is counted
		span    time.Duration
		want    []string
	}{
		"rate begins at once": {changes: []change{at("rate(20 minutes)")}, span: time.Hour, want: []string{
			"01-05 09:00:00", "01-05 09:20:00", "01-05 09:40:00", "01-05 10:00:00",
		}},
		"rate begins at its start date": {
			changes: []change{at("rate(20 minutes)"), from("01-05 09:07:00"), until("01-05 09:47:00")}, span: 24 * time.Hour,
			want: []string{"01-05 09:07:00", "01-05 09:27:00", "01-05 09:47:00"},
		},
		"calendar between start and end": {
			changes: []change{at("cron(0 * * * ? *)"), from("01-05 11:00:00"), until("01-05 12:30:00")}, span: 24 * time.Hour,
			want: []string{"01-05 11:00:00", "01-05 12:00:00"},
		},
		"once in a time zone": {changes: []change{at("at(2026-01-05T18:10:00)"), zone("Asia/Tokyo")}, span: time.Hour, want: []string{"01-05 09:10:00"}},
		"once, whatever the dates say": {
			changes: []change{at("at(2026-01-05T09:10:00)"), from("01-06 00:00:00")}, span: time.Hour, want: []string{"01-05 09:10:00"},
		},
		"once, too late": {changes: []change{at("at(2026-01-05T08:59:59)")}, span: 24 * time.Hour},
		"calendar in a time zone": {
			changes: []change{at("cron(30 8 ? * MON-FRI *)"), zone("America/New_York")}, span: 24 * time.Hour, want: []string{"01-05 13:30:00"},
		},
		"hour that is skipped": {
			changes: []change{at("cron(30 2 * * ? *)"), zone("Europe/Berlin")}, wait: moment("03-28 00:00:00").Sub(*moment("01-05 09:00:00")),
			span: 72 * time.Hour, want: []string{"03-28 01:30:00", "03-30 00:30:00"},
		},
		"hour that comes twice": {
			changes: []change{at("cron(30 2 * * ? *)"), zone("Europe/Berlin")}, wait: moment("10-24 12:00:00").Sub(*moment("01-05 09:00:00")),
			span: 48 * time.Hour, want: []string{"10-25 00:30:00", "10-26 01:30:00"},
		},
		"disabled": {changes: []change{at("rate(1 minute)"), func(in *sdk.CreateScheduleInput) {
			in.State = schedulertypes.ScheduleStateDisabled
		}}, span: time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.create(c.changes...)
			b.advance(c.wait)
			if c.wait > 0 {
				b.got = nil
			}
			b.advance(c.span)
			assert.Equal(t, c.want, b.times())
		})
	}
}

func TestFlexibleWindowSpreadsTheCalls(t *testing.T) {
	run := func() []string {
		b := newBench(t)
		b.create(at("cron(0 * * * ? *)"), target(function, aws.String("\"<aws.scheduler.scheduled-time>\"")), func(in *sdk.CreateScheduleInput) {
			in.FlexibleTimeWindow = &schedulertypes.FlexibleTimeWindow{
				Mode: schedulertypes.FlexibleTimeWindowModeFlexible, MaximumWindowInMinutes: aws.Int32(15),
			}
		})
		b.advance(24*time.Hour + 15*time.Minute)
		return b.got
	}
	first := run()
	require.Len(t, first, 24)
	late := 0
	for i, line := range first {
		planned := moment("01-05 09:00:00").Add(time.Duration(i+1) * time.Hour)
		assert.Contains(t, line, planned.Format("2006-01-02T15:04:05Z"))
		called, err := time.Parse(time.DateTime, "2026-"+line[:len("01-05 09:00:00")])
		require.NoError(t, err)
		assert.Less(t, called.Sub(planned), 15*time.Minute)
		if called.After(planned) {
			late++
		}
	}
	assert.Greater(t, late, 12)
	assert.Equal(t, first, run(), "the same seed")
}

func TestScheduleIsDeletedAfterItsLastCall(t *testing.T) {
	for name, c := range map[string]struct {
		changes []change
		last    time.Duration // when it is gone
	}{
		"once":             {[]change{deletes}, 10 * time.Minute},
		"with an end date": {[]change{deletes, at("rate(20 minutes)"), until("01-05 09:50:00")}, 40 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.create(c.changes...)
			b.advance(c.last - time.Second)
			_, err := b.GetSchedule(t.Context(), &sdk.GetScheduleInput{Name: aws.String("s")})
			require.NoError(t, err)
			b.advance(time.Second)
			_, err = b.GetSchedule(t.Context(), &sdk.GetScheduleInput{Name: aws.String("s")})
			require.ErrorAs(t, err, new(*schedulertypes.ResourceNotFoundException))
		})
	}
}

func TestScheduleWaitsForItsRetriesBeforeItIsDeleted(t *testing.T) {
	b := newBench(t)
	b.fail = &schedulertypes.InternalServerException{Message: aws.String("down")}
	b.create(deletes, withDead(1))
	b.advance(10 * time.Minute)
	_, err := b.GetSchedule(t.Context(), &sdk.GetScheduleInput{Name: aws.String("s")})
	require.NoError(t, err)
	b.advance(time.Minute)
	_, err = b.GetSchedule(t.Context(), &sdk.GetScheduleInput{Name: aws.String("s")})
	require.ErrorContains(t, err, "Schedule s does not exist.")
}

func TestScheduleThatIsNoneIsRefused(t *testing.T) {
	b := newBench(t)
	for expression, text := range map[string]string{
		"rate(0 minutes)": "Invalid Schedule Expression rate(0 minutes).", "at(2026-01-05)": "Invalid Schedule Expression at(2026-01-05).",
		"at(2026-01-05T09:10:00": "Invalid Schedule Expression", "cron(* * * * * *)": "Invalid Schedule Expression", "daily": "Invalid Schedule Expression",
	} {
		_, err := b.CreateSchedule(t.Context(), schedule(at(expression)))
		require.ErrorContains(t, err, text, expression)
	}
	for name, c := range map[string]change{
		"Invalid Schedule Expression Timezone Mars/Olympus.":     zone("Mars/Olympus"),
		"Invalid Schedule Expression Timezone Local.":            zone("Local"),
		"StartDate you specify cannot be earlier than 5 minutes": from("01-05 08:54:00"),
		"EndDate you specify must be in the future":              until("01-05 09:00:00"),
		"'name' failed to satisfy constraint":                    func(in *sdk.CreateScheduleInput) { in.Name = aws.String("a b") },
		"MaximumWindowInMinutes must be between 1 and 1440": func(in *sdk.CreateScheduleInput) {
			in.FlexibleTimeWindow = &schedulertypes.FlexibleTimeWindow{Mode: schedulertypes.FlexibleTimeWindowModeFlexible}
		},
		"KmsKeyArn is not supported": func(in *sdk.CreateScheduleInput) { in.KmsKeyArn = aws.String("k") },
	} {
		_, err := b.CreateSchedule(t.Context(), schedule(c))
		assert.ErrorContains(t, err, name)
	}
}
