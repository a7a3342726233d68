package stack_test

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/events"
	"github.com/pullback-dev/pullback/shared/amazon/table"
	"github.com/pullback-dev/pullback/shared/settings"
	"github.com/pullback-dev/pullback/shared/vitals"
)

// own returns the rules of a control plane that is no hub.
func own() []events.Rule {
	return slices.DeleteFunc(events.Rules(), func(r events.Rule) bool { return r.Hub })
}

func TestEveryRuleFeedsTheSignalsQueueAndNothingElseDoes(t *testing.T) {
	x := readTemplate(t)
	got := make(map[string]map[string]any)
	for _, id := range x.of("AWS::Events::Rule") {
		rule := maps.Clone(x.Resources[id].Properties)
		var targets []any
		for _, raw := range list(rule["Targets"]) {
			target := object(t, raw)
			targets = append(targets, map[string]any{
				"id": target["Id"], "to": plain(text(t, target["Arn"])),
				"dead": plain(text(t, object(t, target["DeadLetterConfig"])["Arn"])), "patience": target["RetryPolicy"],
			})
		}
		if bus, ok := rule["EventBusName"]; ok {
			rule["EventBusName"] = text(t, bus)
		}
		rule["Targets"] = targets
		got[text(t, rule["Name"])] = rule
	}
	want := make(map[string]map[string]any)
	for _, r := range own() {
		patience := map[string]any{"MaximumEventAgeInSeconds": 86400.0, "MaximumRetryAttempts": 185.0}
		if r.Schedule != "" {
			patience = map[string]any{"MaximumEventAgeInSeconds": 60.0, "MaximumRetryAttempts": 1.0}
		}
		rule := map[string]any{
			"Name": r.Name, "Description": r.About, "State": "ENABLED",
			"Targets": []any{map[string]any{"id": "signals", "to": "Signals", "dead": "Undelivered", "patience": patience}},
		}
		if r.Bus == events.Own {
			rule["EventBusName"] = "Bus"
		}
		if r.Pattern != nil {
			rule["EventPattern"] = asJSON(t, r.Pattern)
		} else {
			rule["ScheduleExpression"] = r.Schedule
		}
		want[r.Name] = rule
	}
	assert.Equal(t, want, got)
}

// asJSON returns a value as it reads after a journey through JSON.
func asJSON(t *testing.T, v any) any {
	t.Helper()
	raw, err := json.Marshal(v)
	require.NoError(t, err)
	var back any
	require.NoError(t, json.Unmarshal(raw, &back))
	return back
}

func TestTheFunctionsAreTheFourWithTheirNamesAndSizes(t *testing.T) {
	x := readTemplate(t)
	got := make(map[string]map[string]any)
	for folder, id := range x.functions(t) {
		p := maps.Clone(x.Resources[id].Properties)
		logs := object(t, p["LoggingConfig"])
		assert.Equal(t, folder+"log", plain(text(t, logs["LogGroup"])))
		delete(logs, "LogGroup")
		for _, elsewhere := range []string{"Code", "Description", "Environment", "Role"} {
			assert.NotEmpty(t, p[elsewhere], "%s of %s", elsewhere, folder)
			delete(p, elsewhere)
		}
		got[folder] = p
	}
	function := func(name string, seconds float64, reserved ...float64) map[string]any {
		f := map[string]any{
			"FunctionName": name, "Runtime": "provided.al2023", "Handler": "bootstrap", "Architectures": []any{"arm64"},
			"MemorySize": 128.0, "Timeout": seconds, "LoggingConfig": map[string]any{"LogFormat": "JSON"},
		}
		for _, r := range reserved {
			f["ReservedConcurrentExecutions"] = r
		}
		return f
	}
	assert.Equal(t, map[string]map[string]any{
		"pretraffic":  function("CodeDeployHook_pullback_pretraffic", 60),
		"posttraffic": function("CodeDeployHook_pullback_posttraffic", 60),
		"alarmrouter": function("pullback_alarmrouter", 60, 10),
		"rollbacker":  function("pullback_rollbacker", 15, 10),
	}, got)
}

func TestEveryFunctionIsToldAllSettingsAndNothingElse(t *testing.T) {
	s := settings.Default()
	s.Account, s.Table, s.Topic, s.Signals, s.Rollbacks, s.Watch, s.Config = "<AccountId>", "Ledger", "Notices", "Signals", "Rollbacks", "Watch", "Configuration"
	x := readTemplate(t)
	for folder, id := range x.functions(t) {
		got := make(map[string]string)
		for name, value := range object(t, object(t, x.Resources[id].Properties["Environment"])["Variables"]) {
			got[name] = text(t, value)
			if _, reference := x.Resources[got[name]]; reference {
				got[name] = plain(got[name])
			}
		}
		assert.Equal(t, s.Env(), got, folder)
	}
}

