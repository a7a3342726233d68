package config_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/pullback-dev/pullback/shared/config"
)

// FuzzParse wants every file to be read as another parser of YAML reads it, or
// to be refused with a place that is in it.
func FuzzParse(f *testing.F) {
	for _, name := range []string{"testdata/full.yaml"} {
		text, err := os.ReadFile(name)
		require.NoError(f, err)
		f.Add(text)
	}
	for _, s := range []string{
		"", "a: b: c", "- a\nb: c\n", "\tx", "{", "'", "? a\n: b", "&a *a", "!!str x", "a: |\n  b\n", "%YAML 1.2\n---\n",
		head + "defaults: {bake: 1h, judge: {alpha: 1e-3}, smoke: off}\n",
		head + "defaults:\n  smoke: |\n    {\"a\": 1}\n  hold: {next: yes}\n",
		head + "targets: [{target: a/b, alarms: [2026-01-01, 'it''s', \"\\u00e9\"]}]\n",
		head + "pipelines:\n- name: r\n  stages:\n  - name: s\n    targets:\n    - a/b\n    - {account: '123456789012', target: 'asg:x'}\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := config.Parse(text)
		if err != nil {
			wrong := &config.Error{}
			require.ErrorAs(t, err, &wrong)
			require.NotEmpty(t, wrong.Problems)
			lines := strings.Split(string(text), "\n")
			for _, p := range wrong.Problems {
				assert.NotEmpty(t, p.Message)
				assert.Positive(t, p.Column)
				require.Positive(t, p.Line)
				assert.LessOrEqual(t, p.Line, len(lines))
			}
			return
		}
		var n yaml.Node
		require.NoError(t, yaml.Unmarshal(text, &n))
		again, err := json.Marshal(plain(&n))
		require.NoError(t, err)
		other, err := config.Parse(again)
		require.NoError(t, err, string(again))
		assert.Equal(t, c.Hash(), other.Hash())
	})
}

// plain returns what a node says, without the types that YAML makes of text
// which JSON does not have.
func plain(n *yaml.Node) any {
	switch n.Kind {
	case yaml.DocumentNode:
		return plain(n.Content[0])
	case yaml.MappingNode:
		all := map[string]any{}
		for i := 0; i < len(n.Content); i += 2 {
			all[n.Content[i].Value] = plain(n.Content[i+1])
		}
		return all
	case yaml.SequenceNode:
		all := []any{}
		for _, e := range n.Content {
			all = append(all, plain(e))
		}
		return all
	case yaml.ScalarNode:
		switch n.Tag {
		case "!!int", "!!float":
			return json.Number(n.Value)
		case "!!bool":
			return n.Value == "true"
		}
		return n.Value
	case yaml.AliasNode:
		return nil
	default:
		return nil
	}
}
