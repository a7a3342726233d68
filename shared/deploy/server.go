package deploy

// StopsOld reports whether a lifecycle event on a server runs a script of the
// revision before: ApplicationStop, BeforeBlockTraffic and AfterBlockTraffic are
// of the last revision that was installed (CodeDeploy user guide, "AppSpec 'hooks'
// section for an EC2/On-Premises deployment").
func StopsOld(event string) bool {
	return event == "ApplicationStop" || event == "BeforeBlockTraffic" || event == "AfterBlockTraffic"
}

// Blocked reports whether a deployment did not get past a script of the revision
// before. A bad revision that cannot be stopped blocks its own rollback, and
// another attempt has to ignore that: see Restore.Attempt.
func (d Deployment) Blocked() bool { return d.Status == Failed && StopsOld(d.FailedIn) }

// Aside reports whether a deployment goes to one instance that Auto Scaling
// launches or terminates, beside what the group does. It brings what is there
// already: it is neither news nor to be rolled back (CodeDeploy user guide,
// "Integrating CodeDeploy with Amazon EC2 Auto Scaling").
func (d Deployment) Aside() bool {
	return d.Creator == "autoscaling" || d.Creator == "autoscalingTermination"
}

// ContentLost returns what going back from a bad deployment will not bring back, given
// the content option of the one that brought what is good; empty if it brings
// everything back.
//
// RETAIN leaves files that were there before as they are, and OVERWRITE takes them
// into the revision, which the next deployment removes. So files that the good
// deployment had retained are gone after the bad one overwrote them and was rolled
// back (CodeDeploy user guide, "Rollback behavior with existing content").
func ContentLost(bad Deployment, content string) string {
	if bad.Platform != OnServer || bad.Content != "OVERWRITE" || content != "RETAIN" {
		return ""
	}
	return "files that were on the instances before, and that the good deployment retained, have been overwritten by " + string(bad.ID) +
		": the rollback removes them and does not bring them back, so restore them from a backup"
}
