package route

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// Count is how often something was called.
type Count struct {
	Name string `json:"name"`
	N    int    `json:"n"`
}

// Counts are several, in the order in which they are shown.
type Counts []Count

// String writes them as names with numbers.
func (all Counts) String() string {
	words := make([]string, len(all))
	for i, c := range all {
		if words[i] = c.Name; c.N > 1 {
			words[i] = fmt.Sprintf("%d %s", c.N, c.Name)
		}
	}
	return strings.Join(words, ", ")
}

// fold counts calls by operation, the most frequent first.
func fold(calls []call) Counts { return count(calls, call.name) }

// services counts calls by service.
func services(calls []call) Counts { return count(calls, func(c call) string { return c.Service }) }

func count(calls []call, by func(call) string) Counts {
	n := make(map[string]int)
	for _, c := range calls {
		n[by(c)]++
	}
	var all Counts
	for name, times := range n {
		all = append(all, Count{name, times})
	}
	slices.SortFunc(all, func(a, b Count) int { return cmp.Or(b.N-a.N, cmp.Compare(a.Name, b.Name)) })
	return all
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// median returns the middle value, the upper one of two.
func median(x []float64) float64 {
	sorted := slices.Sorted(slices.Values(x))
	return sorted[len(sorted)/2]
}

func least(x []float64) float64 { return slices.Min(x) }

// load is how busy the machine is, as proc_loadavg(5) says; empty on systems
// without.
func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return ""
	}
	one, _, _ := strings.Cut(string(text), " ")
	return one
}
