package measure

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pullback-dev/pullback/shared/deploy"
)

// Lambda counts a version behind an alias, by the minute. All three dimensions
// are needed: with fewer, the metric mixes versions (Lambda developer guide,
// "Types of metrics for Lambda functions", dimension ExecutedVersion). A
// throttled request is neither an invocation nor an error (same page).
func Lambda(a deploy.Alias, version deploy.Revision) Arm {
	return arm("AWS/Lambda", Names{Requests: "Invocations", Errors: []string{"Errors"}, Latency: "Duration"}, []Dimension{
		{"FunctionName", a.Function},
		{"Resource", a.String()},
		{"ExecutedVersion", string(version)},
	})
}

// TargetGroup counts what stands in a target group of an application load
// balancer, by the minute. Both are ARNs or what the dimensions have of them:
// app/NAME/ID and targetgroup/NAME/ID.
//
// What fails are answers of the targets with a 5xx status and connections that
// no target took: a request that finds nobody counts as a request, and its 502
// is the load balancer's own, which no target group has. The load balancer's
// other answers (a 504 after a timeout) have no target group either and are not
// seen here. All of it is reported only when it is not zero (user guide,
// "CloudWatch metrics for your Application Load Balancer").
func TargetGroup(loadBalancer, targetGroup string) (Arm, error) {
	balancer, group := resource(loadBalancer, "loadbalancer/"), resource(targetGroup, "")
	switch {
	case !strings.HasPrefix(balancer, "app/"):
		return Arm{}, fmt.Errorf("count requests of target group %q: %q is no application load balancer, and only those count requests", targetGroup, loadBalancer)
	case !strings.HasPrefix(group, "targetgroup/"):
		return Arm{}, fmt.Errorf("count requests behind %q: %q is no target group: give its ARN or targetgroup/NAME/ID", loadBalancer, targetGroup)
	}
	return arm("AWS/ApplicationELB", Names{
		Requests: "RequestCount", Errors: []string{"HTTPCode_Target_5XX_Count", "TargetConnectionErrorCount"}, Latency: "TargetResponseTime",
	}, []Dimension{{"LoadBalancer", balancer}, {"TargetGroup", group}}), nil
}

// TaskSet counts an ECS task set, or a service revision of a native blue/green
// deployment, by the target group that it alone stands in. ECS itself counts no
// requests, and its metrics of a service mix all its task sets (ECS developer
// guide, "Amazon ECS CloudWatch metrics": dimensions ClusterName and
// ServiceName). A rolling update puts both versions into one target group, so
// they can only be told apart by metrics of their own: see [Custom].
func TaskSet(name, loadBalancer, targetGroup string) (Arm, error) {
	if loadBalancer == "" || targetGroup == "" {
		return Arm{}, fmt.Errorf("count requests of task set %q: it has no load balancer with a target group, and ECS counts no requests: "+
			"let the tasks publish metrics that have their version as a dimension", name)
	}
	a, err := TargetGroup(loadBalancer, targetGroup)
	if err != nil {
		return Arm{}, fmt.Errorf("task set %q: %w", name, err)
	}
	return a, nil
}

// resource is the part of an ARN that a dimension has.
func resource(arn, kind string) string {
	return strings.TrimPrefix(arn[strings.LastIndex(arn, ":")+1:], kind)
}

// Names are the metrics that a workload publishes itself.
type Names struct {
	Requests string   // a number of requests; empty: each request has one value of Latency
	Errors   []string // numbers of requests that failed; together they are all
	Latency  string   // of each request; empty: not known
}

// Custom counts by metrics that the workload publishes, for example in the
// embedded metric format: dimensions that both versions share, and one whose
// value is the version. At a high resolution (StorageResolution 1) they can be
// read every 10 s (CloudWatch user guide, "Publish custom metrics": "metrics
// produced by AWS services are standard resolution by default").
func Custom(namespace string, names Names, shared []Dimension, version Dimension) (Arm, error) {
	switch {
	case strings.HasPrefix(namespace, awsNamespaces):
		return Arm{}, fmt.Errorf("custom metrics in %q: namespaces that begin with %s are those of AWS", namespace, awsNamespaces)
	case names.Requests == "" && names.Latency == "":
		return Arm{}, fmt.Errorf("custom metrics in %q: neither requests nor their latency are named, so nothing counts requests", namespace)
	case len(names.Errors) == 0:
		return Arm{}, fmt.Errorf("custom metrics in %q: no metric of errors is named", namespace)
	}
	a := arm(namespace, names, append(slices.Clone(shared), version))
	if names.Requests == "" {
		a.Requests = a.Latency.With(SampleCount)
	}
	return a, a.check()
}

// arm counts by metrics with the same dimensions.
func arm(namespace string, names Names, dimensions []Dimension) Arm {
	metric := func(name string) Metric {
		return Metric{Namespace: namespace, Name: name, Dimensions: dimensions, Stat: Sum}
	}
	a := Arm{Requests: metric(names.Requests)}
	for _, name := range names.Errors {
		a.Errors = append(a.Errors, metric(name))
	}
	if names.Latency != "" {
		a.Latency = metric(names.Latency).With("") // a percentile or a count of the slow ones
	}
	return a
}
