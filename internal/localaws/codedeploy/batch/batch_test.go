package batch_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/pullback-dev/pullback/internal/localaws/codedeploy/batch"
)

func count(n int) batch.Minimum   { return batch.Minimum{Kind: batch.HostCount, Value: n} }
func percent(n int) batch.Minimum { return batch.Minimum{Kind: batch.FleetPercent, Value: n} }

func oneAtATime() batch.Config {
	return batch.Config{Minimum: batch.Minimum{Kind: batch.MostConcurrency, Value: 1}}
}

// fleet makes healthy hosts with the current revision: a, b, c, …
func fleet(n int) []batch.Host {
	var hosts []batch.Host
	for i := range n {
		hosts = append(hosts, batch.Host{ID: string(rune('a' + i)), Healthy: true, Revision: batch.Current, Progress: batch.Waiting})
	}
	return hosts
}

// play carries a deployment out in which the named hosts fail, and returns its
// batches and its verdict.
func play(c batch.Config, hosts []batch.Host, fail string) string {
	hosts = slices.Clone(hosts)
	var told []string
	for {
		step := c.Next(hosts)
		if step.Verdict != batch.GoOn {
			return strings.Join(append(told, string(step.Verdict)), " ")
		}
		told = append(told, step.Zone+strings.Join(step.Start, ""))
		for i := range hosts {
			if slices.Contains(step.Start, hosts[i].ID) {
				hosts[i].Progress = batch.Succeeded
				if strings.Contains(fail, hosts[i].ID) {
					hosts[i].Progress = batch.Failed
				}
			}
		}
	}
}

// The cases with a comment are the examples of the user guide, "CodeDeploy
// instance health", and of the API reference, MinimumHealthyHosts.
func TestBatches(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		config batch.Config
		hosts  int
		fail   string
		want   string
	}{
		"95 percent of 10 are all 10":               {batch.Config{Minimum: percent(95)}, 10, "", "Impossible"},
		"9 of 10: one at a time":                    {batch.Config{Minimum: count(9)}, 10, "", "a b c d e f g h i j Success"},
		"9 of 10: one fails":                        {batch.Config{Minimum: count(9)}, 10, "d", "a b c d Failure"},
		"9 of 10: the last fails":                   {batch.Config{Minimum: count(9)}, 10, "j", "a b c d e f g h i j Success"},
		"8 of 10: two at a time":                    {batch.Config{Minimum: count(8)}, 10, "", "ab cd ef gh ij Success"},
		"8 of 10: two fail":                         {batch.Config{Minimum: count(8)}, 10, "cd", "ab cd Failure"},
		"8 of 10: one fails":                        {batch.Config{Minimum: count(8)}, 10, "c", "ab cd e f g h i j Success"},
		"8 of 10: the last is the second":           {batch.Config{Minimum: count(8)}, 10, "cj", "ab cd e f g h i j Success"},
		"3 of 10: seven, then three":                {batch.Config{Minimum: count(3)}, 10, "", "abcdefg hij Success"},
		"0 of 10: all at once":                      {batch.Config{Minimum: count(0)}, 10, "", "abcdefghij Success"},
		"0 of 10: one succeeds":                     {batch.Config{Minimum: count(0)}, 10, "abcdefghi", "abcdefghij Success"},
		"0 of 10: all fail":                         {batch.Config{Minimum: count(0)}, 10, "abcdefghij", "abcdefghij Failure"},
		"6 of 9: three at a time":                   {batch.Config{Minimum: count(6)}, 9, "", "abc def ghi Success"},
		"40 percent of 9: five at a time":           {batch.Config{Minimum: percent(40)}, 9, "", "abcde fghi Success"},
		"40 percent of 9: four succeed":             {batch.Config{Minimum: percent(40)}, 9, "bcdei", "abcde f g h i Success"},
		"40 percent of 9: five fail at once":        {batch.Config{Minimum: percent(40)}, 9, "abcde", "abcde Failure"},
		"85 percent of 10: any failure is too many": {batch.Config{Minimum: percent(85)}, 10, "b", "a b Failure"},
		"half of 9: four at a time":                 {batch.Config{Minimum: percent(50)}, 9, "", "abcd efgh i Success"},
		"half of 9: six succeed":                    {batch.Config{Minimum: percent(50)}, 9, "cgh", "abcd efg hi Success"},
		"half of 1 is all":                          {batch.Config{Minimum: percent(50)}, 1, "", "Impossible"},
		"OneAtATime: one after the other":           {oneAtATime(), 3, "", "a b c Success"},
		"OneAtATime: the first fails":               {oneAtATime(), 3, "a", "a Failure"},
		"OneAtATime: the last fails":                {oneAtATime(), 3, "c", "a b c Success"},
		"OneAtATime: the only one":                  {oneAtATime(), 1, "", "a Success"},
		"OneAtATime: the only one fails":            {oneAtATime(), 1, "a", "a Failure"},
		"as many as there are":                      {batch.Config{Minimum: count(3)}, 3, "", "Impossible"},
		"more than there are":                       {batch.Config{Minimum: count(5)}, 3, "", "Impossible"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, c.want, play(c.config, fleet(c.hosts), c.fail))
		})
	}
}

