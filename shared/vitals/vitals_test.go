package vitals_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/pullback-dev/pullback/shared/vitals"
)

func TestEachIsALineOfTheEmbeddedMetricFormat(t *testing.T) {
	var out strings.Builder
	v := vitals.New(&out)
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	v.Swept(at)
	v.Decided(at, 1500*time.Millisecond)
	v.Decided(at, -time.Second) // a signal that is younger than the clock, which knows seconds
	v.Halted(at)
	head := `{"%":1,"_aws":{"CloudWatchMetrics":[{"Namespace":"Pullback","Dimensions":[[]],"Metrics":[{"Name":"%","Unit":"Count"}]}],"Timestamp":1772366400000}}`
	latency := func(s string) string {
		return `{"DecisionLatency":` + s + `,"_aws":{"CloudWatchMetrics":[{"Namespace":"Pullback","Dimensions":[[]],"Metrics":[{"Name":"DecisionLatency","Unit":"Seconds"}]}],"Timestamp":1772366400000}}`
	}
	want := strings.ReplaceAll(strings.Replace(head, `"%":1,"_aws"`, `"Sweeps":1,"_aws"`, 1), "%", "Sweeps") // ASCII order: S before _
	halted := strings.ReplaceAll(head, "%", "Halted")
	assert.Equal(t, []string{want, latency("1.5"), latency("0"), halted, ""}, strings.Split(out.String(), "\n"))
}
