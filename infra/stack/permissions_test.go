package stack_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// granted returns what every function may do, by its folder, as lines of
// "action on resource".
func (x template) granted(t *testing.T) map[string][]string {
	t.Helper()
	all := make(map[string][]string)
	for folder, id := range x.functions(t) {
		role := text(t, x.Resources[id].Properties["Role"])
		for _, policy := range x.of("AWS::IAM::Policy") {
			p := x.Resources[policy].Properties
			if !slices.ContainsFunc(list(p["Roles"]), func(r any) bool { return text(t, r) == role }) {
				continue
			}
			for _, s := range statements(t, p["PolicyDocument"]) {
				require.Equal(t, "Allow", s.effect)
				all[folder] = append(all[folder], line(t, s))
			}
		}
		slices.Sort(all[folder])
	}
	return all
}

func line(t *testing.T, s statement) string {
	t.Helper()
	on := s.resource
	if arn, ok := strings.CutPrefix(on, "arn:<Partition>:"); ok {
		_, on, _ = strings.Cut(arn, ":<Region>:<AccountId>:")
	}
	switch {
	case s.condition == nil:
		return s.action + " on " + plain(on)
	case assert.ObjectsAreEqual(map[string]any{"StringEquals": map[string]any{"aws:ResourceTag/pullback:enabled": "true"}}, s.condition):
		return s.action + " on " + plain(on) + " if enabled"
	default:
		require.Fail(t, "unknown condition", "%v", s.condition)
		return ""
	}
}

func TestEveryFunctionMayDoWhatItDoesAndNoMore(t *testing.T) {
	look := []string{
		"codedeploy:GetDeployment on deploymentgroup:*",
		"codedeploy:GetDeploymentTarget on *",
		"codedeploy:ListDeploymentTargets on *",
		"lambda:GetFunctionConfiguration on function:*",
	}
	hook := []string{
		"codedeploy:PutLifecycleEventHookExecutionStatus on *",
		"dynamodb:GetItem on Ledger",
		"dynamodb:PutItem on Ledger",
		// What Lambda does in the function's name when it gives up on an event.
		"sqs:SendMessage on HooksDead",
	}
	want := map[string][]string{
		"pretraffic":  slices.Concat(look, hook, logs("CodeDeployHook_pullback_pretraffic"), []string{"lambda:InvokeFunction on function:* if enabled"}),
		"posttraffic": slices.Concat(look, hook, reads("Watch"), logs("CodeDeployHook_pullback_posttraffic"), posttraffic()),
		"alarmrouter": slices.Concat(look, reads("Signals"), logs("pullback_alarmrouter"), alarmrouter()),
		"rollbacker":  slices.Concat(look, reads("Rollbacks"), logs("pullback_rollbacker"), rollbacker()),
	}
	for _, lines := range want {
		slices.Sort(lines)
	}
	assert.Equal(t, want, readTemplate(t).granted(t))
}

// logs is what Lambda does in a function's name to keep what it writes.
func logs(name string) []string {
	group := " on log-group:/aws/lambda/" + name + ":*"
	return []string{"logs:CreateLogGroup" + group, "logs:CreateLogStream" + group, "logs:PutLogEvents" + group}
}

// reads is what Lambda does in a function's name to read its queue.
func reads(queue string) []string {
	return []string{
		"sqs:DeleteMessage on " + queue,
		"sqs:GetQueueAttributes on " + queue,
		"sqs:ReceiveMessage on " + queue,
	}
}

func posttraffic() []string {
	return []string{
		"cloudwatch:GetMetricData on *",
		"dynamodb:BatchGetItem on Ledger",
		"dynamodb:DeleteItem on Ledger",
		"dynamodb:Query on Ledger",
		"lambda:GetAlias on function:*",
		"logs:DeleteSubscriptionFilter on log-group:*",
		"logs:PutSubscriptionFilter on log-group:*",
		"sqs:SendMessage on Signals",
		"sqs:SendMessage on Watch",
	}
}

func alarmrouter() []string {
	return []string{
		"cloudwatch:DescribeAlarms on *",
		"codedeploy:BatchGetDeploymentGroups on deploymentgroup:*",
		"codedeploy:BatchGetDeployments on deploymentgroup:*",
		"codedeploy:GetDeploymentGroup on deploymentgroup:*",
		"codedeploy:ListApplications on *",
		"codedeploy:ListDeploymentGroups on application:*",
		"codedeploy:ListDeployments on deploymentgroup:*",
		"codedeploy:ListTagsForResource on deploymentgroup:*",
		"dynamodb:BatchGetItem on Ledger",
		"dynamodb:DeleteItem on Ledger",
		"dynamodb:GetItem on Ledger",
		"dynamodb:PutItem on Ledger",
		"dynamodb:Query on Ledger",
		"lambda:GetAlias on function:*",
		"sns:Publish on Notices",
		"sqs:SendMessage on Rollbacks",
		"sqs:SendMessage on Watch",
	}
}

