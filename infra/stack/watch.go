package stack

import (
	"errors"
	"fmt"
	"math"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awselasticloadbalancingv2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/interfaces/interfacesawscloudwatch"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// Watch is what the alarms of a helper look at. They are about what a deployment
// brings: the version of a function, or the target groups of a service. The zero value
// is for an application that nobody has looked at closely; an alarm is an instruction,
// so that limits which the application does not keep on good days take good versions
// back.
type Watch struct {
	ErrorRate float64         // percent of the requests that may fail; zero: 5
	Latency   awscdk.Duration // that 99 of 100 requests keep, behind a load balancer; nil: 5 seconds
	Healthy   int             // how many targets are healthy at least, behind a load balancer; zero: 1
	Period    awscdk.Duration // over which is counted; nil: a minute
	Periods   int             // how many of them in a row make an alarm; zero: 2
	None      bool            // there are no such alarms; the group's own speak for it alone
}

const (
	errorRateDefault = 5
	latencyDefault   = 5 // seconds
	periodsDefault   = 2
)

func (w Watch) check(owner string) error {
	var errs []error
	wrong := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("stack."+owner+".Watch."+format, args...))
	}
	if w.ErrorRate < 0 || w.ErrorRate >= 100 || math.IsNaN(w.ErrorRate) {
		wrong("ErrorRate: %g is no percentage from 0 to less than 100: leave it out, and it is %d", w.ErrorRate, errorRateDefault)
	}
	if w.Healthy < 0 {
		wrong("Healthy: %d targets cannot be healthy: leave it out, and it is 1", w.Healthy)
	}
	if w.Periods < 0 {
		wrong("Periods: %d cannot be counted: leave it out, and it is %d", w.Periods, periodsDefault)
	}
	if w.None && (w.ErrorRate != 0 || w.Latency != nil || w.Healthy != 0 || w.Period != nil || w.Periods != 0) {
		wrong("None: it contradicts the limits beside it: leave one of them out")
	}
	return errors.Join(errs...)
}

func (w Watch) filled() Watch {
	if w.ErrorRate == 0 {
		w.ErrorRate = errorRateDefault
	}
	if w.Latency == nil {
		w.Latency = awscdk.Duration_Seconds(jsii.Number(latencyDefault))
	}
	if w.Healthy == 0 {
		w.Healthy = 1
	}
	if w.Period == nil {
		w.Period = awscdk.Duration_Minutes(jsii.Number(1))
	}
	if w.Periods == 0 {
		w.Periods = periodsDefault
	}
	return w
}

// alarm makes an alarm. Where nothing is counted nothing is wrong.
func (w Watch) alarm(scope constructs.Construct, id, about string, metric awscloudwatch.IMetric, over bool, limit float64) awscloudwatch.Alarm {
	compare := awscloudwatch.ComparisonOperator_GREATER_THAN_THRESHOLD
	if !over {
		compare = awscloudwatch.ComparisonOperator_LESS_THAN_THRESHOLD
	}
	return awscloudwatch.NewAlarm(scope, &id, &awscloudwatch.AlarmProps{
		AlarmDescription: &about, Metric: metric, ComparisonOperator: compare, Threshold: &limit,
		EvaluationPeriods: number(w.Periods), TreatMissingData: awscloudwatch.TreatMissingData_NOT_BREACHING,
	})
}

// rate is the share of requests that fail, in percent.
func (w Watch) rate(failed, all awscloudwatch.IMetric) awscloudwatch.IMetric {
	return awscloudwatch.NewMathExpression(&awscloudwatch.MathExpressionProps{
		Expression: jsii.String("100 * failed / requests"), Label: jsii.String("requests that fail (%)"), Period: w.Period,
		UsingMetrics: &map[string]awscloudwatch.IMetric{"failed": failed, "requests": all},
	})
}

