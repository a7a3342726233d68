package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/spf13/cobra"

	"github.com/pullback-dev/pullback/events"
	"github.com/pullback-dev/pullback/shared/amazon/queue"
	"github.com/pullback-dev/pullback/shared/configured"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/incident"
	"github.com/pullback-dev/pullback/shared/ledger"
	"github.com/pullback-dev/pullback/shared/ward"
)

func rollbackCommand() *cobra.Command {
	var reason, to string
	var quarantine, dry bool
	c := &cobra.Command{
		Use:   "rollback TARGET --reason TEXT",
		Short: "Take the newest deployment of a target back",
		Long: `Takes the newest deployment of a target back, to the revision that is known good or
to any that you name. The target is held; its code is quarantined only if you say so.`,
		Example: `  pullback rollback checkout/live --reason "customers see the wrong prices"
  pullback rollback ecs:main/web --to web:41 --reason "the last one before the migration"`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, given []string) error {
			s, err := hear(c.Context(), given[0], reason)
			if err != nil {
				return err
			}
			bad, good, err := s.wayBack(c.Context(), deploy.Revision(to))
			if err != nil {
				return err
			}
			p := bad.Place()
			if dry {
				_, err = fmt.Fprintf(c.OutOrStdout(), "would take %s of %s back from %s to %s\n", bad.ID, s.target, p.Name(bad.To), p.Name(good))
				return err
			}
			i, err := s.takeBack(c.Context(), bad, good, quarantine)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "%s: %s is being taken back from %s to %s\nnext: pullback explain %s --incident %s\n", i.ID, s.target, p.Name(bad.To), p.Name(good), s.target, i.ID)
			return err
		},
	}
	c.Flags().StringVar(&reason, "reason", "", "why; kept in the ledger")
	c.Flags().StringVar(&to, "to", "", "the revision to go back to; without it, the one that is known good")
	c.Flags().BoolVar(&quarantine, "quarantine", false, "keep the code off every target, too")
	c.Flags().BoolVar(&dry, "dry-run", false, "say what would be done and change nothing")
	return c
}

// wayBack returns the newest deployment that has moved traffic, and the revision to
// go back to, which is ready.
func (s said) wayBack(ctx context.Context, to deploy.Revision) (bad deploy.Deployment, good deploy.Revision, err error) {
	recent, err := s.all.Recent(ctx, s.target, s.human.Now.AddDate(0, 0, -90))
	if err != nil {
		return bad, "", err
	}
	for _, d := range recent {
		if bad, err = s.all.Get(ctx, s.target, d.ID); err != nil {
			return bad, "", err
		}
		if !bad.Shifted.IsZero() && !bad.IsRollback() {
			break
		}
		bad = deploy.Deployment{}
	}
	if bad.ID == "" {
		return bad, "", fmt.Errorf("take back %s: no deployment of the last 90 days has moved traffic", s.target)
	}
	if to != "" {
		return bad, to, s.all.Ready(ctx, bad.Place(), to)
	}
	// The file as the functions have found it; where they have found none it says nothing.
	marked := ward.Marked{Ledger: s.remote.ledger, Config: configured.Follower{Kept: s.remote.ledger}}
	good, why, err := incident.Finder{Ledger: marked, Revisions: s.all}.Good(ctx, bad)
	if err == nil && good == "" {
		err = fmt.Errorf("take back %s: there is no way back: %s; name a revision with --to", s.target, why)
	}
	return bad, good, err
}

// takeBack opens the incident and tells the rollbacker. If it cannot be told, the
// sweep tells it within two minutes.
func (s said) takeBack(ctx context.Context, bad deploy.Deployment, good deploy.Revision, quarantine bool) (ledger.Incident, error) {
	digest, err := s.all.Digest(ctx, bad.Place(), bad.To)
	if err != nil && !errors.Is(err, deploy.ErrUnknown) {
		return ledger.Incident{}, err
	}
	i, err := s.human.TakeBack(ctx, s.remote.ledger, bad, digest, good, quarantine)
	if err != nil {
		return i, err
	}
	body, err := events.NewFollowUp(i.ID, 1, s.human.Now)
	if err != nil {
		return i, err
	}
	return i, queue.New(sqs.NewFromConfig(s.remote.cfg)).Send(ctx, s.remote.settings.Signals, body, 0)
}
