package tasksets

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/measure"
)

// Counted returns the metrics that count what the task sets of a deployment do,
// each by the target group that it alone stands in. The old one is not known any
// more once it is terminated. measure.ErrUncounted: they stand behind a load balancer
// that counts no requests, or run the same, so that nothing tells which is which.
func (c *Client) Counted(ctx context.Context, d deploy.Deployment) (measure.Arms, error) {
	if d.From == d.To {
		return measure.Arms{}, fmt.Errorf("%w: both task sets run %s", measure.ErrUncounted, d.To)
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
	for _, set := range s.TaskSets {
		arm, err := measure.TaskSet(aws.ToString(set.Id), g.balancer(), groupOf(set))
		if err != nil {
			return measure.Arms{}, fmt.Errorf("%w: %w", measure.ErrUncounted, err)
		}
		switch r := revisionOf(set); {
		case r == d.To && arms.New.Counted():
			return measure.Arms{}, fmt.Errorf("what counts the requests of %s: service %s has two task sets of %s", d.Target, g, d.To)
		case r == d.To:
			arms.New = arm
		case r == d.From:
			arms.Old = arm
		}
	}
	if !arms.New.Counted() { // not there yet, as far as ECS tells
		return measure.Arms{}, fmt.Errorf("what counts the requests of %s: service %s has no task set of %s", d.Target, g, d.To)
	}
	return arms, nil
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
