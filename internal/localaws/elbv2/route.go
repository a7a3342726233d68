package elbv2

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// The cookies that keep a client at one target group and at one target (user
// guide, "Sticky sessions for your Application Load Balancer").
const (
	groupCookie  = "AWSALBTG"
	targetCookie = "AWSALB"
)

// Request is what rules look at.
type Request struct {
	Method   string // empty is GET
	Host     string
	Path     string // empty is /
	Query    url.Values
	Header   http.Header
	SourceIP string
}

func (r Request) method() string {
	if r.Method == "" {
		return http.MethodGet
	}
	return r.Method
}

func (r Request) path() string {
	if r.Path == "" {
		return "/"
	}
	return r.Path
}

// Route is where a request goes. Target is nil if the load balancer answers
// itself, with Status: a fixed response, a redirect, or 503 because nobody is
// there.
type Route struct {
	LoadBalancerARN string
	ListenerARN     string
	RuleARN         string
	Action          elbtypes.ActionTypeEnum
	TargetGroupARN  string // empty for a fixed response or a redirect
	Target          *elbtypes.TargetDescription
	Status          int
	Cookies         []*http.Cookie // that the client should send back
}

// Route says where a request that comes in at a listener goes and counts
// nothing: [Service.Answer] does. Call it with the world's lock held.
//
// The first rule whose conditions are met decides. Among several target groups
// the world's randomness chooses by their weights, without regard to health:
// there is no way over to another group (user guide, "Forward actions").
func (s *Service) Route(listenerARN string, r Request) (Route, error) {
	l, err := s.listener(&listenerARN)
	if err != nil {
		return Route{}, err
	}
	for _, rule := range l.rules {
		if matches(rule.info.Conditions, r) {
			action := rule.info.Actions[0]
			route := Route{LoadBalancerARN: l.balancer.arn(), ListenerARN: l.arn(), RuleARN: rule.arn(), Action: action.Type}
			s.follow(&route, action, r)
			return route, nil
		}
	}
	return Route{}, noRule(listenerARN) // cannot be: the default rule has no conditions
}

// follow carries out an action.
func (s *Service) follow(to *Route, a elbtypes.Action, r Request) {
	switch a.Type {
	case elbtypes.ActionTypeEnumFixedResponse:
		to.Status, _ = strconv.Atoi(aws.ToString(a.FixedResponseConfig.StatusCode)) // was checked
		return
	case elbtypes.ActionTypeEnumRedirect:
		to.Status, _ = strconv.Atoi(strings.TrimPrefix(string(a.RedirectConfig.StatusCode), "HTTP_"))
		return
	default: // forward is all that is left
	}
	g := s.chooseGroup(to, a.ForwardConfig, r)
	if g == nil {
		to.Status = http.StatusServiceUnavailable
		return
	}
	to.TargetGroupARN = g.arn()
	t := s.chooseTarget(to, g, r)
	if t == nil {
		to.Status = http.StatusServiceUnavailable
		return
	}
	description := t.description
	to.Target = &description
}

// chooseGroup chooses a target group by weight, or the one that the client is
// bound to. With no weight at all there is none.
func (s *Service) chooseGroup(to *Route, c *elbtypes.ForwardActionConfig, r Request) *targetGroup {
	sticky := aws.ToBool(c.TargetGroupStickinessConfig.Enabled)
	total := int32(0)
	bound := ""
	if sticky {
		bound = s.bound(groupCookie, r)
	}
	for _, t := range c.TargetGroups {
		if bound == aws.ToString(t.TargetGroupArn) {
			g, _ := s.group(t.TargetGroupArn)
			return g
		}
		total += *t.Weight
	}
	if total == 0 {
		return nil
	}
	chosen := c.TargetGroups[0].TargetGroupArn
	if len(c.TargetGroups) > 1 {
		n := s.w.Chance().Int32N(total)
		for _, t := range c.TargetGroups {
			if n -= *t.Weight; n < 0 {
				chosen = t.TargetGroupArn
				break
			}
		}
	}
	if sticky {
		to.Cookies = append(to.Cookies, s.bind(groupCookie, *chosen, *c.TargetGroupStickinessConfig.DurationSeconds))
	}
	g, _ := s.group(chosen)
	return g
}

// chooseTarget chooses a target of a group: in turn, by chance, or the one that
// the client is bound to.
func (s *Service) chooseTarget(to *Route, g *targetGroup, r Request) *target {
	all := g.receivers()
	if len(all) == 0 {
		return nil
	}
	key := func(t *target) string {
		return aws.ToString(t.description.Id) + "|" + strconv.Itoa(int(aws.ToInt32(t.description.Port)))
	}
	sticky := g.http() && g.attribute(stickyEnabled) == "true"
	if sticky {
		bound := s.bound(targetCookie, r)
		for _, t := range all {
			if key(t) == bound {
				return t
			}
		}
	}
	var t *target
	if g.attribute(algorithm) == "weighted_random" {
		t = all[s.w.Chance().IntN(len(all))]
	} else {
		t = all[g.turn%uint64(len(all))]
		g.turn++
	}
	if sticky {
		seconds, _ := strconv.Atoi(g.attribute(stickySeconds))
		to.Cookies = append(to.Cookies, s.bind(targetCookie, key(t), int32(seconds))) //nolint:gosec // at most a week
	}
	return t
}

// bind makes the cookie that binds a client.
func (s *Service) bind(name, to string, seconds int32) *http.Cookie {
	until := s.w.Now().Add(time.Duration(seconds) * time.Second)
	return &http.Cookie{ //nolint:gosec // AWSALB has these members and no others
		Name: name, Path: "/", Expires: until, Value: base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatInt(until.Unix(), 10) + " " + to)),
	}
}

// bound says what a client is bound to; empty if to nothing, or no more.
func (s *Service) bound(name string, r Request) string {
	c, err := (&http.Request{Header: r.Header}).Cookie(name)
	if err != nil {
		return ""
	}
	text, err := base64.RawURLEncoding.DecodeString(c.Value)
	if err != nil {
		return ""
	}
	until, to, _ := strings.Cut(string(text), " ")
	n, err := strconv.ParseInt(until, 10, 64)
	if err != nil || !s.w.Now().Before(time.Unix(n, 0)) {
		return ""
	}
	return to
}
