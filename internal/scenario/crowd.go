package scenario

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/pullback-dev/pullback/internal/operate"
	"github.com/pullback-dev/pullback/shared/ledger"
)

// crowd lets many teams of one kind set up: crowd 20 asg, which are team-1 to
// team-20.
func (s *Story) crowd(ctx context.Context, args []string) error {
	if len(args) < 2 {
		return errors.New("want: crowd NUMBER KIND [OPTION …]")
	}
	n, err := number(args[:1])
	if err != nil {
		return err
	}
	for i := range n {
		if err := s.install(ctx, append(slices.Clone(args[1:]), "as", fmt.Sprintf("team-%d", i+1))); err != nil {
			return err
		}
	}
	return nil
}

// every lets all teams do something, or checks all of them: every deploy v2, every
// live v1.
func (s *Story) every(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errors.New("want: every WORD …")
	}
	do, ok := acts()[args[0]]
	if args[0] == "deploy" {
		do, ok = func(s *Story, ctx context.Context, args []string) error { _, err := s.deploy(ctx, args); return err }, true
	}
	if !ok {
		if do, ok = checks()[args[0]]; !ok {
			return fmt.Errorf("%q is not a word that teams follow", args[0])
		}
	}
	return s.everywhere(func() error { return do(s, ctx, args[1:]) })
}

// incidents checks how many incidents all teams have, by their phase if there is
// one: incidents 3 restored.
func (s *Story) incidents(ctx context.Context, args []string) error {
	if len(args) == 0 || len(args) > 2 {
		return errors.New("want: incidents NUMBER [PHASE]")
	}
	want, err := number(args[:1])
	if err != nil {
		return err
	}
	found, since := 0, s.now().AddDate(-1, 0, 0)
	for _, c := range s.crews {
		all, err := s.ledger.IncidentsSince(ctx, c.Target(), since)
		if err != nil && !errors.Is(err, ledger.ErrNotFound) {
			return fmt.Errorf("incidents of %s: %w", c.Target(), err)
		}
		for _, i := range all {
			if len(args) == 1 || string(i.Phase) == args[1] {
				found++
			}
		}
	}
	if found != want {
		return differs("there are %d", found)
	}
	return nil
}

// recorded checks how many records of a rule all teams have: recorded 3 alarm. It
// checks their chains, too.
func (s *Story) recorded(ctx context.Context, args []string) error {
	if len(args) != 2 {
		return errors.New("want: recorded NUMBER RULE")
	}
	want, err := number(args[:1])
	if err != nil {
		return err
	}
	found := 0
	for _, c := range s.crews {
		all, err := operate.Explain(ctx, s.ledger, c.Target(), "")
		if err != nil {
			return fmt.Errorf("records of %s: %w", c.Target(), err)
		}
		for _, r := range all {
			if r.Rule == args[1] {
				found++
			}
		}
	}
	if found != want {
		return differs("there are %d", found)
	}
	return nil
}
