package scenario

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/pullback-dev/pullback/internal/localaws/elbv2"
	localtraffic "github.com/pullback-dev/pullback/internal/localaws/traffic"
	"github.com/pullback-dev/pullback/internal/teams"
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
	s.aws.World.Lock()
	defer s.aws.World.Unlock()
	way, invoker, blank, err := s.way(args[1:])
	if err != nil {
		return err
	}
	s.demand.blank = blank
	if s.orders != nil && s.path == way {
		s.orders.SetRate(rate)
		return nil
	}
	if s.orders != nil {
		return errors.New("traffic cannot change its way")
	}
	s.path = way
	s.orders = localtraffic.Start(s.aws.World, invoker, localtraffic.Options{Function: way[0], Qualifier: way[1], PerSecond: rate, Payload: s.order})
	return nil
}

// way says where orders go to: a function and its qualifier, or a listener.
func (s *Story) way(words []string) (way [2]string, invoker localtraffic.Invoker, blank bool, err error) {
	switch t := s.crew.team.(type) {
	case interface{ Listener() string }:
		if len(words) > 0 {
			return way, nil, false, fmt.Errorf("traffic to a load balancer does not know %q", words)
		}
		return [2]string{t.Listener()}, s.customers(), false, nil
	case interface{ Alias() deploy.Alias }:
		way = [2]string{t.Alias().Function, t.Alias().Name}
	default:
		return way, nil, false, s.lacks("customers whose orders are seen")
	}
	switch {
	case len(words) == 0:
	case slices.Equal(words, []string{"blank"}):
		blank = true
	case slices.Equal(words, []string{"past-alias"}):
		way[1] = "1"
	default:
		return way, nil, false, fmt.Errorf("traffic does not know %q", words)
	}
	return way, s.aws.Lambda, blank, nil
}

// customers are those of a load balancer. What a release answers is not a matter
// of its containers, which are none, but of its name.
func (s *Story) customers() *localtraffic.Listener {
	c := s.crew
	s.behaviours = map[string]localtraffic.Behaviour{}
	s.behave()
	return &localtraffic.Listener{World: s.aws.World, Balancer: s.aws.ELB, Behaviours: s.behaviours, Label: func(r elbv2.Route) string {
		definition := s.aws.ECS.Runs(aws.ToString(r.Target.Id))
		return c.ReleaseOf(deploy.Revision(definition[strings.LastIndexByte(definition, '/')+1:]))
	}}
}

// behave lets releases fail as many requests as they do now. It is called with the
// world's lock held.
func (s *Story) behave() {
	if s.behaviours == nil {
		return
	}
	for _, release := range []string{teams.Good, teams.Bad, teams.AlsoBad, teams.Fix, teams.Broken, teams.Crashing} {
		failures := s.demand.outage
		if teams.Fails(release) {
			failures = max(failures, 1.0/3)
		}
		s.behaviours[release] = localtraffic.Behaviour{Failures: failures}
	}
}

// order writes an order. It is called with the world's lock held.
func (s *Story) order(n int) []byte {
	order := map[string]any{"number": n}
	if s.demand.blank {
		order["number"] = 0
	}
	if s.demand.outage > 0 && s.aws.World.Chance().Float64() < s.demand.outage {
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
	s.behave()
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
			if v.Version == release || s.crew.ReleaseOf(deploy.Revision(v.Version)) == release {
				count = v.Count
			}
		}
	}
	if found := []string{strconv.Itoa(count.Total), strconv.Itoa(count.Failed)}; !slices.Equal(found, args[1:]) {
		return differs("%s has taken %d orders and failed %d", args[0], count.Total, count.Failed)
	}
	return nil
}
