package stack

import (
	"fmt"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/jsii-runtime-go"
)

// MetricDeadLetters is how many messages are in the dead-letter queues: what pullback
// could not handle. It should be 0.
func (c *ControlPlane) MetricDeadLetters(o *awscloudwatch.MetricOptions) awscloudwatch.IMetric {
	var all []awscloudwatch.IMetric
	for _, d := range c.at.queues.dead() {
		all = append(all, letters(d.queue).With(options(o, "Maximum")))
	}
	return together("messages in dead-letter queues", o, all)
}

// MetricErrors is how many runs of the functions have failed. They are tried again.
func (c *ControlPlane) MetricErrors(o *awscloudwatch.MetricOptions) awscloudwatch.IMetric {
	var all []awscloudwatch.IMetric
	for _, n := range names(c.at.Name) {
		all = append(all, c.functions[n.folder].MetricErrors(options(o, "Sum")))
	}
	return together("failed runs", o, all)
}

// MetricThrottles is how many runs of the functions were put off, since the account or
// what is reserved allowed no more of them at once.
func (c *ControlPlane) MetricThrottles(o *awscloudwatch.MetricOptions) awscloudwatch.IMetric {
	var all []awscloudwatch.IMetric
	for _, n := range names(c.at.Name) {
		all = append(all, c.functions[n.folder].MetricThrottles(options(o, "Sum")))
	}
	return together("throttled runs", o, all)
}

// MetricWaiting is how many seconds the oldest signal waits to be looked at.
func (c *ControlPlane) MetricWaiting(o *awscloudwatch.MetricOptions) awscloudwatch.Metric {
	return c.at.queues.signals.MetricApproximateAgeOfOldestMessage(options(o, "Maximum"))
}

// options are those of a metric, with defaults where nothing is said.
func options(o *awscloudwatch.MetricOptions, statistic string) *awscloudwatch.MetricOptions {
	var filled awscloudwatch.MetricOptions
	if o != nil {
		filled = *o
	}
	if filled.Period == nil {
		filled.Period = awscdk.Duration_Minutes(jsii.Number(1))
	}
	if filled.Statistic == nil {
		filled.Statistic = &statistic
	}
	return &filled
}

// together is the sum of metrics. One that says nothing counts as 0.
func together(label string, o *awscloudwatch.MetricOptions, all []awscloudwatch.IMetric) awscloudwatch.IMetric {
	using, parts := map[string]awscloudwatch.IMetric{}, []string{}
	for i, m := range all {
		id := fmt.Sprintf("m%d", i+1)
		using[id], parts = m, append(parts, "FILL("+id+", 0)")
	}
	filled := options(o, "")
	if filled.Label != nil {
		label = *filled.Label
	}
	return awscloudwatch.NewMathExpression(&awscloudwatch.MathExpressionProps{
		Expression: jsii.String(strings.Join(parts, " + ")), Label: &label, Period: filled.Period, UsingMetrics: &using,
	})
}
