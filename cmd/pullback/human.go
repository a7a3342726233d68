package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/pullback-dev/pullback/internal/operate"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/targets"
)

// said is what a human's command has in common: a target, and why.
type said struct {
	target deploy.Target
	remote remote
	human  operate.Human
	all    targets.All
}

// hear reads what a human's command begins with.
func hear(ctx context.Context, target, reason string) (said, error) {
	t, err := deploy.ParseTarget(target)
	if err != nil {
		return said{}, usageError{err}
	}
	if reason == "" {
		return said{}, usageError{errors.New("--reason is missing: say why, it is kept in the ledger")}
	}
	r, err := reach(ctx)
	if err != nil {
		return said{}, err
	}
	all := targets.New(r.cfg, r.settings.Account, r.ledger, r.clock.Now)
	return said{target: t, remote: r, human: operate.Human{By: who(ctx), Reason: reason, Now: r.clock.Now()}, all: all}, nil
}

// place returns where the target's revisions serve: its tag says so, or the newest
// incident.
func (s said) place(ctx context.Context) (deploy.Place, error) {
	g, err := s.all.Group(ctx, s.target)
	if err != nil {
		return deploy.Place{}, fmt.Errorf("look up %s: %w", s.target, err)
	}
	p := g.Place()
	if p.Platform != deploy.OnLambda || p.Alias.Function != "" {
		return p, nil
	}
	past, err := s.remote.ledger.IncidentsSince(ctx, s.target, time.Time{})
	if err != nil {
		return p, err
	}
	for _, i := range past {
		p.Alias = i.Alias
	}
	if p.Alias.Function == "" {
		return p, fmt.Errorf("which alias does %s move? Say so with a tag: pullback:alias=FUNCTION:ALIAS", s.target)
	}
	return p, nil
}

func releaseCommand() *cobra.Command {
	var reason, override string
	var during time.Duration
	c := &cobra.Command{
		Use:   "release TARGET --reason TEXT",
		Short: "Let deployments on a held target go on, or let one revision through",
		Long: `Takes the hold off a target. Bad code stays quarantined.

With --override, the hold stays and one revision may be deployed in spite of it and of
a quarantine, for a while; pullback leaves it where it is until then.`,
		Example: `  pullback release checkout/live --reason "3.0.0 fixes the currency code"
  pullback release checkout/live --override 9 --for 2h --reason "the fix; the alarm is about something else"`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, given []string) error {
			s, err := hear(c.Context(), given[0], reason)
			if err != nil {
				return err
			}
			if override != "" {
				if err := s.letThrough(c.Context(), deploy.Revision(override), during); err != nil {
					return err
				}
				_, err = fmt.Fprintf(c.OutOrStdout(), "%s may be deployed to %s for %s\n", override, s.target, during)
				return err
			}
			if err := s.release(c.Context()); err != nil {
				return err
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "released %s\n", s.target)
			return err
		},
	}
	c.Flags().StringVar(&reason, "reason", "", "why; kept in the ledger")
	c.Flags().StringVar(&override, "override", "", "let this revision through instead of taking the hold off")
	c.Flags().DurationVar(&during, "for", time.Hour, "how long the override is good")
	return c
}

// release takes the hold off, and opens the way into a stage that was closed.
func (s said) release(ctx context.Context) error {
	if err := operate.Release(ctx, s.remote.ledger, s.target, s.human.By, s.human.Reason, s.human.Now); err != nil {
		return err
	}
	if s.target.Kind != deploy.KindStage {
		return nil
	}
	_, err := s.all.Stages.Open(ctx, s.target)
	return err
}

func (s said) letThrough(ctx context.Context, r deploy.Revision, during time.Duration) error {
	if during <= 0 || during > 7*24*time.Hour {
		return usageError{fmt.Errorf("--for %s is not from now to a week", during)}
	}
	p, err := s.place(ctx)
	if err != nil {
		return err
	}
	digest, err := s.all.Digest(ctx, p, r)
	if err != nil {
		return err
	}
	return s.human.LetThrough(ctx, s.remote.ledger, s.target, r, digest, s.human.Now.Add(during))
}

func holdCommand() *cobra.Command {
	var reason string
	c := &cobra.Command{
		Use:     "hold TARGET --reason TEXT",
		Short:   "Keep deployments off a target until it is released; rollbacks pass",
		Example: `  pullback hold checkout/live --reason "freeze until Monday"`,
		Args:    args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, given []string) error {
			s, err := hear(c.Context(), given[0], reason)
			if err != nil {
				return err
			}
			if err := s.human.Hold(c.Context(), s.remote.ledger, s.target); err != nil {
				return err
			}
			if s.target.Kind == deploy.KindStage {
				if _, err := s.all.Stages.Close(c.Context(), s.target, reason); err != nil {
					return err
				}
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "%s is held\n", s.target)
			return err
		},
	}
	c.Flags().StringVar(&reason, "reason", "", "why; kept in the ledger")
	return c
}

func markCommand() *cobra.Command {
	var reason, rollback string
	var good bool
	c := &cobra.Command{
		Use:   "mark TARGET REVISION (--good | --rollback never|to=REVISION) --reason TEXT",
		Short: "Say that a revision is known good, or how far it may be rolled back",
		Example: `  pullback mark checkout/live 8 --rollback never --reason "drops the column that 7 reads"
  pullback mark checkout/live 7 --good --reason "ran for a year before pullback did"`,
		Args: args(cobra.ExactArgs(2)),
		RunE: func(c *cobra.Command, given []string) error {
			to, only := strings.CutPrefix(rollback, "to=")
			if good == (rollback != "") || rollback != "" && rollback != "never" && (!only || to == "") {
				return usageError{errors.New("say one of --good, --rollback never and --rollback to=REVISION")}
			}
			s, err := hear(c.Context(), given[0], reason)
			if err != nil {
				return err
			}
			r := deploy.Revision(given[1])
			if !good {
				if !only {
					to = ""
				}
				err = s.human.OneWay(c.Context(), s.remote.ledger, s.target, r, deploy.Revision(to))
			} else {
				err = s.good(c.Context(), r)
			}
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "marked %s of %s\n", r, s.target)
			return err
		},
	}
	c.Flags().StringVar(&reason, "reason", "", "why; kept in the ledger")
	c.Flags().StringVar(&rollback, "rollback", "", "never, or to=REVISION")
	c.Flags().BoolVar(&good, "good", false, "the revision is known good")
	return c
}

func (s said) good(ctx context.Context, r deploy.Revision) error {
	p, err := s.place(ctx)
	if err != nil {
		return err
	}
	digest, err := s.all.Digest(ctx, p, r)
	if err != nil {
		return err
	}
	return s.human.Good(ctx, s.remote.ledger, s.target, r, digest)
}
