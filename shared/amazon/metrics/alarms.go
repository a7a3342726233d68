package metrics

import (
	"context"

	"github.com/pullback-dev/pullback/shared/policy"
)

// Alarms is what CloudWatch says of alarms, as the policy wants to know it.
type Alarms struct{ Client *Client }

// Alarms returns the alarms of these names that exist, sorted by name.
func (a Alarms) Alarms(ctx context.Context, names []string) ([]policy.Alarm, error) {
	found, err := a.Client.Alarms(ctx, names)
	if err != nil {
		return nil, err
	}
	facts := make([]policy.Alarm, len(found))
	for i, x := range found {
		facts[i] = policy.Alarm{Name: x.Name, Red: x.Firing(), Since: x.Since, Data: x.Data}
	}
	return facts, nil
}
