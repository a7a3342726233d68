package fault_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/fault"
)

func TestAPlanIsReadAndWrittenAlike(t *testing.T) {
	text := `[{"name":"second stop","service":"codedeploy","operation":"StopDeployment","caller":"rollbacker*","nth":2,"do":"throttle","status":429},` +
		`{"name":"red","times":4,"from":"1m0s","until":"1h0m0s","do":"flap","for":"30s","alarm":"checkout-errors"}]`
	rules, err := fault.Parse([]byte(text))
	require.NoError(t, err)
	assert.Equal(t, []fault.Rule{
		{Name: "second stop", Service: "codedeploy", Operation: "StopDeployment", Caller: "rollbacker*", Nth: 2, Do: fault.Throttle, Status: 429},
		{
			Name: "red", From: fault.Duration(time.Minute), Until: fault.Duration(time.Hour), Times: 4,
			Do: fault.Flap, For: fault.Duration(30 * time.Second), Alarm: "checkout-errors",
		},
	}, rules)
	again, err := json.Marshal(rules)
	require.NoError(t, err)
	assert.Equal(t, text, string(again))
}

func TestABadPlanSaysWhatIsWrong(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"no JSON", `faults`, "read the plan of faults, a JSON list of rules: invalid character 'u' in literal false (expecting 'l')"},
		{"more than a list", `[] []`, "read the plan of faults: something follows the list"},
		{"typing error", `[{"name":"a","does":"lose"}]`, `read the plan of faults, a JSON list of rules: json: unknown field "does"`},
		{"no name", `[{"do":"lose"}]`, "rule 1: give it a name of its own"},
		{"same name", `[{"name":"a","do":"lose"},{"name":"a","do":"lose"}]`, "rule 2: give it a name of its own"},
		{"no kind", `[{"name":"a"}]`, `rule "a": do is "", not one of [throttle error reset-before reset-after delay lose repeat reorder stale flap]`},
		{"bad pattern", `[{"name":"a","do":"lose","caller":"[a"}]`, `rule "a": pattern "[a": syntax error in pattern`},
		{"no time", `[{"name":"a","do":"delay"}]`, `rule "a": delay needs for: how long`},
		{"bad time", `[{"name":"a","do":"delay","for":"10"}]`, `read the plan of faults, a JSON list of rules: "10" is not a duration such as 90s`},
		{"time that is ignored", `[{"name":"a","do":"lose","for":"1s"}]`, `rule "a": lose has no for`},
		{"code that is ignored", `[{"name":"a","do":"lose","code":"X"}]`, `rule "a": lose has no code, message or status`},
		{"copies that are ignored", `[{"name":"a","do":"lose","copies":2}]`, `rule "a": lose has no copies`},
		{"not an error", `[{"name":"a","do":"error","status":200}]`, `rule "a": status is an HTTP status of an error, 400 to 599`},
		{"negative", `[{"name":"a","do":"lose","nth":-1}]`, `rule "a": nth, every, times and copies are not negative`},
		{"rate", `[{"name":"a","do":"lose","rate":2}]`, `rule "a": rate is between 0 and 1`},
		{"until before from", `[{"name":"a","do":"lose","from":"2m","until":"1m"}]`, `rule "a": until is after from`},
		{"flap of nothing", `[{"name":"a","do":"flap","for":"1s","times":1}]`, `rule "a": flap needs alarm, and nothing else has it`},
		{"flap for ever", `[{"name":"a","do":"flap","for":"1s","alarm":"x"}]`, `rule "a": flap needs times: how many changes; and it is about no calls`},
		{"two wrong", `[{"name":"a"},{"name":"b","do":"delay"}]`, `rule "a": do is "", not one of [throttle error reset-before reset-after delay lose repeat reorder stale flap]` +
			"\n" + `rule "b": delay needs for: how long`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := fault.Parse([]byte(c.text))
			assert.EqualError(t, err, c.want)
		})
	}
}
