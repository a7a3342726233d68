package codedeploy_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	sdk "github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/stretchr/testify/assert"
)

func TestTriggersTellTopics(t *testing.T) {
	t.Parallel()
	b := withGroup(t, func(in *sdk.CreateDeploymentGroupInput) {
		onAlarm(in)
		in.TriggerConfigurations = []cdtypes.TriggerConfig{{
			TriggerName: aws.String("all"), TriggerTargetArn: aws.String(topic), TriggerEvents: []cdtypes.TriggerEventType{
				"DeploymentStart", "DeploymentSuccess", "DeploymentFailure", "DeploymentStop", "DeploymentRollback",
			},
		}}
	})
	quietAlarms(b)
	b.alarms["errors"] = cwtypes.StateValueAlarm
	id := b.deploy(input(bare("1", "2")))
	b.advance(time.Hour)
	back := b.list()[1]
	head := func(of string) string {
		return `{"region":"us-east-1","accountId":"123456789012","eventTriggerName":"all","applicationName":"shop","deploymentId":"` + of +
			`","deploymentGroupName":"checkout",`
	}
	origin := `,"rollbackInformation":{"RollbackMessage":"Deployment ` + back + ` is triggered to roll back deployment ` + id +
		`.","RollbackTriggeringDeploymentId":"` + id + `"}}`
	const one = `"Failed":"0","InProgress":"0","Pending":"0","Skipped":"0","Succeeded":"1"`
	assert.Equal(t, []string{
		"Created: AWS CodeDeploy " + id + " in us-east-1 to shop\n" +
			head(id) + `"createTime":"1767603600.000","completeTime":null,"status":"Created"}`,
		"Stopped: AWS CodeDeploy " + id + " in us-east-1 to shop\n" +
			head(id) + `"createTime":"1767603600.000","completeTime":"1767603601.700",` +
			`"deploymentOverview":{"Failed":"1","InProgress":"0","Pending":"0","Skipped":"0","Succeeded":"0"},"status":"Stopped",` +
			`"errorInformation":{"ErrorCode":"ALARM_ACTIVE","ErrorMessage":"` + stoppedByAlarm + `<errors>"}}`,
		"Created: AWS CodeDeploy " + back + " in us-east-1 to shop\n" +
			head(back) + `"createTime":"1767603602.200","completeTime":null,"status":"Created"` + origin,
		"InProgress: AWS CodeDeploy " + back + " in us-east-1 to shop\n" +
			head(back) + `"createTime":"1767603602.200","completeTime":null,"status":"InProgress"` + origin,
		"Succeeded: AWS CodeDeploy " + back + " in us-east-1 to shop\n" +
			head(back) + `"createTime":"1767603602.200","completeTime":"1767603606.700","deploymentOverview":{` + one + `},"status":"Succeeded"` + origin,
	}, b.messages)
}

func TestEventsAreThoseOfTheUserGuide(t *testing.T) {
	t.Parallel()
	b := withGroup(t, nil)
	id := b.deploy(input(bare("1", "2")))
	b.advance(time.Hour)
	group := do[sdk.GetDeploymentGroupOutput](b, "GetDeploymentGroup", &sdk.GetDeploymentGroupInput{
		ApplicationName: aws.String(app), DeploymentGroupName: aws.String(grp),
	}).DeploymentGroupInfo
	event := func(state, at string) map[string]any {
		return map[string]any{
			"source": "aws.codedeploy", "detail-type": "CodeDeploy Deployment State-change Notification", "principal": "codedeploy.amazonaws.com",
			"time": at,
			"resources": []string{
				"arn:aws:codedeploy:us-east-1:123456789012:application:shop",
				"arn:aws:codedeploy:us-east-1:123456789012:deploymentgroup:shop/checkout",
			},
			"detail": map[string]any{
				"instanceGroupId": *group.DeploymentGroupId, "region": "us-east-1", "application": "shop",
				"deploymentId": id, "state": state, "deploymentGroup": "checkout",
			},
		}
	}
	assert.Equal(t, []map[string]any{event("QUEUED", "500ms"), event("START", "1s"), event("SUCCESS", "5m4.5s")}, b.events)
}