func TestUnhealthyThenUnknownThenOldThenCurrentHosts(t *testing.T) {
	t.Parallel()
	hosts := []batch.Host{
		{ID: "a", Healthy: true, Revision: batch.Current, Progress: batch.Waiting},
		{ID: "b", Healthy: true, Revision: batch.Old, Progress: batch.Waiting},
		{ID: "c", Healthy: true, Revision: batch.Unknown, Progress: batch.Waiting},
		{ID: "d", Revision: batch.Current, Progress: batch.Waiting},
		{ID: "e", Revision: batch.Unknown, Progress: batch.Waiting},
	}
	assert.Equal(t, "e d c b a Success", play(oneAtATime(), hosts, ""))
	assert.Equal(t, "ed cba Success", play(batch.Config{Minimum: count(1)}, hosts, ""), "healthy hosts wait for the unhealthy ones")
	assert.Equal(t, "ed Failure", play(batch.Config{Minimum: count(3)}, hosts, "de"), "no healthy host is touched if too few are healthy")
	assert.Equal(t, "ed c b a Success", play(batch.Config{Minimum: count(3)}, hosts, "d"))
}

func TestNothingStartsWhileABatchRuns(t *testing.T) {
	t.Parallel()
	hosts := fleet(3)
	hosts[1].Progress = batch.Running
	assert.Equal(t, batch.Step{Verdict: batch.GoOn}, oneAtATime().Next(hosts))
}

// zones makes n hosts in each of two zones.
func zones(n int) []batch.Host {
	var hosts []batch.Host
	for _, zone := range []string{"2", "1"} {
		for i := range n {
			hosts = append(hosts, batch.Host{ID: fmt.Sprintf("-%s%c", zone, 'a'+i), Zone: zone, Healthy: true, Progress: batch.Waiting})
		}
	}
	return hosts
}

func TestZones(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		config batch.Config
		fail   string
		want   string
	}{
		"the lesser of both numbers, of the fleet": {
			// The user guide's example (200 hosts, 160 healthy, 100 and 50 in a
			// zone: 40, 40 and 20), one twentieth of it.
			batch.Config{Minimum: count(8), Zonal: true, PerZone: count(2)},
			"",
			"1-1a-1b 1-1c-1d 1-1e 2-2a-2b 2-2c-2d 2-2e Success",
		},
		"the lesser of both numbers, of the zone": {
			batch.Config{Minimum: count(0), Zonal: true, PerZone: percent(60)},
			"",
			"1-1a-1b 1-1c-1d 1-1e 2-2a-2b 2-2c-2d 2-2e Success",
		},
		"no minimum of a zone":         {batch.Config{Minimum: count(5), Zonal: true}, "", "1-1a-1b-1c-1d-1e 2-2a-2b-2c-2d-2e Success"},
		"too few in a zone":            {batch.Config{Zonal: true, PerZone: count(4)}, "-1a", "1-1a Failure"},
		"the last of a zone may fail":  {batch.Config{Zonal: true, PerZone: count(4)}, "-1e", "1-1a 1-1b 1-1c 1-1d 1-1e 2-2a 2-2b 2-2c 2-2d 2-2e Success"},
		"a zone that cannot be served": {batch.Config{Zonal: true, PerZone: count(5)}, "", "Impossible"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, c.want, play(c.config, zones(5), c.fail))
		})
	}
}
