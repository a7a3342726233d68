package elbv2

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// How much one load balancer may have (user guides, "Quotas for your
// Application Load Balancers").
const (
	maxListeners    = 50
	maxRules        = 100 // without default rules
	maxBoundGroups  = 100
	defaultPriority = "default"
)

// listener is one listener. Its default actions are those of its default rule.
type listener struct {
	info     elbtypes.Listener // without the default actions
	balancer *balancer
	rules    []*rule // by priority; the default rule last
}

func (l *listener) arn() string { return aws.ToString(l.info.ListenerArn) }

// last is the default rule.
func (l *listener) last() *rule { return l.rules[len(l.rules)-1] }

func (l *listener) describe() elbtypes.Listener {
	info := l.info
	info.DefaultActions = l.last().info.Actions
	return info
}

// uses reports whether an action of a load balancer refers to a target group.
func (b *balancer) uses(groupARN string) bool {
	for _, l := range b.listeners {
		for _, r := range l.rules {
			if slices.Contains(forwarded(r.info.Actions), groupARN) {
				return true
			}
		}
	}
	return false
}

// listener finds a listener by its ARN.
func (s *Service) listener(arn *string) (*listener, error) {
	for _, b := range s.balancers {
		for _, l := range b.listeners {
			if l.arn() == aws.ToString(arn) {
				return l, nil
			}
		}
	}
	return nil, noListener(aws.ToString(arn))
}

func (s *Service) createListener(_ *wire.Call, in *elb.CreateListenerInput) (*elb.CreateListenerOutput, error) {
	if err := wire.Only(in, "LoadBalancerArn", "DefaultActions", "Certificates", "Port", "Protocol", "SslPolicy", "Tags"); err != nil {
		return nil, err
	}
	b, err := s.balancer(in.LoadBalancerArn)
	if err != nil {
		return nil, err
	}
	tags, err := newTags(in.Tags)
	if err != nil {
		return nil, err
	}
	if len(b.listeners) >= maxListeners {
		return nil, &elbtypes.TooManyListenersException{Message: aws.String("The maximum number of listeners on load balancer '" + b.arn() + "' has been reached")}
	}
	l := &listener{balancer: b, info: elbtypes.Listener{
		LoadBalancerArn: aws.String(b.arn()), Port: in.Port, Protocol: in.Protocol, Certificates: in.Certificates, SslPolicy: in.SslPolicy,
	}}
	if err := l.check(); err != nil {
		return nil, err
	}
	actions, err := s.actions(l, in.DefaultActions)
	if err != nil {
		return nil, err
	}
	path := b.path() + "/" + s.newID()
	l.info.ListenerArn = aws.String(s.arn("listener/" + path))
	l.rules = []*rule{{info: elbtypes.Rule{
		RuleArn: aws.String(s.arn("listener-rule/" + path + "/" + s.newID())), Priority: aws.String(defaultPriority), IsDefault: aws.Bool(true),
		Actions: actions, Conditions: []elbtypes.RuleCondition{},
	}}}
	b.listeners = append(b.listeners, l)
	s.tags[l.arn()] = tags
	s.tags[l.last().arn()] = map[string]string{}
	s.connect()
	return &elb.CreateListenerOutput{Listeners: []elbtypes.Listener{l.describe()}}, nil
}

// check refuses a listener that its load balancer cannot have, and completes
// one that may be.
func (l *listener) check() error {
	allowed := []elbtypes.ProtocolEnum{elbtypes.ProtocolEnumHttp, elbtypes.ProtocolEnumHttps}
	if !l.balancer.alb() {
		allowed = []elbtypes.ProtocolEnum{elbtypes.ProtocolEnumTcp, elbtypes.ProtocolEnumTls, elbtypes.ProtocolEnumUdp, elbtypes.ProtocolEnumTcpUdp}
	}
	switch {
	case l.info.Protocol == "":
		return invalid("A listener protocol must be specified")
	case !slices.Contains(allowed, l.info.Protocol):
		return &elbtypes.UnsupportedProtocolException{
			Message: aws.String("Listener protocol '" + string(l.info.Protocol) + "' is not supported with the type of load balancer '" + l.balancer.arn() + "'"),
		}
	case l.info.Port == nil:
		return invalid("A listener port must be specified")
	case *l.info.Port < 1 || *l.info.Port > 65535:
		return invalid("Listener port '%d' must be between 1 and 65535", *l.info.Port)
	case slices.ContainsFunc(l.balancer.listeners, func(o *listener) bool { return o.arn() != l.arn() && *o.info.Port == *l.info.Port }):
		return &elbtypes.DuplicateListenerException{
			Message: aws.String("A listener already exists on this port for this load balancer '" + l.balancer.arn() + "'"),
		}
	default:
		return l.checkSecurity()
	}
}