func rollbacker() []string {
	return []string{
		"codedeploy:BatchGetDeployments on deploymentgroup:*",
		"codedeploy:CreateDeployment on deploymentgroup:*",
		"codedeploy:GetApplicationRevision on application:*",
		"codedeploy:GetDeploymentConfig on deploymentconfig:*",
		"codedeploy:ListDeployments on deploymentgroup:*",
		"codedeploy:RegisterApplicationRevision on application:*",
		"codedeploy:StopDeployment on *",
		"codedeploy:UpdateDeploymentGroup on deploymentgroup:*",
		"dynamodb:DeleteItem on Ledger",
		"dynamodb:GetItem on Ledger",
		"dynamodb:PutItem on Ledger",
		"dynamodb:Query on Ledger",
		"lambda:GetAlias on function:*",
		"lambda:UpdateAlias on function:* if enabled",
		"sns:Publish on Notices",
		"sqs:SendMessage on Signals",
	}
}

func TestNoActionIsAWildcardAndEveryWideOneHasAReason(t *testing.T) {
	const (
		unscoped = "the Service Authorization Reference names no resource type for it, so * is the only resource that it promises to accept; " +
			"the CodeDeploy user guide's permissions reference names deployment groups"
		none = "the Service Authorization Reference names no resource type for it"
	)
	reasons := map[string]string{
		"cloudwatch:DescribeAlarms":                       "with a narrower scope it does not return composite alarms (CloudWatch API reference, DescribeAlarms)",
		"cloudwatch:GetMetricData":                        none,
		"codedeploy:GetDeploymentTarget":                  unscoped,
		"codedeploy:ListApplications":                     none,
		"codedeploy:ListDeploymentTargets":                unscoped,
		"codedeploy:PutLifecycleEventHookExecutionStatus": unscoped,
		"codedeploy:StopDeployment":                       unscoped,
	}
	wide := make(map[string]bool)
	for _, lines := range readTemplate(t).granted(t) {
		for _, l := range lines {
			action, on, _ := strings.Cut(l, " on ")
			assert.NotContains(t, action, "*")
			if on == "*" {
				wide[action] = true
			}
		}
	}
	assert.Equal(t, slices.Sorted(maps.Keys(reasons)), slices.Sorted(maps.Keys(wide)))
}

// A subscription filter is made when a watch begins and deleted when it ends.
func TestNoFunctionMayDeleteAnythingButItsOwnItemsMessagesAndFilters(t *testing.T) {
	for folder, lines := range readTemplate(t).granted(t) {
		for _, l := range lines {
			action, _, _ := strings.Cut(l, " on ")
			_, verb, _ := strings.Cut(action, ":")
			if strings.HasPrefix(verb, "Delete") || strings.HasPrefix(verb, "Deregister") || strings.HasPrefix(verb, "Remove") {
				assert.Contains(t, []string{"dynamodb:DeleteItem", "logs:DeleteSubscriptionFilter", "sqs:DeleteMessage"}, action, folder)
			}
			assert.NotEqual(t, "iam", strings.SplitN(action, ":", 2)[0], folder)
		}
	}
}

func TestEveryFunctionHasARoleOfItsOwnThatOnlyLambdaMayTake(t *testing.T) {
	x := readTemplate(t)
	roles := make(map[string]bool)
	for folder, id := range x.functions(t) {
		role := text(t, x.Resources[id].Properties["Role"])
		roles[role] = true
		p := x.Resources[role].Properties
		assert.Equal(t, []statement{{
			effect: "Allow", action: "sts:AssumeRole", principal: map[string]any{"Service": "lambda.amazonaws.com"},
		}}, trust(t, p["AssumeRolePolicyDocument"]), folder)
		assert.Nil(t, p["ManagedPolicyArns"], "what a managed policy allows is not ours to say")
		assert.Nil(t, p["Policies"], "inline policies would be missed by the other tests")
	}
	assert.Len(t, roles, 4)
}

// trust returns the statements of a trust policy, which name no resource.
func trust(t *testing.T, document any) []statement {
	t.Helper()
	var all []statement
	for _, raw := range list(object(t, document)["Statement"]) {
		s := object(t, raw)
		all = append(all, statement{effect: text(t, s["Effect"]), action: text(t, s["Action"]), principal: s["Principal"], condition: s["Condition"]})
	}
	return all
}
