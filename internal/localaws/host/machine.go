package host

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/pullback-dev/pullback/internal/localaws/elbv2"
)

// machine is what an EC2 instance answers to the health checks of a load
// balancer. One that does not run is not checked (ELB API reference,
// TargetHealth, Target.InvalidState).
func (a *AWS) machine(_ string, target elbtypes.TargetDescription) elbv2.Fault {
	if target.Id == nil || !strings.HasPrefix(*target.Id, "i-") {
		return elbv2.Fault{}
	}
	switch state, serves := a.EC2.Answers(*target.Id); {
	case serves:
		return elbv2.Fault{}
	case state == ec2types.InstanceStateNameRunning, state == ec2types.InstanceStateNamePending:
		return elbv2.Fault{Reason: elbtypes.TargetHealthReasonEnumTimeout}
	default:
		return elbv2.Fault{
			Reason:      elbtypes.TargetHealthReasonEnumInvalidState,
			Description: "Target is in the " + string(state) + " state",
		}
	}
}

// task lets load balancers see how the tasks of services are.
func (a *AWS) task(_ string, d elbtypes.TargetDescription) elbv2.Fault {
	if ok, known := a.ECS.Answers(aws.ToString(d.Id), aws.ToInt32(d.Port)); known && !ok {
		return elbv2.Fault{Reason: elbtypes.TargetHealthReasonEnumTimeout}
	}
	return elbv2.Fault{}
}

// launching lets CodeDeploy know of new instances that wait for it.
func (a *AWS) launching(group, instance string, to astypes.LifecycleState) {
	if to == astypes.LifecycleStatePendingWait {
		a.CodeDeploy.Waiting(group, instance)
	}
}
