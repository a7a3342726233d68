package autoscaling

import (
	"context"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

func (g *group) checksELB() bool { return strings.Contains(*g.info.HealthCheckType, "ELB") }

// graced says whether a member is in its grace period.
func (s *Service) graced(g *group, m *member) bool {
	grace := time.Duration(aws.ToInt32(g.info.HealthCheckGracePeriod)) * time.Second
	return s.w.Now().Before(m.served.Add(grace))
}

// checkHealth replaces the members that are not healthy. One that does not run
// is not healthy even in its grace period (user guide, "Set the health check
// grace period").
func (s *Service) checkHealth(ctx context.Context, g *group) {
	sick := s.sickTargets(ctx, g)
	for _, m := range g.active() {
		if !m.in(astypes.LifecycleStateInService) {
			continue
		}
		why := "a user health-check."
		if g.runs(healthProcess) {
			if found := s.diagnose(g, m, sick[m.id()]); found != "" {
				m.info.HealthStatus, why = aws.String(unhealthy), found
			}
		}
		if *m.info.HealthStatus == unhealthy && g.runs(replaceProcess) && g.runs(terminateProcess) {
			s.takeAway(ctx, g, m, "At "+s.stamp()+" an instance was taken out of service in response to "+why)
			s.failed(g, m.refresh, "Instance "+m.id()+" failed a health check: it was taken out of service in response to "+why)
		}
	}
}

// diagnose says what is wrong with a member, or nothing. The words are those of
// causes of activities in the user guide, "Health checks for instances".
func (s *Service) diagnose(g *group, m *member, sick bool) string {
	switch {
	case m.machine != ec2types.InstanceStateNameRunning && m.machine != ec2types.InstanceStateNamePending:
		return "an EC2 health check indicating it has been terminated or stopped."
	case s.graced(g, m):
		return ""
	case m.impaired:
		return "EC2 instance status checks failure."
	case sick:
		return "an ELB system health check failure."
	}
	return ""
}

// sickTargets are the instances that a target group calls unhealthy, if the
// group listens to load balancers.
func (s *Service) sickTargets(ctx context.Context, g *group) map[string]bool {
	out := map[string]bool{}
	if !g.checksELB() {
		return out
	}
	for _, arn := range g.info.TargetGroupARNs {
		for id, state := range s.health(ctx, arn) {
			if state == elbtypes.TargetHealthStateEnumUnhealthy {
				out[id] = true
			}
		}
	}
	return out
}

// ready says whether a member counts as healthy for a refresh: in service, warmed
// up, and taken as healthy by the load balancers if the group listens to them.
func (s *Service) ready(m *member, warmup time.Duration, health []map[string]elbtypes.TargetHealthStateEnum) bool {
	if !m.in(astypes.LifecycleStateInService) || *m.info.HealthStatus != healthy || s.w.Now().Before(m.served.Add(warmup)) {
		return false
	}
	for _, states := range health {
		switch states[m.id()] {
		case elbtypes.TargetHealthStateEnumHealthy, elbtypes.TargetHealthStateEnumUnused, elbtypes.TargetHealthStateEnumUnavailable:
		default:
			return false
		}
	}
	return true
}
