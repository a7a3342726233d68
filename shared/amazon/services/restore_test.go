package services_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/host/ecstest"
	"github.com/pullback-dev/pullback/shared/amazon/services"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger/ledgertest"
)

func (s *stage) update(in *ecs.UpdateServiceInput) {
	s.t.Helper()
	in.Cluster, in.Service = aws.String(ecstest.Cluster), aws.String(ecstest.Service)
	ecstest.Must[*ecs.UpdateServiceOutput](s.t)(s.Tasks.UpdateService(s.t.Context(), in))
}

// alarm makes the alarm errors and sets it.
func (s *stage) alarm(state cwtypes.StateValue) {
	s.t.Helper()
	alarms := cloudwatch.NewFromConfig(s.Config)
	ecstest.Must[*cloudwatch.PutMetricAlarmOutput](s.t)(alarms.PutMetricAlarm(s.t.Context(), &cloudwatch.PutMetricAlarmInput{
		AlarmName: aws.String("errors"), Namespace: aws.String("shop"), MetricName: aws.String("errors"), Statistic: cwtypes.StatisticSum,
		Period: aws.Int32(60), EvaluationPeriods: aws.Int32(2), Threshold: aws.Float64(1), TreatMissingData: aws.String("ignore"),
		ComparisonOperator: cwtypes.ComparisonOperatorGreaterThanOrEqualToThreshold,
	}))
	ecstest.Must[*cloudwatch.SetAlarmStateOutput](s.t)(alarms.SetAlarmState(s.t.Context(), &cloudwatch.SetAlarmStateInput{
		AlarmName: aws.String("errors"), StateValue: state, StateReason: aws.String("test"),
	}))
}

func (s *stage) restore(to deploy.Revision) (deploy.ID, error) {
	return s.driver.Restore(s.t.Context(), deploy.Restore{Place: place, To: to, Attempt: 1})
}

// careful is a canary with all that takes its time: a bake, an alarm, and
// somebody who has to say yes.
func careful() *ecstypes.DeploymentConfiguration {
	c := canary()
	c.Alarms = &ecstypes.DeploymentAlarms{AlarmNames: []string{"errors"}, Enable: true, Rollback: true}
	c.LifecycleHooks = []ecstypes.DeploymentLifecycleHook{{
		TargetType: ecstypes.DeploymentLifecycleHookTargetTypePause, LifecycleStages: []ecstypes.DeploymentLifecycleHookStage{"POST_SCALE_UP"},
	}}
	return c
}

// bad is a service with canaries on which web:2 was deployed with the careful
// configuration, and turned out to be bad afterwards.
func bad(t *testing.T) *stage {
	t.Helper()
	s := serve(t, canary(), nil)
	s.alarm(cwtypes.StateValueOk)
	s.update(&ecs.UpdateServiceInput{DeploymentConfiguration: careful(), TaskDefinition: aws.String("web:2")})
	s.Advance(time.Minute)
	d := ecstest.Must[*ecs.DescribeServiceDeploymentsOutput](t)(s.Tasks.DescribeServiceDeployments(t.Context(), &ecs.DescribeServiceDeploymentsInput{
		ServiceDeploymentArns: []string{*s.Web().CurrentServiceDeployment},
	})).ServiceDeployments[0]
	ecstest.Must[*ecs.ContinueServiceDeploymentOutput](t)(s.Tasks.ContinueServiceDeployment(t.Context(), &ecs.ContinueServiceDeploymentInput{
		ServiceDeploymentArn: d.ServiceDeploymentArn, HookId: d.LifecycleHookDetails[0].HookId,
	}))
	s.settle()
	require.True(t, s.live().Only("web:2"))
	return s
}

