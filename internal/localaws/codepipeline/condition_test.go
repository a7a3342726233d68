package codepipeline_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	sdk "github.com/aws/aws-sdk-go-v2/service/codepipeline"
	cptypes "github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// alarm sets an alarm, which it makes first.
func (s *site) alarm(state cwtypes.StateValue) {
	s.t.Helper()
	c := cloudwatch.NewFromConfig(s.config)
	_, err := c.PutMetricAlarm(s.t.Context(), &cloudwatch.PutMetricAlarmInput{
		AlarmName: aws.String("errors"), Namespace: aws.String("shop"), MetricName: aws.String("Errors"), Statistic: cwtypes.StatisticSum, Period: aws.Int32(60),
		EvaluationPeriods: aws.Int32(1), Threshold: aws.Float64(1), ComparisonOperator: cwtypes.ComparisonOperatorGreaterThanThreshold,
		TreatMissingData: aws.String("ignore"),
	})
	require.NoError(s.t, err)
	_, err = c.SetAlarmState(s.t.Context(), &cloudwatch.SetAlarmStateInput{AlarmName: aws.String("errors"), StateValue: state, StateReason: aws.String("test")})
	require.NoError(s.t, err)
}

// watching is a condition on the alarm.
func watching(result cptypes.Result, minutes string) []cptypes.Condition {
	return []cptypes.Condition{{Result: result, Rules: []cptypes.RuleDeclaration{{
		Name: aws.String("Quiet"), RuleTypeId: &cptypes.RuleTypeId{Category: "Rule", Owner: "AWS", Provider: aws.String("CloudWatchAlarm"), Version: aws.String("1")},
		Configuration: map[string]string{"AlarmName": "errors", "WaitTime": minutes},
	}}}}
}

func (s *site) override(id string, kind cptypes.ConditionType) error {
	s.t.Helper()
	_, err := s.OverrideStageCondition(s.t.Context(), &sdk.OverrideStageConditionInput{
		PipelineName: aws.String(line), StageName: aws.String("Beta"), PipelineExecutionId: &id, ConditionType: kind,
	})
	return err
}

// guarded is the pipeline whose stage Beta has conditions.
func guarded(change func(*cptypes.StageDeclaration)) *cptypes.PipelineDeclaration {
	st := asking("Beta", "Look")
	change(&st)
	return structure(st)
}

func TestAnAlarmKeepsAnExecutionOut(t *testing.T) {
	s := newSite(t)
	s.alarm(cwtypes.StateValueAlarm)
	one := s.create(guarded(func(st *cptypes.StageDeclaration) {
		st.BeforeEntry = &cptypes.BeforeEntryConditions{Conditions: watching("FAIL", "")}
	}))
	s.pass(time.Minute)
	assert.Equal(t, []string{"09:00:04 one Beta STARTED", "09:00:04 one Beta FAILED", "09:00:04 one - FAILED"}, s.events(one, "one")[5:])
	state := s.stage("Beta").BeforeEntryConditionState
	assert.Equal(t, cptypes.ConditionExecutionStatusFailed, state.LatestExecution.Status)
	assert.Equal(t, "CloudWatch alarm errors is in state ALARM", *state.ConditionStates[0].RuleStates[0].LatestExecution.Summary)
	require.NoError(t, s.override(one, "BEFORE_ENTRY"))
	assert.Equal(t, cptypes.ConditionExecutionStatusOverridden, s.stage("Beta").BeforeEntryConditionState.LatestExecution.Status)
	s.approve("Beta")
	assert.Equal(t, []string{"Succeeded"}, s.statuses())
	require.ErrorContains(t, s.override(one, "BEFORE_ENTRY"), "ConditionNotOverridableException")
	require.ErrorContains(t, s.override("12345678-1234-1234-1234-123456789012", "BEFORE_ENTRY"), "NotLatestPipelineExecutionException")
}

func TestAQuietAlarmLetsAnExecutionIn(t *testing.T) {
	s := newSite(t)
	s.alarm(cwtypes.StateValueOk)
	one := s.create(guarded(func(st *cptypes.StageDeclaration) {
		st.BeforeEntry = &cptypes.BeforeEntryConditions{Conditions: watching("FAIL", "2")}
	}))
	s.pass(5 * time.Minute)
	assert.Equal(t, []string{"09:00:04 one Beta STARTED", "09:02:04 one Beta/Look STARTED"}, s.events(one, "one")[5:])
	rules, err := s.ListRuleExecutions(t.Context(), &sdk.ListRuleExecutionsInput{PipelineName: aws.String(line)})
	require.NoError(t, err)
	require.Len(t, rules.RuleExecutionDetails, 1)
	assert.Equal(t, []any{cptypes.RuleExecutionStatusSucceeded, "Quiet", "CloudWatch alarm errors is in state OK"}, []any{
		rules.RuleExecutionDetails[0].Status, *rules.RuleExecutionDetails[0].RuleName,
		*rules.RuleExecutionDetails[0].Output.ExecutionResult.ExternalExecutionSummary,
	})
}

