package outcome_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/logs/filter"
	"github.com/pullback-dev/pullback/shared/outcome"
)

func TestThePatternLetsThroughWhatIsUnderstood(t *testing.T) {
	both := []outcome.Format{outcome.Text, outcome.JSON}
	for i, formats := range [][]outcome.Format{{outcome.Text}, {outcome.JSON}, both, {outcome.JSON, outcome.JSON}, nil} {
		text := outcome.Pattern(formats...)
		assert.LessOrEqual(t, len(text), 1024, "API reference, PutSubscriptionFilter")
		pattern, err := filter.Parse(text)
		require.NoError(t, err)
		assert.False(t, pattern.Match("an order\n"))
		assert.False(t, pattern.Match(ended))
		for f, ends := range ends {
			if i == 1-f || i == 3 && f == 0 {
				continue // another format
			}
			for _, e := range ends {
				assert.True(t, pattern.Match(e.report), "%s: %s", text, e.report)
				for _, line := range e.before {
					understood := read(t, batch(line)).Ignored == 0
					assert.True(t, !understood || f == 1 || pattern.Match(line), "%s: %s", text, line)
				}
			}
		}
		assert.Equal(t, i != 1 && i != 3, pattern.Match(began))
	}
}

func TestSourcesThatShowNoOutcomesSayWhy(t *testing.T) {
	require.NoError(t, outcome.Source{Group: group, Format: outcome.Text}.Usable())
	err := outcome.Source{}.Usable()
	require.ErrorIs(t, err, outcome.ErrUnavailable)
	require.EqualError(t, err, "no outcomes from the log: the function has no log group")
	err = outcome.Source{Group: group, Format: outcome.JSON, Quiet: true}.Usable()
	require.ErrorIs(t, err, outcome.ErrUnavailable)
	require.ErrorContains(t, err, "the system log level of /aws/lambda/checkout is WARN")
}
