package stack_test

import (
	"bufio"
	"cmp"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// stories is where it stands which story breaks without a grant.
const stories = "../../testdata/permissions.txt"

// TestTheDocsListThePermissions keeps docs/permissions.md current; make golden rewrites
// it.
func TestTheDocsListThePermissions(t *testing.T) {
	const path = "../../docs/permissions.md"
	want := permissionsPage(t)
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(want), 0o600))
	}
	got, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, want, string(got), "make golden rewrites it")
}

// A row is one grant of a function, in words.
type row struct{ action, on, condition, story string }

func permissionsPage(t *testing.T) string {
	t.Helper()
	x, told := readTemplate(t), readStories(t)
	var b strings.Builder
	b.WriteString(permissionsHead)
	about := map[string]string{}
	for folder, id := range x.functions(t) {
		about[folder] = text(t, x.Resources[id].Properties["Description"])
	}
	for _, folder := range slices.Sorted(maps.Keys(about)) {
		fmt.Fprintf(&b, "\n### %s\n\n%s\n\n| action | on | if | without it breaks |\n|---|---|---|---|\n", folder, about[folder])
		for _, r := range x.rows(t, folder, told) {
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", r.action, r.on, r.condition, r.story)
		}
	}
	b.WriteString(wideHead)
	for _, action := range slices.Sorted(maps.Keys(wideReasons())) {
		fmt.Fprintf(&b, "| `%s` | %s |\n", action, wideReasons()[action])
	}
	b.WriteString(neverHead)
	for _, id := range x.of("AWS::IAM::ManagedPolicy") {
		for _, s := range statements(t, x.Resources[id].Properties["PolicyDocument"]) {
			if s.condition == nil {
				fmt.Fprintf(&b, "* `%s`\n", s.action)
			}
		}
	}
	b.WriteString(othersHead)
	for _, line := range x.others(t) {
		fmt.Fprintf(&b, "| %s |\n", line)
	}
	return b.String() + moreHead
}

// rows returns what a function may do, by action.
func (x template) rows(t *testing.T, folder string, told map[string]string) []row {
	t.Helper()
	role := text(t, x.Resources[x.functions(t)[folder]].Properties["Role"])
	var all []row
	for _, policy := range x.of("AWS::IAM::Policy") {
		p := x.Resources[policy].Properties
		if !slices.ContainsFunc(list(p["Roles"]), func(r any) bool { return text(t, r) == role }) {
			continue
		}
		for _, s := range statements(t, p["PolicyDocument"]) {
			all = append(all, row{s.action, inWords(t, s.resource), conditionInWords(t, s), story(t, folder, s, told)})
		}
	}
	slices.SortFunc(all, func(a, b row) int {
		return cmp.Or(strings.Compare(a.action, b.action), strings.Compare(a.on, b.on), strings.Compare(a.condition, b.condition))
	})
	return all
}

// readStories returns the story of each grant, or why there is none, by the grant.
func readStories(t *testing.T) map[string]string {
	t.Helper()
	f, err := os.Open(stories)
	require.NoError(t, err)
	defer func() { require.NoError(t, f.Close()) }()
	all := map[string]string{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		grant, story, _ := strings.Cut(lines.Text(), "\t")
		all[grant] = story
	}
	return all
}

// story says what breaks without a grant.
func story(t *testing.T, folder string, s statement, told map[string]string) string {
	t.Helper()
	on := short(s.resource)
	if on == "parameter/Configuration" { // the stories name what is in the template
		on = "Configuration"
	}
	grant := folder + " may " + s.action + " on " + on
	if s.action == "iam:PassRole" {
		grant += " to " + map[string]string{" to ECS": "ecs.amazonaws.com", " to instances": "ec2.amazonaws.com"}[condition(t, s)]
	}
	switch why, none := strings.CutPrefix(told[grant], "- "); {
	case none:
		return "(" + why + ")"
	case why == "":
		return "(no story yet)"
	default:
		return fmt.Sprintf("[%s](../testdata/scenarios/%s.txtar)", why, why)
	}
}

// short is a resource without what all of them begin with.
func short(resource string) string {
	if i := strings.LastIndex(resource, ">:"); i >= 0 {
		resource = resource[i+len(">:"):]
	}
	return plain(resource)
}

// inWords says what a resource is.
func inWords(t *testing.T, resource string) string {
	t.Helper()
	if name, own := strings.CutPrefix(short(resource), "log-group:/aws/lambda/"); own {
		return "its own log group `/aws/lambda/" + strings.TrimSuffix(name, ":*") + "`"
	}
	words := map[string]string{
		"*": "everything (`*`)", "Ledger": "the ledger", "Notices": "the notices topic", "Signals": "the signals queue", "Rollbacks": "the rollbacks queue",
		"Watch": "the watch queue", "HooksDead": "the dead-letter queue of the hooks", "parameter/Configuration": "the parameter with pullback.yaml",
		"application:*": "applications of CodeDeploy", "deploymentgroup:*": "deployment groups of CodeDeploy", "deploymentconfig:*": "deployment configurations of CodeDeploy",
		"function:*": "functions, with their versions and aliases", "log-group:*": "log groups", "autoScalingGroup:*": "Auto Scaling groups",
		"repository/*": "repositories of ECR", "parameter/*": "parameters of Parameter Store", "key/*": "keys of KMS", "secret:*": "secrets of Secrets Manager",
		"role/*": "roles", "instance-profile/*": "instance profiles", "s3:::*": "buckets", "s3:::*/*": "objects of S3",
		"service/*": "services of ECS", "service-deployment/*": "deployments of services of ECS", "service-revision/*": "revisions of services of ECS",
		"listener/*": "listeners of load balancers", "listener-rule/*": "rules of listeners", "*/*": "stages of pipelines",
	}
	if strings.Contains(resource, ":codepipeline:") {
		words["*"] = "pipelines"
	}
	require.Contains(t, words, short(resource), "say in words what %s is", resource)
	return words[short(resource)]
}

