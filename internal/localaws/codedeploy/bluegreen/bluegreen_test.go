package bluegreen_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/stretchr/testify/assert"

	"github.com/pullback-dev/pullback/internal/localaws/codedeploy/bluegreen"
)

func TestStepsEndWithAllTraffic(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		routing *cdtypes.TrafficRoutingConfig
		want    []bluegreen.Step
	}{
		"none":    {nil, []bluegreen.Step{{Percent: 100}}},
		"at once": {&cdtypes.TrafficRoutingConfig{Type: cdtypes.TrafficRoutingTypeAllAtOnce}, []bluegreen.Step{{Percent: 100}}},
		"canary": {
			&cdtypes.TrafficRoutingConfig{TimeBasedCanary: &cdtypes.TimeBasedCanary{CanaryPercentage: 10, CanaryInterval: 5}},
			[]bluegreen.Step{{10, 5 * time.Minute}, {Percent: 100}},
		},
		"linear that does not divide": {
			&cdtypes.TrafficRoutingConfig{TimeBasedLinear: &cdtypes.TimeBasedLinear{LinearPercentage: 40, LinearInterval: 1}},
			[]bluegreen.Step{{40, time.Minute}, {80, time.Minute}, {Percent: 100}},
		},
	} {
		assert.Equal(t, c.want, bluegreen.Steps(c.routing), name)
	}
}

func TestOnlyActionsOfThePairAreSplit(t *testing.T) {
	t.Parallel()
	pair := bluegreen.Pair{Blue: "b", Green: "g"}
	sticky := &elbtypes.TargetGroupStickinessConfig{Enabled: aws.Bool(true), DurationSeconds: aws.Int32(60)}
	other := elbtypes.Action{Type: "forward", TargetGroupArn: aws.String("other")}
	weights := func(blue, green int32, sticky *elbtypes.TargetGroupStickinessConfig) elbtypes.Action {
		return elbtypes.Action{Type: "forward", ForwardConfig: &elbtypes.ForwardActionConfig{
			TargetGroups: []elbtypes.TargetGroupTuple{
				{TargetGroupArn: aws.String("b"), Weight: aws.Int32(blue)}, {TargetGroupArn: aws.String("g"), Weight: aws.Int32(green)},
			},
			TargetGroupStickinessConfig: sticky,
		}}
	}
	split, ok := pair.Split([]elbtypes.Action{other, {Type: "forward", TargetGroupArn: aws.String("b")}}, 10)
	assert.True(t, ok)
	assert.Equal(t, []elbtypes.Action{other, weights(90, 10, nil)}, split)
	split, ok = pair.Split([]elbtypes.Action{weights(0, 100, sticky)}, 0)
	assert.True(t, ok)
	assert.Equal(t, []elbtypes.Action{weights(100, 0, sticky)}, split)
	_, ok = pair.Split([]elbtypes.Action{other}, 10)
	assert.False(t, ok)
	switched, ok := pair.Switch([]elbtypes.Action{{Type: "forward", TargetGroupArn: aws.String("b")}}, true)
	assert.True(t, ok)
	assert.Equal(t, []elbtypes.Action{{Type: "forward", ForwardConfig: &elbtypes.ForwardActionConfig{
		TargetGroups: []elbtypes.TargetGroupTuple{{TargetGroupArn: aws.String("g")}},
	}}}, switched)
	assert.True(t, bluegreen.Serves([]elbtypes.Action{weights(90, 10, nil)}, "g"))
	assert.False(t, bluegreen.Serves([]elbtypes.Action{weights(100, 0, nil)}, "g"))
	assert.True(t, bluegreen.Serves([]elbtypes.Action{other}, "other"))
}
