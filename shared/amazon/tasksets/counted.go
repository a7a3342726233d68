package tasksets

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/measure"
)

// Counted returns the metrics that count what the task sets of a deployment do,
// each by the target group that it alone stands in. CodeDeploy says which task sets
// those are: others of the service may run the same. The old one is not known any more
// once it is terminated. measure.ErrUncounted: the new one is, too, or they stand behind a
// load balancer that counts no requests.
func (c *Client) Counted(ctx context.Context, d deploy.Deployment, targets func() ([]cdtypes.DeploymentTarget, error)) (measure.Arms, error) {
	all, err := targets()
	if err != nil {
		return measure.Arms{}, fmt.Errorf("task sets of %s: %w", d.ID, err)
	}
	g, err := c.group(ctx, d.Target)
	if err != nil {
		return measure.Arms{}, fmt.Errorf("what counts the requests of %s: %w", d.Target, err)
	}
	s, err := c.service(ctx, g)
	if err != nil {
		return measure.Arms{}, fmt.Errorf("what counts the requests of %s: %w", d.Target, err)
	}
	var arms measure.Arms
	named := labels(all)
	for _, set := range s.TaskSets {
		label := cmp.Or(named[aws.ToString(set.Id)], named[aws.ToString(set.TaskSetArn)])
		if label == "" {
			continue
		}
		arm, err := measure.TaskSet(aws.ToString(set.Id), g.balancer(), groupOf(set))
		if err != nil {
			return measure.Arms{}, fmt.Errorf("%w: %w", measure.ErrUncounted, err)
		}
		if label == cdtypes.TargetLabelGreen {
			arms.New = arm
		} else {
			arms.Old = arm
		}
	}
	switch {
	case arms.New.Counted():
		return arms, nil
	case d.Running(): // as far as ECS tells yet
		return measure.Arms{}, fmt.Errorf("what counts the requests of %s: service %s has no task set of %s", d.Target, g, d.ID)
	default:
		return measure.Arms{}, fmt.Errorf("%w: service %s has no task set of %s any more", measure.ErrUncounted, g, d.ID)
	}
}

// labels says which of a deployment's task sets is the original (blue) and which the
// replacement (green), by their ids or ARNs, whichever CodeDeploy names.
func labels(targets []cdtypes.DeploymentTarget) map[string]cdtypes.TargetLabel {
	found := make(map[string]cdtypes.TargetLabel)
	for _, t := range targets {
		if t.EcsTarget == nil {
			continue
		}
		for _, set := range t.EcsTarget.TaskSetsInfo {
			found[aws.ToString(set.Identifer)] = set.TaskSetLabel //nolint:misspell // as AWS spells it
		}
	}
	return found
}

// balancer returns the load balancer of the production listener, as CloudWatch
// names it: arn:aws:elasticloadbalancing:REGION:ACCOUNT:listener/app/NAME/ID/LISTENER
// is one of app/NAME/ID.
func (g group) balancer() string {
	if len(g.production) == 0 {
		return ""
	}
	_, path, _ := strings.Cut(g.production[0], ":listener/")
	end := max(strings.LastIndexByte(path, '/'), 0)
	return path[:end]
}
