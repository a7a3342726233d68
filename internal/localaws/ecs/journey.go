package ecs

import (
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// The lifecycle stages of a deployment that shifts traffic (API reference,
// ServiceDeployment, lifecycleStage). Hooks see the same names.
const (
	stageReconcile      = "RECONCILE_SERVICE"
	stagePreScaleUp     = "PRE_SCALE_UP"
	stageScaleUp        = "SCALE_UP"
	stagePostScaleUp    = "POST_SCALE_UP"
	stageTest           = "TEST_TRAFFIC_SHIFT"
	stagePostTest       = "POST_TEST_TRAFFIC_SHIFT"
	stagePreProduction  = "PRE_PRODUCTION_TRAFFIC_SHIFT"
	stageProduction     = "PRODUCTION_TRAFFIC_SHIFT"
	stagePostProduction = "POST_PRODUCTION_TRAFFIC_SHIFT"
	stageBake           = "BAKE_TIME"
	stageCleanUp        = "CLEAN_UP"
)

const (
	// stageTime is how long a stage takes at least. It is not documented.
	stageTime = 5 * time.Second
	// stageLimit is how long a stage may take: "up to 24 hours".
	stageLimit = 24 * time.Hour
	// wholeLimit is how long a deployment may take: 30 days.
	wholeLimit = 30 * 24 * time.Hour
)

// all is all of the traffic, in percent.
const all = 100

// journey is where a rollout is on its way through the lifecycle stages. Blue
// is the revision that serves production at its start, green the new one.
type journey struct {
	stage      string
	inside     bool // the stage has begun
	entered    time.Time
	steps      []step // of production traffic
	step       int    // how many of them were taken
	production float64
	test       float64 // percent of the test traffic that green gets
	tested     bool    // test traffic was shifted
	hooks      []*hookRun
	backwards  bool
}

// step is one shift of production traffic and how long it lasts.
type step struct {
	percent float64
	bake    time.Duration
}

// assign gives the new deployment of a rollout its target groups and plans the
// way. Green gets the group that blue does not use; a rolling deployment stays
// where the last one was.
func (r *rollout) assign() {
	for i, b := range r.target.asked {
		if b.AdvancedConfiguration == nil || r.base == nil || i >= len(r.base.balancers) {
			continue
		}
		used := aws.ToString(r.base.balancers[i].TargetGroupArn)
		if used != aws.ToString(b.TargetGroupArn) && used != aws.ToString(b.AdvancedConfiguration.AlternateTargetGroupArn) {
			continue
		}
		r.target.balancers[i].TargetGroupArn = aws.String(used)
		if r.native() {
			r.target.balancers[i].TargetGroupArn = aws.String(other(b, used))
		}
	}
	if !r.native() {
		return
	}
	r.stage = stagePreScaleUp
	if len(r.sources) > 1 || len(r.sources) == 1 && r.base == nil {
		r.stage = stageReconcile
	}
	r.steps = stepsOf(r.config, r.base == nil)
}

// stepsOf lists the shifts of production traffic. The first deployment of a
// service has nobody to share it with.
func stepsOf(c *ecstypes.DeploymentConfiguration, first bool) []step {
	var steps []step
	switch {
	case first:
	case c.Strategy == ecstypes.DeploymentStrategyLinear:
		percent, bake := usualStep, time.Duration(usualStepBake)*time.Minute
		if l := c.LinearConfiguration; l != nil {
			percent, bake = orElse(l.StepPercent, percent), minutes(l.StepBakeTimeInMinutes, bake)
		}
		for n := 1; float64(n)*percent < all; n++ {
			steps = append(steps, step{tenths(float64(n) * percent), bake})
		}
	case c.Strategy == ecstypes.DeploymentStrategyCanary:
		percent, bake := usualCanary, time.Duration(usualCanaryBake)*time.Minute
		if x := c.CanaryConfiguration; x != nil {
			percent, bake = orElse(x.CanaryPercent, percent), minutes(x.CanaryBakeTimeInMinutes, bake)
		}
		if percent < all {
			steps = append(steps, step{percent, bake})
		}
	}
	return append(steps, step{percent: all})
}

// keeps says whether a deployment keeps its tasks at this point of the way.
func (r *rollout) keeps(d *deployment) bool {
	switch {
	case r.backwards && d == r.back:
		return true
	case r.backwards:
		return r.stage != stageCleanUp && (d == r.target || len(d.tasks) > 0)
	case d == r.target:
		return r.stage != stageReconcile && r.stage != stagePreScaleUp
	case d == r.base:
		return r.stage != stageCleanUp
	default: // left over from a rollout that was stopped
		return r.stage == stageReconcile && !r.inside
	}
}

// following returns the stage that follows, empty at the end.
func (r *rollout) following() string {
	way := []string{
		stageReconcile, stagePreScaleUp, stageScaleUp, stagePostScaleUp, stageTest, stagePostTest,
		stagePreProduction, stageProduction, stagePostProduction, stageBake, stageCleanUp,
	}
	switch {
	case r.backwards:
		way = []string{stageScaleUp, stageProduction, stageTest, stageCleanUp}
	case r.stage == stageProduction && r.step < len(r.steps):
		return stagePreProduction
	}
	i := slices.Index(way, r.stage) + 1
	for ; r.backwards && i < len(way); i++ { // only what was done is undone
		if way[i] == stageProduction && r.step == 0 || way[i] == stageTest && !r.tested {
			continue
		}
		break
	}
	if i == len(way) {
		return ""
	}
	return way[i]
}

// turnBack lets a rollout go back from where it is.
func (r *rollout) turnBack() {
	r.backwards, r.inside, r.hooks, r.stage = true, false, nil, stageScaleUp
}

// weightsOf returns how much of the traffic a deployment gets; test is nil if
// there is no test traffic.
func (r *rollout) weightsOf(d *deployment) (production float64, test *float64) {
	switch d {
	case r.target:
		production, test = r.production, aws.Float64(r.test)
	case r.base:
		production, test = all-r.production, aws.Float64(all-r.test)
	default:
		test = aws.Float64(0)
	}
	if !r.testable() {
		test = nil
	}
	return production, test
}

// testable says whether there is test traffic.
func (r *rollout) testable() bool {
	return slices.ContainsFunc(r.target.asked, func(b ecstypes.LoadBalancer) bool {
		return b.AdvancedConfiguration != nil && aws.ToString(b.AdvancedConfiguration.TestListenerRule) != ""
	})
}
