package events_test

import (
	"encoding/json"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/events"
	"github.com/pullback-dev/pullback/internal/localaws/eventbridge/pattern"
)

// matching returns the names of the rules that hand an event to pullback. A
// schedule has no pattern: EventBridge makes its event, and names the rule.
func matching(t *testing.T, text []byte) []string {
	t.Helper()
	event, err := pattern.Decode(text)
	require.NoError(t, err)
	var found []string
	for _, r := range events.Rules() {
		if r.Pattern == nil {
			resources, _ := json.Marshal(event["resources"])
			if strings.Contains(string(resources), ":rule/"+r.Name+`"`) {
				found = append(found, r.Name)
			}
			continue
		}
		source, err := json.Marshal(r.Pattern)
		require.NoError(t, err)
		p, err := pattern.Parse(string(source))
		require.NoError(t, err, r.Name)
		if p.Match(event) {
			found = append(found, r.Name)
		}
	}
	return found
}

func TestEverySampleMatchesItsRuleAndNoOther(t *testing.T) {
	want := make(map[string][]string)
	for _, r := range events.Rules() {
		require.NotEmpty(t, r.Samples, r.Name)
		for _, name := range r.Samples {
			want[name] = append(want[name], r.Name)
		}
	}
	files, err := filepath.Glob("testdata/*.json")
	require.NoError(t, err)
	got := make(map[string][]string)
	for _, f := range files {
		if rules := matching(t, sample(t, filepath.Base(f))); rules != nil {
			got[filepath.Base(f)] = rules
		}
	}
	assert.Equal(t, want, got)
}

func TestARuleHasEitherAPatternOrASchedule(t *testing.T) {
	var names []string
	for _, r := range events.Rules() {
		assert.NotEqual(t, r.Pattern == nil, r.Schedule == "", r.Name)
		assert.NotEmpty(t, r.About, r.Name)
		names = append(names, r.Name)
	}
	slices.Sort(names)
	assert.Equal(t, slices.Compact(slices.Clone(names)), names, "names are not used twice")
	assert.Contains(t, names, events.SweepRule)
}

// Samples of rules are events that pullback acts on, and every kind of event
// has a sample.
func TestEveryKindOfEventHasASample(t *testing.T) {
	kinds := make(map[string]bool)
	for _, r := range events.Rules() {
		for _, name := range r.Samples {
			e, err := events.Parse(sample(t, name))
			require.NoError(t, err, name)
			kinds[reflect.TypeOf(e).Name()] = true
		}
	}
	assert.Equal(t, map[string]bool{"Deployment": true, "Change": true, "Alarm": true, "Trouble": true, "Recorded": true, "Sweep": true}, kinds)
	for name, want := range map[string]events.Event{"follow-up.json": events.FollowUp{}, "trouble.json": events.Trouble{}, "schedule-foreign.json": events.Unknown{}} {
		e, err := events.Parse(sample(t, name))
		require.NoError(t, err)
		assert.IsType(t, want, e)
	}
}

// What is not red yet, or has not begun to move, is no reason to wake up.
func TestRulesLeaveOutWhatIsNoNews(t *testing.T) {
	alarm, deployment := string(sample(t, "alarm-metric.json")), string(sample(t, "codedeploy-start.json"))
	for name, text := range map[string]string{
		"an alarm without data":   strings.Replace(alarm, `"value": "ALARM"`, `"value": "INSUFFICIENT_DATA"`, 1),
		"a queued deployment":     strings.Replace(deployment, `"START"`, `"QUEUED"`, 1),
		"a ready deployment":      strings.Replace(deployment, `"START"`, `"READY"`, 1),
		"another service's alarm": strings.Replace(alarm, "aws.cloudwatch", "custom.cloudwatch", 1),
	} {
		require.NotContains(t, []string{alarm, deployment}, text, name)
		assert.Empty(t, matching(t, []byte(text)), name)
	}
}