// ofVersion is the alarm on what fails of the version that the alias has after the
// deployment, whichever share of the traffic it has. AWS counts by version what comes
// through an alias (Lambda developer guide, "Types of metrics for Lambda functions",
// ExecutedVersion). After a rollback nothing comes to that version, and the alarm is
// over at once.
func (w Watch) ofVersion(scope constructs.Construct, alias awslambda.Alias) awscloudwatch.Alarm {
	function, name := alias.Lambda().FunctionName(), aliasName(alias)
	counted := func(metric string) awscloudwatch.IMetric {
		return awscloudwatch.NewMetric(&awscloudwatch.MetricProps{
			Namespace: jsii.String("AWS/Lambda"), MetricName: &metric, Statistic: jsii.String("Sum"), Period: w.Period,
			DimensionsMap: &map[string]*string{
				"FunctionName":    function,
				"Resource":        awscdk.Fn_Join(jsii.String(":"), &[]*string{function, name}),
				"ExecutedVersion": alias.Version().Version(),
			},
		})
	}
	a := w.alarm(scope, "Errors", fmt.Sprintf("More than %g %% of the requests to the newest version of %s fail.", w.ErrorRate, *name),
		w.rate(counted("Errors"), counted("Invocations")), true, w.ErrorRate)
	// The alarm looks at the new version before the first request comes to it: an update
	// changes the alias only when the alarm has been changed.
	alias.Node().AddDependency(a)
	return a
}

// aliasName is the alias's name as it is written. Its attribute is made of its ARN,
// with which an alarm would wait for the alias and not the other way round.
func aliasName(alias awslambda.Alias) *string {
	cfn, ok := alias.Node().DefaultChild().(awslambda.CfnAlias)
	if !ok {
		panic("an alias's default child is not a CfnAlias")
	}
	return cfn.Name()
}

// behind are the alarms on target groups: what fails and what is slow of each, since
// each is a version while a deployment shifts traffic from one to another, and how
// many targets are healthy of all, since the new ones are not at first.
func (w Watch) behind(scope constructs.Construct, groups []awselasticloadbalancingv2.IApplicationTargetGroup) []awscloudwatch.Alarm {
	if len(groups) == 0 {
		return nil
	}
	options := func(statistic string) *awscloudwatch.MetricOptions {
		return &awscloudwatch.MetricOptions{Statistic: &statistic, Period: w.Period}
	}
	var all []awscloudwatch.Alarm
	sum, healthy := "", map[string]awscloudwatch.IMetric{}
	for i, g := range groups {
		suffix := ""
		if len(groups) > 1 {
			suffix = fmt.Sprint(i + 1)
		}
		m := g.Metrics()
		all = append(all,
			w.alarm(scope, "Errors"+suffix, fmt.Sprintf("More than %g %% of the requests fail.", w.ErrorRate),
				w.rate(m.HttpCodeTarget(awselasticloadbalancingv2.HttpCodeTarget_TARGET_5XX_COUNT, options("Sum")), m.RequestCount(options("Sum"))), true, w.ErrorRate),
			w.alarm(scope, "Latency"+suffix, fmt.Sprintf("One of a hundred requests takes longer than %g s.", *w.Latency.ToSeconds(nil)),
				m.TargetResponseTime(options("p99")), true, *w.Latency.ToSeconds(nil)))
		id := fmt.Sprintf("healthy%d", i+1)
		healthy[id] = m.HealthyHostCount(options("Minimum"))
		if sum += fmt.Sprintf(" + FILL(%s, 0)", id); i == 0 {
			sum = fmt.Sprintf("FILL(%s, 0)", id)
		}
	}
	count := healthy["healthy1"]
	if len(groups) > 1 { // a target group without targets counts nothing
		count = awscloudwatch.NewMathExpression(&awscloudwatch.MathExpressionProps{
			Expression: &sum, Label: jsii.String("healthy targets"), Period: w.Period, UsingMetrics: &healthy,
		})
	}
	about := "No target is healthy."
	if w.Healthy > 1 {
		about = fmt.Sprintf("Fewer than %d targets are healthy.", w.Healthy)
	}
	return append(all, w.alarm(scope, "Healthy", about, count, false, float64(w.Healthy)))
}

// speaking are alarms of the team's own and those of the helper.
func speaking(own *[]interfacesawscloudwatch.IAlarmRef, made []awscloudwatch.Alarm) *[]interfacesawscloudwatch.IAlarmRef {
	var all []interfacesawscloudwatch.IAlarmRef
	if own != nil {
		all = append(all, *own...)
	}
	for _, a := range made {
		all = append(all, a)
	}
	return &all
}
