package scenario

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pullback-dev/pullback/internal/teams"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
)

// A team is an application team, whatever it deploys with.
type team interface {
	// Target is what it deploys to.
	Target() deploy.Target
	// Install makes all it needs, with the release v1.
	Install(ctx context.Context) error
	// Deploy begins to deploy a release, which it publishes unless it has.
	Deploy(ctx context.Context, release string) (deploy.ID, error)
	// Live returns the releases that serve, first the one that serves most.
	Live(ctx context.Context) ([]string, error)
}

// A memory is what a team and AWS remember.
type memory interface {
	// Deployments returns the target's deployments, newest first, without the one
	// that installed it.
	Deployments(ctx context.Context) ([]teams.Deployment, error)
	// ReleaseOf names the release that a revision of pullback's is; empty if it is
	// none.
	ReleaseOf(r deploy.Revision) string
	// Releases are those that were published.
	Releases() []string
	// Complain says how many customers have complained.
	Complain(ctx context.Context, customers float64) error
}

// crew is a team and what the story knows of it.
type crew struct {
	team
	memory
	name   string
	rolled []deploy.ID // its own deployments, oldest first
	with   []*crew     // those whose deployments are the same, itself included; nobody if nil
}

// add lets a story have a further team, which the words that follow speak of.
func (s *Story) add(c *crew) error {
	for _, other := range s.crews {
		if other.name == c.name {
			return fmt.Errorf("there is a team %s already: install … as NAME", c.name)
		}
	}
	s.crews = append(s.crews, c)
	s.crew = c
	return nil
}

// target says which team the words that follow speak of: target shop2.
func (s *Story) target(_ context.Context, args []string) error {
	if len(args) != 1 {
		return errors.New("want: target NAME")
	}
	for _, c := range s.crews {
		if c.name == args[0] {
			s.crew = c
			return nil
		}
	}
	return fmt.Errorf("there is no team %s", args[0])
}

// releaseOf names what a revision was published as.
func (c *crew) releaseOf(r deploy.Revision) string {
	if release := c.ReleaseOf(r); release != "" {
		return release
	}
	return "revision " + string(r)
}

// is wants a release that was published.
func (c *crew) is(args []string) (string, error) {
	if len(args) != 1 || !slices.Contains(c.Releases(), args[0]) {
		return "", errors.New("want a release that was published")
	}
	return args[0], nil
}

// named finds a deployment by what the script calls it.
func (s *Story) named(ctx context.Context, name string) (teams.Deployment, error) {
	all, err := s.crew.Deployments(ctx)
	if err != nil {
		return teams.Deployment{}, err
	}
	if name == "rollback" {
		back := s.crew.back(all)
		if len(back) != 1 {
			return teams.Deployment{}, differs("there are %d rollbacks", len(back))
		}
		return back[0], nil
	}
	if len(s.crew.rolled) == 0 {
		return teams.Deployment{}, errors.New("nothing was deployed")
	}
	var id deploy.ID
	switch name {
	case "first":
		id = s.crew.rolled[0]
	case "last":
		id = s.crew.rolled[len(s.crew.rolled)-1]
	default:
		return teams.Deployment{}, fmt.Errorf("%q is not one of first, last, rollback", name)
	}
	for _, d := range all {
		if d.ID == id {
			return d, nil
		}
	}
	return teams.Deployment{}, differs("AWS does not list the deployment %s here", id)
}

// began notes a deployment of the team's own.
func (c *crew) began(id deploy.ID) {
	for _, other := range c.with {
		if other != c {
			other.rolled = append(other.rolled, id)
		}
	}
	c.rolled = append(c.rolled, id)
}

// back returns the deployments that are not the team's own.
func (c *crew) back(all []teams.Deployment) []teams.Deployment {
	return slices.DeleteFunc(slices.Clone(all), func(d teams.Deployment) bool { return slices.Contains(c.rolled, d.ID) })
}

// incidentOf finds the incident that a deployment has become, or would. AWS gives
// no name to what moves an alias by hand; pullback's begins with ours, and ends in
// the time when it saw it.
func (s *Story) incidentOf(ctx context.Context, d teams.Deployment) (deploy.Incident, error) {
	id := deploy.IncidentOf(s.crew.Target(), d.ID)
	if s.crew.Target().Kind != deploy.KindAlias {
		return id, nil
	}
	all, err := s.ledger.IncidentsSince(ctx, s.crew.Target(), s.now().AddDate(-1, 0, 0))
	if errors.Is(err, ledger.ErrNotFound) {
		return id, nil
	}
	if err != nil {
		return "", fmt.Errorf("incidents of %s: %w", s.crew.Target(), err)
	}
	for _, i := range all {
		if strings.HasPrefix(string(i.Deployment), string(d.ID)+"-") {
			return i.ID, nil
		}
	}
	return id, nil
}
