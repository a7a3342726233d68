package cloudformation_test

import (
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// create makes the stack "shop" and lets a minute pass.
func (a *account) create(t *testing.T, template string, change ...func(*cloudformation.CreateStackInput)) {
	t.Helper()
	in := &cloudformation.CreateStackInput{StackName: aws.String("shop"), TemplateBody: &template}
	for _, c := range change {
		c(in)
	}
	_, err := a.stacks.CreateStack(t.Context(), in)
	require.NoError(t, err)
	a.pass(t, time.Minute)
}

// story spells a stack's events, the oldest first: resource, status, reason.
func (a *account) story(t *testing.T) []string {
	t.Helper()
	events, err := a.stacks.DescribeStackEvents(t.Context(), &cloudformation.DescribeStackEventsInput{StackName: aws.String("shop")})
	require.NoError(t, err)
	var out []string
	for i := range events.StackEvents {
		e := events.StackEvents[len(events.StackEvents)-1-i]
		out = append(out, strings.TrimSpace(*e.LogicalResourceId+" "+string(e.ResourceStatus)+" "+aws.ToString(e.ResourceStatusReason)))
	}
	return out
}

const one = `{"Resources": {"Q": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "q", "DelaySeconds": 1}}}}`

func TestAStackComesAndGoesWithItsEvents(t *testing.T) {
	t.Parallel()
	a := newAccount(t, world.Manual)
	a.create(t, one)
	assert.Equal(t, []string{
		"shop CREATE_IN_PROGRESS User Initiated", "Q CREATE_IN_PROGRESS", "Q CREATE_IN_PROGRESS Resource creation Initiated", "Q CREATE_COMPLETE",
		"shop CREATE_COMPLETE",
	}, a.story(t))
	resources, err := a.stacks.ListStackResources(t.Context(), &cloudformation.ListStackResourcesInput{StackName: aws.String("shop")})
	require.NoError(t, err)
	assert.Equal(t, "Q AWS::SQS::Queue CREATE_COMPLETE", *resources.StackResourceSummaries[0].LogicalResourceId+" "+
		*resources.StackResourceSummaries[0].ResourceType+" "+string(resources.StackResourceSummaries[0].ResourceStatus))

	_, err = a.stacks.DeleteStack(t.Context(), &cloudformation.DeleteStackInput{StackName: aws.String("shop")})
	require.NoError(t, err)
	a.pass(t, time.Minute)
	assert.Empty(t, a.status(t, "shop"))
	assert.Empty(t, a.queue(t, "q", sqstypes.QueueAttributeNameQueueArn))
	listed, err := a.stacks.ListStacks(t.Context(), &cloudformation.ListStacksInput{StackStatusFilter: []cfntypes.StackStatus{cfntypes.StackStatusDeleteComplete}})
	require.NoError(t, err)
	assert.Len(t, listed.StackSummaries, 1)
}

const broken = `{"Resources": {"Q": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "q"}},
	"Zero": {"Type": "AWS::SQS::Queue", "DependsOn": "Q", "Properties": {"DelaySeconds": 100000}}}}`

func TestWhatAStackDoesThatCannotBeMade(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*cloudformation.CreateStackInput)
		want   cfntypes.StackStatus
		queue  bool
	}{
		"rolls back":       {func(*cloudformation.CreateStackInput) {}, cfntypes.StackStatusRollbackComplete, false},
		"is deleted":       {func(in *cloudformation.CreateStackInput) { in.OnFailure = cfntypes.OnFailureDelete }, "", false},
		"stays":            {func(in *cloudformation.CreateStackInput) { in.OnFailure = cfntypes.OnFailureDoNothing }, cfntypes.StackStatusCreateFailed, true},
		"does not go back": {func(in *cloudformation.CreateStackInput) { in.DisableRollback = aws.Bool(true) }, cfntypes.StackStatusCreateFailed, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAccount(t, world.Manual)
			a.create(t, broken, c.change)
			assert.Equal(t, c.want, a.status(t, "shop"))
			assert.Equal(t, c.queue, a.queue(t, "q", sqstypes.QueueAttributeNameQueueArn) != "")
		})
	}
}

func TestAStackThatStaysInPiecesIsRolledBackOnRequest(t *testing.T) {
	t.Parallel()
	a := newAccount(t, world.Manual)
	a.create(t, broken, func(in *cloudformation.CreateStackInput) { in.DisableRollback = aws.Bool(true) })
	_, err := a.stacks.RollbackStack(t.Context(), &cloudformation.RollbackStackInput{StackName: aws.String("shop")})
	require.NoError(t, err)
	a.pass(t, time.Minute)
	assert.Equal(t, cfntypes.StackStatusRollbackComplete, a.status(t, "shop"))
	assert.Empty(t, a.queue(t, "q", sqstypes.QueueAttributeNameQueueArn))
}

