package autoscaling

import (
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// The processes that can be suspended and that there are here (user guide,
// "Types of processes"); the others can be suspended, too, and do nothing.
const (
	launchProcess    = "Launch"
	terminateProcess = "Terminate"
	healthProcess    = "HealthCheck"
	replaceProcess   = "ReplaceUnhealthy"
	balancerProcess  = "AddToLoadBalancer"
	refreshProcess   = "InstanceRefresh"
)

func processes() []string {
	return []string{
		launchProcess, terminateProcess, balancerProcess, "AlarmNotification", "AZRebalance", healthProcess, refreshProcess, replaceProcess, "ScheduledActions",
	}
}

func (g *group) runs(process string) bool {
	_, suspended := g.suspended[process]
	return !suspended
}

func (g *group) suspensions() []astypes.SuspendedProcess {
	out := []astypes.SuspendedProcess{}
	for _, name := range slices.Sorted(maps.Keys(g.suspended)) {
		out = append(out, astypes.SuspendedProcess{ProcessName: &name, SuspensionReason: aws.String(g.suspended[name])})
	}
	return out
}

// chosen are the processes that a request names: all if it names none.
func chosen(named []string) ([]string, error) {
	for _, p := range named {
		if !slices.Contains(processes(), p) {
			return nil, invalid("Invalid process name: %s", p)
		}
	}
	if len(named) == 0 {
		return processes(), nil
	}
	return named, nil
}

func (s *Service) suspendProcesses(_ *wire.Call, in *autoscaling.SuspendProcessesInput) (*autoscaling.SuspendProcessesOutput, error) {
	g, err := s.find(in.AutoScalingGroupName)
	if err != nil {
		return nil, err
	}
	all, err := chosen(in.ScalingProcesses)
	if err != nil {
		return nil, err
	}
	for _, p := range all {
		if g.runs(p) {
			g.suspended[p] = "User suspended at " + s.stamp()
		}
	}
	return &autoscaling.SuspendProcessesOutput{}, nil
}

func (s *Service) resumeProcesses(c *wire.Call, in *autoscaling.ResumeProcessesInput) (*autoscaling.ResumeProcessesOutput, error) {
	g, err := s.find(in.AutoScalingGroupName)
	if err != nil {
		return nil, err
	}
	all, err := chosen(in.ScalingProcesses)
	if err != nil {
		return nil, err
	}
	for _, p := range all {
		delete(g.suspended, p)
	}
	s.poke(c.Context, g)
	return &autoscaling.ResumeProcessesOutput{}, nil
}
