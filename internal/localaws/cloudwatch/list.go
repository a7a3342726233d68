package cloudwatch

import (
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// recently is the only value of RecentlyActive, PT3H.
const recently = 3 * time.Hour

// listMetrics lists metrics with data of the past two weeks (API reference,
// ListMetrics). AWS may take 15 minutes to show a new one, this does not.
func (s *Service) listMetrics(_ *wire.Call, in *cloudwatch.ListMetricsInput) (*cloudwatch.ListMetricsOutput, error) {
	if aws.ToBool(in.IncludeLinkedAccounts) || in.OwningAccount != nil {
		return nil, unsupported("IncludeLinkedAccounts")
	}
	from, err := offset(in.NextToken)
	if err != nil {
		return nil, invalid("The value %s for parameter NextToken is invalid.", *in.NextToken) // the operation has no InvalidNextToken
	}
	age, err := reach(in.RecentlyActive)
	if err != nil {
		return nil, err
	}
	oldest := s.world.Now().Add(-age)
	out := &cloudwatch.ListMetricsOutput{Metrics: []cwtypes.Metric{}}
	found := 0
	for _, key := range s.keys {
		m := s.metrics[key]
		if m.newest().Before(oldest) || !m.matches(in) {
			continue
		}
		found++
		switch {
		case found <= from:
		case len(out.Metrics) == metricsPage:
			out.NextToken = aws.String(strconv.Itoa(from + metricsPage))
			return out, nil
		default:
			out.Metrics = append(out.Metrics, cwtypes.Metric{Namespace: &m.namespace, MetricName: &m.name, Dimensions: m.dimensions})
		}
	}
	return out, nil
}

// reach is how old the newest data of a metric may be.
func reach(r cwtypes.RecentlyActive) (time.Duration, error) {
	switch r {
	case "":
		return oldestDatum, nil
	case cwtypes.RecentlyActivePt3h:
		return recently, nil
	default:
		return 0, validation("1 validation error detected: Value '%s' at 'recentlyActive' failed to satisfy constraint: "+
			"Member must satisfy enum value set: [PT3H]", r)
	}
}

func (m *series) matches(in *cloudwatch.ListMetricsInput) bool {
	if in.Namespace != nil && *in.Namespace != m.namespace || in.MetricName != nil && *in.MetricName != m.name {
		return false
	}
	for _, want := range in.Dimensions {
		found := false
		for _, have := range m.dimensions {
			found = found || aws.ToString(have.Name) == aws.ToString(want.Name) &&
				(want.Value == nil || aws.ToString(have.Value) == *want.Value)
		}
		if !found {
			return false
		}
	}
	return true
}

// offset reads a token: the number of items that were already returned.
func offset(token *string) (int, error) {
	if token == nil {
		return 0, nil
	}
	n, err := strconv.Atoi(*token)
	if err != nil || n < 0 {
		return 0, &cwtypes.InvalidNextToken{Message: aws.String("The value " + *token + " for parameter NextToken is invalid.")}
	}
	return n, nil
}