func TestAnUpdateReplacesFirstAndRemovesAfterwards(t *testing.T) {
	t.Parallel()
	a := newAccount(t, world.Manual)
	a.create(t, `{"Resources": {"Q": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "q", "DelaySeconds": 1}},
		"Gone": {"Type": "AWS::SNS::Topic"}, "Kept": {"Type": "AWS::SQS::Queue", "DeletionPolicy": "Retain", "Properties": {"QueueName": "kept"}}}}`)
	seen := len(a.story(t))
	a.update(t, []byte(`{"Resources": {"Q": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "other", "DelaySeconds": 1}}}}`))
	a.pass(t, time.Minute)
	assert.Equal(t, []string{
		"shop UPDATE_IN_PROGRESS User Initiated",
		"Q UPDATE_IN_PROGRESS Requested update requires the creation of a new physical resource; hence creating one.",
		"Q UPDATE_IN_PROGRESS Resource creation Initiated", "Q UPDATE_COMPLETE",
		"shop UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "Q DELETE_IN_PROGRESS", "Q DELETE_COMPLETE", "Kept DELETE_SKIPPED",
		"Gone DELETE_IN_PROGRESS", "Gone DELETE_COMPLETE", "shop UPDATE_COMPLETE",
	}, a.story(t)[seen:])
	assert.Empty(t, a.queue(t, "q", sqstypes.QueueAttributeNameQueueArn))
	assert.NotEmpty(t, a.queue(t, "other", sqstypes.QueueAttributeNameQueueArn))
	assert.NotEmpty(t, a.queue(t, "kept", sqstypes.QueueAttributeNameQueueArn))
}

func TestAnUpdateThatFailsIsTakenBack(t *testing.T) {
	t.Parallel()
	const failing = `{"Resources": {"Q": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "q", "DelaySeconds": 2}},
		"New": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "new"}},
		"Zero": {"Type": "AWS::SQS::Queue", "DependsOn": ["Q", "New"], "Properties": {"DelaySeconds": 100000}}}}`
	a := newAccount(t, world.Manual)
	a.create(t, one)
	seen := len(a.story(t))
	a.update(t, []byte(failing))
	a.pass(t, time.Minute)
	story := a.story(t)[seen:]
	assert.Regexp(t, `Zero CREATE_FAILED Resource handler returned message: .*InvalidAttributeValue.*HandlerErrorCode: InvalidRequest\)`, story[7])
	assert.Equal(t, []string{
		"shop UPDATE_ROLLBACK_IN_PROGRESS The following resource(s) failed to create: [Zero].", "Q UPDATE_IN_PROGRESS", "Q UPDATE_COMPLETE",
		"shop UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", "Zero DELETE_IN_PROGRESS", "Zero DELETE_COMPLETE", "New DELETE_IN_PROGRESS", "New DELETE_COMPLETE",
		"shop UPDATE_ROLLBACK_COMPLETE",
	}, story[8:])
	assert.Equal(t, "1", a.queue(t, "q", sqstypes.QueueAttributeNameDelaySeconds))
	template, err := a.stacks.GetTemplate(t.Context(), &cloudformation.GetTemplateInput{StackName: aws.String("shop")})
	require.NoError(t, err)
	assert.JSONEq(t, one, *template.TemplateBody)

	a.pass(t, time.Minute) // the name of a deleted queue is free again after a minute
	_, err = a.stacks.UpdateStack(t.Context(), &cloudformation.UpdateStackInput{StackName: aws.String("shop"), TemplateBody: aws.String(failing), DisableRollback: aws.Bool(true)})
	require.NoError(t, err)
	a.pass(t, time.Minute)
	assert.Equal(t, cfntypes.StackStatusUpdateFailed, a.status(t, "shop"))
	assert.Equal(t, "2", a.queue(t, "q", sqstypes.QueueAttributeNameDelaySeconds))
	_, err = a.stacks.RollbackStack(t.Context(), &cloudformation.RollbackStackInput{StackName: aws.String("shop")})
	require.NoError(t, err)
	a.pass(t, time.Minute)
	assert.Equal(t, cfntypes.StackStatusUpdateRollbackComplete, a.status(t, "shop"))
	assert.Equal(t, "1", a.queue(t, "q", sqstypes.QueueAttributeNameDelaySeconds))
}

