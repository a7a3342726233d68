package cost_test

import (
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/cost"
)

var update = flag.Bool("update", false, "rewrite docs/cost.md")

func TestALineCostsItsUnits(t *testing.T) {
	l := cost.Line{Price: cost.Price{USD: 0.40, For: 1e6}, Units: 2_500_000}
	assert.InDelta(t, 1.0, l.USD(), 1e-9)
	assert.InDelta(t, 2.0, cost.Sum([]cost.Line{l, l}), 1e-9)
}

func TestWhatNobodyUsesCostsTheSameWhateverTheTerms(t *testing.T) {
	idle := cost.Estimate(cost.Use{Groups: 10}, cost.Usual())
	long := cost.Usual()
	long.Canary, long.Bake, long.RequestsASecond = 500, 3000, 1000
	assert.Equal(t, idle, cost.Estimate(cost.Use{Groups: 10}, long))
}

func TestADeploymentCostsTheSameAsTheNext(t *testing.T) {
	at := func(n int) float64 {
		return cost.Sum(cost.Estimate(cost.Use{Groups: 10, Deployments: n}, cost.Usual()))
	}
	assert.InDelta(t, at(1)-at(0), at(1001)-at(1000), 1e-9)
	assert.Greater(t, at(1), at(0))
}

// The stack says how many alarms, metrics and dashboards there are, and which queues are
// polled.
func TestWhatIsCountedIsWhatTheStackMakes(t *testing.T) {
	raw, err := os.ReadFile("../../infra/stack/testdata/pullback.template.golden.json")
	require.NoError(t, err)
	var template struct {
		Resources map[string]struct {
			Type       string `json:"Type"`
			Properties struct {
				Namespace  string `json:"Namespace"`
				MetricName string `json:"MetricName"`
			} `json:"Properties"`
		} `json:"Resources"`
	}
	require.NoError(t, json.Unmarshal(raw, &template))
	made, own := map[string]float64{}, map[string]bool{}
	for _, r := range template.Resources {
		made[r.Type]++
		if r.Properties.Namespace == "Pullback" {
			own[r.Properties.MetricName] = true
		}
	}
	units := map[string]float64{}
	for _, l := range cost.Estimate(cost.Use{}, cost.Usual()) {
		units[l.Price.What] = l.Units
	}
	assert.Equal(t, []float64{units["CloudWatch: alarms"], units["CloudWatch: custom metrics"], units["CloudWatch: dashboards"]},
		[]float64{made["AWS::CloudWatch::Alarm"], float64(len(own)), made["AWS::CloudWatch::Dashboard"]})
	assert.InDelta(t, 3, made["AWS::Lambda::EventSourceMapping"], 0, "two standard queues and a FIFO queue are polled")
}

func TestEveryPriceIsUsedAndHasASource(t *testing.T) {
	used := map[string]bool{}
	for _, l := range cost.Estimate(cost.Use{}, cost.Usual()) {
		used[l.Price.What] = true
	}
	for name, p := range cost.Prices() {
		assert.True(t, used[p.What], name)
		assert.Positive(t, p.USD/p.For, name)
		assert.NotContains(t, []string{p.Source, p.Date, p.Unit}, "", name)
	}
}

// TestTheDocsHaveTheEstimate keeps docs/cost.md current; make golden rewrites it.
func TestTheDocsHaveTheEstimate(t *testing.T) {
	const path = "../../docs/cost.md"
	want := page()
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(want), 0o600))
	}
	got, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, want, string(got), "make golden rewrites it")
}

