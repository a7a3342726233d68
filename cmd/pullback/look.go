package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/pullback-dev/pullback/internal/drift"
	"github.com/pullback-dev/pullback/internal/drift/stacks"
	"github.com/pullback-dev/pullback/internal/drift/template"
	"github.com/pullback-dev/pullback/shared/config"
	"github.com/pullback-dev/pullback/shared/configured"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
	"github.com/pullback-dev/pullback/shared/targets"
	"github.com/pullback-dev/pullback/shared/ward"
)

// past is how far back it counts that something was taken back.
const past = 90 * 24 * time.Hour

// look finds out what drift depends on.
type look struct {
	remote remote
	all    targets.All
	stacks *stacks.Client
	wards  ward.Wards
	code   code
}

func newLook(r remote, c code) look {
	all := targets.New(r.cfg, r.settings.Account, r.ledger, r.clock.Now)
	file := configured.Follower{Kept: r.ledger, Base: config.Base(r.settings), Home: config.Home{Account: r.settings.Account, Region: r.cfg.Region}}
	return look{remote: r, all: all, stacks: stacks.New(r.cfg), wards: ward.Wards{Groups: all, Config: unread{file}}, code: c}
}

// unread takes a configuration that nobody has found yet for an empty one, as the
// functions do where there is none.
type unread struct{ configured.Follower }

// Current implements ward.Config.
func (u unread) Current(ctx context.Context) (config.Config, error) {
	c, err := u.Follower.Current(ctx)
	if errors.Is(err, ledger.ErrNotFound) {
		return config.Default().On(u.Base).At(u.Home), nil
	}
	return c, err
}

// troubled returns the targets that were taken back, or are held.
func (l look) troubled(ctx context.Context) ([]deploy.Target, error) {
	found, err := l.enabled(ctx)
	if err != nil {
		return nil, err
	}
	var some []deploy.Target
	for _, t := range slices.SortedFunc(maps.Keys(found), func(a, b deploy.Target) int { return strings.Compare(a.String(), b.String()) }) {
		bad, err := l.bad(ctx, t)
		if err != nil {
			return nil, err
		}
		held, err := l.held(ctx, t)
		if err != nil {
			return nil, err
		}
		if len(bad) > 0 || held != "" {
			some = append(some, t)
		}
	}
	return some, nil
}

// enabled returns the targets that the file names, or that are tagged.
func (l look) enabled(ctx context.Context) (map[deploy.Target]bool, error) {
	const calls = 25 // of each part
	found := make(map[deploy.Target]bool)
	c, err := l.wards.Config.Current(ctx)
	if err != nil {
		return nil, err
	}
	for _, t := range c.Targets() {
		found[t] = true
	}
	for kind, driver := range l.all.Set {
		for from, first := "", true; first || from != ""; first = false {
			var groups []deploy.Group
			if groups, from, err = driver.Survey(ctx, from, calls); err != nil {
				return nil, fmt.Errorf("list targets of kind %q: %w", kind, err)
			}
			for _, g := range groups {
				found[g.Target] = true
			}
		}
	}
	return found, nil
}

// bad returns what was taken back from a target and has not proved itself since.
func (l look) bad(ctx context.Context, t deploy.Target) (map[deploy.Revision]string, error) {
	incidents, err := l.remote.ledger.IncidentsSince(ctx, t, l.remote.clock.Now().Add(-past))
	if err != nil {
		return nil, fmt.Errorf("incidents of %s: %w", t, err)
	}
	good, err := l.remote.ledger.KnownGood(ctx, t)
	if err != nil {
		return nil, fmt.Errorf("known-good revisions of %s: %w", t, err)
	}
	all := make(map[deploy.Revision]string)
	for _, i := range incidents {
		if i.Bad == "" || i.Innocent || i.Mends || i.Phase == ledger.Superseded || i.Phase == ledger.Dismissed {
			continue
		}
		all[i.Bad] = i.Because
		for _, g := range good {
			if g.Revision == i.Bad && g.At.After(i.Opened) {
				delete(all, i.Bad)
			}
		}
	}
	return all, nil
}

func (l look) held(ctx context.Context, t deploy.Target) (string, error) {
	h, err := l.remote.ledger.HoldOn(ctx, t)
	if errors.Is(err, ledger.ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("hold on %s: %w", t, err)
	}
	return h.Because, nil
}

// facts finds out all about one target.
func (l look) facts(ctx context.Context, t deploy.Target) (f drift.Facts, err error) {
	w, err := l.wards.Ward(ctx, t)
	if err != nil {
		return f, fmt.Errorf("look up %s: %w", t, err)
	}
	f.Enabled, f.Observe = w.Enabled, w.Observe()
	if f.Place, err = (said{target: t, remote: l.remote, all: l.all}).place(ctx); err != nil {
		return f, err
	}
	if w.Alias.Function != "" {
		f.Place.Alias = w.Alias
	}
	live, err := l.all.Live(ctx, f.Place)
	if err != nil {
		return f, fmt.Errorf("look at what serves %s: %w", t, err)
	}
	f.Live = live.Version
	if f.Bad, err = l.bad(ctx, t); err != nil {
		return f, err
	}
	if f.Held, err = l.held(ctx, t); err != nil {
		return f, err
	}
	if f.Wishes, err = l.wishes(ctx, f.Place); err != nil {
		return f, err
	}
	for i := range f.Wishes {
		if err := l.judge(ctx, f.Place, &f.Wishes[i]); err != nil {
			return f, err
		}
	}
	return f, nil
}