func TestEveryQueueThatIsReadGivesUpToADeadLetterQueueOfItsKind(t *testing.T) {
	x := readTemplate(t)
	got := make(map[string]map[string]any)
	for _, id := range x.of("AWS::Lambda::EventSourceMapping") {
		p := x.Resources[id].Properties
		queue, function := text(t, p["EventSourceArn"]), x.Resources[text(t, p["FunctionName"])]
		q := x.Resources[queue].Properties
		redrive := object(t, q["RedrivePolicy"])
		dead := text(t, redrive["deadLetterTargetArn"])

		timeout, ok := function.Properties["Timeout"].(float64)
		require.True(t, ok)
		visibility, ok := q["VisibilityTimeout"].(float64)
		require.True(t, ok)
		// Lambda developer guide, "Using Lambda with Amazon SQS".
		assert.GreaterOrEqual(t, visibility, 6*timeout, "a message must stay hidden while it is worked on and tried again")
		assert.GreaterOrEqual(t, redrive["maxReceiveCount"], 5.0, "throttling alone must not fill the dead-letter queue")
		assert.Equal(t, q["FifoQueue"], x.Resources[dead].Properties["FifoQueue"], "SQS takes only a dead-letter queue of the same kind")

		got[plain(queue)] = map[string]any{
			"function": function.Metadata["pullback:function"], "fifo": q["FifoQueue"] == true, "dead": plain(dead),
			"batch": p["BatchSize"], "responses": p["FunctionResponseTypes"],
		}
	}
	partial := []any{"ReportBatchItemFailures"}
	assert.Equal(t, map[string]map[string]any{
		"Signals":   {"function": "alarmrouter", "fifo": false, "dead": "SignalsDead", "batch": 10.0, "responses": partial},
		"Watch":     {"function": "posttraffic", "fifo": false, "dead": "WatchDead", "batch": 10.0, "responses": partial},
		"Rollbacks": {"function": "rollbacker", "fifo": true, "dead": "RollbacksDead", "batch": 1.0, "responses": partial},
	}, got)
}

func TestAHookThatFailsIsNotLost(t *testing.T) {
	x := readTemplate(t)
	got := make(map[any]string)
	for _, id := range x.of("AWS::Lambda::EventInvokeConfig") {
		p := x.Resources[id].Properties
		assert.Equal(t, []any{2.0, "$LATEST"}, []any{p["MaximumRetryAttempts"], p["Qualifier"]})
		failed := object(t, object(t, p["DestinationConfig"])["OnFailure"])
		got[x.Resources[text(t, p["FunctionName"])].Metadata["pullback:function"]] = plain(text(t, failed["Destination"]))
	}
	assert.Equal(t, map[any]string{"pretraffic": "HooksDead", "posttraffic": "HooksDead"}, got)
}

func TestEveryDeadLetterQueueRaisesAnAlarmThatHumansHear(t *testing.T) {
	x := readTemplate(t)
	read := make(map[string]bool)
	for _, id := range x.of("AWS::Lambda::EventSourceMapping") {
		read[text(t, x.Resources[id].Properties["EventSourceArn"])] = true
	}
	var unread []string
	for _, id := range x.of("AWS::SQS::Queue") {
		if !read[id] {
			unread = append(unread, id)
			keeps, ok := x.Resources[id].Properties["MessageRetentionPeriod"].(float64)
			assert.True(t, ok && keeps == 14*24*60*60, "%s keeps messages for 14 days, the most that SQS does", id)
		}
	}
	require.Len(t, unread, 5)

	var watched []string
	for _, id := range x.of("AWS::CloudWatch::Alarm") {
		p := maps.Clone(x.Resources[id].Properties)
		if p["Namespace"] == vitals.Namespace {
			continue
		}
		dimension := object(t, list(p["Dimensions"])[0])
		watched = append(watched, text(t, dimension["Value"]))
		delete(p, "Dimensions")
		assert.Equal(t, map[string]any{
			"Namespace": "AWS/SQS", "MetricName": "ApproximateNumberOfMessagesVisible", "Statistic": "Maximum", "Period": 60.0,
			"EvaluationPeriods": 1.0, "ComparisonOperator": "GreaterThanThreshold", "Threshold": 0.0, "TreatMissingData": "notBreaching", "AlarmActions": "Notices",
		}, heard(t, p), id)
	}
	slices.Sort(watched)
	assert.Equal(t, unread, watched)
}

