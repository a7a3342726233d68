package codedeploy

import "github.com/pullback-dev/pullback/internal/localaws/codedeploy/batch"

// condition is what a group knows of an instance from earlier deployments
// (user guide, "CodeDeploy instance health").
type condition struct {
	healthy  bool   // the last deployment to it succeeded
	revision string // the key of what was installed last; empty if that is not known
}

// condition returns the health of an instance and of its revision.
func (g *group) condition(instance string) (healthy bool, revision batch.Revision) {
	c := g.conditions[instance]
	switch {
	case c.revision == "":
		return c.healthy, batch.Unknown
	case g.succeeded != nil && key(g.succeeded.info.Revision) == c.revision:
		return c.healthy, batch.Current
	default:
		return c.healthy, batch.Old
	}
}

// record takes down how a deployment to an instance ended. A failure makes
// unknown what was the current revision, and leaves an old one old.
func (g *group) record(instance string, succeeded, installs bool, revision string) {
	if !installs {
		return // only its traffic was moved
	}
	_, was := g.condition(instance)
	c := g.conditions[instance]
	c.healthy = succeeded
	switch {
	case succeeded:
		c.revision = revision
	case was == batch.Current:
		c.revision = ""
	}
	g.conditions[instance] = c
}
