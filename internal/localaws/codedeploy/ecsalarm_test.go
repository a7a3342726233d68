package codedeploy_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	sdk "github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	localcloudwatch "github.com/pullback-dev/pullback/internal/localaws/cloudwatch"
	"github.com/pullback-dev/pullback/internal/localaws/elbv2"
	"github.com/pullback-dev/pullback/internal/localaws/traffic"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// Requests of users go through the listener to the tasks, those of the new
// revision fail, the load balancer counts it, the alarm sees it, CodeDeploy
// stops and takes the traffic back.
func TestUsersOfABadRevisionSetOffTheAlarmThatTakesItBack(t *testing.T) {
	t.Parallel()
	f := newFleet(t, layout{monitoring: func(f *fleet) wire.Service { return localcloudwatch.New(f.w, f.mux).Wire() }})
	path := f.prod[len("arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/"):]
	_, err := cloudwatch.NewFromConfig(f.config).PutMetricAlarm(t.Context(), &cloudwatch.PutMetricAlarmInput{
		AlarmName: aws.String("errors"), Namespace: aws.String("AWS/ApplicationELB"), MetricName: aws.String("HTTPCode_Target_5XX_Count"),
		Dimensions: []cwtypes.Dimension{{Name: aws.String("LoadBalancer"), Value: aws.String(path[:len(path)-len("/0123456789abcdef")])}},
		Statistic:  cwtypes.StatisticSum, Period: aws.Int32(60), EvaluationPeriods: aws.Int32(1), Threshold: aws.Float64(5),
		ComparisonOperator: cwtypes.ComparisonOperatorGreaterThanOrEqualToThreshold, TreatMissingData: aws.String("notBreaching"),
	})
	require.NoError(t, err)
	f.group(onAny)
	f.advance(2 * time.Minute)
	f.w.Lock()
	users := traffic.Start(f.w, &traffic.Listener{
		World: f.w, Balancer: f.elb, Label: func(r elbv2.Route) string { return f.ecs.Revision(*r.Target.Id) },
		Behaviours: map[string]traffic.Behaviour{"web:2": {Failures: 0.5, Took: 80 * time.Millisecond}},
	}, traffic.Options{Function: f.prod, PerSecond: 10})
	f.w.Unlock()
	f.advance(time.Minute)
	id := f.deploy(f.file(2))
	f.advance(20 * time.Minute)
	f.w.Lock()
	users.Stop()
	seen := users.Summary()
	f.w.Unlock()

	d := f.get(id)
	assert.Equal(t, []any{cdtypes.DeploymentStatusStopped, cdtypes.ErrorCodeAlarmActive}, []any{d.Status, d.ErrorInformation.Code})
	back := f.get(*d.RollbackInfo.RollbackDeploymentId)
	assert.Equal(t, cdtypes.DeploymentStatusSucceeded, back.Status)
	assert.Equal(t, "blue 100, green 0", f.weights(f.prod))
	assert.Equal(t, []string{"PRIMARY web:1 2"}, f.running())

	require.Len(t, seen.ByVersion, 2, "%v", seen.ByVersion)
	good, bad := seen.ByVersion[0], seen.ByVersion[1]
	assert.Equal(t, []string{"web:1", "web:2"}, []string{good.Version, bad.Version})
	assert.Zero(t, good.Failed)
	assert.InDelta(t, bad.Total/2, bad.Failed, 15)
	assert.False(t, seen.LastFailure.After(*back.CompleteTime), "nobody sees the bad revision after the rollback")
	assert.Less(t, d.CompleteTime.Sub(seen.FirstFailure), 2*time.Minute)
	_, err = f.deployments.GetDeploymentTarget(t.Context(), &sdk.GetDeploymentTargetInput{DeploymentId: &id, TargetId: aws.String("shop:api")})
	require.ErrorContains(t, err, "DeploymentTargetDoesNotExistException")
}
