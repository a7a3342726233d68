package ec2

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// How long a change of state takes. AWS promises nothing; these are assumptions
// of the usual order.
const (
	booting    = 30 * time.Second // pending to running
	ending     = 30 * time.Second // shutting-down to terminated, stopping to stopped
	checking   = 2 * time.Minute  // running to the end of the first status checks
	remembered = time.Hour        // how long a terminated instance is described (EC2 user guide, "Terminate Amazon EC2 instances")
)

// instance is one instance.
type instance struct {
	info        ec2types.Instance // as described, but for what is kept elsewhere: tags and volumes
	reservation string
	userData    string
	roots       []string  // the root volumes that it has or had
	protected   bool      // from termination through the API
	terminates  bool      // when it shuts itself down, instead of stopping
	due         time.Time // when its state changes by itself; zero if it does not
	since       time.Time // when it got its state
	timer       *world.Timer
}

func (i *instance) id() string { return *i.info.InstanceId }

func (i *instance) state() ec2types.InstanceStateName { return i.info.State.Name }

// code is the number of a state (API reference, InstanceState).
func code(n ec2types.InstanceStateName) int32 {
	switch n {
	case ec2types.InstanceStateNameRunning:
		return 16
	case ec2types.InstanceStateNameShuttingDown:
		return 32
	case ec2types.InstanceStateNameTerminated:
		return 48
	case ec2types.InstanceStateNameStopping:
		return 64
	case ec2types.InstanceStateNameStopped:
		return 80
	default:
		return 0 // pending
	}
}

func stateOf(n ec2types.InstanceStateName) *ec2types.InstanceState {
	return &ec2types.InstanceState{Name: n, Code: aws.Int32(code(n))}
}

// enter gives an instance a state, tells of it, and lets it go on by itself.
func (s *Service) enter(ctx context.Context, i *instance, to ec2types.InstanceStateName) {
	i.info.State, i.since, i.due = stateOf(to), s.w.Now(), time.Time{}
	switch to {
	case ec2types.InstanceStateNamePending:
		i.due = i.since.Add(booting)
	case ec2types.InstanceStateNameShuttingDown, ec2types.InstanceStateNameStopping:
		i.due = i.since.Add(ending)
	case ec2types.InstanceStateNameRunning:
		s.started(i)
	case ec2types.InstanceStateNameTerminated:
		s.gone(i)
	case ec2types.InstanceStateNameStopped:
	}
	s.arm(ctx, i)
	s.announce(ctx, i)
	for _, f := range s.watchers {
		f(i.id(), to)
	}
}

// arm sets the timer for what is due.
func (s *Service) arm(ctx context.Context, i *instance) {
	s.w.Stop(i.timer)
	if i.due.IsZero() {
		return
	}
	ctx = context.WithoutCancel(ctx)
	i.timer = s.w.At(i.due, func() { s.enter(ctx, i, next(i.state())) })
}

// next is the state that follows by itself.
func next(n ec2types.InstanceStateName) ec2types.InstanceStateName {
	switch n {
	case ec2types.InstanceStateNameShuttingDown:
		return ec2types.InstanceStateNameTerminated
	case ec2types.InstanceStateNameStopping:
		return ec2types.InstanceStateNameStopped
	default:
		return ec2types.InstanceStateNameRunning
	}
}

// gone takes from a terminated instance what it does not keep.
func (s *Service) gone(i *instance) {
	i.info.PrivateIpAddress, i.info.SubnetId, i.info.VpcId = nil, nil, nil
	i.info.PrivateDnsName = aws.String("")
	i.info.SecurityGroups = []ec2types.GroupIdentifier{}
	s.release(i)
}

// forget drops the instances that have been terminated for an hour.
func (s *Service) forget() {
	s.instances = slices.DeleteFunc(s.instances, func(i *instance) bool {
		old := i.state() == ec2types.InstanceStateNameTerminated && !s.w.Now().Before(i.since.Add(remembered))
		if old {
			delete(s.tags, i.id())
		}
		return old
	})
}

// announce puts the event of a state on the default bus (EC2 user guide, "State
// change events"), best effort.
func (s *Service) announce(ctx context.Context, i *instance) {
	s.publish(ctx, "EC2 Instance State-change Notification",
		[]string{"arn:aws:ec2:" + s.w.Region + ":" + s.w.Account + ":instance/" + i.id()},
		map[string]string{"instance-id": i.id(), "state": string(i.state())})
}

// publish puts an event on the default bus. One that it does not take is lost,
// as AWS says it may be.
func (s *Service) publish(ctx context.Context, typ string, resources []string, detail any) {
	text, err := json.Marshal(detail)
	if err != nil {
		return // strings and their lists always marshal
	}
	_, _ = wire.Do[eventbridge.PutEventsOutput](ctx, s.c, wire.Principal{Service: "ec2.amazonaws.com"}, "events", "PutEvents",
		&eventbridge.PutEventsInput{Entries: []ebtypes.PutEventsRequestEntry{{
			Source: aws.String("aws.ec2"), DetailType: aws.String(typ), Time: aws.Time(s.w.Now()), Resources: resources, Detail: aws.String(string(text)),
		}}})
}
