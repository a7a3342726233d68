package stack_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/shared/restorepoint"
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
		service, rest, here := strings.Cut(arn, ":<Region>:<AccountId>:")
		if on = rest; !here { // IAM has no region, and S3 names no account either
			on = arn
		} else if strings.HasPrefix(rest, "*") { // a pipeline's ARN has nothing but its name
			on = service + ":" + rest
		}
	}
	return s.action + " on " + plain(on) + condition(t, s)
}

// condition says what must hold besides, as the end of a line.
func condition(t *testing.T, s statement) string {
	t.Helper()
	switch {
	case s.condition == nil:
		return ""
	case assert.ObjectsAreEqual(map[string]any{"StringEquals": map[string]any{"aws:ResourceTag/pullback:enabled": "true"}}, s.condition):
		return " if enabled"
	case assert.ObjectsAreEqual(map[string]any{"StringEquals": map[string]any{"aws:ResourceAccount": map[string]any{"Ref": "AWS::AccountId"}}}, s.condition):
		return " if in this account"
	case assert.ObjectsAreEqual(map[string]any{"StringEquals": map[string]any{"ec2:CreateAction": "RunInstances"}}, s.condition):
		return " of RunInstances"
	case assert.ObjectsAreEqual(map[string]any{"StringEquals": map[string]any{"iam:PassedToService": "ec2.amazonaws.com"}}, s.condition):
		return " to instances"
	case assert.ObjectsAreEqual(map[string]any{"StringEquals": map[string]any{"iam:PassedToService": "ecs.amazonaws.com"}}, s.condition):
		return " to ECS"
	case assert.ObjectsAreEqual(map[string]any{
		"StringEquals":              map[string]any{"ec2:CreateAction": []any{"CreateSnapshot", "CreateSnapshots"}},
		"ForAllValues:StringEquals": map[string]any{"aws:TagKeys": restorepoint.Tag},
	}, s.condition):
		return " as they are taken, with pullback's tag"
	case assert.ObjectsAreEqual(map[string]any{"ForAllValues:StringEquals": map[string]any{"aws:TagKeys": restorepoint.Tag}}, s.condition):
		return " with pullback's tag"
	case assert.ObjectsAreEqual(map[string]any{"StringEquals": map[string]any{"iam:PassedToService": "backup.amazonaws.com"}}, s.condition):
		return " to AWS Backup"
	default:
		require.Fail(t, "unknown condition", "%v", s.condition)
		return ""
	}
}

// What each function may do is in testdata/may.txt, a line for each action, so that
// a change of it is read as what it is.
func TestEveryFunctionMayDoWhatItDoesAndNoMore(t *testing.T) {
	const file = "testdata/may.txt"
	var b strings.Builder
	granted := readTemplate(t).granted(t)
	for _, folder := range slices.Sorted(maps.Keys(granted)) {
		fmt.Fprintf(&b, "%s\n", folder)
		for _, l := range granted[folder] {
			fmt.Fprintf(&b, "  %s\n", l)
		}
	}
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(b.String()), 0o600))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, string(want), b.String())
}

// What it takes to keep data is granted where the configuration says so, and names the
// vault and the role. testdata/keeping.yaml is such a configuration.
func TestOnlyWhoeverKeepsDataMayAndNoMoreThanThat(t *testing.T) {
	const keeping = "../../cdk.out/keeping/pullback.template.json"
	made, err := os.Stat(keeping)
	if err != nil || made.ModTime().Before(newestSource(t)) {
		t.Skip("there is no synthesized template, or it is older than the stack's code (make synth renews it)")
	}
	raw, err := os.ReadFile(keeping)
	require.NoError(t, err)
	var x template
	require.NoError(t, json.Unmarshal(raw, &x))
	before, got := readTemplate(t).granted(t), map[string][]string{}
	for folder, lines := range x.granted(t) {
		got[folder] = slices.DeleteFunc(lines, func(l string) bool { return slices.Contains(before[folder], l) })
	}
	want := []string{
		"backup:DescribeBackupJob on *", "backup:StartBackupJob on backup-vault:orders", "backup:TagResource on * with pullback's tag",
		"ec2:CreateSnapshot on ec2:<Region>::snapshot/*", "ec2:CreateSnapshot on volume/*",
		"ec2:CreateTags on ec2:<Region>::snapshot/* as they are taken, with pullback's tag",
		"ec2:DescribeInstances on *", "ec2:DescribeSnapshots on *", "ec2:DescribeVolumes on *",
		"iam:PassRole on arn:aws:iam::123456789012:role/backup to AWS Backup",
	}
	machines := []string{"ec2:CreateSnapshots on ec2:<Region>::snapshot/*", "ec2:CreateSnapshots on instance/*", "ec2:CreateSnapshots on volume/*"}
	assert.Equal(t, map[string][]string{"pretraffic": want, "alarmrouter": slices.Sorted(slices.Values(slices.Concat(want, machines))), "posttraffic": {}, "rollbacker": {}}, got)
}

// What takes something back is for the rollbacker alone, and what closes a stage for
// the router besides.
func TestTheRollbackerAloneMayChangeWhatIsLive(t *testing.T) {
	moves := regexp.MustCompile(`^(codedeploy:(Create|Stop)Deployment|lambda:UpdateAlias|ecs:(Update|Stop|Tag|Untag)\w+|elasticloadbalancing:Modify\w+|autoscaling:(Start|Rollback|Cancel)\w+|codepipeline:(Rollback|Stop)\w+) `)
	found := map[string]bool{}
	for folder, lines := range readTemplate(t).granted(t) {
		for _, l := range lines {
			if moves.MatchString(l) {
				found[folder] = true
			}
		}
	}
	assert.Equal(t, map[string]bool{"rollbacker": true}, found)
}