func TestAnAlarmAfterSuccessRollsBack(t *testing.T) {
	s := newSite(t)
	s.alarm(cwtypes.StateValueOk)
	good := s.create(guarded(func(st *cptypes.StageDeclaration) {
		st.OnSuccess = &cptypes.SuccessConditions{Conditions: watching("ROLLBACK", "60")}
	}))
	s.pass(time.Minute)
	s.approve("Beta")
	s.pass(time.Hour)
	assert.Equal(t, []string{"Succeeded"}, s.statuses())
	bad := s.start()
	s.pass(time.Minute)
	s.approve("Beta")
	s.pass(10 * time.Minute)
	s.alarm(cwtypes.StateValueAlarm)
	s.events()
	s.pass(time.Minute)
	all := s.summaries()
	back := *all[0].PipelineExecutionId
	assert.Equal(t, []string{
		"10:12:30 bad Beta FAILED", "10:12:30 bad - FAILED", "10:12:30 back - STARTED", "10:12:30 back Beta STARTED", "10:12:30 back Beta/Look STARTED",
	}, s.events(good, "good", bad, "bad", back, "back"))
	assert.Equal(t, good, *all[0].RollbackMetadata.RollbackTargetPipelineExecutionId)
	s.approve("Beta")
	assert.Equal(t, "Succeeded", s.status(back), "it checks no conditions: the alarm is still on")
}

func TestAConditionIsOverriddenWhileItIsChecked(t *testing.T) {
	s := newSite(t)
	s.alarm(cwtypes.StateValueOk)
	one := s.create(guarded(func(st *cptypes.StageDeclaration) {
		st.OnSuccess = &cptypes.SuccessConditions{Conditions: watching("FAIL", "60")}
	}))
	s.pass(time.Minute)
	require.ErrorContains(t, s.override(one, "ON_SUCCESS"), "ConditionNotOverridableException")
	s.approve("Beta")
	assert.Equal(t, cptypes.ConditionExecutionStatusInProgress, s.stage("Beta").OnSuccessConditionState.LatestExecution.Status)
	require.NoError(t, s.override(one, "ON_SUCCESS"))
	assert.Equal(t, []string{"Succeeded"}, s.statuses())
	rule := s.stage("Beta").OnSuccessConditionState.ConditionStates[0].RuleStates[0]
	assert.Equal(t, cptypes.RuleExecutionStatusAbandoned, rule.LatestExecution.Status)
}

func TestAnAlarmDecidesWhetherAFailureIsRolledBack(t *testing.T) {
	for state, want := range map[cwtypes.StateValue][]string{
		cwtypes.StateValueOk:    {"Failed", "Succeeded"},
		cwtypes.StateValueAlarm: {"InProgress", "Failed", "Succeeded"},
	} {
		s := newSite(t)
		s.alarm(state)
		s.create(guarded(func(st *cptypes.StageDeclaration) {
			st.OnFailure = &cptypes.FailureConditions{Conditions: watching("ROLLBACK", "")}
		}))
		s.pass(time.Minute)
		s.approve("Beta")
		s.start()
		s.pass(time.Minute)
		s.reject()
		assert.Equal(t, want, s.statuses(), state)
	}
}

func TestAnAlarmThatIsNotThereIsAnError(t *testing.T) {
	s := newSite(t)
	s.create(guarded(func(st *cptypes.StageDeclaration) {
		st.BeforeEntry = &cptypes.BeforeEntryConditions{Conditions: watching("FAIL", "1")}
	}))
	s.pass(time.Minute)
	state := s.stage("Beta").BeforeEntryConditionState
	assert.Equal(t, cptypes.ConditionExecutionStatusErrored, state.LatestExecution.Status)
	assert.Equal(t, &cptypes.ErrorDetails{Code: aws.String("JobFailed"), Message: aws.String("CloudWatch alarm errors does not exist")},
		state.ConditionStates[0].RuleStates[0].LatestExecution.ErrorDetails)
}

func TestAConditionThatRollsBackIsNotOverridden(t *testing.T) {
	s := newSite(t)
	s.alarm(cwtypes.StateValueAlarm)
	one := s.create(guarded(func(st *cptypes.StageDeclaration) {
		st.OnSuccess = &cptypes.SuccessConditions{Conditions: watching("ROLLBACK", "")}
	}))
	s.pass(time.Minute)
	s.approve("Beta")
	assert.Equal(t, []string{"Failed"}, s.statuses(), "there is nothing to go back to")
	require.ErrorContains(t, s.override(one, "ON_SUCCESS"), "ConditionNotOverridableException")
}

func TestAnOverrideDoesNotMakeAPipelineTooFull(t *testing.T) {
	s := newSite(t)
	d := guarded(func(st *cptypes.StageDeclaration) {
		st.BeforeEntry = &cptypes.BeforeEntryConditions{Conditions: watching("FAIL", "")}
	})
	d.ExecutionMode = cptypes.ExecutionModeQueued
	one := s.create(d)
	s.pass(time.Minute)
	_, err := s.DisableStageTransition(t.Context(), &sdk.DisableStageTransitionInput{
		PipelineName: aws.String(line), StageName: aws.String("Beta"), TransitionType: cptypes.StageTransitionTypeInbound, Reason: aws.String("freeze"),
	})
	require.NoError(t, err)
	for range 50 {
		s.start()
	}
	require.ErrorContains(t, s.override(one, "BEFORE_ENTRY"), "ConcurrentPipelineExecutionsLimitExceededException")
}
