package route

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
)

// Sweep is what a sweep costs. Numbers are medians.
type Sweep struct {
	Groups int     `json:"groups"`
	Active int     `json:"active"` // deploy something
	Total  float64 `json:"total"`
	Most   int     `json:"most"`
	By     Counts  `json:"byService"` // of the median sweep
	Ms     float64 `json:"ms"`
	Round  int     `json:"roundBytes"` // of what the ledger remembers of it
}

// sweeps measures sweeps with a process that has swept before.
func (s *scene) sweeps(ctx context.Context) (x Sweep, err error) {
	o := s.options
	router, err := s.start(ctx, o.Dist, "alarmrouter")
	if err != nil {
		return x, err
	}
	defer router.End()
	x.Active = s.active
	var took, totals []float64
	var all [][]call
	for i := range 1 + o.Samples {
		event, err := s.swept()
		if err != nil {
			return x, err
		}
		s.listen()
		began := o.Now()
		if err := do(ctx, router, event); err != nil {
			return x, err
		}
		calls, end := s.made(), o.Now()
		if i == 0 {
			continue // it makes its connections, and everything is new to it
		}
		all, totals, took = append(all, calls), append(totals, float64(len(calls))), append(took, ms(end.Sub(began)))
		x.Most = max(x.Most, len(calls))
	}
	x.Ms, x.Total = median(took), median(totals)
	x.By = services(all[slices.Index(totals, x.Total)])
	x.Round, err = s.remembered(ctx)
	return x, err
}

// remembered is how much the ledger keeps of the sweep's round: DynamoDB takes
// 400 KB in one item.
func (s *scene) remembered(ctx context.Context) (int, error) {
	round, err := s.store.Round(ctx)
	if err != nil {
		return 0, fmt.Errorf("read the round: %w", err)
	}
	text, err := json.Marshal(round)
	if err != nil {
		return 0, fmt.Errorf("write the round: %w", err)
	}
	return len(text), nil
}
