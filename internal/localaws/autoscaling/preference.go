package autoscaling

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// maxDelay bounds checkpoint delay and bake time (API reference,
// RefreshPreferences).
const maxDelay = 172800

// preferences checks the preferences of a refresh and adds the defaults (user
// guide, "Understand the default values for an instance refresh").
func (g *group) preferences(in *astypes.RefreshPreferences) (*astypes.RefreshPreferences, error) {
	p := astypes.RefreshPreferences{}
	if in != nil {
		p = *in
	}
	if err := checkHealthy(p.MinHealthyPercentage, p.MaxHealthyPercentage); err != nil {
		return nil, err
	}
	if policy := g.info.InstanceMaintenancePolicy; policy != nil && p.MinHealthyPercentage == nil && p.MaxHealthyPercentage == nil {
		p.MinHealthyPercentage, p.MaxHealthyPercentage = policy.MinHealthyPercentage, policy.MaxHealthyPercentage
	}
	keep(&p.MinHealthyPercentage, aws.Int32(90))
	warmup := g.info.DefaultInstanceWarmup
	keep(&warmup, g.info.HealthCheckGracePeriod)
	keep(&p.InstanceWarmup, warmup)
	keep(&p.SkipMatching, aws.Bool(false))
	keep(&p.AutoRollback, aws.Bool(false))
	keep(&p.BakeTime, aws.Int32(0))
	if p.ScaleInProtectedInstances == "" {
		p.ScaleInProtectedInstances = astypes.ScaleInProtectedInstancesWait
	}
	if p.StandbyInstances == "" {
		p.StandbyInstances = astypes.StandbyInstancesWait
	}
	if len(p.CheckpointPercentages) > 0 {
		keep(&p.CheckpointDelay, aws.Int32(3600))
	}
	return &p, checkPreferences(p)
}

func checkPreferences(p astypes.RefreshPreferences) error {
	delay := aws.ToInt32(p.CheckpointDelay)
	switch {
	case p.CheckpointDelay != nil && len(p.CheckpointPercentages) == 0:
		return invalid("CheckpointDelay cannot be specified without CheckpointPercentages.")
	case delay < 0 || delay > maxDelay:
		return invalid("CheckpointDelay must be between 0 and %d.", maxDelay)
	case *p.BakeTime < 0 || *p.BakeTime > maxDelay:
		return invalid("BakeTime must be between 0 and %d.", maxDelay)
	case p.AlarmSpecification != nil && len(p.AlarmSpecification.Alarms) > 10:
		return invalid("AlarmSpecification must have at most 10 alarms.")
	case !slices.Contains(p.ScaleInProtectedInstances.Values(), p.ScaleInProtectedInstances):
		return invalid("ScaleInProtectedInstances must be Refresh, Ignore or Wait, got %s.", p.ScaleInProtectedInstances)
	case !slices.Contains(p.StandbyInstances.Values(), p.StandbyInstances):
		return invalid("StandbyInstances must be Terminate, Ignore or Wait, got %s.", p.StandbyInstances)
	}
	return checkPoints(p.CheckpointPercentages)
}

func checkPoints(percentages []int32) error {
	last := int32(0)
	for _, n := range percentages {
		if n <= last || n > 100 {
			return invalid("CheckpointPercentages must be unique, in ascending order and between 1 and 100.")
		}
		last = n
	}
	return nil
}

// checkHealthy checks the bounds of replacement (API reference,
// RefreshPreferences, MaxHealthyPercentage).
func checkHealthy(least, most *int32) error {
	switch {
	case least != nil && (*least < 0 || *least > 100):
		return invalid("MinHealthyPercentage must be between 0 and 100.")
	case most != nil && (*most < 100 || *most > 200):
		return invalid("MaxHealthyPercentage must be between 100 and 200.")
	case most != nil && least == nil:
		return invalid("If you specify MaxHealthyPercentage, you must also specify MinHealthyPercentage.")
	case most != nil && *most-*least > 100:
		return invalid("The difference between MaxHealthyPercentage and MinHealthyPercentage cannot be greater than 100.")
	}
	return nil
}

func (r *refresh) warmup() time.Duration {
	return time.Duration(aws.ToInt32(r.info.Preferences.InstanceWarmup)) * time.Second
}

// bounds are how many instances must stay healthy and how many there may be. If
// all must stay, one is launched before one is terminated.
func (r *refresh) bounds(desired int) (least, most int) {
	p := r.info.Preferences
	least = (desired*int(*p.MinHealthyPercentage) + 99) / 100
	most = desired
	if p.MaxHealthyPercentage != nil {
		most = desired * int(*p.MaxHealthyPercentage) / 100
	}
	if *p.MinHealthyPercentage == 100 && most <= desired {
		most = desired + 1
	}
	return least, most
}

// alarms are the alarms of a refresh by their state.
type alarms struct{ alarm, unknown, missing []string }

// alarms reads the states of alarms.
func (s *Service) alarms(ctx context.Context, names []string) (alarms, error) {
	out, err := wire.Do[cloudwatch.DescribeAlarmsOutput](ctx, s.c, principal(), "monitoring", "DescribeAlarms", &cloudwatch.DescribeAlarmsInput{
		AlarmNames: names, AlarmTypes: []cwtypes.AlarmType{cwtypes.AlarmTypeMetricAlarm, cwtypes.AlarmTypeCompositeAlarm},
	})
	if err != nil {
		return alarms{}, fmt.Errorf("describe alarms: %w", err)
	}
	states := map[string]cwtypes.StateValue{}
	for _, a := range out.MetricAlarms {
		states[*a.AlarmName] = a.StateValue
	}
	for _, a := range out.CompositeAlarms {
		states[*a.AlarmName] = a.StateValue
	}
	var found alarms
	for _, name := range names {
		switch states[name] {
		case "":
			found.missing = append(found.missing, name)
		case cwtypes.StateValueAlarm:
			found.alarm = append(found.alarm, name)
		case cwtypes.StateValueInsufficientData:
			found.unknown = append(found.unknown, name)
		case cwtypes.StateValueOk:
		default: // AWS has no other
		}
	}
	return found, nil
}
