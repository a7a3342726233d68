package events

// Rule says which events EventBridge hands to pullback. The stack, the local
// bus and the docs are all made from [Rules].
type Rule struct {
	Name     string         // of the rule on AWS
	About    string         // one sentence for the rule's description
	Pattern  map[string]any // nil for a schedule
	Schedule string         // empty for a pattern
	Samples  []string       // files in testdata that the rule must match
	Bus      Bus            // that the events come by
	Hub      bool           // only the control plane that collects records has it
}

// Bus says by which event bus events come.
type Bus string

// The buses.
const (
	Default Bus = ""    // the account's own, to which AWS writes
	Own     Bus = "own" // the control plane's own, to which other control planes write
)

// SweepRule is the name of the schedule that makes pullback look at
// everything: CodeDeploy's events are best effort, and the sweep finds what
// they did not tell.
const SweepRule = "pullback-sweep"

// Rules returns all rules. Every one of them feeds the signals queue, but for those of
// a hub, which feed the records queue: what is collected waits for itself.
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
			About: "A CloudWatch alarm, metric or composite, went into ALARM, or is OK again.",
			Pattern: map[string]any{
				"source":      []any{sourceCloudWatch},
				"detail-type": []any{typeAlarm},
				"detail":      map[string]any{"state": map[string]any{"value": []any{"ALARM", "OK"}}},
			},
			Samples: []string{"alarm-metric.json", "alarm-composite.json", "alarm-math.json", "alarm-initial.json"},
		},
		{
			Name:  "pullback-services",
			About: "ECS itself began or ended to deploy a service.",
			Pattern: map[string]any{
				"source":      []any{sourceECS},
				"detail-type": []any{typeService},
			},
			Samples: []string{"ecs-in-progress.json", "ecs-failed.json"},
		},
		{
			Name:  "pullback-refreshes",
			About: "An instance refresh of an Auto Scaling group began or ended.",
			Pattern: map[string]any{
				"source":      []any{sourceScaling},
				"detail-type": []any{map[string]any{"prefix": typeRefresh}},
			},
			Samples: []string{"refresh-started.json", "refresh-succeeded.json"},
		},
		{
			Name:  "pullback-stages",
			About: "A stage of a pipeline began or ended.",
			Pattern: map[string]any{
				"source":      []any{sourcePipeline},
				"detail-type": []any{typeStage},
			},
			Samples: []string{"pipeline-stage.json"},
		},
		{
			Name:  "pullback-troubles",
			About: "pullback in another account or region took code back.",
			Pattern: map[string]any{
				"source":      []any{sourcePullback},
				"detail-type": []any{TypeTrouble},
			},
			Samples: []string{"trouble.json"},
			Bus:     Own,
		},
		{
			Name:  "pullback-records",
			About: "pullback in another account or region put something on record.",
			Pattern: map[string]any{
				"source":      []any{sourcePullback},
				"detail-type": []any{TypeRecord},
			},
			Samples: []string{"record.json"},
			Bus:     Own,
			Hub:     true,
		},
		{
			Name:     SweepRule,
			About:    "Every minute: find what no event has told.",
			Schedule: "rate(1 minute)",
			Samples:  []string{"sweep.json"},
		},
	}
}
