package wire_test

import (
	"reflect"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/wire/wiretest"
)

const modules = "github.com/aws/aws-sdk-go-v2/service/"

// everything makes a service of all operations that the SDK's client has.
func everything(svc wire.Service, client any, except ...string) wire.Service {
	t := reflect.TypeOf(client)
	for m := range t.Methods() {
		if m.Type.NumIn() != 4 || m.Type.NumOut() != 2 || slices.Contains(except, m.Name) {
			continue
		}
		svc.Operations = append(svc.Operations, wire.OpOf(m.Name, m.Type.In(2).Elem(), m.Type.Out(0).Elem()))
	}
	return svc
}

func TestEveryOperationOfTheSDKIsReadAndWrittenAsTheSDKDoes(t *testing.T) {
	t.Run("codedeploy", func(t *testing.T) {
		wiretest.Snapshots(t, everything(wire.Service{
			Name: "codedeploy", Protocol: wire.JSON11, Target: "CodeDeploy_20141006", Style: wire.Camel,
		}, &codedeploy.Client{}), modules+"codedeploy")
	})
	t.Run("events", func(t *testing.T) {
		wiretest.Snapshots(t, everything(wire.Service{
			Name: "events", Protocol: wire.JSON11, Target: "AWSEvents", Style: wire.Pascal,
		}, &eventbridge.Client{}), modules+"eventbridge")
	})
	t.Run("monitoring", func(t *testing.T) {
		wiretest.Snapshots(t, everything(wire.Service{
			Name: "monitoring", Protocol: wire.JSON10, Target: "GraniteServiceVersion20100801", Style: wire.Pascal,
		}, &cloudwatch.Client{}), modules+"cloudwatch")
	})
	t.Run("sqs", func(t *testing.T) {
		wiretest.Snapshots(t, everything(wire.Service{
			Name: "sqs", Protocol: wire.JSON10, Target: "AmazonSQS", Style: wire.Pascal,
		}, &sqs.Client{}), modules+"sqs")
	})
	t.Run("dynamodb", func(t *testing.T) {
		wiretest.Snapshots(t, everything(wire.Service{
			Name: "dynamodb", Protocol: wire.JSON10, Target: "DynamoDB_20120810", Style: wire.Pascal,
		}, &dynamodb.Client{}), modules+"dynamodb")
	})
	t.Run("ssm", func(t *testing.T) {
		wiretest.Snapshots(t, everything(wire.Service{
			Name: "ssm", Protocol: wire.JSON11, Target: "AmazonSSM", Style: wire.Pascal,
		}, &ssm.Client{},
			// Their unions are not registered; nothing in the local AWS implements them.
			"CreateCloudConnector", "GetCloudConnector", "UpdateCloudConnector", "ListNodes",
			"StartExecutionPreview", "GetExecutionPreview"), modules+"ssm")
	})
	for name, svc := range map[string]wire.Service{
		"sns": everything(wire.Service{Name: "sns", Protocol: wire.Query, Version: "2010-03-31", Style: wire.Pascal}, &sns.Client{}),
		"sts": everything(wire.Service{Name: "sts", Protocol: wire.Query, Version: "2011-06-15", Style: wire.Pascal}, &sts.Client{}),
	} {
		t.Run(name, func(t *testing.T) {
			wiretest.Snapshots(t, svc, modules+name)
			wiretest.Answers(t, svc)
		})
	}
}
