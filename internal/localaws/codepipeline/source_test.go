package codepipeline_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/codepipeline"
	cptypes "github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	schedulertypes "github.com/aws/aws-sdk-go-v2/service/scheduler/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestANewVersionStartsAPipelineThatPolls(t *testing.T) {
	s := newSite(t)
	d := structure(asking("Beta", "Look"))
	delete(d.Stages[0].Actions[0].Configuration, "PollForSourceChanges")
	s.create(d)
	s.pass(10 * time.Minute)
	require.Len(t, s.summaries(), 1)
	version := s.upload("second")
	s.pass(2 * time.Minute)
	all := s.summaries()
	require.Len(t, all, 2)
	assert.Equal(t, &cptypes.ExecutionTrigger{TriggerType: cptypes.TriggerTypePollForSourceChanges, TriggerDetail: aws.String("Read")}, all[0].Trigger)
	assert.Equal(t, version, *all[0].SourceRevisions[0].RevisionId)
}

func TestASourceIsReadWithTheRoleOfItsAction(t *testing.T) {
	s := newSite(t)
	reader := "arn:aws:iam::" + account + ":role/reader"
	d := structure(asking("Beta", "Look"))
	d.Stages[0].Actions[0].RoleArn = &reader
	one := s.create(d)
	s.pass(time.Minute)
	assert.Equal(t, "Failed", s.status(one))
	assert.Equal(t, "PermissionError", *s.stage("Source").ActionStates[0].LatestExecution.ErrorDetails.Code, "there is no such role")
	identities := iam.NewFromConfig(s.config)
	_, err := identities.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String("reader"), AssumeRolePolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + role + `"},"Action":"sts:AssumeRole"}]}`)})
	require.NoError(t, err)
	_, err = identities.PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: aws.String("reader"), PolicyName: aws.String("all"), PolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:Get*","Resource":["arn:aws:s3:::source","arn:aws:s3:::source/*"]}]}`)})
	require.NoError(t, err)
	two := s.start()
	s.pass(time.Minute)
	assert.Equal(t, "InProgress", s.status(two))
}

func TestASourceThatCannotBeReadFails(t *testing.T) {
	s := newSite(t)
	for key, want := range map[string][2]string{
		"source/none.zip":   {"RevisionUnavailable", "The specified key does not exist."},
		"artifacts/app.zip": {"JobFailed", "Amazon S3 bucket 'artifacts' does not have versioning enabled."},
		"nobody/app.zip":    {"ConfigurationError", "The specified bucket does not exist"},
	} {
		d := structure(asking("Beta", "Look"))
		c := d.Stages[0].Actions[0].Configuration
		c["S3Bucket"], c["S3ObjectKey"], _ = strings.Cut(key, "/")
		s.create(d)
		s.pass(time.Minute)
		got := s.stage("Source").ActionStates[0].LatestExecution.ErrorDetails
		assert.Equal(t, want, [2]string{*got.Code, *got.Message}, key)
		_, err := s.DeletePipeline(t.Context(), &sdk.DeletePipelineInput{Name: aws.String(line)})
		require.NoError(t, err)
	}
}

func TestAnExecutionIsStartedWithARevisionAndVariables(t *testing.T) {
	s := newSite(t)
	first := s.upload("wanted")
	s.upload("newest")
	d := structure(asking("Beta", "Look"))
	d.Variables = []cptypes.PipelineVariableDeclaration{{Name: aws.String("size"), DefaultValue: aws.String("small")}}
	d.Stages[0].Actions[0].Configuration["AllowOverrideForS3ObjectKey"] = "true"
	s.create(d)
	_, err := s.store.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("source"), Key: aws.String("other.zip")})
	require.NoError(t, err)
	start := func(change func(*sdk.StartPipelineExecutionInput)) (string, error) {
		in := &sdk.StartPipelineExecutionInput{Name: aws.String(line), SourceRevisions: []cptypes.SourceRevisionOverride{{
			ActionName: aws.String("Read"), RevisionType: cptypes.SourceRevisionTypeS3ObjectVersionId, RevisionValue: &first,
		}}, Variables: []cptypes.PipelineVariable{{Name: aws.String("size"), Value: aws.String("large")}}, ClientRequestToken: aws.String("once")}
		change(in)
		out, err := s.StartPipelineExecution(t.Context(), in)
		if err != nil {
			return "", err
		}
		return *out.PipelineExecutionId, nil
	}
	one, err := start(func(*sdk.StartPipelineExecutionInput) {})
	require.NoError(t, err)
	same, err := start(func(*sdk.StartPipelineExecutionInput) {})
	require.NoError(t, err)
	assert.Equal(t, one, same)
	s.pass(time.Minute)
	out, err := s.GetPipelineExecution(t.Context(), &sdk.GetPipelineExecutionInput{PipelineName: aws.String(line), PipelineExecutionId: &one})
	require.NoError(t, err)
	assert.Equal(t, first, *out.PipelineExecution.ArtifactRevisions[0].RevisionId)
	assert.Equal(t, []cptypes.ResolvedPipelineVariable{{Name: aws.String("size"), ResolvedValue: aws.String("large")}}, out.PipelineExecution.Variables)
	other, err := start(func(in *sdk.StartPipelineExecutionInput) {
		in.ClientRequestToken = nil
		in.SourceRevisions[0].RevisionType, in.SourceRevisions[0].RevisionValue = cptypes.SourceRevisionTypeS3ObjectKey, aws.String("other.zip")
	})
	require.NoError(t, err)
	s.pass(time.Minute)
	actions, err := s.ListActionExecutions(t.Context(), &sdk.ListActionExecutionsInput{PipelineName: aws.String(line), Filter: &cptypes.ActionExecutionFilter{
		LatestInPipelineExecution: &cptypes.LatestInPipelineExecutionFilter{PipelineExecutionId: &other, StartTimeRange: cptypes.StartTimeRangeLatest},
	}})
	require.NoError(t, err)
	assert.Equal(t, "other.zip", actions.ActionExecutionDetails[0].Output.OutputVariables["ObjectKey"])
	for want, change := range map[string]func(*sdk.StartPipelineExecutionInput){
		"Source action 'No' does not exist":      func(in *sdk.StartPipelineExecutionInput) { in.SourceRevisions[0].ActionName = aws.String("No") },
		"Revision type COMMIT_ID is not valid":   func(in *sdk.StartPipelineExecutionInput) { in.SourceRevisions[0].RevisionType = "COMMIT_ID" },
		"Pipeline variable 'no' is not declared": func(in *sdk.StartPipelineExecutionInput) { in.Variables[0].Name = aws.String("no") },
	} {
		_, err := start(func(in *sdk.StartPipelineExecutionInput) { in.ClientRequestToken = nil; change(in) })
		require.ErrorContains(t, err, want)
	}
}

func TestARuleAndAScheduleStartAPipeline(t *testing.T) {
	s := newSite(t)
	s.create(structure(asking("Beta", "Look")))
	s.pass(time.Minute)
	allow(t, s.config, "rule", "events.amazonaws.com", `"codepipeline:StartPipelineExecution"`)
	allow(t, s.config, "clock", "scheduler.amazonaws.com", `"codepipeline:StartPipelineExecution"`)
	arn := "arn:aws:codepipeline:us-east-1:" + account + ":" + line
	bus := eventbridge.NewFromConfig(s.config)
	_, err := bus.PutRule(t.Context(), &eventbridge.PutRuleInput{Name: aws.String("go"), EventPattern: aws.String(`{"source":["shop"]}`)})
	require.NoError(t, err)
	_, err = bus.PutTargets(t.Context(), &eventbridge.PutTargetsInput{Rule: aws.String("go"), Targets: []ebtypes.Target{{
		Id: aws.String("line"), Arn: &arn, RoleArn: aws.String("arn:aws:iam::" + account + ":role/rule"),
	}}})
	require.NoError(t, err)
	_, err = bus.PutEvents(t.Context(), &eventbridge.PutEventsInput{Entries: []ebtypes.PutEventsRequestEntry{{
		Source: aws.String("shop"), DetailType: aws.String("go"), Detail: aws.String("{}"),
	}}})
	require.NoError(t, err)
	_, err = scheduler.NewFromConfig(s.config).CreateSchedule(t.Context(), &scheduler.CreateScheduleInput{
		Name: aws.String("later"), ScheduleExpression: aws.String("at(2026-01-05T09:05:00)"),
		FlexibleTimeWindow: &schedulertypes.FlexibleTimeWindow{Mode: schedulertypes.FlexibleTimeWindowModeOff},
		Target:             &schedulertypes.Target{Arn: &arn, RoleArn: aws.String("arn:aws:iam::" + account + ":role/clock")},
	})
	require.NoError(t, err)
	s.pass(10 * time.Minute)
	var triggers []string
	for _, e := range s.summaries() {
		triggers = append(triggers, string(e.Trigger.TriggerType)+" "+*e.Trigger.TriggerDetail)
	}
	assert.Equal(t, []string{
		"StartPipelineExecution arn:aws:iam::123456789012:role/clock",
		"CloudWatchEvent arn:aws:events:us-east-1:123456789012:rule/go",
		"CreatePipeline " + root,
	}, triggers)
}