// propose makes a change set of the stack "shop" and returns it.
func (a *account) propose(t *testing.T, template string) *cloudformation.DescribeChangeSetOutput {
	t.Helper()
	made, err := a.stacks.CreateChangeSet(t.Context(), &cloudformation.CreateChangeSetInput{
		StackName: aws.String("shop"), ChangeSetName: aws.String("next"), TemplateBody: &template,
	})
	require.NoError(t, err)
	a.pass(t, time.Second)
	out, err := a.stacks.DescribeChangeSet(t.Context(), &cloudformation.DescribeChangeSetInput{ChangeSetName: made.Id, IncludePropertyValues: aws.Bool(true)})
	require.NoError(t, err)
	return out
}

func TestAChangeSetSaysWhatWouldHappenAndWhy(t *testing.T) {
	t.Parallel()
	const template = `{"Parameters": {"Delay": {"Type": "Number", "Default": %D}}, "Resources": {
		"Q": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "%Q", "DelaySeconds": {"Ref": "Delay"}}},
		"Policy": {"Type": "AWS::SQS::QueuePolicy", "Properties": {"Queues": [{"Ref": "Q"}], "PolicyDocument": {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sqs:*", "Resource": "*"}]}}},
		"%T": {"Type": "AWS::SNS::Topic"}}}`
	fill := func(delay, queue, topic string) string {
		return strings.NewReplacer("%D", delay, "%Q", queue, "%T", topic).Replace(template)
	}
	a := newAccount(t, world.Manual)
	a.create(t, fill("1", "q", "Old"))
	set := a.propose(t, fill("1", "q", "Old"))
	assert.Equal(t, "FAILED The submitted information didn't contain changes. Submit different information to create a change set.", string(set.Status)+" "+*set.StatusReason)
	_, err := a.stacks.DeleteChangeSet(t.Context(), &cloudformation.DeleteChangeSetInput{ChangeSetName: set.ChangeSetId})
	require.NoError(t, err)

	set = a.propose(t, fill("2", "other", "New"))
	assert.Equal(t, cfntypes.ExecutionStatusAvailable, set.ExecutionStatus)
	var got []string
	for _, c := range set.Changes {
		r := c.ResourceChange
		got = append(got, strings.Join([]string{string(r.Action), *r.LogicalResourceId, string(r.Replacement), string(r.PolicyAction)}, " "))
		for _, d := range r.Details {
			got = append(got, strings.Join([]string{
				"  ", *d.Target.Name, string(d.Target.RequiresRecreation), string(d.Evaluation), string(d.ChangeSource),
				aws.ToString(d.CausingEntity), aws.ToString(d.Target.BeforeValue), aws.ToString(d.Target.AfterValue),
			}, " "))
		}
	}
	assert.Equal(t, []string{
		"Add New  ", "Remove Old  Delete", "Modify Policy False ",
		`   Queues Never Dynamic ResourceReference Q ["` + a.URL() + `/123456789012/q"] ["{{changeSet:KNOWN_AFTER_APPLY}}"]`,
		"Modify Q True ReplaceAndDelete", "   DelaySeconds Never Static ParameterReference Delay 1 2", "   QueueName Always Static DirectModification  q other",
	}, got)

	_, err = a.stacks.ExecuteChangeSet(t.Context(), &cloudformation.ExecuteChangeSetInput{ChangeSetName: set.ChangeSetId})
	require.NoError(t, err)
	a.pass(t, time.Minute)
	assert.Equal(t, cfntypes.StackStatusUpdateComplete, a.status(t, "shop"))
	assert.Equal(t, "2", a.queue(t, "other", sqstypes.QueueAttributeNameDelaySeconds))
	_, err = a.stacks.ExecuteChangeSet(t.Context(), &cloudformation.ExecuteChangeSetInput{ChangeSetName: set.ChangeSetId})
	require.ErrorContains(t, err, "InvalidChangeSetStatus")
}

func TestExportsInUseStay(t *testing.T) {
	t.Parallel()
	a := newAccount(t, world.Manual)
	a.create(t, `{"Resources": {"Q": {"Type": "AWS::SQS::Queue"}}, "Outputs": {"Name": {"Value": {"Fn::GetAtt": "Q.QueueName"}, "Export": {"Name": "work"}}}}`)
	_, err := a.stacks.CreateStack(t.Context(), &cloudformation.CreateStackInput{StackName: aws.String("user"), TemplateBody: aws.String(
		`{"Resources": {"T": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": {"Fn::ImportValue": "work"}}}}}`)})
	require.NoError(t, err)
	a.pass(t, time.Minute)
	users, err := a.stacks.ListImports(t.Context(), &cloudformation.ListImportsInput{ExportName: aws.String("work")})
	require.NoError(t, err)
	assert.Equal(t, []string{"user"}, users.Imports)
	_, err = a.stacks.DeleteStack(t.Context(), &cloudformation.DeleteStackInput{StackName: aws.String("shop")})
	require.ErrorContains(t, err, "Export work cannot be deleted as it is in use by user")
}

