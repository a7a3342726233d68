package portable_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/infra/portable"
)

// small is what the CDK would write of a control plane with two functions.
const small = `{
 "Resources": {
  "LedgerB7379752": {"Type": "AWS::DynamoDB::Table", "Properties": {"BillingMode": "PAY_PER_REQUEST"}, "DeletionPolicy": "Retain"},
  "Configuration": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": "apiVersion: pullback.dev/v1\npeers: [arn:aws:events:us-east-1:000000000000:event-bus/peer]\n"}},
  "BusPolicy000000000000": {"Type": "AWS::Events::EventBusPolicy", "Properties": {"StatementId": "account-000000000000", "Statement": {
   "Sid": "account-000000000000", "Effect": "Allow", "Action": "events:PutEvents",
   "Principal": {"AWS": {"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, ":iam::000000000000:root"]]}}}}},
  "routerlog": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "/aws/lambda/router", "RetentionInDays": 365}},
  "router": {"Type": "AWS::Lambda::Function", "Metadata": {"pullback:function": "alarmrouter"}, "Properties": {
   "Code": {"S3Bucket": {"Fn::Sub": "cdk-hnb659fds-assets-${AWS::AccountId}-${AWS::Region}"}, "S3Key": "a.zip"},
   "Environment": {"Variables": {"PULLBACK_CONFIG": {"Ref": "Configuration"}, "PULLBACK_HUB": "arn:aws:events:us-east-1:000000000000:event-bus/hub", "PULLBACK_MODE": "enforce", "PULLBACK_TABLE": {"Ref": "LedgerB7379752"}}},
   "ReservedConcurrentExecutions": 10}},
  "rollbacker": {"Type": "AWS::Lambda::Function", "Metadata": {"pullback:function": "rollbacker"}, "Properties": {
   "Code": {"S3Bucket": {"Fn::Sub": "cdk-hnb659fds-assets-${AWS::AccountId}-${AWS::Region}"}, "S3Key": "b.zip"},
   "Environment": {"Variables": {"PULLBACK_CONFIG": {"Ref": "Configuration"}, "PULLBACK_HUB": "", "PULLBACK_MODE": "enforce", "PULLBACK_TABLE": {"Ref": "LedgerB7379752"}}},
   "ReservedConcurrentExecutions": 10}},
  "policy": {"Type": "AWS::IAM::Policy", "Properties": {"PolicyDocument": {"Version": "2012-10-17", "Statement": [
   {"Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": {"Fn::GetAtt": ["LedgerB7379752", "Arn"]}},
   {"Effect": "Allow", "Action": "ssm:GetParameter", "Resource": {"Fn::Join": ["", ["arn:parameter/", {"Ref": "Configuration"}]]}},
   {"Effect": "Allow", "Action": "events:PutEvents", "Resource": ["arn:aws:events:us-east-1:000000000000:event-bus/hub", "arn:aws:events:us-east-1:000000000000:event-bus/peer"]}]}}}
 },
 "Outputs": {"ConfigurationParameter": {"Value": {"Ref": "Configuration"}}, "LedgerTable": {"Value": {"Ref": "LedgerB7379752"}}}
}`

func zips() map[string]string {
	return map[string]string{"alarmrouter": "alarmrouter-1.zip", "rollbacker": "rollbacker-2.zip"}
}

// made is the template of version v1 that is made of another.
func made(t *testing.T, text string) map[string]any {
	t.Helper()
	out, err := portable.Template([]byte(text), portable.Release{Version: "v1", Zips: zips()})
	require.NoError(t, err)
	return parsed(t, string(out))
}

func parsed(t *testing.T, text string) map[string]any {
	t.Helper()
	var v map[string]any
	require.NoError(t, json.Unmarshal([]byte(text), &v))
	return v
}
