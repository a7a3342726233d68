package scenario

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"

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
	order    []string                   // of publication
	hooks    [2]string                  // of the next deployment: before and after traffic shifts; none if empty
	config   aws.Config
	account  string
	locked   bool   // the function has a key of its own
	key      string // its id
}

// lambda returns the crew of a shop.
func (s *Story) lambda(name string, c shop.Choices, locked bool) *crew {
	l := &function{
		Shop: shop.New(s.options.Dist, s.config).Named(name), choices: c, aliases: s.aliases, deploys: s.deploys,
		versions: map[string]deploy.Revision{"v1": "1"}, order: []string{"v1"}, config: s.config, account: s.aws.World.Account, locked: locked,
	}
	return &crew{team: l, memory: l, name: name}
}

// shopChoices reads the options of install.
func shopChoices(options []string) (c shop.Choices, locked bool, err error) {
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
		case "key":
			locked = true
		default:
			return c, false, fmt.Errorf("install lambda does not know %q", o)
		}
	}
	return c, locked, nil
}

// Install implements team.
func (l *function) Install(ctx context.Context) error {
	if l.locked {
		out, err := kms.NewFromConfig(l.config).CreateKey(ctx, &kms.CreateKeyInput{})
		if err != nil {
			return fmt.Errorf("create a key: %w", err)
		}
		l.key, l.choices.Key = *out.KeyMetadata.KeyId, *out.KeyMetadata.Arn
	}
	return l.Shop.Install(ctx, l.choices)
}

// DeleteKey lets the key of the function, which all releases have, be deleted in a
// month.
func (l *function) DeleteKey(ctx context.Context, _ string) error {
	if _, err := kms.NewFromConfig(l.config).ScheduleKeyDeletion(ctx, &kms.ScheduleKeyDeletionInput{KeyId: &l.key}); err != nil {
		return fmt.Errorf("delete key %q: %w", l.key, err)
	}
	return nil
}

// KeepKey does what the notice about such a key says.
func (l *function) KeepKey(ctx context.Context, _ string) error {
	keys := kms.NewFromConfig(l.config)
	_, err := keys.CancelKeyDeletion(ctx, &kms.CancelKeyDeletionInput{KeyId: &l.key})
	if err == nil {
		_, err = keys.EnableKey(ctx, &kms.EnableKeyInput{KeyId: &l.key})
	}
	if err != nil {
		return fmt.Errorf("keep key %q: %w", l.key, err)
	}
	return nil
}

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
	return l.Shift(ctx, live.Version, l.versions[release], l.hooks[0], l.hooks[1])
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
	version, err := l.Publish(ctx, code)
	if err != nil {
		return err
	}
	l.versions[name] = version
	l.order = append(slices.DeleteFunc(l.order, func(other string) bool { return other == name }), name)
	return nil
}

// Prepare says which hooks the next deployments have: both of pullback's, none
// (without-hooks), or one of them twice (same-hook).
func (l *function) Prepare(words []string) error {
	switch {
	case len(words) == 0:
		l.hooks = [2]string{teams.BeforeHook, teams.AfterHook}
	case slices.Equal(words, []string{"without-hooks"}):
		l.hooks = [2]string{}
	case slices.Equal(words, []string{"same-hook"}):
		l.hooks = [2]string{teams.BeforeHook, teams.BeforeHook}
	default:
		return fmt.Errorf("want: deploy RELEASE [without-hooks|same-hook], not %q", words)
	}
	return nil
}

// Withdraw deletes what a release was published as.
func (l *function) Withdraw(ctx context.Context, release string) error {
	return l.Delete(ctx, l.versions[release])
}

// Move moves the alias without a deployment.
func (l *function) Move(ctx context.Context, release string) error {
	if l.versions[release] == "" {
		if err := l.publish(ctx, release, nil); err != nil {
			return err
		}
	}
	return l.Point(ctx, l.versions[release])
}

// Tag tags the deployment group.
func (l *function) Tag(ctx context.Context, tags map[string]string) error {
	return teams.CodeDeploy{Config: l.config, Target: l.Target()}.Tag(ctx, l.account, tags)
}

// Releases implements memory.
func (l *function) Releases() []string { return l.order }

// Digest returns the code that a release is.
func (l *function) Digest(ctx context.Context, release string) (deploy.Digest, error) {
	return l.aliases.Digest(ctx, l.Place(), l.versions[release])
}

// Deployments implements memory.
func (l *function) Deployments(ctx context.Context) ([]teams.Deployment, error) {
	return teams.CodeDeploy{Config: l.config, Target: l.Target()}.Deployments(ctx)
}
