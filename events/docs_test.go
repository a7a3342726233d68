package events_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/events"
)

var update = flag.Bool("update", false, "rewrite docs/events.md")

// TestTheDocsListTheRules keeps docs/events.md current; make golden rewrites
// it.
func TestTheDocsListTheRules(t *testing.T) {
	const path = "../docs/events.md"
	want := document(t)
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(want), 0o644))
	}
	got, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, want, string(got), "make golden rewrites it")
}

func document(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("# Events\n\nMade from `events.Rules()` by `make golden`. Every rule sends what it matches to the signals queue.\n" +
		"\nWhat comes from other accounts and regions comes by the control plane's own bus, and by no other. A control plane that collects records has a\n" +
		"rule and a queue for them besides.\n")
	for _, r := range events.Rules() {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n", r.Name, r.About)
		if r.Bus == events.Own {
			b.WriteString("By the control plane's own bus.\n\n")
		}
		if r.Hub {
			b.WriteString("Only where records are collected; it feeds the records queue.\n\n")
		}
		if r.Pattern == nil {
			fmt.Fprintf(&b, "Schedule: `%s`\n", r.Schedule)
		} else {
			pattern, err := json.MarshalIndent(r.Pattern, "", "  ")
			require.NoError(t, err)
			fmt.Fprintf(&b, "```json\n%s\n```\n", pattern)
		}
		b.WriteString("\nSamples:")
		for _, s := range r.Samples {
			fmt.Fprintf(&b, " [%s](../events/testdata/%s)", s, s)
		}
		b.WriteString("\n")
	}
	b.WriteString("\n## What comes without EventBridge\n\n" +
		"A hook's call ([hook.json](../events/testdata/hook.json)), SQS messages that carry an event each, and log events by subscription\n" +
		"filter ([report.json](../events/testdata/logs/report.json), [control.json](../events/testdata/logs/control.json), base64 of gzip of JSON).\n" +
		"`events.ShapeOf` tells them apart.\n")
	return b.String()
}
