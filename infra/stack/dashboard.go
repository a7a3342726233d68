package stack

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/jsii-runtime-go"

	"github.com/pullback-dev/pullback/shared/vitals"
)

// half is a half of a dashboard's width in its units, of which there are 24.
const half = 12

// dashboard shows whether pullback itself is well: what waits, what is lost, and how
// its functions do. What it did with deployments, its records say.
func (at parts) dashboard(fs functions) {
	minute := awscdk.Duration_Minutes(jsii.Number(1))
	var age, lost, errors, throttles, durations []awscloudwatch.IMetric
	for _, q := range []struct {
		label string
		queue awssqs.Queue
	}{{"signals", at.queues.signals}, {"rollbacks", at.queues.rollbacks}, {"watch", at.queues.watch}, {"records", at.queues.records}} {
		if q.queue != nil {
			age = append(age, q.queue.MetricApproximateAgeOfOldestMessage(&awscloudwatch.MetricOptions{Label: &q.label, Period: minute, Statistic: jsii.String("Maximum")}))
		}
	}
	for _, d := range at.queues.dead() {
		lost = append(lost, letters(d.queue).With(&awscloudwatch.MetricOptions{Label: &d.id}))
	}
	for _, n := range names(at.Name) {
		o := func(statistic string) *awscloudwatch.MetricOptions {
			return &awscloudwatch.MetricOptions{Label: &n.folder, Period: minute, Statistic: &statistic}
		}
		errors = append(errors, fs[n.folder].MetricErrors(o("Sum")))
		throttles = append(throttles, fs[n.folder].MetricThrottles(o("Sum")))
		durations = append(durations, fs[n.folder].MetricDuration(o("Maximum")))
	}
	graph := func(title string, metrics []awscloudwatch.IMetric) awscloudwatch.IWidget {
		return awscloudwatch.NewGraphWidget(&awscloudwatch.GraphWidgetProps{Title: &title, Left: &metrics, Width: jsii.Number(half)})
	}
	d := awscloudwatch.NewDashboard(at.scope, jsii.String("Dashboard"), &awscloudwatch.DashboardProps{
		DashboardName: awscdk.Fn_Join(jsii.String("-"), &[]*string{&at.Name, at.stack.Region()}),
	})
	d.AddWidgets(graph("Age of the oldest message (s)", age), graph("Messages in dead-letter queues", lost))
	d.AddWidgets(graph("Errors of the functions", errors), graph("Longest run (ms)", durations))
	latency := []awscloudwatch.IMetric{vital(vitals.DecisionLatency, "Maximum")}
	life := []awscloudwatch.IMetric{vital(vitals.Sweeps, "Sum"), vital(vitals.Halted, "Sum")}
	d.AddWidgets(graph("From a signal to the decision (s)", latency), graph("Sweeps, and targets that need a human", life))
	d.AddWidgets(graph("Throttled", throttles))
}
