package ec2

import (
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

func itoa(n int32) string { return strconv.Itoa(int(n)) }

// named returns the instances that a request names: at least one, all of them there.
func (s *Service) named(instanceIDs []string) ([]*instance, error) {
	if len(instanceIDs) == 0 {
		return nil, missing("InstanceId")
	}
	s.forget()
	return find(instanceKind(), s.instances, (*instance).id, instanceIDs)
}

// terminateInstances is idempotent: what is terminated stays so. If one instance
// is protected, none is terminated (API reference; across zones AWS would
// terminate those of the other zones).
func (s *Service) terminateInstances(c *wire.Call, in *ec2.TerminateInstancesInput) (*ec2.TerminateInstancesOutput, error) {
	if err := wire.Only(in, "InstanceIds", "DryRun"); err != nil {
		return nil, err
	}
	found, err := s.named(in.InstanceIds)
	if err != nil {
		return nil, err
	}
	for _, i := range found {
		if i.protected {
			return nil, refuse("OperationNotPermitted",
				"The instance '%s' may not be terminated. Modify its 'disableApiTermination' instance attribute and try again.", i.id())
		}
	}
	if err := dryRun(in.DryRun); err != nil {
		return nil, err
	}
	out := &ec2.TerminateInstancesOutput{TerminatingInstances: []ec2types.InstanceStateChange{}}
	for _, i := range found {
		was := i.info.State
		switch i.state() {
		case ec2types.InstanceStateNameShuttingDown, ec2types.InstanceStateNameTerminated:
		case ec2types.InstanceStateNameStopped:
			s.reason(i, "shutdown")
			s.enter(c.Context, i, ec2types.InstanceStateNameTerminated)
		default:
			s.reason(i, "shutdown")
			s.enter(c.Context, i, ec2types.InstanceStateNameShuttingDown)
		}
		out.TerminatingInstances = append(out.TerminatingInstances, ec2types.InstanceStateChange{
			InstanceId: i.info.InstanceId, PreviousState: was, CurrentState: i.info.State,
		})
	}
	return out, nil
}

// reason says who ended an instance (EC2 user guide, "Troubleshoot instance
// termination issues").
func (s *Service) reason(i *instance, what string) {
	i.info.StateTransitionReason = aws.String("User initiated (" + s.w.Now().Format("2006-01-02 15:04:05") + " GMT)")
	code := "Client.UserInitiatedShutdown"
	i.info.StateReason = &ec2types.StateReason{Code: aws.String(code), Message: aws.String(code + ": User initiated " + what)}
}

func (s *Service) stopInstances(c *wire.Call, in *ec2.StopInstancesInput) (*ec2.StopInstancesOutput, error) {
	if err := wire.Only(in, "InstanceIds", "DryRun", "Force"); err != nil {
		return nil, err
	}
	found, err := s.named(in.InstanceIds)
	if err != nil {
		return nil, err
	}
	for _, i := range found {
		switch i.state() {
		case ec2types.InstanceStateNamePending, ec2types.InstanceStateNameShuttingDown, ec2types.InstanceStateNameTerminated:
			return nil, wrongState(i, "stopped")
		default: // the others are, will be or can be stopped
		}
	}
	if err := dryRun(in.DryRun); err != nil {
		return nil, err
	}
	out := &ec2.StopInstancesOutput{StoppingInstances: []ec2types.InstanceStateChange{}}
	for _, i := range found {
		was := i.info.State
		if i.state() == ec2types.InstanceStateNameRunning {
			s.reason(i, "shutdown")
			s.enter(c.Context, i, ec2types.InstanceStateNameStopping)
		}
		out.StoppingInstances = append(out.StoppingInstances, ec2types.InstanceStateChange{
			InstanceId: i.info.InstanceId, PreviousState: was, CurrentState: i.info.State,
		})
	}
	return out, nil
}

func wrongState(i *instance, what string) error {
	return refuse("IncorrectInstanceState", "The instance '%s' is not in a state from which it can be %s.", i.id(), what)
}

func (s *Service) startInstances(c *wire.Call, in *ec2.StartInstancesInput) (*ec2.StartInstancesOutput, error) {
	if err := wire.Only(in, "InstanceIds", "DryRun"); err != nil {
		return nil, err
	}
	found, err := s.named(in.InstanceIds)
	if err != nil {
		return nil, err
	}
	for _, i := range found {
		switch i.state() {
		case ec2types.InstanceStateNameStopping, ec2types.InstanceStateNameShuttingDown, ec2types.InstanceStateNameTerminated:
			return nil, wrongState(i, "started")
		default: // the others are, will be or can be started
		}
	}
	if err := dryRun(in.DryRun); err != nil {
		return nil, err
	}
	out := &ec2.StartInstancesOutput{StartingInstances: []ec2types.InstanceStateChange{}}
	for _, i := range found {
		was := i.info.State
		if i.state() == ec2types.InstanceStateNameStopped {
			i.info.StateReason, i.info.StateTransitionReason, i.info.LaunchTime = nil, aws.String(""), aws.Time(s.w.Now())
			s.enter(c.Context, i, ec2types.InstanceStateNamePending)
		}
		out.StartingInstances = append(out.StartingInstances, ec2types.InstanceStateChange{
			InstanceId: i.info.InstanceId, PreviousState: was, CurrentState: i.info.State,
		})
	}
	return out, nil
}
