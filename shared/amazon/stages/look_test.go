package stages_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	cptypes "github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/shared/deploy"
)

// settled is longer than anything takes here.
const settled = 10 * time.Minute

// shop is a cloud whose pipeline has brought one page to Prod.
func shop(t *testing.T, rest ...cptypes.StageDeclaration) (*cloud, deploy.ID) {
	t.Helper()
	c := newCloud(t)
	c.upload("one")
	if len(rest) == 0 {
		rest = []cptypes.StageDeclaration{prod()}
	}
	one := c.create(structure("line", rest...), on)
	c.pass(settled)
	return c, one
}

func (c *cloud) recent(since time.Time) []deploy.Deployment {
	c.t.Helper()
	all, err := c.client.Recent(c.t.Context(), target, since)
	require.NoError(c.t, err)
	return all
}

// answer approves or rejects what waits in a stage.
func (c *cloud) answer(stage string, status cptypes.ApprovalStatus) {
	c.t.Helper()
	out, err := c.line.GetPipelineState(c.t.Context(), &codepipeline.GetPipelineStateInput{Name: aws.String("line")})
	require.NoError(c.t, err)
	for _, s := range out.StageStates {
		for _, a := range s.ActionStates {
			if *s.StageName != stage || a.LatestExecution == nil || a.LatestExecution.Token == nil {
				continue
			}
			_, err := c.line.PutApprovalResult(c.t.Context(), &codepipeline.PutApprovalResultInput{
				PipelineName: aws.String("line"), StageName: &stage, ActionName: a.ActionName, Token: a.LatestExecution.Token,
				Result: &cptypes.ApprovalResult{Status: status, Summary: aws.String("ok?")},
			})
			require.NoError(c.t, err)
		}
	}
	c.pass(time.Minute)
}

func TestADeploymentBeginsWhenItsExecutionEntersTheStage(t *testing.T) {
	c, one := shop(t)
	started := c.now()
	two := c.release("two")
	assert.Len(t, c.recent(time.Time{}), 1, "it has not come so far")
	c.pass(moving)
	entered := started.Add(4 * time.Second) // a second to each stage, two to read the source
	want := deploy.Deployment{
		ID: two, Target: target, Status: deploy.InProgress, Creator: "StartPipelineExecution",
		From: deploy.Revision(one), To: deploy.Revision(two), Created: entered, Started: entered, Shifted: entered,
	}
	assert.Equal(t, want, c.get(two))
	assert.Equal(t, []deploy.Deployment{want}, c.recent(started))
	c.pass(settled)
	want.Status, want.Ended = deploy.Succeeded, c.get(two).Ended
	assert.Equal(t, want, c.get(two))
	assert.Greater(t, want.Ended, entered, "%s", want.Ended)
}

func TestARollbackBringsWhatItsTargetBrought(t *testing.T) {
	c, one := shop(t)
	two := c.release("two")
	c.pass(settled)
	back, err := c.restore(one)
	require.NoError(t, err)
	c.pass(settled)
	d := c.get(back)
	assert.Equal(t, deploy.Deployment{
		ID: back, Target: target, Status: deploy.Succeeded, Creator: "ManualRollback", From: deploy.Revision(two), To: deploy.Revision(one),
		Created: d.Created, Started: d.Created, Shifted: d.Created, Ended: d.Ended, RollsBack: two,
	}, d)
	assert.True(t, d.IsRollback())
	assert.Equal(t, back, c.get(two).RolledBack)
	assert.True(t, c.live().Only(deploy.Revision(one)))

	past, err := c.client.History(t.Context(), place)
	require.NoError(t, err)
	assert.Equal(t, []deploy.Success{
		{Deployment: back, Revision: deploy.Revision(one), Ended: d.Ended},
		{Deployment: two, Revision: deploy.Revision(two), Ended: c.get(two).Ended},
		{Deployment: one, Revision: deploy.Revision(one), Ended: c.get(one).Ended},
	}, past)
}