// wideReasons says of every action that is granted on * why it is.
func wideReasons() map[string]string {
	const (
		unscoped = "the Service Authorization Reference names no resource type for it, so * is the only resource that it promises to accept; " +
			"the CodeDeploy user guide's permissions reference names deployment groups"
		none = "the Service Authorization Reference names no resource type for it"
	)
	return map[string]string{
		"cloudwatch:DescribeAlarms":                       "with a narrower scope it does not return composite alarms (CloudWatch API reference, DescribeAlarms)",
		"cloudwatch:GetMetricData":                        none,
		"autoscaling:DescribeAutoScalingGroups":           none,
		"autoscaling:DescribeInstanceRefreshes":           none,
		"codedeploy:BatchGetDeploymentTargets":            unscoped,
		"codedeploy:GetDeploymentTarget":                  unscoped,
		"codedeploy:ListApplications":                     none,
		"codedeploy:ListDeploymentTargets":                unscoped,
		"codedeploy:ListDeployments":                      "the sweep lists the account's, of no group in particular",
		"codedeploy:PutLifecycleEventHookExecutionStatus": unscoped,
		"codedeploy:StopDeployment":                       unscoped,
		"codepipeline:ListPipelines":                      none,
		"ec2:DescribeImages":                              none,
		"ec2:DescribeLaunchTemplateVersions":              none,
		"ec2:RunInstances":                                "what a launch template launches is images, networks, volumes and keys of many kinds; StartInstanceRefresh wants it of its caller",
		"ecs:DescribeTaskDefinition":                      none,
		"ecs:ListClusters":                                none,
		"ecs:ListServices":                                "it names no resource type; the condition ecs:cluster would have to name clusters",
		"elasticloadbalancing:DescribeListeners":          none,
		"elasticloadbalancing:DescribeRules":              none,
		"lambda:ListFunctions":                            none,
	}
}

func TestNoActionIsAWildcardAndEveryWideOneHasAReason(t *testing.T) {
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
	assert.Equal(t, slices.Sorted(maps.Keys(wideReasons())), slices.Sorted(maps.Keys(wide)))
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
		}
	}
}

// Whatever else a role should be allowed one day, it may not delete what teams deploy and
// keep, nor what pullback rests on, nor call in the clear.
func TestARoleCanNeitherDeleteNorCallInTheClearWhateverItIsAllowed(t *testing.T) {
	x := readTemplate(t)
	ids := x.of("AWS::IAM::ManagedPolicy")
	require.Len(t, ids, 1)
	got := map[string][]string{}
	for _, s := range statements(t, x.Resources[ids[0]].Properties["PolicyDocument"]) {
		require.Equal(t, []string{"Deny", "*"}, []string{s.effect, s.resource})
		key := "always"
		if s.condition != nil {
			assert.Equal(t, map[string]any{"Bool": map[string]any{"aws:SecureTransport": "false"}}, s.condition)
			key = "in the clear"
		}
		got[key] = append(got[key], s.action)
	}
	assert.Equal(t, []string{"*"}, got["in the clear"])
	for folder, lines := range x.granted(t) {
		for _, l := range lines {
			action, _, _ := strings.Cut(l, " on ")
			for _, never := range got["always"] {
				matches, err := path.Match(never, action)
				require.NoError(t, err)
				assert.False(t, matches, "%s is granted %s, which %s forbids", folder, action, never)
			}
		}
	}
	for _, action := range []string{
		"lambda:DeleteFunction", "lambda:DeleteAlias", "ecs:DeleteService", "ecs:DeregisterTaskDefinition", "autoscaling:DeleteAutoScalingGroup",
		"codedeploy:DeleteDeploymentGroup", "codepipeline:DeletePipeline", "dynamodb:DeleteTable", "sqs:DeleteQueue", "sqs:PurgeQueue",
		"sns:DeleteTopic", "s3:DeleteObject", "ec2:TerminateInstances", "ec2:DeleteSnapshot", "backup:DeleteRecoveryPoint", "logs:DeleteLogGroup",
		"elasticloadbalancing:DeleteTargetGroup", "secretsmanager:DeleteSecret", "ssm:DeleteParameter", "kms:ScheduleKeyDeletion",
	} {
		assert.True(t, slices.ContainsFunc(got["always"], func(never string) bool { ok, _ := path.Match(never, action); return ok }), action)
	}
}

// What passes a role can make a service do all that the role may. The rollbacker
// passes those that a target had before: to launch an instance anew, and to let ECS
// invoke its hooks.
func TestOnlyTheRollbackerPassesRolesAndOnlyToEC2AndECS(t *testing.T) {
	passes := map[string][]string{}
	for folder, lines := range readTemplate(t).granted(t) {
		for _, l := range lines {
			if strings.HasPrefix(l, "iam:PassRole ") {
				passes[folder] = append(passes[folder], l)
			} else if strings.HasPrefix(l, "iam:") {
				assert.Regexp(t, "^iam:Get(Role|InstanceProfile) ", l, folder)
			}
		}
	}
	assert.Equal(t, map[string][]string{"rollbacker": {
		"iam:PassRole on iam::<AccountId>:role/* to ECS", "iam:PassRole on iam::<AccountId>:role/* to instances",
	}}, passes)
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
		require.Len(t, list(p["ManagedPolicyArns"]), 1, "what a managed policy of AWS allows is not ours to say")
		assert.Equal(t, "Never", plain(text(t, list(p["ManagedPolicyArns"])[0])))
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