func page() string {
	var b strings.Builder
	usual := cost.Usual()
	sum := func(groups, deployments int) float64 {
		return cost.Sum(cost.Estimate(cost.Use{Groups: groups, Deployments: deployments}, usual))
	}
	fmt.Fprintf(&b, head, sum(0, 0), 1000*(sum(0, 1)-sum(0, 0)))
	b.WriteString("| groups | no deployment | 100 | 1,000 | 10,000 |\n|---|---|---|---|---|\n")
	for _, groups := range []int{10, 100, 1000} {
		fmt.Fprintf(&b, "| %s | $%.2f | $%.2f | $%.2f | $%.2f |\n", thousands(float64(groups)), sum(groups, 0), sum(groups, 100), sum(groups, 1000), sum(groups, 10000))
	}
	b.WriteString(whatIsIn)
	fmt.Fprintf(&b, "| %s | of | no deployment | | 1,000 | |\n|---|---|---|---|---|---|\n", "what")
	none, many := cost.Estimate(cost.Use{Groups: 100}, usual), cost.Estimate(cost.Use{Groups: 100, Deployments: 1000}, usual)
	for i, l := range many {
		fmt.Fprintf(&b, "| %s | %s | %s %s | $%.2f | %s | $%.2f |\n", l.Price.What, l.Of, thousands(none[i].Units), l.Price.Unit, none[i].USD(), thousands(l.Units), l.USD())
	}
	fmt.Fprintf(&b, "| **sum** | | | **$%.2f** | | **$%.2f** |\n", cost.Sum(none), cost.Sum(many))
	fmt.Fprintf(&b, assumed, usual.Canary, usual.Bake, usual.RequestsASecond, usual.ABatch, usual.CallSeconds*1000)
	b.WriteString("| what | price | for | source | of |\n|---|---|---|---|---|\n")
	prices := slices.SortedFunc(maps.Values(cost.Prices()), func(a, b cost.Price) int { return cmp.Compare(a.What, b.What) })
	for _, p := range prices {
		fmt.Fprintf(&b, "| %s | $%s | %s %s | %s | %s |\n", p.What, strconv.FormatFloat(p.USD, 'f', -1, 64), thousands(p.For), p.Unit, p.Source, p.Date)
	}
	return b.String()
}

// thousands writes a number with commas, and small ones with two digits.
func thousands(n float64) string {
	if n < 1 && n > 0 {
		return fmt.Sprintf("%.3f", n)
	}
	whole := fmt.Sprintf("%.0f", n)
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	return whole
}

const (
	head = `# What it costs

Made from ` + "`internal/cost`" + ` by ` + "`make golden`" + `. It is an estimate and no bill: prices of us-east-1 as others have quoted them, without free tiers, discounts and taxes, and
counts that are partly measured, partly assumed. All of that stands below. No account has been billed for it yet.

**A control plane costs about $%.2f a month** in an account and region in which nothing is deployed, and **about $%.2f more for a thousand deployments** that are watched.
The number of deployment groups hardly matters: a sweep costs calls by the deployments that are under way, not by the groups there are
([bench-route.md](bench-route.md)).

For one account and region, with so many deployments a month:

`
	whatIsIn = `
The dashboard, idle queues and sweeps make up most of what is there without any deployment; AWS's free tier covers three dashboards, ten alarms, ten metrics and a million
requests to SQS, if nothing else uses them up. Of what deployments add, more than half is for reading metrics; then come the writes of
watches and what the functions log.

Not in it are the alarms that teams have for their own targets ($0.10 each), restore points (snapshots and backups cost what they hold), CodeDeploy, what applications
log, and whatever delivers notices.

## What it is made of

100 groups, without a deployment and with 1,000 a month:

`
	assumed = `
## What is assumed

* A deployment is a canary of %.0f minutes and a bake of %.0f, on Lambda, and is good. A rollback is some 50 calls and ten more looks, which is less than a cent.
* The function has %.0f requests a second meanwhile, and its log delivers %.0f of them together. [fast-plane.md](fast-plane.md#what-it-costs) has the price by requests.
* AWS answers after %.0f ms, and a function waits for one answer after the other; really, many are asked for at once. Functions have 128 MB.
* Each sweep makes the 99 calls that the bench counts with 100 groups, of which 39 read the ledger (with one group it is 18 and 6), and writes one item.
* Lambda's pollers receive 15 times a minute from a queue in which nothing is: five pollers that wait 20 seconds each. AWS promises no number; that one was seen in
  CloudWatch by others (issue 132 of getlift/lift) and is billed (AWS Knowledge Center, "Why are my Amazon SQS charges higher than expected?").
* Each invocation logs 1 KB. A deployment leaves 8 KB of records, which do not expire. Logs and records are those of a year.
* Events of AWS's own services, rules on a schedule and standard parameters of Parameter Store are free. So is ` + "`DescribeAlarms`" + `.

## What comes on top

| if | then, a month |
|---|---|
| a key of your own | $1 for the key and $0.03 for 10,000 requests to KMS (cloudburn.io/blog/aws-kms-pricing, March 2026); services keep data keys for minutes |
| a hub | at the hub one more queue, polled like the others ($0.26), and its alarm ($0.10); everywhere one more item written and deleted for each record, and one written at the hub; each event to another account or region $1 for a million (cloudburn.io/blog/amazon-eventbridge-pricing, March 2026) |
| ` + "`pullback.yaml`" + ` of more than 4 KB | an advanced parameter of Parameter Store |
| notices | SNS: $0.50 for a million, mail $2 for 100,000 (factualminds.com/blog/amazon-sns-pricing-publishes-fanout-protocols, June 2026) |

## Prices

`
)
