package scenario

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"

	localtraffic "github.com/pullback-dev/pullback/internal/localaws/traffic"
	"github.com/pullback-dev/pullback/shared/deploy"
)

// demand is what customers order, and how.
type demand struct {
	blank  bool    // orders have no number, which no release minds
	outage float64 // part of the orders that meets an outage of something that every release needs
}

// traffic sets how many orders come in each second: traffic 20. They are
// numbered, and some releases fail some numbers: traffic 20 blank are orders
// without one. With traffic 20 past-alias they reach version 1 whatever the
// alias says.
func (s *Story) traffic(_ context.Context, args []string) error {
	if len(args) == 0 {
		return errors.New("want: traffic NUMBER [blank|past-alias]")
	}
	rate, err := strconv.ParseFloat(args[0], 64)
	if err != nil || !(rate >= 0) {
		return fmt.Errorf("%q is not a number from 0 on", args[0])
	}
	l, err := s.lambdaTeam()
	if err != nil {
		return err
	}
	qualifier, blank := l.Alias().Name, false
	switch {
	case len(args) == 1:
	case slices.Equal(args[1:], []string{"blank"}):
		blank = true
	case slices.Equal(args[1:], []string{"past-alias"}):
		qualifier = string(l.versions["v1"])
	default:
		return fmt.Errorf("traffic does not know %q", args[1:])
	}
	s.aws.World.Lock()
	defer s.aws.World.Unlock()
	s.demand.blank = blank
	if s.orders != nil && s.qualifier == qualifier {
		s.orders.SetRate(rate)
		return nil
	}
	if s.orders != nil {
		return errors.New("traffic cannot change its way")
	}
	s.qualifier = qualifier
	s.orders = localtraffic.Start(s.aws.World, s.aws.Lambda, localtraffic.Options{
		Function: l.Alias().Function, Qualifier: qualifier, PerSecond: rate, Payload: s.order,
	})
	return nil
}

// order writes an order. It is called with the world's lock held.
func (s *Story) order(n int) []byte {
	order := map[string]any{"number": n}
	if s.demand.blank {
		order["number"] = 0
	}
	if s.demand.outage > 0 && s.aws.World.Rand().Float64() < s.demand.outage {
		order["outage"] = true
	}
	text, err := json.Marshal(order)
	if err != nil {
		panic(err) // a number and a truth value
	}
	return text
}

// outage lets a part of the orders fail from now on, whatever version takes
// them: outage 30, in per cent.
func (s *Story) outage(_ context.Context, args []string) error {
	percent, err := number(args)
	if err != nil || percent > 100 {
		return errors.Join(errors.New("want a percentage"), err)
	}
	s.aws.World.Lock()
	defer s.aws.World.Unlock()
	s.demand.outage = float64(percent) / 100
	return nil
}

// served checks how many orders a release has taken, and how many of them it
// has failed: served v2 3 1.
func (s *Story) served(_ context.Context, args []string) error {
	if len(args) != 3 {
		return errors.New("want: served RELEASE ORDERS FAILED")
	}
	release, err := s.crew.is(args[:1])
	if err != nil {
		return err
	}
	s.aws.World.Lock()
	defer s.aws.World.Unlock()
	var count localtraffic.Count
	if s.orders != nil {
		for _, v := range s.orders.Summary().ByVersion {
			if s.crew.ReleaseOf(deploy.Revision(v.Version)) == release {
				count = v.Count
			}
		}
	}
	if found := []string{strconv.Itoa(count.Total), strconv.Itoa(count.Failed)}; !slices.Equal(found, args[1:]) {
		return differs("%s has taken %d orders and failed %d", args[0], count.Total, count.Failed)
	}
	return nil
}