func TestWhatServesIsAsSureAsTheStage(t *testing.T) {
	c, one := shop(t)
	A := deploy.Revision(one)
	assert.Equal(t, deploy.Live{Place: place, Version: A}, c.live())

	two := c.release("two")
	assert.Equal(t, deploy.Live{Place: place, Version: A}, c.live())
	c.pass(moving)
	assert.Equal(t, deploy.Live{Place: place, Version: A, Weights: map[deploy.Revision]float64{deploy.Revision(two): 0}}, c.live(), "it begins to")

	require.NoError(t, c.client.Stop(t.Context(), c.get(two)))
	c.pass(settled)
	assert.Equal(t, deploy.Live{Place: place, Version: deploy.Revision(two), Weights: map[deploy.Revision]float64{A: 0}}, c.live(),
		"its deployment has ended well, and the stage was stopped")

	broken := c.release("")
	c.pass(settled)
	assert.Equal(t, deploy.Live{Place: place, Version: A, Weights: map[deploy.Revision]float64{deploy.Revision(broken): 0, deploy.Revision(two): 0}}, c.live(),
		"what a failed deployment has left is not known")
	d := c.get(broken)
	assert.Equal(t, []any{deploy.Failed, "JobFailed", A, false}, []any{d.Status, d.Cause, d.From, d.Automatic})

	_, err := c.restore(one)
	require.NoError(t, err)
	c.pass(settled)
	assert.Equal(t, deploy.Live{Place: place, Version: A}, c.live())
}

func TestAStageThatWaitsForAnAnswerHasMovedNothingYet(t *testing.T) {
	c, one := shop(t, prod(func(s *cptypes.StageDeclaration) {
		s.Actions = append(asking("Prod").Actions, s.Actions...)
		s.Actions[1].RunOrder = aws.Int32(2)
	}))
	c.answer("Prod", cptypes.ApprovalStatusApproved)
	c.pass(settled)
	d := c.get(one)
	assert.Greater(t, d.Shifted, d.Created)
	two := c.release("two")
	c.pass(settled)
	assert.Equal(t, []any{deploy.InProgress, time.Time{}}, []any{c.get(two).Status, c.get(two).Shifted})
	assert.True(t, c.live().Only(deploy.Revision(one)))
}

func TestAStageThatDeploysTwiceIsDoneWhenBothAre(t *testing.T) {
	c, one := shop(t, prod(func(s *cptypes.StageDeclaration) {
		again := s.Actions[0]
		again.Name = aws.String("Again")
		s.Actions = append(s.Actions, asking("Prod").Actions[0], again)
		for i := range s.Actions {
			s.Actions[i].RunOrder = aws.Int32(int32(i + 1))
		}
	}))
	c.answer("Prod", cptypes.ApprovalStatusApproved)
	c.pass(settled)
	two := c.release("two")
	c.pass(settled)
	assert.Equal(t, deploy.Live{Place: place, Version: deploy.Revision(one), Weights: map[deploy.Revision]float64{deploy.Revision(two): 1}}, c.live(), "there may be more to come")
	c.answer("Prod", cptypes.ApprovalStatusApproved)
	c.pass(settled)
	assert.True(t, c.live().Only(deploy.Revision(two)))
}

func TestAStageThatRollsItselfBackSaysSo(t *testing.T) {
	c, one := shop(t, prod(func(s *cptypes.StageDeclaration) {
		s.OnFailure = &cptypes.FailureConditions{Result: cptypes.ResultRollback}
	}))
	broken := c.release("")
	c.pass(settled)
	all := c.recent(c.now().Add(-settled))
	require.Len(t, all, 2)
	bad, back := c.get(broken), all[0]
	assert.Equal(t, deploy.Failed, bad.Status)
	assert.True(t, bad.Automatic)
	assert.Equal(t, back.ID, bad.RolledBack)
	assert.Equal(t, []any{broken, deploy.Revision(one), deploy.Succeeded, "AutomatedRollback"}, []any{back.RollsBack, back.To, back.Status, back.Creator})
	assert.True(t, c.live().Only(deploy.Revision(one)))
}

func TestAConditionThatRollsBackIsAutomatic(t *testing.T) {
	c := newCloud(t)
	alarm := func(missing string) {
		_, err := c.alarms.PutMetricAlarm(t.Context(), &cloudwatch.PutMetricAlarmInput{
			AlarmName: aws.String("errors"), Namespace: aws.String("shop"), MetricName: aws.String("errors"), Statistic: cwtypes.StatisticSum, Period: aws.Int32(60),
			EvaluationPeriods: aws.Int32(1), Threshold: aws.Float64(1), ComparisonOperator: cwtypes.ComparisonOperatorGreaterThanThreshold, TreatMissingData: &missing,
		})
		require.NoError(t, err)
		c.pass(settled)
	}
	c.upload("one")
	alarm("breaching")
	one := c.create(structure("line", prod(func(s *cptypes.StageDeclaration) {
		s.OnSuccess = &cptypes.SuccessConditions{Conditions: watching("errors")}
		s.OnSuccess.Conditions[0].Result = cptypes.ResultRollback
	})), on)
	c.pass(settled)
	d := c.get(one)
	assert.Equal(t, []any{deploy.Failed, "Failed", false}, []any{d.Status, d.Cause, d.Automatic}, "there is nothing to go back to")

	alarm("notBreaching")
	two := c.release("two")
	c.pass(settled)
	alarm("breaching")
	three := c.release("three")
	c.pass(settled)
	d = c.get(three)
	assert.Equal(t, []any{deploy.Failed, deploy.Revision(two), true}, []any{d.Status, d.From, d.Automatic})
	assert.Equal(t, deploy.Revision(two), c.get(d.RolledBack).To)
}

