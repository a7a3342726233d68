package events

// Rule says which events EventBridge hands to pullback. The stack, the local
// bus and the docs are all made from [Rules].
type Rule struct {
	Name     string         // of the rule on AWS
	About    string         // one sentence for the rule's description
	Pattern  map[string]any // nil for a schedule
	Schedule string         // empty for a pattern
	Samples  []string       // files in testdata that the rule must match
}

// SweepRule is the name of the schedule that makes pullback look at
// everything: CodeDeploy's events are best effort, and the sweep finds what
// they did not tell.
const SweepRule = "pullback-sweep"

// Rules returns all rules. Every one of them feeds the signals queue.
func Rules() []Rule {
	return []Rule{
		{
			Name:  "pullback-deployments",
			About: "A CodeDeploy deployment started, ended or was stopped.",
			Pattern: map[string]any{
				"source":      []any{sourceCodeDeploy},
				"detail-type": []any{typeDeployment},
				"detail":      map[string]any{"state": []any{"START", "SUCCESS", "FAILURE", "STOP"}},
			},
			Samples: []string{"codedeploy-success.json", "codedeploy-start.json", "codedeploy-stop.json", "codedeploy-failure.json"},
		},
		{
			Name:  "pullback-alarms",
			About: "A CloudWatch alarm, metric or composite, went into ALARM.",
			Pattern: map[string]any{
				"source":      []any{sourceCloudWatch},
				"detail-type": []any{typeAlarm},
				"detail":      map[string]any{"state": map[string]any{"value": []any{"ALARM"}}},
			},
			Samples: []string{"alarm-metric.json", "alarm-composite.json", "alarm-math.json", "alarm-initial.json"},
		},
		{
			Name:     SweepRule,
			About:    "Every minute: find what no event has told.",
			Schedule: "rate(1 minute)",
			Samples:  []string{"sweep.json"},
		},
	}
}