// wishes returns what the target's stack and the files say of it.
func (l look) wishes(ctx context.Context, p deploy.Place) ([]drift.Wish, error) {
	names, physical, err := l.names(ctx, p)
	if err != nil {
		return nil, err
	}
	grouped := p.Target.Kind == deploy.KindGroup
	owner, err := l.stacks.Owner(ctx, physical)
	if err != nil {
		return nil, err
	}
	var all []drift.Wish
	if owner != nil {
		all = owner.Wishes(drift.Stack, owner.Of.Name, names, grouped)
	}
	for _, t := range l.code.templates {
		next := t.body
		if next.Of = (template.Stack{Region: l.remote.cfg.Region, Account: l.remote.settings.Account}); owner != nil {
			next = owner.Instead(next)
		}
		all = append(all, next.Wishes(drift.Template, t.file, names, grouped)...)
	}
	for _, t := range l.code.plans {
		all = append(all, t.body.Wishes(t.file, names, grouped)...)
	}
	return all, nil
}

// names returns what a target's resource is called, and CloudFormation's physical
// id of it.
func (l look) names(ctx context.Context, p deploy.Place) (n drift.Names, physical string, err error) {
	t := p.Target
	switch {
	case t.Kind == deploy.KindAlias:
		return l.alias(ctx, deploy.Alias{Function: t.Application, Name: t.Group})
	case t.Kind == deploy.KindScaling:
		return drift.Names{Scaling: t.Group}, t.Group, nil
	case t.Kind == deploy.KindStage:
		return drift.Names{Pipeline: t.Application}, t.Application, nil
	case t.Kind == deploy.KindService:
		return l.service(ctx, t.Application, t.Group)
	case p.Platform == deploy.OnLambda:
		return l.alias(ctx, p.Alias)
	case p.Platform == deploy.OnServer:
		return drift.Names{Application: t.Application, Group: t.Group}, t.Group, nil
	default:
		cluster, service, err := l.behind(ctx, t)
		if err != nil {
			return n, "", err
		}
		return l.service(ctx, cluster, service)
	}
}

func (l look) alias(ctx context.Context, a deploy.Alias) (drift.Names, string, error) {
	out, err := lambda.NewFromConfig(l.remote.cfg).GetAlias(ctx, &lambda.GetAliasInput{FunctionName: &a.Function, Name: &a.Name})
	if err != nil {
		return drift.Names{}, "", fmt.Errorf("look up %s: %w", a, err)
	}
	return drift.Names{Alias: a}, aws.ToString(out.AliasArn), nil
}

func (l look) service(ctx context.Context, cluster, service string) (drift.Names, string, error) {
	out, err := ecs.NewFromConfig(l.remote.cfg).DescribeServices(ctx, &ecs.DescribeServicesInput{Cluster: &cluster, Services: []string{service}})
	if err != nil {
		return drift.Names{}, "", fmt.Errorf("look up service %s of cluster %s: %w", service, cluster, err)
	}
	if len(out.Services) == 0 {
		return drift.Names{}, "", fmt.Errorf("there is no service %s in cluster %s", service, cluster)
	}
	return drift.Names{Cluster: cluster, Service: service}, aws.ToString(out.Services[0].ServiceArn), nil
}

// behind returns the service that a deployment group of ECS deploys.
func (l look) behind(ctx context.Context, t deploy.Target) (cluster, service string, err error) {
	out, err := codedeploy.NewFromConfig(l.remote.cfg).GetDeploymentGroup(ctx, &codedeploy.GetDeploymentGroupInput{ApplicationName: &t.Application, DeploymentGroupName: &t.Group})
	if err != nil {
		return "", "", fmt.Errorf("look up %s: %w", t, err)
	}
	if out.DeploymentGroupInfo == nil || len(out.DeploymentGroupInfo.EcsServices) == 0 {
		return "", "", fmt.Errorf("%s deploys no service", t)
	}
	s := out.DeploymentGroupInfo.EcsServices[0]
	return aws.ToString(s.ClusterName), aws.ToString(s.ServiceName), nil
}

// judge finds out what the ledger says of the code that a wish would bring.
func (l look) judge(ctx context.Context, p deploy.Place, w *drift.Wish) (err error) {
	if w.Digest, err = l.digest(ctx, p, *w); err != nil || w.Digest == "" {
		return err
	}
	q, err := l.remote.ledger.QuarantineOf(ctx, w.Digest)
	if err != nil && !errors.Is(err, ledger.ErrNotFound) {
		return fmt.Errorf("quarantine of %s: %w", w.Digest, err)
	}
	if err == nil {
		w.Quarantine = fmt.Sprintf("%s of %s was taken back: %s", p.Name(q.Revision), q.Target, q.Because)
	}
	o, err := l.remote.ledger.OverrideOn(ctx, p.Target, w.Digest)
	if err != nil && !errors.Is(err, ledger.ErrNotFound) {
		return fmt.Errorf("override on %s: %w", p.Target, err)
	}
	if err == nil && o.Stands(l.remote.clock.Now()) {
		w.Overridden = fmt.Sprintf("%s: %s, until %s", o.By, o.Because, o.Until.UTC().Format(time.RFC3339))
	}
	return nil
}

// digest returns the code that a wish would bring; empty if that cannot be told.
func (l look) digest(ctx context.Context, p deploy.Place, w drift.Wish) (deploy.Digest, error) {
	if w.Revision == "" && w.Digest == "" && w.Code.Bucket != "" {
		return l.stacks.Digest(ctx, w.Code)
	}
	if w.Revision == "" {
		return w.Digest, nil
	}
	d, err := l.all.Digest(ctx, p, w.Revision)
	if errors.Is(err, deploy.ErrUnknown) {
		return "", nil
	}
	return d, err
}
