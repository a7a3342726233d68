package deploy

// Group is how a target is configured: a deployment group and its tags.
type Group struct {
	Target  Target
	Enabled bool     // tagged pullback:enabled=true
	Alarms  []string // names of the alarms that speak for it, sorted
	Alias   Alias    // what it moves, if its tag says so
}
