package alarmrouter_test

import (
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// metrics returns what was written of pullback's own metrics, as name and value.
func (s *scene) metrics() []string {
	var all []string
	for _, m := range regexp.MustCompile(`"(Sweeps|DecisionLatency|Halted)":([0-9.]+)`).FindAllStringSubmatch(s.vitals.String(), -1) {
		all = append(all, m[1]+" "+m[2])
	}
	return all
}

func TestItIsCountedHowLongADecisionTookAndOnlyOnce(t *testing.T) {
	s := newScene(t)
	s.now = noon.Add(7 * time.Second)
	assert.Zero(t, s.signals(alarm("errors")))
	assert.Zero(t, s.signals(alarm("errors")))
	assert.Equal(t, []string{"DecisionLatency 7"}, s.metrics())
}

func TestASweepCountsWhenItHasEndedWell(t *testing.T) {
	s := newScene(t, func(s *scene) { s.cloudWatch.red = nil })
	assert.Zero(t, s.signals(sweep()))
	assert.Equal(t, []string{"Sweeps 1"}, s.metrics())
	s.now = noon.Add(time.Hour)
	assert.Zero(t, s.signals(sweep()))
	assert.Equal(t, []string{"Sweeps 1"}, s.metrics(), "one that was overtaken is none")
}

func TestATargetThatNeedsAHumanIsCounted(t *testing.T) {
	s := newScene(t, func(s *scene) { s.finder.good = "" })
	assert.Zero(t, s.signals(alarm("errors")))
	assert.Equal(t, []string{"Halted 1"}, s.metrics())
}
