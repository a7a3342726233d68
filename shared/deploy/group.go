package deploy

// Group is how a target is configured: what AWS says of it, and its tags.
type Group struct {
	Target   Target
	Platform Platform          // of a deployment group
	Enabled  bool              // tagged pullback:enabled=true
	Alarms   []string          // names of the alarms that speak for it, sorted
	Alias    Alias             // what it moves, if it is a deployment group whose tag says so
	Tags     map[string]string // those that begin with "pullback:"
	Warning  string            // what in its configuration stands in the way of a rollback, and what mends it; empty if nothing does
}

// Place returns where the group's revisions serve.
func (g Group) Place() Place { return Place{Target: g.Target, Platform: g.Platform, Alias: g.Alias} }
