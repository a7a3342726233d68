package servers

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pullback-dev/pullback/internal/teams"
	"github.com/pullback-dev/pullback/internal/teams/bundles"
	"github.com/pullback-dev/pullback/shared/deploy"
)

// Deploy uploads a release and lets CodeDeploy deploy it.
func (t *Team) Deploy(ctx context.Context, release string) (deploy.ID, error) {
	r, err := t.Publish(ctx, release)
	if err != nil {
		return "", err
	}
	return t.group().Deploy(ctx, t.content, r)
}

// Live returns the releases that the instances have, the one that most have
// first.
func (t *Team) Live(ctx context.Context) ([]string, error) {
	instances, err := t.serving(ctx)
	if err != nil {
		return nil, err
	}
	number := map[string]int{}
	for _, i := range instances {
		release, err := t.options.Show(i, bundles.File)
		if err != nil {
			return nil, err
		}
		if release = strings.TrimSpace(release); release != "" {
			number[release]++
		}
	}
	return slices.SortedFunc(maps.Keys(number), func(a, b string) int { return cmp.Or(number[b]-number[a], strings.Compare(a, b)) }), nil
}

// Deployments returns the group's deployments, newest first, but for the one that
// installed it.
func (t *Team) Deployments(ctx context.Context) ([]teams.Deployment, error) {
	all, err := t.group().Deployments(ctx)
	return slices.DeleteFunc(all, func(d teams.Deployment) bool { return d.ID == t.first }), err
}

// Stop stops a deployment and leaves everything where it is.
func (t *Team) Stop(ctx context.Context, id deploy.ID) error { return t.group().Stop(ctx, id) }

// Prepare says how the next deployments are: content=DISALLOW|OVERWRITE|RETAIN is
// what becomes of files that are there already.
func (t *Team) Prepare(words []string) error {
	t.content = ""
	for _, word := range words {
		content, ok := strings.CutPrefix(word, "content=")
		if !ok {
			return fmt.Errorf("there is no option %q", word)
		}
		t.content = content
	}
	return nil
}

// Instances are those that customers reach.
func (t *Team) Instances(ctx context.Context) ([]string, error) { return t.serving(ctx) }

// Tag tags the deployment group.
func (t *Team) Tag(ctx context.Context, tags map[string]string) error {
	return t.group().Tag(ctx, t.Account, tags)
}
