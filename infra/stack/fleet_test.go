package stack_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// home is what of a control plane depends on which fleet it is in.
type home struct {
	LetsIn []any    // accounts
	Writes []string // buses that it may write to
	Hub    string   // to which its functions send what is on record
	Events any      // that others may write to its bus
}

// The fleet of examples/fleet: each control plane may write to all others and lets in
// those of both accounts, with nothing but what control planes tell each other.
func TestAFleetLetsInItsOwnAccountsAndWritesToItsOwnBuses(t *testing.T) {
	var buses []string
	for _, account := range []string{"123456789012", "210987654321"} {
		for _, region := range []string{"ap-southeast-2", "eu-west-1", "us-east-1"} {
			buses = append(buses, "arn:aws:events:"+region+":"+account+":event-bus/pullback")
		}
	}
	slices.Sort(buses)
	for _, own := range buses {
		parts := strings.Split(own, ":")
		t.Run(parts[4]+"-"+parts[3], func(t *testing.T) {
			x := readFleet(t, parts[4]+"-"+parts[3])
			want := home{
				LetsIn: []any{"arn:aws:iam::123456789012:root", "arn:aws:iam::210987654321:root"},
				Writes: slices.DeleteFunc(slices.Clone(buses), func(b string) bool { return b == own }),
				Hub:    "arn:aws:events:eu-west-1:123456789012:event-bus/pullback",
				Events: map[string]any{
					"StringEquals":              map[string]any{"events:source": "pullback"},
					"ForAllValues:StringEquals": map[string]any{"events:detail-type": told(t, x)},
				},
			}
			if own == want.Hub { // what it collects of its own goes by its own bus
				want.Hub, want.Writes = "Bus", append([]string{"Bus"}, want.Writes...)
			}
			assert.Equal(t, want, x.home(t))
		})
	}
}

// told returns the detail-types that the rules of the own bus take.
func told(t *testing.T, x template) []any {
	t.Helper()
	var all []any
	for _, id := range x.of("AWS::Events::Rule") {
		if p := x.Resources[id].Properties; p["EventBusName"] != nil {
			all = append(all, list(object(t, p["EventPattern"])["detail-type"])...)
		}
	}
	require.NotEmpty(t, all)
	slices.SortFunc(all, func(a, b any) int { return strings.Compare(text(t, a), text(t, b)) })
	return all
}

func (x template) home(t *testing.T) home {
	t.Helper()
	var h home
	for _, id := range x.of("AWS::Events::EventBusPolicy") {
		s := object(t, x.Resources[id].Properties["Statement"])
		assert.Equal(t, []any{"Allow", "events:PutEvents", "Bus"}, []any{s["Effect"], s["Action"], plain(text(t, s["Resource"]))})
		h.LetsIn = append(h.LetsIn, object(t, s["Principal"])["AWS"])
		h.Events = s["Condition"]
	}
	for folder, lines := range x.granted(t) {
		for _, l := range lines {
			if bus, ok := strings.CutPrefix(l, "events:PutEvents on "); ok {
				assert.Equal(t, "alarmrouter", folder)
				h.Writes = append(h.Writes, bus)
			}
		}
	}
	slices.Sort(h.Writes)
	for _, id := range x.functions(t) {
		hub := text(t, object(t, object(t, x.Resources[id].Properties["Environment"])["Variables"])["PULLBACK_HUB"])
		assert.Contains(t, []string{"", hub}, h.Hub, "all functions have one hub")
		h.Hub = hub
	}
	return h
}

func readFleet(t *testing.T, name string) template {
	t.Helper()
	path := filepath.Join("../../cdk.out/fleet", name+".template.json")
	made, err := os.Stat(path)
	if err != nil || made.ModTime().Before(newestSource(t)) {
		t.Skip("there is no synthesized template, or it is older than the stack's code (make synth renews it)")
	}
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	var x template
	require.NoError(t, json.Unmarshal(raw, &x))
	return x
}
