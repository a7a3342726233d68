package elbv2

import (
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// maxTargets is how many targets a group may have (user guides, "Quotas for
// your Application Load Balancers").
const maxTargets = 1000

// target is one registered target.
type target struct {
	description elbtypes.TargetDescription
	state       elbtypes.TargetHealthStateEnum
	fault       Fault     // why, unless it is healthy
	passed      int32     // health checks in a row
	failed      int32     // health checks in a row
	next        time.Time // when it is checked again, or when it has drained
	timer       *world.Timer
}

func (t *target) draining() bool { return t.state == elbtypes.TargetHealthStateEnumDraining }

// same reports whether a description, in which the port may be missing, means
// this target.
func (t *target) same(d elbtypes.TargetDescription) bool {
	return aws.ToString(t.description.Id) == aws.ToString(d.Id) && (d.Port == nil || aws.ToInt32(t.description.Port) == *d.Port)
}

// find returns a registered target, or nil.
func (g *targetGroup) find(d elbtypes.TargetDescription) *target {
	for _, t := range g.targets {
		if t.same(g.complete(d)) {
			return t
		}
	}
	return nil
}

// complete gives a description the port of its group if it has none.
func (g *targetGroup) complete(d elbtypes.TargetDescription) elbtypes.TargetDescription {
	if d.Port == nil {
		d.Port = g.info.Port
	}
	return d
}

func (s *Service) registerTargets(_ *wire.Call, in *elb.RegisterTargetsInput) (*elb.RegisterTargetsOutput, error) {
	g, err := s.group(in.TargetGroupArn)
	if err != nil {
		return nil, err
	}
	if len(in.Targets) == 0 {
		return nil, invalid("At least one target must be specified")
	}
	added := 0
	for _, d := range in.Targets {
		if err := s.checkTarget(g, d); err != nil {
			return nil, err
		}
		if g.find(d) == nil {
			added++
		}
	}
	limit := maxTargets
	if g.info.TargetType == elbtypes.TargetTypeEnumLambda || g.info.TargetType == elbtypes.TargetTypeEnumAlb {
		limit = 1
	}
	if len(g.targets)+added > limit {
		return nil, &elbtypes.TooManyTargetsException{Message: aws.String("The maximum number of targets in target group '" + g.arn() + "' has been reached")}
	}
	for _, d := range in.Targets {
		t := g.find(d)
		if t == nil {
			t = &target{description: g.complete(d)}
			g.targets = append(g.targets, t)
			s.begin(g, t)
		} else if t.draining() {
			s.begin(g, t)
		}
	}
	return &elb.RegisterTargetsOutput{}, nil
}

// checkTarget refuses a target that does not fit the type of its group. Whether
// an instance runs and an address belongs to the network is not looked up.
func (s *Service) checkTarget(g *targetGroup, d elbtypes.TargetDescription) error {
	id := aws.ToString(d.Id)
	switch {
	case d.QuicServerId != nil:
		return unsupported("QuicServerId")
	case d.Port != nil && (*d.Port < 1 || *d.Port > 65535):
		return invalid("Port '%d' must be between 1 and 65535", *d.Port)
	}
	return s.checkID(g, d, id)
}

func (s *Service) checkID(g *targetGroup, d elbtypes.TargetDescription, id string) error {
	switch g.info.TargetType {
	case elbtypes.TargetTypeEnumIp:
		return checkAddress(id)
	case elbtypes.TargetTypeEnumLambda:
		if !strings.HasPrefix(id, "arn:aws:lambda:") || d.Port != nil {
			return invalid("The target '%s' is not a Lambda function, or has a port", id)
		}
	case elbtypes.TargetTypeEnumAlb:
		if b, err := s.balancer(d.Id); err != nil || !b.alb() {
			return &elbtypes.InvalidTargetException{Message: aws.String("Target '" + id + "' is not an Application Load Balancer")}
		}
	case elbtypes.TargetTypeEnumInstance:
		if !regexp.MustCompile(`^i-[0-9a-f]{8,17}$`).MatchString(id) {
			return invalid("Instance ID '%s' is not valid", id)
		}
	}
	return nil
}

// checkAddress allows private addresses only (API reference,
// CreateTargetGroup).
func checkAddress(id string) error {
	a, err := netip.ParseAddr(id)
	if err != nil {
		return invalid("The IP address '%s' is not a valid IPv4 address", id)
	}
	if a.Is4() && !a.IsPrivate() && !netip.MustParsePrefix("100.64.0.0/10").Contains(a) {
		return invalid("The IP address '%s' must be in a subnet of the VPC, the RFC 1918 range or the RFC 6598 range", id)
	}
	return nil
}

// deregisterTargets begins to drain targets. "If the specified target does not
// exist, the action returns successfully" (API reference, DeregisterTargets).
func (s *Service) deregisterTargets(_ *wire.Call, in *elb.DeregisterTargetsInput) (*elb.DeregisterTargetsOutput, error) {
	g, err := s.group(in.TargetGroupArn)
	if err != nil {
		return nil, err
	}
	if len(in.Targets) == 0 {
		return nil, invalid("At least one target must be specified")
	}
	for _, d := range in.Targets {
		for _, t := range slices.Clone(g.targets) {
			if t.same(d) && !t.draining() { // without a port: all ports of the target
				s.drain(g, t)
			}
		}
	}
	return &elb.DeregisterTargetsOutput{}, nil
}

// drain keeps a target as draining until the delay is over, whether or not
// requests are in flight (user guide, "Deregistration delay"). Where nothing
// is sent to it, it is gone at once (observed).
func (s *Service) drain(g *targetGroup, t *target) {
	s.w.Stop(t.timer)
	seconds, _ := strconv.Atoi(g.attribute(deregistrationDelay)) // of a lambda target: none
	if !g.used || seconds == 0 {
		g.remove(t)
		return
	}
	t.state, t.fault = elbtypes.TargetHealthStateEnumDraining, Fault{Reason: elbtypes.TargetHealthReasonEnumDeregistrationInProgress}
	t.next = s.w.Now().Add(time.Duration(seconds) * time.Second)
	t.timer = s.w.At(t.next, func() { g.remove(t) })
}

func (g *targetGroup) remove(t *target) {
	g.targets = slices.DeleteFunc(g.targets, func(x *target) bool { return x == t })
}

func (s *Service) describeTargetHealth(_ *wire.Call, in *elb.DescribeTargetHealthInput) (*elb.DescribeTargetHealthOutput, error) {
	g, err := s.group(in.TargetGroupArn)
	if err != nil {
		return nil, err
	}
	if len(in.Include) > 0 {
		return nil, unsupported("Include")
	}
	out := &elb.DescribeTargetHealthOutput{TargetHealthDescriptions: []elbtypes.TargetHealthDescription{}}
	if len(in.Targets) == 0 {
		for _, t := range g.targets {
			out.TargetHealthDescriptions = append(out.TargetHealthDescriptions, g.health(t))
		}
		return out, nil
	}
	for _, d := range in.Targets {
		t := g.find(d)
		if t == nil {
			t = &target{
				description: g.complete(d), state: elbtypes.TargetHealthStateEnumUnused,
				fault: Fault{Reason: elbtypes.TargetHealthReasonEnumNotRegistered},
			}
		}
		out.TargetHealthDescriptions = append(out.TargetHealthDescriptions, g.health(t))
	}
	return out, nil
}

// health describes the health of a target.
func (g *targetGroup) health(t *target) elbtypes.TargetHealthDescription {
	description := t.description
	h := elbtypes.TargetHealthDescription{Target: &description, TargetHealth: &elbtypes.TargetHealth{State: t.state, Reason: t.fault.Reason}}
	if text := t.fault.text(); text != "" {
		h.TargetHealth.Description = aws.String(text)
	}
	if port := aws.ToString(g.info.HealthCheckPort); port != "traffic-port" && port != "" {
		h.HealthCheckPort = aws.String(port)
	} else if t.description.Port != nil {
		h.HealthCheckPort = aws.String(strconv.Itoa(int(*t.description.Port)))
	}
	return h
}

// text is the description of a fault, in the words of DescribeTargetHealth
// answers.
func (f Fault) text() string {
	if f.Description != "" {
		return f.Description
	}
	return map[elbtypes.TargetHealthReasonEnum]string{
		elbtypes.TargetHealthReasonEnumRegistrationInProgress:   "Target registration is in progress",
		elbtypes.TargetHealthReasonEnumInitialHealthChecking:    "Initial health checks in progress",
		elbtypes.TargetHealthReasonEnumResponseCodeMismatch:     "Health checks failed with an unexpected response code",
		elbtypes.TargetHealthReasonEnumTimeout:                  "Request timed out",
		elbtypes.TargetHealthReasonEnumFailedHealthChecks:       "Health checks failed",
		elbtypes.TargetHealthReasonEnumNotRegistered:            "Target is not registered to the target group",
		elbtypes.TargetHealthReasonEnumNotInUse:                 "Target group is not configured to receive traffic from the load balancer",
		elbtypes.TargetHealthReasonEnumDeregistrationInProgress: "Target deregistration is in progress",
		elbtypes.TargetHealthReasonEnumInvalidState:             "Target is in the stopped or terminated state",
		elbtypes.TargetHealthReasonEnumHealthCheckDisabled:      "Health checks are not enabled for this target",
		elbtypes.TargetHealthReasonEnumInternalError:            "Health checks failed due to an internal error",
	}[f.Reason]
}
