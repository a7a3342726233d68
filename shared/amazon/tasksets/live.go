package tasksets

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/pullback-dev/pullback/shared/deploy"
)

// scene is how a service and its load balancer are now.
type scene struct {
	group
	sets  []ecstypes.TaskSet // but for those that are going
	rules []rule
}

func (c *Client) look(ctx context.Context, t deploy.Target) (scene, error) {
	g, err := c.group(ctx, t)
	if err != nil {
		return scene{}, err
	}
	s, err := c.service(ctx, g)
	if err != nil {
		return scene{}, err
	}
	rules, err := c.rules(ctx, g)
	if err != nil {
		return scene{}, err
	}
	sets := slices.DeleteFunc(s.TaskSets, func(set ecstypes.TaskSet) bool { return aws.ToString(set.Status) == "DRAINING" })
	return scene{group: g, sets: sets, rules: rules}, nil
}

// Live returns which task definitions production traffic is sent to, by the
// weights of the listener: deploy.ErrUnknown.
func (c *Client) Live(ctx context.Context, p deploy.Place) (deploy.Live, error) {
	s, err := c.look(ctx, p.Target)
	if err != nil {
		return deploy.Live{}, fmt.Errorf("what serves %s: %w", p.Target, err)
	}
	return s.live(p), nil
}

func (s scene) live(p deploy.Place) deploy.Live {
	live := deploy.Live{Place: p, Token: s.token()}
	shares := make(map[deploy.Revision]float64)
	for group, share := range s.traffic() {
		if set := s.behind(group); set != nil {
			shares[revisionOf(*set)] += share
		}
	}
	for n, r := range slices.SortedFunc(maps.Keys(shares), func(a, b deploy.Revision) int {
		return cmp.Or(cmp.Compare(shares[b], shares[a]), cmp.Compare(a, b))
	}) {
		switch {
		case n == 0:
			live.Version = r
		case live.Weights == nil:
			live.Weights = map[deploy.Revision]float64{r: shares[r]}
		default:
			live.Weights[r] = shares[r]
		}
	}
	if s.active == "" {
		live.Stuck = s.stuck()
	}
	return live
}

func revisionOf(s ecstypes.TaskSet) deploy.Revision { return deploy.Revision(last(s.TaskDefinition)) }

// traffic returns which share of production traffic each target group gets. Each
// rule counts the same: which requests it is for is not known here.
func (s scene) traffic() map[string]float64 {
	shares := make(map[string]float64)
	n := 0.0
	for _, r := range s.rules {
		if r.live {
			n++
		}
	}
	for _, r := range s.rules {
		for group, weight := range s.weights(r.actions) {
			if r.live && weight > 0 {
				shares[group] += weight / n
			}
		}
	}
	return shares
}

// behind returns the task set of a target group, the primary one if there are
// more; nil if there is none.
func (s scene) behind(group string) (found *ecstypes.TaskSet) {
	for i, set := range s.sets {
		if groupOf(set) == group && (found == nil || aws.ToString(set.Status) == primary) {
			found = &s.sets[i]
		}
	}
	return found
}

// groupOf returns the target group of a task set: it has one (API reference,
// "CreateTaskSet").
func groupOf(s ecstypes.TaskSet) string {
	for _, b := range s.LoadBalancers {
		return aws.ToString(b.TargetGroupArn)
	}
	return ""
}

// stuck says why the next deployment would go wrong; empty if it would not.
// CodeDeploy replaces the primary task set, and refuses to where a listener does
// not send anything to it: "Primary taskset target group must be behind listener"
// (user guide, "Troubleshoot Amazon ECS deployment issues"). Without rollback, a
// deployment that is stopped or fails leaves everything as it is (user guide,
// "AppSpec 'hooks' section for an Amazon ECS deployment").
func (s scene) stuck() string {
	i := slices.IndexFunc(s.sets, func(set ecstypes.TaskSet) bool { return aws.ToString(set.Status) == primary })
	if i < 0 {
		return fmt.Sprintf("service %s has no primary task set", s.group)
	}
	traffic := s.traffic()
	for _, group := range slices.Sorted(maps.Keys(traffic)) {
		if s.behind(group) == nil {
			return fmt.Sprintf("production traffic of service %s is sent to target group %s, which has no task set", s.group, group)
		}
	}
	if len(traffic) > 1 {
		return fmt.Sprintf("production traffic of service %s is split between two task sets", s.group)
	}
	main := groupOf(s.sets[i])
	for _, listener := range slices.Concat(s.production, s.test) {
		if !slices.ContainsFunc(s.rules, func(r rule) bool { return r.listener == listener && s.weights(r.actions)[main] > 0 }) {
			return fmt.Sprintf("listener %s sends nothing to the primary task set of service %s", listener, s.group)
		}
	}
	return ""
}

// token names what was seen, so that Heal knows whether it still is so.
func (s scene) token() string {
	var text strings.Builder
	for _, set := range s.sets {
		fmt.Fprintln(&text, aws.ToString(set.Id), aws.ToString(set.Status), aws.ToString(set.TaskDefinition))
	}
	for _, r := range s.rules {
		weights := s.weights(r.actions)
		for _, group := range slices.Sorted(maps.Keys(weights)) {
			fmt.Fprintln(&text, r.listener, r.arn, group, weights[group])
		}
	}
	sum := sha256.Sum256([]byte(text.String()))
	return hex.EncodeToString(sum[:8])
}
