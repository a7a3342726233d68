// Package cost estimates what a control plane costs in a month, from prices with their
// source and date, and from what is counted or assumed of its work. docs/cost.md is
// made of it.
//
// It asks AWS nothing, and knows nothing of free tiers, discounts and taxes.
package cost

// A Price is what so many units cost, in US dollars, in us-east-1.
type Price struct {
	What   string
	USD    float64
	For    float64 // units
	Unit   string
	Source string
	Date   string // of the source
}

// The prices. AWS's pages show theirs by script; the sources quote them.
const (
	cloudburn  = "cloudburn.io/blog/"
	evangelist = "aws.amazon.com/cloudwatch/pricing, as quoted in api-evangelist/cloudwatch"
	onDemand   = "airbyte.com/data-engineering-resources/dynamodb-pricing, after AWS's price cut of November 2024"
)

// Prices returns all that the estimate rests on, by name.
func Prices() map[string]Price {
	return map[string]Price{
		"requests":  {"Lambda: requests", 0.20, 1e6, "requests", "aws.amazon.com/lambda/pricing, as quoted in docs/fast-plane.md", "2026"},
		"seconds":   {"Lambda: time on arm64", 0.0000133334, 1, "GB-seconds", "aws.amazon.com/lambda/pricing, as quoted in docs/fast-plane.md", "2026"},
		"standard":  {"SQS: standard queues", 0.40, 1e6, "requests", cloudburn + "amazon-sqs-pricing", "March 2026"},
		"fifo":      {"SQS: FIFO queues", 0.50, 1e6, "requests", cloudburn + "amazon-sqs-pricing", "March 2026"},
		"reads":     {"DynamoDB: reads on demand", 0.125, 1e6, "units of 4 KB", onDemand, "2025"},
		"writes":    {"DynamoDB: writes on demand", 0.625, 1e6, "units of 1 KB", onDemand, "2025"},
		"table":     {"DynamoDB: storage", 0.25, 1, "GB and month", "aws.amazon.com/dynamodb/pricing", "undated copy"},
		"recovery":  {"DynamoDB: point-in-time recovery", 0.20, 1, "GB and month", "pull request 22 of vvondra/bitwarden-serverless", "2018"},
		"queries":   {"CloudWatch: GetMetricData", 0.01, 1e3, "metrics", "pull request 482 of prometheus/cloudwatch_exporter", "as in shared/amazon/metrics"},
		"metrics":   {"CloudWatch: custom metrics", 0.30, 1, "metric and month", evangelist, "May 2026"},
		"alarms":    {"CloudWatch: alarms", 0.10, 1, "alarm and month", evangelist, "May 2026"},
		"dashboard": {"CloudWatch: dashboards", 3, 1, "dashboard and month", "factualminds.com/blog/amazon-cloudwatch-pricing-metrics-logs-alarms-dashboards", "June 2026"},
		"logs":      {"CloudWatch Logs: ingestion", 0.50, 1, "GB", evangelist, "May 2026"},
		"archive":   {"CloudWatch Logs: storage", 0.03, 1, "GB and month", evangelist, "May 2026"},
	}
}

// Use is what a control plane looks after.
type Use struct{ Groups, Deployments int }

// Terms are what is counted of the code or assumed of its world. A month has 30 days.
type Terms struct {
	Canary, Bake    float64 // minutes; looks every ten seconds, and every minute
	RequestsASecond float64 // to a function while its canary runs
	ABatch          float64 // requests that its log delivers together
	CallSeconds     float64 // that a function waits for one answer of AWS
	Months          float64 // for which records and logs have been kept
}

// Usual returns the terms of docs/cost.md.
func Usual() Terms {
	return Terms{Canary: 5, Bake: 30, RequestsASecond: 10, ABatch: 10, CallSeconds: 0.02, Months: 12}
}