// conditionInWords says what must hold besides.
func conditionInWords(t *testing.T, s statement) string {
	t.Helper()
	words := map[string]string{
		"": "", " if enabled": "it is tagged `pullback:enabled=true`", " if in this account": "it is this account's",
		" of RunInstances": "`RunInstances` is what makes them", " to instances": "it is passed to EC2", " to ECS": "it is passed to ECS",
	}
	require.Contains(t, words, condition(t, s))
	return words[condition(t, s)]
}

// others returns what policies of queues, topics and functions let services of AWS do.
func (x template) others(t *testing.T) []string {
	t.Helper()
	rules := map[string][]string{}
	var all []string
	for kind, member := range map[string]string{"AWS::SQS::QueuePolicy": "Queues", "AWS::SNS::TopicPolicy": "Topics"} {
		for _, id := range x.of(kind) {
			p := x.Resources[id].Properties
			for _, s := range statements(t, p["PolicyDocument"]) {
				if s.effect != "Allow" {
					continue
				}
				service := text(t, object(t, s.principal)["Service"])
				to := fmt.Sprintf("`%s` | `%s` | %s", service, s.action, plain(text(t, list(p[member])[0])))
				if like := object(t, s.condition)["ArnEquals"]; like != nil {
					rules[to] = append(rules[to], "`"+strings.TrimPrefix(text(t, object(t, like)["aws:SourceArn"]), "pullback")+"`")
				} else {
					all = append(all, to+" | the alarms of this account")
				}
			}
		}
	}
	for to, from := range rules {
		all = append(all, to+" | the rules "+strings.Join(slices.Sorted(slices.Values(from)), ", "))
	}
	for _, id := range x.of("AWS::Lambda::Permission") {
		p := x.Resources[id].Properties
		all = append(all, fmt.Sprintf("`%s` | `%s` | %s | the log groups of this account", text(t, p["Principal"]), text(t, p["Action"]), x.Resources[text(t, p["FunctionName"])].Metadata["pullback:function"]))
	}
	return slices.Sorted(slices.Values(all))
}

const (
	permissionsHead = `# Permissions

Made from the template by ` + "`make golden`" + `. It is what the stack of this project grants: one control plane, no hub, no restore points, AWS's own keys.

Each function has a role of its own, which only Lambda may take, with these permissions and no managed policy of AWS's. All that an ARN can say of account and region
is said: *functions* are those of this account and region. Which of them are looked after is not known when the stack is deployed: where AWS can tell by a tag, the
condition says so; where it cannot, the functions read the tag before they change anything.

The last column names a story that fails if that one line is taken away (` + "`TestNoPermissionIsUnused`" + `), or says why none can show it. A line that is added
fails ` + "`TestEveryFunctionMayDoWhatItDoesAndNoMore`" + ` until it is in ` + "`infra/stack/testdata/may.txt`" + `.

## What each function may do
`
	wideHead = `
## Why some are granted on everything

No action is a wildcard. These are granted on the resource ` + "`*`" + `, without a condition:

| action | because |
|---|---|
`
	neverHead = `
## What is denied, whatever is allowed

A managed policy of the stack's own is on all roles. What it denies, no other policy can allow. It denies every call that is not encrypted, and:

`
	othersHead = `
## What services of AWS may do

Queues, the topic and ` + "`posttraffic`" + ` let in services of AWS for this account's sake only (` + "`aws:SourceAccount`" + `, ` + "`aws:SourceArn`" + `), and nobody without TLS.
Roles of the account that have ` + "`sqs:SendMessage`" + `, ` + "`sns:Publish`" + ` or ` + "`lambda:InvokeFunction`" + ` by their own policies need no line here: see
[security.md](security.md).

| who | what | to | for |
|---|---|---|---|
`
	moreHead = `
## What comes on top

| if | then |
|---|---|
| ` + "`Fleet.Hub`" + `, or ` + "`peers`" + ` in pullback.yaml | ` + "`alarmrouter`: `events:PutEvents`" + ` on the buses that are named, and no others |
| ` + "`Fleet.Accounts`" + ` | these accounts may put events on the control plane's own bus, with the source ` + "`pullback`" + ` and the kinds of events that control planes tell each other |
| ` + "`Fleet.Collects`" + ` | ` + "`alarmrouter`" + ` reads the records queue as it reads the signals queue, and may put events on its own bus; the rule for records may write there |
| ` + "`Key`" + ` | every function: ` + "`kms:Decrypt`, `kms:GenerateDataKey`" + ` on that key, and no other |
| ` + "`restorePoint`" + ` in pullback.yaml | what [restore-points.md](restore-points.md#permissions) lists, for ` + "`pretraffic` and `alarmrouter`" + `, and no more than the kinds, vaults and roles that the file names |

` + "`TestAFleetLetsInItsOwnAccountsAndWritesToItsOwnBuses` and `TestOnlyWhoeverKeepsDataMayAndNoMoreThanThat`" + ` hold the first and the last of them to it.
`
)