func TestARollbackIsNotTriedOutAndTheServiceStaysAsItWas(t *testing.T) {
	s := bad(t)
	before := *s.Web().DeploymentConfiguration
	id, err := s.restore("web:1")
	require.NoError(t, err)
	s.Advance(20 * time.Second)
	s.alarm(cwtypes.StateValueAlarm) // web:2 makes trouble until the end
	assert.Empty(t, s.live().Stuck, "it is under way")
	require.ErrorIs(t, s.driver.Heal(t.Context(), s.live(), "web:1"), deploy.ErrBusy)

	s.Advance(40 * time.Second) // a canary would have taken ten minutes, a bake five, the pause a day
	assert.True(t, s.live().Only("web:1"), "%+v", s.live())
	s.settle()
	assert.Equal(t, deploy.Succeeded, s.get(id).Status)
	live := s.live()
	assert.True(t, live.Only("web:1"), "%+v", live)
	assert.Equal(t, "its deployment configuration is still that of a rollback", live.Stuck)
	assert.NotEqual(t, before, *s.Web().DeploymentConfiguration)

	require.NoError(t, s.driver.Heal(t.Context(), live, "web:1"))
	assert.Equal(t, before, *s.Web().DeploymentConfiguration)
	assert.Empty(t, s.live().Stuck)
	assert.Equal(t, []ecstypes.Tag{{Key: aws.String("pullback:enabled"), Value: aws.String("true")}}, s.Web().Tags)
	assert.Empty(t, s.listed("PENDING", "IN_PROGRESS"), "to put it back is no deployment")
	require.NoError(t, s.driver.Heal(t.Context(), live, "web:1"), "healed twice, because an answer was lost")
	assert.Equal(t, before, *s.Web().DeploymentConfiguration)
}

func TestAConfigurationThatSomebodyChangesInTheMeantimeIsTheirs(t *testing.T) {
	s := bad(t)
	_, err := s.restore("web:1")
	require.NoError(t, err)
	s.settle()
	s.update(&ecs.UpdateServiceInput{DeploymentConfiguration: &ecstypes.DeploymentConfiguration{Strategy: ecstypes.DeploymentStrategyLinear}})
	theirs := *s.Web().DeploymentConfiguration
	require.NoError(t, s.driver.Heal(t.Context(), s.live(), "web:1"))
	assert.Equal(t, theirs, *s.Web().DeploymentConfiguration)
	assert.Empty(t, s.live().Stuck)
}

func TestAConfigurationThatCouldNotBePutBackIsLeftAlone(t *testing.T) {
	s := bad(t)
	s.update(&ecs.UpdateServiceInput{DeploymentConfiguration: &ecstypes.DeploymentConfiguration{BakeTimeInMinutes: aws.Int32(1)}}) // no deployment has it
	before := *s.Web().DeploymentConfiguration
	id, err := s.restore("web:1")
	require.NoError(t, err)
	assert.Equal(t, before, *s.Web().DeploymentConfiguration)
	s.Advance(2 * time.Minute)
	assert.True(t, s.get(id).Running(), "it waits for somebody to say yes")
}

func TestASecondRollbackFindsTheConfigurationOfTheFirst(t *testing.T) {
	s := bad(t)
	before := *s.Web().DeploymentConfiguration
	for _, to := range []deploy.Revision{"web:1", "web:2"} {
		_, err := s.restore(to)
		require.NoError(t, err)
		s.settle()
		assert.True(t, s.live().Only(to))
	}
	require.NoError(t, s.driver.Heal(t.Context(), s.live(), "web:2"))
	assert.Equal(t, before, *s.Web().DeploymentConfiguration)
}

func TestAServiceWithoutCeremonyIsNotChanged(t *testing.T) {
	breaker := &ecstypes.DeploymentConfiguration{DeploymentCircuitBreaker: &ecstypes.DeploymentCircuitBreaker{Enable: true, Rollback: true}}
	s := serve(t, breaker, nil)
	s.deploy("web:2")
	s.settle()
	before := *s.Web().DeploymentConfiguration
	_, err := s.restore("web:1")
	require.NoError(t, err)
	assert.Equal(t, before, *s.Web().DeploymentConfiguration)
	s.settle()
	assert.Empty(t, s.live().Stuck)
	assert.Equal(t, []ecstypes.Tag{{Key: aws.String("pullback:enabled"), Value: aws.String("true")}}, s.Web().Tags)
}

