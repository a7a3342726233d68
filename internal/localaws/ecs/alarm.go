package ecs

import (
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// alarmInterval is how often ECS reads the alarms of a deployment. It is not
// documented.
const alarmInterval = 10 * time.Second

// alarmed says whether a rollout uses alarms.
func (r *rollout) alarmed() bool {
	return r.config.Alarms != nil && r.config.Alarms.Enable && len(r.config.Alarms.AlarmNames) > 0
}

// alarms reads the alarms of a rollout: the names of those in ALARM, in the
// order of the configuration, and how long the slowest one needs to see
// something. "ECS might miss the alarm" if it cannot read them.
func (s *Service) alarms(r *rollout) (red []string, needed time.Duration) {
	out, err := wire.Do[cloudwatch.DescribeAlarmsOutput](background(), s.c, itself(), "monitoring", "DescribeAlarms", &cloudwatch.DescribeAlarmsInput{
		AlarmNames: r.config.Alarms.AlarmNames, AlarmTypes: []cwtypes.AlarmType{cwtypes.AlarmTypeMetricAlarm, cwtypes.AlarmTypeCompositeAlarm},
	})
	if err != nil {
		return nil, 0
	}
	state := map[string]cwtypes.StateValue{}
	for _, a := range out.MetricAlarms {
		state[aws.ToString(a.AlarmName)] = a.StateValue
		needed = max(needed, time.Duration(aws.ToInt32(a.Period))*time.Second*time.Duration(max(aws.ToInt32(a.EvaluationPeriods), 1)))
	}
	for _, a := range out.CompositeAlarms {
		state[aws.ToString(a.AlarmName)] = a.StateValue
	}
	for _, name := range r.config.Alarms.AlarmNames {
		if state[name] == cwtypes.StateValueAlarm {
			red = append(red, name)
		}
	}
	return red, needed
}

// glance looks at the alarms when a rollout starts: if one is in ALARM, none
// counts for the whole rollout (developer guide, "How CloudWatch alarms detect
// Amazon ECS deployment failures").
func (s *Service) glance(r *rollout) {
	if !r.alarmed() {
		return
	}
	red, _ := s.alarms(r)
	r.blind = len(red) > 0
	r.polled = s.w.Now()
}

// alert reads the alarms of a rollout that is under way and ends it if one is
// in ALARM. They are read from the moment on in which a new task runs.
func (s *Service) alert(svc *service, r *rollout) bool {
	if !r.alarmed() || r.blind || r.returning() || r.target.running() == 0 {
		return false
	}
	if s.w.Now().Sub(r.polled) < alarmInterval {
		return false
	}
	r.polled = s.w.Now()
	red, _ := s.alarms(r)
	if len(red) == 0 {
		return false
	}
	r.triggered = red
	s.fail(svc, r, failure{
		prefix: "ECS deployment alarm", state: "alarm detected: " + strings.Join(red, ", ") + ".", event: "alarm detected.", said: "alarm detected.",
		reason:   "Service deployment rolled back because of an alarm in the ALARM state: " + strings.Join(red, ", ") + ".",
		rollback: r.config.Alarms.Rollback,
	})
	return true
}

// bakeTime is how long a rollout waits at its end. If it is not configured, a
// rolling one that uses alarms waits for as long as its slowest alarm needs.
func (s *Service) bakeTime(r *rollout) time.Duration {
	bake := time.Duration(aws.ToInt32(r.config.BakeTimeInMinutes)) * time.Minute
	if bake == 0 && !r.native() && r.alarmed() && !r.blind {
		_, bake = s.alarms(r)
	}
	return bake
}

// monitor says how a method that detects failures stands.
func (r *rollout) monitor(enabled, triggered bool) ecstypes.ServiceDeploymentRollbackMonitorsStatus {
	switch {
	case !enabled:
		return ecstypes.ServiceDeploymentRollbackMonitorsStatusDisabled
	case triggered:
		return ecstypes.ServiceDeploymentRollbackMonitorsStatusTriggered
	case r.over() || r.returning():
		return ecstypes.ServiceDeploymentRollbackMonitorsStatusMonitoringComplete
	default:
		return ecstypes.ServiceDeploymentRollbackMonitorsStatusMonitoring
	}
}
