package ecs

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// launch is how tasks are started.
type launch struct {
	kind      ecstypes.LaunchType // empty if a capacity provider decides
	providers []ecstypes.CapacityProviderStrategyItem
	network   *ecstypes.NetworkConfiguration
	platform  *string // version, Fargate only
}

// family of operating systems; Fargate only.
func (l launch) family(d *definition) *string {
	if l.platform == nil {
		return nil
	}
	if r := d.info.RuntimePlatform; r != nil && r.OperatingSystemFamily != "" && r.OperatingSystemFamily != ecstypes.OSFamilyLinux {
		return aws.String(string(r.OperatingSystemFamily))
	}
	return aws.String("Linux")
}

// provider is the capacity provider of the next task: the first of the
// strategy. There is no capacity to spread tasks over.
func (l launch) provider() *string {
	if len(l.providers) == 0 {
		return nil
	}
	return l.providers[0].CapacityProvider
}

// workload is a number of equal tasks that the scheduler keeps running: a
// deployment of the ECS controller or a task set of the others.
type workload struct {
	id         string // "ecs-svc/<19 digits>"; startedBy of its tasks
	definition *definition
	launch     launch
	balancers  []ecstypes.LoadBalancer
	tasks      []*task // oldest first; those that are on their way to STOPPED, too
	started    int     // tasks so far
	failed     int     // tasks in a row that did not start or did not pass their health checks
	lost       int     // tasks in a row that ended before they were healthy
}

// alive returns the tasks that are meant to run.
func (w *workload) alive() []*task { return slices.Collect(w.each((*task).alive)) }

func (w *workload) each(is func(*task) bool) func(func(*task) bool) {
	return func(yield func(*task) bool) {
		for _, t := range w.tasks {
			if is(t) && !yield(t) {
				return
			}
		}
	}
}

func (w *workload) number(is func(*task) bool) int {
	n := 0
	for range w.each(is) {
		n++
	}
	return n
}

// running and pending are what the Describe operations count.
func (w *workload) running() int { return w.number((*task).running) }

func (w *workload) pending() int { return w.number((*task).starting) }

// watched says whether health checks of its tasks are made.
func (w *workload) watched() bool { return len(w.balancers) > 0 || w.definition.checked() }

// checked says whether an essential container has a health check.
func (d *definition) checked() bool { return d.check() != nil }

func (d *definition) check() *ecstypes.HealthCheck {
	for _, c := range d.info.ContainerDefinitions {
		if c.HealthCheck != nil && aws.ToBool(c.Essential) {
			return c.HealthCheck
		}
	}
	return nil
}

// settled says whether as many tasks run as are wanted, and pass the health
// checks that are made.
func (w *workload) settled(desired int) bool {
	n := 0
	for t := range w.each((*task).alive) {
		if !t.running() || w.watched() && !t.healthy {
			return false
		}
		n++
	}
	return n == desired
}
