package scenario

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/pullback-dev/pullback/internal/operate"
	"github.com/pullback-dev/pullback/shared/deploy"
)

// speaks lets another alarm speak for the group: speaks checkout-complaints.
func (s *Story) speaks(ctx context.Context, args []string) error {
	if len(args) != 1 {
		return errors.New("want: speaks ALARM")
	}
	l, err := s.lambdaTeam()
	if err != nil {
		return err
	}
	return l.Speaks(ctx, s.aws.World.Account, s.aws.World.Region, args[0])
}

// complain lets customers complain: complain 5. None is 0.
func (s *Story) complain(ctx context.Context, args []string) error {
	n, err := number(args)
	if err != nil {
		return err
	}
	return s.crew.Complain(ctx, float64(n))
}

// release publishes a release as a new version: release v2, or a release whose
// program is in the script: release v2 FILE.
func (s *Story) release(ctx context.Context, name string, program []byte) error {
	l, err := s.lambdaTeam()
	if err != nil {
		return err
	}
	return l.publish(ctx, name, program)
}

// lambdaTeam is the team that the words speak of, for words that only a team with
// a function has.
func (s *Story) lambdaTeam() (*function, error) {
	l, ok := s.crew.team.(*function)
	if !ok {
		return nil, fmt.Errorf("the team %s has no function", s.crew.name)
	}
	return l, nil
}

// deploy starts a deployment: deploy v2 [WORD …]. The words are the team's own. It
// publishes the release unless that has been done. It returns the deployment.
func (s *Story) deploy(ctx context.Context, args []string) (deploy.ID, error) {
	if len(args) == 0 {
		return "", errors.New("want: deploy RELEASE [WORD …]")
	}
	if t, ok := s.crew.team.(interface{ Prepare(words []string) error }); ok {
		if err := t.Prepare(args[1:]); err != nil {
			return "", err
		}
	} else if len(args) > 1 {
		return "", fmt.Errorf("the team %s does not know %q", s.crew.name, args[1:])
	}
	id, err := s.crew.Deploy(ctx, args[0])
	if err != nil {
		return "", err
	}
	s.crew.began(id)
	return id, nil
}

// stop stops the team's last deployment and leaves the traffic where it is, if
// AWS can do that.
func (s *Story) stop(ctx context.Context, _ []string) error {
	d, err := s.named(ctx, "last")
	if err != nil {
		return err
	}
	t, ok := s.crew.team.(interface {
		Stop(ctx context.Context, id deploy.ID) error
	})
	if !ok {
		return fmt.Errorf("the team %s has nothing that can be stopped", s.crew.name)
	}
	return t.Stop(ctx, d.ID)
}

// unhold lets deployments go on, as "pullback release" does: unhold REASON.
func (s *Story) unhold(ctx context.Context, args []string) error {
	if len(args) != 1 {
		return errors.New("want a reason")
	}
	return operate.Release(ctx, s.ledger, s.crew.Target(), "story", args[0], s.now())
}

// advance lets time pass: advance 5m.
func (s *Story) advance(ctx context.Context, args []string) error {
	if len(args) != 1 {
		return errors.New("want a duration")
	}
	d, err := time.ParseDuration(args[0])
	if err != nil {
		return fmt.Errorf("want a duration: %w", err)
	}
	return s.aws.World.Advance(ctx, d)
}

// prove waits until what serves is known good, which takes a bake.
func (s *Story) prove(ctx context.Context, _ []string) error {
	serving, err := s.crew.Live(ctx)
	if err != nil {
		return err
	}
	if len(serving) != 1 {
		return fmt.Errorf("%d releases serve", len(serving))
	}
	return s.wait(ctx, time.Hour, time.Minute, func() error { return s.knownGood(ctx, serving[0]) })
}

func (s *Story) knownGood(ctx context.Context, release string) error {
	marks, err := s.ledger.KnownGood(ctx, s.crew.Target())
	if err != nil {
		return fmt.Errorf("known-good revisions: %w", err)
	}
	for _, m := range marks {
		if s.crew.releaseOf(m.Revision) == release {
			return nil
		}
	}
	return differs("%s is not known good", release)
}

// wait lets time pass until check has nothing to say.
func (s *Story) wait(ctx context.Context, limit, step time.Duration, check func() error) error {
	for range int(limit / step) {
		if err := s.aws.World.Advance(ctx, step); err != nil {
			return fmt.Errorf("let time pass: %w", err)
		}
		err := check()
		if _, not := errors.AsType[differenceError](err); err == nil || !not {
			return err
		}
	}
	return fmt.Errorf("not within %s: %w", limit, check())
}

func number(args []string) (int, error) {
	if len(args) != 1 {
		return 0, errors.New("want a number")
	}
	n, err := strconv.Atoi(args[0])
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%q is not a number from 0 on", args[0])
	}
	return n, nil
}
