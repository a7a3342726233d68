package scenario

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/pullback-dev/pullback/internal/demo/shop"
	"github.com/pullback-dev/pullback/internal/teams"
	"github.com/pullback-dev/pullback/shared/amazon/deployments"
	"github.com/pullback-dev/pullback/shared/amazon/traffic"
	"github.com/pullback-dev/pullback/shared/deploy"
)

// function is the team with an alias behind a deployment group.
type function struct {
	shop.Shop
	choices  shop.Choices
	aliases  *traffic.Client
	deploys  *deployments.Client
	versions map[string]deploy.Revision // what each release was published as
	hooks    bool                       // of the next deployment
	config   aws.Config
}

// lambda returns the crew of a shop.
func (s *Story) lambda(name string, c shop.Choices) *crew {
	l := &function{
		Shop: shop.New(s.options.Dist, s.config).Named(name), choices: c, aliases: s.aliases, deploys: s.deploys,
		versions: map[string]deploy.Revision{"v1": "1"}, hooks: true, config: s.config,
	}
	return &crew{team: l, memory: l, name: name}
}

// shopChoices reads the options of install.
func shopChoices(options []string) (c shop.Choices, err error) {
	for _, o := range options {
		switch o {
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
			return c, fmt.Errorf("install lambda does not know %q", o)
		}
	}
	return c, nil
}

// Install implements team.
func (l *function) Install(ctx context.Context) error { return l.Shop.Install(ctx, l.choices) }

// Live implements team.
func (l *function) Live(ctx context.Context) ([]string, error) {
	live, err := l.aliases.Live(ctx, l.Place())
	if err != nil {
		return nil, fmt.Errorf("look at %s: %w", l.Alias(), err)
	}
	serving := []string{l.release(live.Version)}
	for v := range live.Weights { // Lambda allows one
		serving = append(serving, l.release(v))
	}
	return serving, nil
}

func (l *function) release(version deploy.Revision) string {
	if release := l.ReleaseOf(version); release != "" {
		return release
	}
	return "version " + string(version)
}

// ReleaseOf implements memory.
func (l *function) ReleaseOf(r deploy.Revision) string {
	for release, version := range l.versions {
		if version == r {
			return release
		}
	}
	return ""
}

// Deploy implements team: a canary from what serves now.
func (l *function) Deploy(ctx context.Context, release string) (deploy.ID, error) {
	if l.versions[release] == "" {
		if err := l.publish(ctx, release, nil); err != nil {
			return "", err
		}
	}
	live, err := l.aliases.Live(ctx, l.Place())
	if err != nil {
		return "", fmt.Errorf("look at %s: %w", l.Alias(), err)
	}
	return l.Canary(ctx, live.Version, l.versions[release], l.hooks)
}

// publish publishes a release as a new version, by its program if there is one.
func (l *function) publish(ctx context.Context, name string, program []byte) error {
	pack := func() ([]byte, error) { return shop.Pack(program) }
	if program == nil {
		pack = func() ([]byte, error) { return l.Code(name) }
	}
	code, err := pack()
	if err != nil {
		return err
	}
	l.versions[name], err = l.Publish(ctx, code)
	return err
}

// Releases implements memory.
func (l *function) Releases() []string {
	var all []string
	for release := range l.versions {
		all = append(all, release)
	}
	slices.Sort(all)
	return all
}

// Digest returns the code that a release is.
func (l *function) Digest(ctx context.Context, release string) (deploy.Digest, error) {
	return l.aliases.Digest(ctx, l.Place(), l.versions[release])
}

// Deployments implements memory.
func (l *function) Deployments(ctx context.Context) ([]teams.Deployment, error) {
	return teams.CodeDeploy{Config: l.config, Target: l.Target()}.Deployments(ctx)
}