// heard returns an alarm without its text, and with the topic that hears of it by name.
func heard(t *testing.T, p map[string]any) map[string]any {
	t.Helper()
	assert.NotEmpty(t, p["AlarmDescription"])
	delete(p, "AlarmDescription")
	for _, actions := range []string{"AlarmActions", "InsufficientDataActions"} {
		if to := list(p[actions]); len(to) == 1 {
			p[actions] = plain(text(t, to[0]))
		}
	}
	return p
}

func TestHumansHearWhenPullbackItselfIsNotWell(t *testing.T) {
	x := readTemplate(t)
	got := map[string]map[string]any{}
	for _, id := range x.of("AWS::CloudWatch::Alarm") {
		if p := maps.Clone(x.Resources[id].Properties); p["Namespace"] == vitals.Namespace {
			got[plain(id)] = heard(t, p)
		}
	}
	alarm := func(metric, statistic, than string, threshold, minutes float64, missing string) map[string]any {
		return map[string]any{
			"Namespace": "Pullback", "MetricName": metric, "Statistic": statistic, "Period": 60.0, "EvaluationPeriods": minutes,
			"ComparisonOperator": than, "Threshold": threshold, "TreatMissingData": missing,
		}
	}
	late := alarm("Sweeps", "Sum", "LessThanThreshold", 1, 5, "missing")
	late["InsufficientDataActions"] = "Notices"
	slow := alarm("DecisionLatency", "Maximum", "GreaterThanThreshold", 120, 1, "notBreaching")
	slow["AlarmActions"] = "Notices"
	assert.Equal(t, map[string]map[string]any{
		"SweepLateAlarm": late, "DecisionLateAlarm": slow, "HaltedAlarm": alarm("Halted", "Sum", "GreaterThanThreshold", 0, 1, "notBreaching"),
	}, got)
}

func TestQueuesTakeMessagesOnlyOverTLSAndOnlyFromOurRules(t *testing.T) {
	x := readTemplate(t)
	rules := x.of("AWS::Events::Rule")
	require.Len(t, rules, len(own()))
	for _, id := range x.of("AWS::SQS::Queue") {
		want := []statement{insecure("sqs:*", id, map[string]any{"AWS": "*"})}
		if name := plain(id); name == "Signals" || name == "Undelivered" {
			for _, rule := range rules {
				want = append(want, statement{
					effect: "Allow", action: "sqs:SendMessage", resource: id, principal: map[string]any{"Service": "events.amazonaws.com"},
					condition: map[string]any{
						"ArnEquals":    map[string]any{"aws:SourceArn": map[string]any{"Fn::GetAtt": []any{rule, "Arn"}}},
						"StringEquals": map[string]any{"aws:SourceAccount": map[string]any{"Ref": "AWS::AccountId"}},
					},
				})
			}
		}
		assert.ElementsMatch(t, want, x.policyOf(t, "AWS::SQS::QueuePolicy", "Queues", id), id)
	}
}

func TestTheTopicTakesNoticesOnlyOverTLSAndAlarmsOnlyOfThisAccount(t *testing.T) {
	x := readTemplate(t)
	ids := x.of("AWS::SNS::Topic")
	require.Len(t, ids, 1)
	assert.ElementsMatch(t, []statement{
		insecure("sns:Publish", ids[0], "*"),
		{
			effect: "Allow", action: "sns:Publish", resource: ids[0], principal: map[string]any{"Service": "cloudwatch.amazonaws.com"},
			condition: map[string]any{
				"StringEquals": map[string]any{"aws:SourceAccount": map[string]any{"Ref": "AWS::AccountId"}},
				"ArnLike":      map[string]any{"aws:SourceArn": joined("cloudwatch", "alarm:*")},
			},
		},
	}, x.policyOf(t, "AWS::SNS::TopicPolicy", "Topics", ids[0]))
}

// joined is the ARN of a service's resources in the stack's account and region, as the
// CDK writes it.
func joined(service, resources string) any {
	ref := func(name string) any { return map[string]any{"Ref": "AWS::" + name} }
	return map[string]any{"Fn::Join": []any{":", []any{"arn", ref("Partition"), service, ref("Region"), ref("AccountId"), resources}}}
}