func TestYAMLWithShortForms(t *testing.T) {
	t.Parallel()
	a := newAccount(t, world.Manual)
	a.create(t, `
AWSTemplateFormatVersion: 2010-09-09
Parameters:
  Stage: {Type: String, Default: test}
Conditions:
  Test: !Equals [!Ref Stage, test]
Resources:
  Queue:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: !Sub "${Stage}-${AWS::Region}"
      DelaySeconds: !If [Test, 3, 0]
      VisibilityTimeout: !Select [1, !Split [",", "7,8,9"]]
Outputs:
  Arn: {Value: !GetAtt Queue.Arn}
  Text: {Value: !Base64 hello}
`)
	assert.Equal(t, "3", a.queue(t, "test-us-east-1", sqstypes.QueueAttributeNameDelaySeconds))
	assert.Equal(t, "8", a.queue(t, "test-us-east-1", sqstypes.QueueAttributeNameVisibilityTimeout))
	out, err := a.stacks.DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{StackName: aws.String("shop")})
	require.NoError(t, err)
	assert.Equal(t, "arn:aws:sqs:us-east-1:123456789012:test-us-east-1", *out.Stacks[0].Outputs[0].OutputValue)
	assert.Equal(t, "aGVsbG8=", *out.Stacks[0].Outputs[1].OutputValue)
}

// The AWS CLI's own ways: "deploy" with its change sets and waiters.
func TestTheAWSCommandLineDeploysAndWaits(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("aws"); err != nil {
		t.Skip("the AWS CLI is not installed: ", err)
	}
	a := newAccount(t, world.Fast)
	dir := write(t, map[string]string{"one.json": one, "two.json": strings.ReplaceAll(one, `"DelaySeconds": 1`, `"DelaySeconds": 2`)})
	run := func(args ...string) string {
		t.Helper()
		time.Sleep(time.Until(time.Now().Truncate(time.Second).Add(time.Second))) // the CLI names its change sets by the second
		cmd := exec.CommandContext(t.Context(), "aws", append([]string{"cloudformation"}, args...)...)
		cmd.Dir, cmd.Env = dir, append(cmd.Environ(), a.environment(t)...)
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, string(out))
		return string(out)
	}
	assert.Contains(t, run("deploy", "--stack-name", "shop", "--template-file", "one.json"), "Successfully created/updated stack - shop")
	assert.Contains(t, run("deploy", "--stack-name", "shop", "--template-file", "one.json", "--no-fail-on-empty-changeset"), "No changes to deploy")
	run("update-stack", "--stack-name", "shop", "--template-body", "file://two.json")
	run("wait", "stack-update-complete", "--stack-name", "shop")
	assert.Equal(t, "2", a.queue(t, "q", sqstypes.QueueAttributeNameDelaySeconds))
	run("delete-stack", "--stack-name", "shop")
	run("wait", "stack-delete-complete", "--stack-name", "shop")
	assert.Empty(t, a.queue(t, "q", sqstypes.QueueAttributeNameQueueArn))
}

func TestAResourceIsNotWaitedForForEver(t *testing.T) {
	t.Parallel()
	a := newAccount(t, world.Manual)
	a.create(t, `{"Resources": {
		"Machines": {"Type": "AWS::EC2::LaunchTemplate", "Properties": {"LaunchTemplateData": {"ImageId": "ami-1"}}},
		"Fleet": {"Type": "AWS::AutoScaling::AutoScalingGroup", "Properties": {"MinSize": "1", "MaxSize": "1", "AvailabilityZones": {"Fn::GetAZs": ""},
			"LaunchTemplate": {"LaunchTemplateId": {"Ref": "Machines"}, "Version": "1"}}}}}`)
	assert.Equal(t, cfntypes.StackStatusCreateInProgress, a.status(t, "shop"))
	a.pass(t, 4*time.Hour)
	assert.Equal(t, cfntypes.StackStatusRollbackComplete, a.status(t, "shop"))
	assert.Contains(t, a.story(t), "Fleet CREATE_FAILED Exceeded attempts to wait")
}
