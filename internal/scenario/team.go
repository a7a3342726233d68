package scenario

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/pullback-dev/pullback/internal/demo/shop"
	"github.com/pullback-dev/pullback/internal/operate"
	"github.com/pullback-dev/pullback/shared/deploy"
)

// install lets the team set up: install [untagged] [complaints|error-rate]
// [no-alarm] [codedeploy-rolls-back].
func (s *Story) install(ctx context.Context, args []string) error {
	var c shop.Choices
	for _, a := range args {
		switch a {
		case "untagged":
			c.Untagged = true
		case "complaints":
			c.Alarm = shop.Complaints
		case "error-rate":
			c.Alarm = shop.ErrorRate
		case "no-alarm":
			c.NoAlarm = true
		case "codedeploy-rolls-back":
			c.RollsBack = true
		default:
			return fmt.Errorf("install does not know %q", a)
		}
	}
	return s.shop.Install(ctx, c)
}

// speaks lets another alarm speak for the group: speaks checkout-complaints.
func (s *Story) speaks(ctx context.Context, args []string) error {
	if len(args) != 1 {
		return errors.New("want: speaks ALARM")
	}
	return s.shop.Speaks(ctx, s.aws.World.Account, s.aws.World.Region, args[0])
}

// complain lets customers complain: complain 5. None is 0.
func (s *Story) complain(ctx context.Context, args []string) error {
	n, err := number(args)
	if err != nil {
		return err
	}
	return s.shop.Complain(ctx, float64(n))
}

// release publishes a release as a new version: release v2, or a release whose
// program is in the script: release v2 FILE.
func (s *Story) release(ctx context.Context, name string, program []byte) error {
	code, err := s.code(name, program)
	if err != nil {
		return err
	}
	s.versions[name], err = s.shop.Publish(ctx, code)
	return err
}

func (s *Story) code(name string, program []byte) ([]byte, error) {
	if program == nil {
		return s.shop.Code(name)
	}
	return shop.Pack(program)
}

// deploy starts a canary from what serves now: deploy v2 [without-hooks]. It
// publishes the release unless that has been done. It returns the deployment.
func (s *Story) deploy(ctx context.Context, args []string) (deploy.ID, error) {
	if len(args) < 1 || len(args) > 2 || len(args) == 2 && args[1] != "without-hooks" {
		return "", errors.New("want: deploy RELEASE [without-hooks]")
	}
	if s.versions[args[0]] == "" {
		if err := s.release(ctx, args[0], nil); err != nil {
			return "", err
		}
	}
	live, err := s.aliases.Live(ctx, shop.Place())
	if err != nil {
		return "", fmt.Errorf("look at %s: %w", alias(), err)
	}
	id, err := s.shop.Canary(ctx, live.Version, s.versions[args[0]], len(args) == 1)
	if err != nil {
		return "", err
	}
	s.rolled = append(s.rolled, id)
	return id, nil
}

// stop stops the team's last deployment and leaves the traffic where it is.
func (s *Story) stop(ctx context.Context, _ []string) error {
	d, err := s.named(ctx, "last")
	if err != nil {
		return err
	}
	return s.shop.Stop(ctx, d.ID)
}

// deleteVersion deletes what a release was published as: delete v1.
func (s *Story) deleteVersion(ctx context.Context, args []string) error {
	if len(args) != 1 || s.versions[args[0]] == "" {
		return errors.New("want a release that was published")
	}
	return s.shop.Delete(ctx, s.versions[args[0]])
}

// unhold lets deployments go on, as "pullback release" does: unhold REASON.
func (s *Story) unhold(ctx context.Context, args []string) error {
	if len(args) != 1 {
		return errors.New("want a reason")
	}
	return operate.Release(ctx, s.ledger, target(), "story", args[0], s.now())
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
	live, err := s.aliases.Live(ctx, shop.Place())
	if err != nil {
		return fmt.Errorf("look at %s: %w", alias(), err)
	}
	return s.wait(ctx, time.Hour, time.Minute, func() error { return s.knownGood(ctx, live.Version) })
}

func (s *Story) knownGood(ctx context.Context, version deploy.Revision) error {
	marks, err := s.ledger.KnownGood(ctx, target())
	if err != nil {
		return fmt.Errorf("known-good revisions: %w", err)
	}
	for _, m := range marks {
		if m.Revision == version {
			return nil
		}
	}
	return differs("version %s is not known good", version)
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
