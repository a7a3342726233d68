package config

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/pullback-dev/pullback/shared/deploy"
)

// Hash names what the configuration means: two files with one hash have every
// target treated alike. Comments, the order of keys and of targets, and whether
// a default is spelled out make no difference. It is stored with decisions:
// what it is made of must not change without reason.
func (c Config) Hash() string {
	type entry struct {
		Target deploy.Target `json:"target"`
		Alias  deploy.Alias  `json:"alias"`
		Alarms []string      `json:"alarms,omitempty"`
		OneWay []OneWay      `json:"oneWay,omitempty"`
		Policy Policy        `json:"policy"`
	}
	defaults := c.Defaults()
	entries := make([]entry, 0, len(c.Entries))
	for _, e := range c.Entries {
		ways := slices.SortedFunc(slices.Values(e.OneWay), func(a, b OneWay) int { return cmp.Compare(a.Revision, b.Revision) })
		entries = append(entries, entry{e.Target, e.Alias, slices.Sorted(slices.Values(e.Alarms)), ways, e.on(defaults)})
	}
	slices.SortFunc(entries, func(a, b entry) int { return cmp.Compare(a.Target.String(), b.Target.String()) })
	text, err := json.Marshal(struct {
		Version   string     `json:"apiVersion"`
		Defaults  Defaults   `json:"defaults"`
		Targets   []entry    `json:"targets"`
		Pipelines []Pipeline `json:"pipelines,omitempty"`
		Peers     []string   `json:"peers,omitempty"`
	}{Version, defaults, entries, c.Pipelines, slices.Sorted(slices.Values(c.Peers))})
	if err != nil {
		panic(fmt.Sprintf("config: hash: %v", err)) // only numbers that are none: no file and no setting has them
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
