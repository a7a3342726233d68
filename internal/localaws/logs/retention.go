package logs

import (
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

const day = 24 * time.Hour

// retentions are the numbers of days that a policy may name (API reference,
// PutRetentionPolicy).
func retentions() []int32 {
	return []int32{1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}
}

func (s *Service) putRetention(_ *wire.Call, in *cloudwatchlogs.PutRetentionPolicyInput) (*cloudwatchlogs.PutRetentionPolicyOutput, error) {
	g, err := s.group(in.LogGroupName, nil)
	if err != nil {
		return nil, err
	}
	if days := aws.ToInt32(in.RetentionInDays); !slices.Contains(retentions(), days) {
		return nil, invalid("1 validation error detected: Value '%d' at 'retentionInDays' failed to satisfy constraint: "+
			"Member must satisfy enum value set: %v", days, retentions())
	}
	g.retention = *in.RetentionInDays
	s.expire(g)
	return &cloudwatchlogs.PutRetentionPolicyOutput{}, nil
}

func (s *Service) deleteRetention(_ *wire.Call, in *cloudwatchlogs.DeleteRetentionPolicyInput) (*cloudwatchlogs.DeleteRetentionPolicyOutput, error) {
	g, err := s.group(in.LogGroupName, nil)
	if err != nil {
		return nil, err
	}
	g.retention = 0
	s.expire(g)
	return &cloudwatchlogs.DeleteRetentionPolicyOutput{}, nil
}

// kept is the time of the oldest log event that a group keeps.
func (s *Service) kept(g *group) int64 {
	if g.retention == 0 {
		return 0
	}
	return millis(s.w.Now().Add(-time.Duration(g.retention) * day))
}

// expire deletes what is too old and sets the timer for the next log event that
// will be. AWS may take 72 hours longer, in which nothing old is shown (user
// guide, "Change log data retention").
func (s *Service) expire(g *group) {
	s.w.Stop(g.expiry)
	g.expiry = nil
	if g.retention == 0 {
		return
	}
	kept, oldest := s.kept(g), int64(-1)
	for _, st := range g.streams {
		n, _ := slices.BinarySearchFunc(st.events, kept, func(e event, at int64) int { return int(e.time - at) })
		st.events = slices.Delete(st.events, 0, n)
		if len(st.events) > 0 && (oldest < 0 || st.events[0].time < oldest) {
			oldest = st.events[0].time
		}
	}
	if oldest >= 0 {
		at := time.UnixMilli(oldest + 1).Add(time.Duration(g.retention) * day)
		g.expiry = s.w.Tick(at, func() { s.expire(g) })
	}
}