// What is known of the code, measured or read. The calls of sweeps, events and
// deployments are those of docs/bench-route.md with 100 groups and more.
const (
	minutes = 30 * 24 * 60.0 // of a month, and so its sweeps

	sweepCalls, sweepReads      = 99.0, 39.0
	activeCalls, activeReads    = 25.0, 13.0 // more of each sweep for each deployment that is under way or young
	eventCalls, eventReads      = 27.0, 13.0
	eventWrites                 = 10.0 // units: two transactions, which count twice, and an item
	events                      = 3.0  // of a deployment that is good: start, end, first look
	hooks, hookCalls, hookReads = 2.0, 12.0, 6.0
	lookCalls, lookReads        = 7.0, 6.0 // the watch, the configuration, four queries of outcomes
	bakeReads                   = 2.0
	lookWrites                  = 4.0        // units: a watch of 4 KB
	lookMetrics                 = 4.0        // requests and errors of two versions, once a minute
	batchSeconds, batchWrites   = 0.020, 1.5 // as in docs/fast-plane.md
	memory                      = 0.125      // GB of each function
	messageRequests             = 3.0        // send, receive, delete
	idlePolls                   = 15.0       // receives a minute of a queue that Lambda reads, if nothing comes
	kilobyte, lineBytes         = 1e-6, 1.0  // GB; KB in the log for each invocation
	recordsKB, groupKB          = 8.0, 5.0   // kept of each deployment for good; of each group
	alarms, metrics, dashboards = 8.0, 3.0, 1.0
)

// A Line is one line of the estimate.
type Line struct {
	Price Price
	Units float64
	Of    string // what they are made of
}

// USD is what the line costs in a month.
func (l Line) USD() float64 { return l.Units / l.Price.For * l.Price.USD }

// Estimate returns what a month costs, line by line.
func Estimate(u Use, t Terms) []Line {
	p, n := Prices(), float64(u.Deployments)
	quick, slow := t.Canary*6, t.Bake // looks
	batches := t.Canary * 60 * t.RequestsASecond / t.ABatch
	invocations := minutes + n*(events+hooks+quick+slow+batches)
	seconds := t.CallSeconds*(minutes*sweepCalls+n*((t.Canary+t.Bake)*activeCalls+events*eventCalls+hooks*hookCalls+(quick+slow)*lookCalls)) + n*batches*batchSeconds
	reads := minutes*sweepReads + n*((t.Canary+t.Bake)*activeReads+events*eventReads+hooks*hookReads+quick*lookReads+slow*bakeReads)
	writes := minutes + n*(events*eventWrites+hooks*eventWrites+(quick+slow)*lookWrites+batches*batchWrites)
	kept := (n*recordsKB*t.Months + float64(u.Groups)*groupKB) * kilobyte
	logged := invocations * lineBytes * kilobyte
	return []Line{
		{p["dashboard"], dashboards, "one"},
		{p["alarms"], alarms, "of the dead-letter queues, and of pullback's own metrics"},
		{p["metrics"], metrics, "sweeps, decision latency, halted"},
		{p["standard"], 2*idlePolls*minutes + messageRequests*(minutes+n*(events+quick+slow)), "Lambda's pollers on two queues, and messages"},
		{p["fifo"], idlePolls * minutes, "Lambda's pollers on the rollbacks queue"},
		{p["requests"], invocations, "sweeps, events, hooks, looks, batches of logs"},
		{p["seconds"], seconds * memory, "the calls to AWS of those, one after the other"},
		{p["reads"], reads, "mostly the sweep"},
		{p["writes"], writes, "looks, records, outcomes"},
		{p["queries"], n * (t.Canary + t.Bake) * lookMetrics, "one look a minute that asks for metrics"},
		{p["logs"], logged, "the functions' logs"},
		{p["archive"], logged * t.Months, "a year of them"},
		{p["table"], kept, "records of a year, which do not expire, and what is known of groups"},
		{p["recovery"], kept, "the same"},
	}
}

// Sum is what all lines cost.
func Sum(all []Line) float64 {
	var sum float64
	for _, l := range all {
		sum += l.USD()
	}
	return sum
}