// Nobody deletes a function's log but with the stack, and it has an end.
func TestLogsHaveAnEndAndGoWithTheStack(t *testing.T) {
	x := readTemplate(t)
	got := map[string]resource{}
	for _, id := range x.of("AWS::Logs::LogGroup") {
		got[plain(id)] = x.Resources[id]
	}
	log := func(function string) resource {
		return resource{
			Type: "AWS::Logs::LogGroup", DeletionPolicy: "Delete", UpdateReplacePolicy: "Delete",
			Properties: map[string]any{"LogGroupName": "/aws/lambda/" + function, "RetentionInDays": 365.0},
		}
	}
	assert.Equal(t, map[string]resource{
		"pretrafficlog": log("CodeDeployHook_pullback_pretraffic"), "posttrafficlog": log("CodeDeployHook_pullback_posttraffic"),
		"alarmrouterlog": log("pullback_alarmrouter"), "rollbackerlog": log("pullback_rollbacker"),
	}, got)
}

func insecure(action, on string, from any) statement {
	return statement{
		effect: "Deny", action: action, resource: on, principal: from,
		condition: map[string]any{"Bool": map[string]any{"aws:SecureTransport": "false"}},
	}
}

func TestTheLedgerSurvivesTheStackAndMistakes(t *testing.T) {
	x := readTemplate(t)
	ids := x.of("AWS::DynamoDB::Table")
	require.Len(t, ids, 1)
	assert.Equal(t, resource{
		Type: "AWS::DynamoDB::Table", DeletionPolicy: "Retain", UpdateReplacePolicy: "Retain",
		Properties: map[string]any{
			"AttributeDefinitions": []any{
				map[string]any{"AttributeName": table.PartitionKey, "AttributeType": "S"},
				map[string]any{"AttributeName": table.SortKey, "AttributeType": "S"},
			},
			"KeySchema": []any{
				map[string]any{"AttributeName": table.PartitionKey, "KeyType": "HASH"},
				map[string]any{"AttributeName": table.SortKey, "KeyType": "RANGE"},
			},
			"BillingMode":                      "PAY_PER_REQUEST",
			"DeletionProtectionEnabled":        true,
			"PointInTimeRecoverySpecification": map[string]any{"PointInTimeRecoveryEnabled": true},
			"TimeToLiveSpecification":          map[string]any{"AttributeName": table.TimeToLive, "Enabled": true},
		},
	}, x.Resources[ids[0]])
}

func TestTheConfigurationIsAParameterWhoseTierIsLeftToAWS(t *testing.T) {
	x := readTemplate(t)
	ids := x.of("AWS::SSM::Parameter")
	require.Len(t, ids, 1)
	assert.Equal(t, map[string]any{
		"Type": "String", "Tier": "Intelligent-Tiering", "Description": "What pullback does with which target.", "Value": "pullback.yaml",
	}, x.Resources[ids[0]].Properties)
}

func TestTheStackMakesNothingElse(t *testing.T) {
	got := make(map[string]int)
	for _, r := range readTemplate(t).Resources {
		got[r.Type]++
	}
	assert.Equal(t, map[string]int{
		"AWS::CloudWatch::Alarm":          8,
		"AWS::CloudWatch::Dashboard":      1,
		"AWS::DynamoDB::Table":            1,
		"AWS::Events::Rule":               len(own()),
		"AWS::Events::EventBus":           1,
		"AWS::IAM::ManagedPolicy":         1,
		"AWS::IAM::Policy":                4,
		"AWS::IAM::Role":                  4,
		"AWS::Lambda::EventInvokeConfig":  2,
		"AWS::Lambda::EventSourceMapping": 3,
		"AWS::Lambda::Function":           4,
		"AWS::Lambda::Permission":         1,
		"AWS::Logs::LogGroup":             4,
		"AWS::SNS::Topic":                 1,
		"AWS::SNS::TopicPolicy":           1,
		"AWS::SQS::Queue":                 8,
		"AWS::SQS::QueuePolicy":           8,
		"AWS::SSM::Parameter":             1,
	}, got)
}

func TestOnlyThisAccountsLogsReachTheFunctionThatWatches(t *testing.T) {
	x := readTemplate(t)
	ids := x.of("AWS::Lambda::Permission")
	require.Len(t, ids, 1)
	p := x.Resources[ids[0]].Properties
	assert.Equal(t, "posttraffic", x.Resources[text(t, p["FunctionName"])].Metadata["pullback:function"])
	assert.Equal(t, []any{"lambda:InvokeFunction", "logs.amazonaws.com", "<AccountId>", "arn:<Partition>:logs:<Region>:<AccountId>:log-group:*"},
		[]any{p["Action"], p["Principal"], text(t, p["SourceAccount"]), text(t, p["SourceArn"])})
}
