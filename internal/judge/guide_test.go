package judge_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/shared/evalue"
	"github.com/pullback-dev/pullback/shared/health"
)

func guide(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/judging.md")
	require.NoError(t, err)
	return string(text)
}

func TestTheGuideSaysHowManyFailuresItTakes(t *testing.T) {
	for _, alpha := range []float64{0.01, 0.001} {
		row := fmt.Sprintf("| `alpha` %v %% |", 100*alpha)
		for _, olds := range []float64{99, 19, 9, 4, 3, 1} { // beside one request to the new version
			c := evalue.Default()
			c.Alpha = alpha
			test, err := evalue.New(c)
			require.NoError(t, err)
			failures := 0
			for ; !test.Failed(); failures++ {
				require.NoError(t, test.Add(evalue.Counts{N0: olds, N1: 1, X1: 1}, 10))
			}
			row += fmt.Sprintf(" %d |", failures)
		}
		assert.Contains(t, guide(t), row+"\n")
	}
}

// after is a time as the guide writes it.
func after(d time.Duration) string {
	switch {
	case d > 72*time.Hour:
		return fmt.Sprintf("%.0f days", d.Hours()/24)
	case d > 2*time.Hour:
		return fmt.Sprintf("%.0f h", d.Hours())
	case d > 10*time.Minute:
		return fmt.Sprintf("%.0f min", d.Minutes())
	default:
		return fmt.Sprintf("%.0f s", d.Seconds())
	}
}

func TestTheGuideSaysWhatCanBeSeen(t *testing.T) {
	text := guide(t)
	rows := 0
	for _, rate := range []float64{1, 10, 100, 1000} {
		for _, base := range []float64{0.0001, 0.001, 0.01} {
			head := fmt.Sprintf("| %v | %v %% |", rate, 100*base)
			if !strings.Contains(text, head) {
				continue // the guide has but some of them
			}
			rows++
			traffic := health.Traffic{Rate: rate, Share: 0.1, Base: base}
			smallest := usual().Smallest(traffic, 30*time.Minute)
			times := fmt.Sprintf("%.2g", smallest)
			if smallest >= 100 {
				times = fmt.Sprintf("%.0f", smallest)
			}
			row := fmt.Sprintf("%s %s | %s times the rate |\n", head, after(usual().Delay(traffic, 2)), times)
			assert.True(t, strings.Contains(text, row), row) //nolint:testifylint // Contains would print the whole guide
		}
	}
	assert.Equal(t, 9, rows)
}

func TestTheGuidesExampleIsWhatIsPrinted(t *testing.T) {
	rows, finding, err := replay(header+"0,60,540,1,60,0\n60,60,540,272,60,31\n120,60,541,266,57,27\n", usual())
	require.NoError(t, err)
	for _, r := range rows {
		assert.Contains(t, guide(t), fmt.Sprintf("%14.0f %14.6f %14.6f  %s\n", r.T, r.LnE, r.LnVeto, r.Verdict))
	}
	assert.Contains(t, guide(t), fmt.Sprintf("%s: %s\n%s\n", finding.Verdict, finding.Because, finding.Sees))
}

func TestTheGuideNamesEveryVerdict(t *testing.T) {
	for _, v := range []health.Verdict{health.Fail, health.Pass, health.Inconclusive, health.NoData, health.NoTraffic} {
		assert.Contains(t, guide(t), "| "+string(v)+" | ")
	}
}