func TestWhatIsToLeadAlreadyIsDeployedAgain(t *testing.T) {
	s := serve(t, nil, nil)
	id, err := s.restore("web:1")
	require.NoError(t, err)
	s.settle()
	d := s.get(id)
	assert.Equal(t, deploy.Succeeded, d.Status)
	assert.Equal(t, deploy.Revision("web:1"), d.From)
	assert.Equal(t, deploy.Revision("web:1"), d.To)
}

func TestARollbackThatCannotBeSaysWhy(t *testing.T) {
	s := serve(t, nil, nil)
	_, err := s.restore("web:3")
	require.ErrorIs(t, err, deploy.ErrNotReady)
	require.ErrorContains(t, err, "aws ecs register-task-definition")
	_, err = s.restore("web:99")
	require.ErrorIs(t, err, deploy.ErrUnknown)
	_, err = s.driver.Restore(t.Context(), deploy.Restore{Place: deploy.Place{Target: deploy.Target{Kind: deploy.KindService, Application: "none", Group: "web"}}, To: "web:1"})
	require.ErrorIs(t, err, deploy.ErrUnknown)

	id := s.deploy("web:2")
	_, err = s.restore("web:1")
	require.ErrorIs(t, err, deploy.ErrBusy)
	require.ErrorContains(t, err, string(id))
	assert.Equal(t, []deploy.ID{id}, s.listed("PENDING", "IN_PROGRESS"), "nothing was begun")
}

func TestARestoreIsTriedOnce(t *testing.T) {
	var calls []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		operation := r.Header.Get("X-Amz-Target")[len("AmazonEC2ContainerServiceV20141113."):]
		calls = append(calls, operation)
		switch operation {
		case "DescribeServices":
			_, _ = w.Write([]byte(`{"services":[{"serviceName":"web","status":"ACTIVE","taskDefinition":"arn:aws:ecs:us-east-1:123456789012:task-definition/web:2"}]}`))
		case "ListServiceDeployments":
			_, _ = w.Write([]byte(`{"serviceDeployments":[]}`))
		default:
			w.WriteHeader(http.StatusInternalServerError) // the SDK would try again
		}
	}))
	t.Cleanup(server.Close)
	client := ecs.New(ecs.Options{Region: ecstest.Region, BaseEndpoint: &server.URL, Credentials: aws.AnonymousCredentials{}})
	_, err := services.New(client, unasked{}, &ledgertest.Memory{}, ecstest.Account, ecstest.Region).Restore(t.Context(), deploy.Restore{Place: place, To: "web:1"})
	require.Error(t, err)
	assert.Equal(t, []string{"DescribeServices", "ListServiceDeployments", "UpdateService"}, calls)
}

func TestPagesThatDoNotEndAreGivenUp(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"clusterArns":["arn:aws:ecs:us-east-1:123456789012:cluster/main"],"serviceArns":[],"serviceDeployments":[],"nextToken":"again"}`))
	}))
	t.Cleanup(server.Close)
	c := services.New(ecs.New(ecs.Options{Region: ecstest.Region, BaseEndpoint: &server.URL, Credentials: aws.AnonymousCredentials{}}), unasked{}, &ledgertest.Memory{}, ecstest.Account, ecstest.Region)
	_, err := c.Recent(t.Context(), target, noon)
	require.ErrorContains(t, err, "do not end")
	_, err = c.History(t.Context(), place)
	require.ErrorContains(t, err, "do not end")
	_, _, err = c.Survey(t.Context(), "", 1000)
	require.ErrorContains(t, err, "do not end")
}