// checkSecurity refuses certificates that are missing or out of place.
func (l *listener) checkSecurity() error {
	secure := l.info.Protocol == elbtypes.ProtocolEnumHttps || l.info.Protocol == elbtypes.ProtocolEnumTls
	switch {
	case secure && len(l.info.Certificates) == 0:
		return &elbtypes.CertificateNotFoundException{Message: aws.String("A certificate must be specified for " + string(l.info.Protocol) + " listeners")}
	case !secure && (len(l.info.Certificates) > 0 || l.info.SslPolicy != nil):
		return invalid("Certificates and an SSL policy cannot be specified for %s listeners", l.info.Protocol)
	case len(l.info.Certificates) > 1:
		return &elbtypes.TooManyCertificatesException{Message: aws.String("Exactly one certificate must be specified")}
	}
	if secure {
		l.info.SslPolicy = or(l.info.SslPolicy, "ELBSecurityPolicy-2016-08")
	}
	return nil
}

func (s *Service) modifyListener(_ *wire.Call, in *elb.ModifyListenerInput) (*elb.ModifyListenerOutput, error) {
	if err := wire.Only(in, "ListenerArn", "DefaultActions", "Certificates", "Port", "Protocol", "SslPolicy"); err != nil {
		return nil, err
	}
	l, err := s.listener(in.ListenerArn)
	if err != nil {
		return nil, err
	}
	changed := &listener{info: l.info, balancer: l.balancer}
	if in.Protocol != "" && in.Protocol != l.info.Protocol {
		// From a secure protocol to another one, both are removed.
		changed.info.Certificates, changed.info.SslPolicy = nil, nil
		changed.info.Protocol = in.Protocol
	}
	if in.Port != nil {
		changed.info.Port = in.Port
	}
	if in.Certificates != nil {
		changed.info.Certificates = in.Certificates
	}
	if in.SslPolicy != nil {
		changed.info.SslPolicy = in.SslPolicy
	}
	if err := changed.check(); err != nil {
		return nil, err
	}
	actions := l.last().info.Actions
	if in.DefaultActions != nil {
		if actions, err = s.actions(changed, in.DefaultActions); err != nil {
			return nil, err
		}
	}
	l.info = changed.info
	l.last().info.Actions = actions
	s.connect()
	return &elb.ModifyListenerOutput{Listeners: []elbtypes.Listener{l.describe()}}, nil
}

func (s *Service) deleteListener(_ *wire.Call, in *elb.DeleteListenerInput) (*elb.DeleteListenerOutput, error) {
	l, err := s.listener(in.ListenerArn)
	if err != nil {
		return nil, err
	}
	s.forget(l)
	l.balancer.listeners = slices.DeleteFunc(l.balancer.listeners, func(x *listener) bool { return x == l })
	s.connect()
	return &elb.DeleteListenerOutput{}, nil
}

// forget removes the tags of a listener and its rules.
func (s *Service) forget(l *listener) {
	delete(s.tags, l.arn())
	for _, r := range l.rules {
		delete(s.tags, r.arn())
	}
}

func (s *Service) describeListeners(_ *wire.Call, in *elb.DescribeListenersInput) (*elb.DescribeListenersOutput, error) {
	var chosen []*listener
	switch {
	case in.LoadBalancerArn != nil && len(in.ListenerArns) > 0, in.LoadBalancerArn == nil && len(in.ListenerArns) == 0:
		return nil, invalid("You must specify either listener ARNs or a load balancer ARN")
	case in.LoadBalancerArn != nil:
		b, err := s.balancer(in.LoadBalancerArn)
		if err != nil {
			return nil, err
		}
		chosen = b.listeners
	default:
		for _, arn := range in.ListenerArns {
			if !strings.Contains(arn, ":listener/") {
				return nil, invalid("'%s' is not a valid listener ARN", arn)
			}
			l, err := s.listener(aws.String(arn))
			if err != nil {
				return nil, &elbtypes.ListenerNotFoundException{Message: aws.String("One or more listeners not found")}
			}
			chosen = append(chosen, l)
		}
	}
	part, next, err := page(chosen, in.Marker, in.PageSize)
	if err != nil {
		return nil, err
	}
	out := &elb.DescribeListenersOutput{Listeners: []elbtypes.Listener{}, NextMarker: next}
	for _, l := range part {
		out.Listeners = append(out.Listeners, l.describe())
	}
	return out, nil
}