func TestWhatHasLeftTheStageHasSucceededInIt(t *testing.T) {
	c, one := shop(t, prod(), asking("Check"))
	two := c.release("two") // waits behind one, which waits for an answer
	c.pass(settled)
	three := c.release("three") // supersedes two there
	c.pass(moving)
	assert.Equal(t, deploy.Succeeded, c.get(two).Status, "another one has entered")
	c.pass(settled)
	c.answer("Check", cptypes.ApprovalStatusRejected)
	for _, id := range []deploy.ID{one, two, three} {
		d := c.get(id)
		assert.Equal(t, deploy.Succeeded, d.Status, id)
		require.ErrorIs(t, c.client.Stop(t.Context(), d), deploy.ErrEnded, id)
	}
	out, err := c.line.GetPipelineExecution(t.Context(), &codepipeline.GetPipelineExecutionInput{PipelineName: aws.String("line"), PipelineExecutionId: aws.String(string(three))})
	require.NoError(t, err)
	assert.Equal(t, cptypes.PipelineExecutionStatusInProgress, out.PipelineExecution.Status, "a later stage is another target")
	c.update(structure("line", prod(), asking("Check"))) // cancels it
	assert.Equal(t, deploy.Succeeded, c.get(three).Status)
	assert.True(t, c.live().Only(deploy.Revision(three)))
}

func TestWhatIsCancelledInTheStageHasStopped(t *testing.T) {
	c, one := shop(t)
	two := c.release("two")
	c.pass(moving)
	c.update(structure("line", prod()))
	d := c.get(two)
	assert.Equal(t, []any{deploy.Stopped, "Cancelled"}, []any{d.Status, d.Cause})
	three := c.release("three")
	c.pass(settled)
	assert.Equal(t, deploy.Stopped, c.get(two).Status)
	assert.Equal(t, deploy.Revision(one), c.get(three).From)
}

func TestAStageThatIsTriedAgainRunsAgain(t *testing.T) {
	c, one := shop(t, asking("Prod"))
	entered := c.get(one).Created
	assert.Zero(t, c.get(one).Shifted, "it deploys nothing, as far as is known")
	c.answer("Prod", cptypes.ApprovalStatusRejected)
	assert.Equal(t, deploy.Failed, c.get(one).Status)
	_, err := c.line.RetryStageExecution(t.Context(), &codepipeline.RetryStageExecutionInput{
		PipelineName: aws.String("line"), StageName: aws.String("Prod"), PipelineExecutionId: aws.String(string(one)), RetryMode: cptypes.StageRetryModeFailedActions,
	})
	require.NoError(t, err)
	c.pass(time.Minute)
	assert.Equal(t, deploy.InProgress, c.get(one).Status)
	c.answer("Prod", cptypes.ApprovalStatusApproved)
	d := c.get(one)
	assert.Equal(t, []any{deploy.Succeeded, entered, entered}, []any{d.Status, d.Created, d.Shifted})
}

func TestParallelExecutionsAreFound(t *testing.T) {
	c, _ := shop(t, asking("Prod"))
	c.answer("Prod", cptypes.ApprovalStatusApproved)
	parallel := structure("line", asking("Prod"))
	parallel.ExecutionMode = cptypes.ExecutionModeParallel
	c.update(parallel)
	two, three := c.start(), c.start()
	c.pass(time.Minute)
	for _, id := range []deploy.ID{two, three} {
		assert.Equal(t, deploy.InProgress, c.get(id).Status)
	}
	found, err := c.client.Active(t.Context(), []deploy.Target{target}, c.now())
	require.NoError(t, err)
	assert.Len(t, found, 2)
}
