package portable_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/infra/portable"
)

// resources is what becomes of small.
const resources = `{
  "LedgerB7379752": {"Type": "AWS::DynamoDB::Table", "Properties": {"BillingMode": "PAY_PER_REQUEST"}, "DeletionPolicy": "Retain", "Condition": "MakesLedger"},
  "Configuration": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": {"Ref": "PullbackYAML"}}, "Condition": "HasPullbackYAML"},
  "BusPolicy": {"Type": "AWS::Events::EventBusPolicy", "Condition": "HasAccounts", "Properties": {"StatementId": "accounts", "Statement": {
   "Sid": "accounts", "Effect": "Allow", "Action": "events:PutEvents", "Principal": {"AWS": {"Ref": "Accounts"}}}}},
  "routerlog": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "/aws/lambda/router", "RetentionInDays": {"Ref": "LogRetentionDays"}}},
  "router": {"Type": "AWS::Lambda::Function", "Metadata": {"pullback:function": "alarmrouter"}, "Properties": {
   "Code": {"S3Bucket": {"Ref": "AssetsBucket"}, "S3Key": {"Fn::Join": ["", [{"Ref": "AssetsPrefix"}, "alarmrouter-1.zip"]]}},
   "Environment": {"Variables": {"PULLBACK_CONFIG": {"Fn::If": ["HasPullbackYAML", {"Ref": "Configuration"}, ""]}, "PULLBACK_HUB": {"Ref": "Hub"}, "PULLBACK_MODE": {"Ref": "Mode"},
    "PULLBACK_TABLE": {"Fn::If": ["MakesLedger", {"Ref": "LedgerB7379752"}, {"Ref": "ExistingLedger"}]}}},
   "ReservedConcurrentExecutions": {"Fn::If": ["HasRouterReserved", {"Ref": "RouterReserved"}, {"Ref": "AWS::NoValue"}]}}},
  "rollbacker": {"Type": "AWS::Lambda::Function", "Metadata": {"pullback:function": "rollbacker"}, "Properties": {
   "Code": {"S3Bucket": {"Ref": "AssetsBucket"}, "S3Key": {"Fn::Join": ["", [{"Ref": "AssetsPrefix"}, "rollbacker-2.zip"]]}},
   "Environment": {"Variables": {"PULLBACK_CONFIG": {"Fn::If": ["HasPullbackYAML", {"Ref": "Configuration"}, ""]}, "PULLBACK_HUB": {"Ref": "Hub"}, "PULLBACK_MODE": {"Ref": "Mode"},
    "PULLBACK_TABLE": {"Fn::If": ["MakesLedger", {"Ref": "LedgerB7379752"}, {"Ref": "ExistingLedger"}]}}},
   "ReservedConcurrentExecutions": {"Fn::If": ["HasRollbackerReserved", {"Ref": "RollbackerReserved"}, {"Ref": "AWS::NoValue"}]}}},
  "policy": {"Type": "AWS::IAM::Policy", "Properties": {"PolicyDocument": {"Version": "2012-10-17", "Statement": [
   {"Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": {"Fn::If": ["MakesLedger", {"Fn::GetAtt": ["LedgerB7379752", "Arn"]},
    {"Fn::Sub": "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${ExistingLedger}"}]}},
   {"Fn::If": ["HasPullbackYAML", {"Effect": "Allow", "Action": "ssm:GetParameter", "Resource": {"Fn::Join": ["", ["arn:parameter/", {"Ref": "Configuration"}]]}}, {"Ref": "AWS::NoValue"}]},
   {"Fn::If": ["HasHub", {"Effect": "Allow", "Action": "events:PutEvents", "Resource": {"Ref": "Hub"}}, {"Ref": "AWS::NoValue"}]},
   {"Fn::If": ["HasPeers", {"Effect": "Allow", "Action": "events:PutEvents", "Resource": {"Ref": "Peers"}}, {"Ref": "AWS::NoValue"}]}]}}}
 }`

const conditions = `{
  "MakesLedger": {"Fn::Equals": [{"Ref": "ExistingLedger"}, ""]},
  "HasPullbackYAML": {"Fn::Not": [{"Fn::Equals": [{"Ref": "PullbackYAML"}, ""]}]},
  "HasHub": {"Fn::Not": [{"Fn::Equals": [{"Ref": "Hub"}, ""]}]},
  "HasAccounts": {"Fn::Not": [{"Fn::Equals": [{"Fn::Join": ["", {"Ref": "Accounts"}]}, ""]}]},
  "HasPeers": {"Fn::Not": [{"Fn::Equals": [{"Fn::Join": ["", {"Ref": "Peers"}]}, ""]}]},
  "HasRouterReserved": {"Fn::Not": [{"Fn::Equals": [{"Ref": "RouterReserved"}, 0]}]},
  "HasRollbackerReserved": {"Fn::Not": [{"Fn::Equals": [{"Ref": "RollbackerReserved"}, 0]}]}
 }`

func TestChoicesOfAnAppBecomeParameters(t *testing.T) {
	t.Parallel()
	got := made(t, small)
	assert.Equal(t, parsed(t, resources), got["Resources"])
	assert.Equal(t, parsed(t, conditions), got["Conditions"])
	assert.Equal(t, parsed(t, `{
	 "ConfigurationParameter": {"Value": {"Ref": "Configuration"}, "Condition": "HasPullbackYAML"},
	 "LedgerTable": {"Value": {"Fn::If": ["MakesLedger", {"Ref": "LedgerB7379752"}, {"Ref": "ExistingLedger"}]}}}`), got["Outputs"])
	assert.Equal(t, map[string]any{
		"AssetsBucket": nil, "AssetsPrefix": "pullback/v1/", "Mode": "enforce", "PullbackYAML": "", "ExistingLedger": "",
		"LogRetentionDays": 365.0, "RouterReserved": 10.0, "RollbackerReserved": 10.0, "Hub": "", "Accounts": "", "Peers": "",
	}, defaults(got))
}

// A hub has no hub.
func TestAHubsTemplateDoesNotAskForAHub(t *testing.T) {
	t.Parallel()
	got := made(t, strings.NewReplacer(`["`+portable.Hub+`", "`+portable.Peer+`"]`, `"`+portable.Peer+`"`, portable.Hub, "").Replace(small))
	assert.NotContains(t, defaults(got), "Hub")
	assert.NotContains(t, got["Conditions"], "HasHub")
	functions, _ := got["Resources"].(map[string]any)
	assert.Contains(t, functions, "router")
	assert.NotContains(t, defaults(got), "HasHub")
}

// defaults returns the defaults of all parameters; nil where a value has to be given.
func defaults(template map[string]any) map[string]any {
	out := map[string]any{}
	all, _ := template["Parameters"].(map[string]any)
	for name, p := range all {
		one, _ := p.(map[string]any)
		out[name] = one["Default"]
	}
	return out
}

func TestEveryParameterIsShownOnceUnderAHeadingAndTheVersionIsSaid(t *testing.T) {
	t.Parallel()
	got := made(t, small)
	metadata, _ := got["Metadata"].(map[string]any)
	assert.Equal(t, map[string]any{"version": "v1"}, metadata["pullback"])
	assert.Equal(t, "pullback v1: takes bad deployments back.", got["Description"])
	assert.Equal(t, parsed(t, `{"ParameterGroups": [
	 {"Label": {"default": "Where the code is"}, "Parameters": ["AssetsBucket", "AssetsPrefix"]},
	 {"Label": {"default": "What pullback does"}, "Parameters": ["Mode", "PullbackYAML", "ExistingLedger"]},
	 {"Label": {"default": "What it takes"}, "Parameters": ["LogRetentionDays", "RouterReserved", "RollbackerReserved"]},
	 {"Label": {"default": "Fleet"}, "Parameters": ["Hub", "Accounts", "Peers"]}]}`), metadata["AWS::CloudFormation::Interface"])
}

func TestWhatHasNoParameterIsRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ old, new, want string }{
		"parameters of cdk bootstrap": {`{
 "Resources"`, `{"Parameters": {"BootstrapVersion": {"Type": "String"}}, "Resources"`, `the synthesized template has parameters ["BootstrapVersion"] and 0 rules of its own: synthesize it without those for cdk bootstrap`},
		"an unknown section":        {`"Outputs"`, `"Transform": "x", "Outputs"`, `read the synthesized template: json: unknown field "Transform"`},
		"code that nobody has":      {`"pullback:function": "rollbacker"`, `"pullback:function": "other"`, "no file for the code of rollbacker (\"other\")\nexecutions are set aside for [\"\" \"RouterReserved\"], and not for [\"RollbackerReserved\" \"RouterReserved\"]"},
		"another configuration":     {`"Value": "apiVersion`, `"Value": "# mine\napiVersion`, `Configuration is "# mine\napiVersion: pullback.dev/v1\npeers: [arn:aws:events:us-east-1:000000000000:event-bus/peer]\n", and not "apiVersion: pullback.dev/v1\npeers: [arn:aws:events:us-east-1:000000000000:event-bus/peer]\n", for which a parameter stands`},
		"another account":           {":iam::000000000000:root", ":iam::111111111111:root", "BusPolicy000000000000 lets in other accounts than 000000000000, for which a parameter stands"},
		"a table that is there":     {`"AWS::DynamoDB::Table"`, `"AWS::DynamoDB::GlobalTable"`, "the synthesized template has 0 of AWS::DynamoDB::Table, and not one: []"},
		"no variable for a setting": {`"PULLBACK_MODE": "enforce", `, "", "rollbacker has no variable PULLBACK_MODE"},
		"an asset that is no code":  {`"BillingMode": "PAY_PER_REQUEST"`, `"BillingMode": "cdk-hnb659fds"`, `the template still says "cdk-hnb659fds": it was synthesized with something that has no parameter`},
		"nobody who writes to buses": {
			`"Resource": ["arn:aws:events:us-east-1:000000000000:event-bus/hub", "arn:aws:events:us-east-1:000000000000:event-bus/peer"]`, `"Resource": "*"`,
			"nothing may write to the buses for which parameters stand: synthesize with this package's Hub and Configuration",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Contains(t, small, c.old)
			_, err := portable.Template([]byte(strings.ReplaceAll(small, c.old, c.new)), portable.Release{Version: "v1", Zips: zips()})
			require.EqualError(t, err, c.want)
		})
	}
}

func TestTheSameFilesMakeTheSameZip(t *testing.T) {
	t.Parallel()
	one := fstest.MapFS{"bootstrap": {Data: []byte("code"), Mode: 0o600}, "a/b": {Data: []byte("more")}}
	first, err := portable.Zip(one)
	require.NoError(t, err)
	again, err := portable.Zip(fstest.MapFS{"a/b": {Data: []byte("more"), Mode: 0o777}, "bootstrap": {Data: []byte("code"), ModTime: one["bootstrap"].ModTime.AddDate(1, 0, 0)}})
	require.NoError(t, err)
	assert.Equal(t, first, again)
	assert.Equal(t, "rollbacker-"+portable.Sum(first)+".zip", portable.ZipName("rollbacker", first))
	one["bootstrap"].Data = []byte("other")
	other, err := portable.Zip(one)
	require.NoError(t, err)
	assert.NotEqual(t, portable.ZipName("rollbacker", first), portable.ZipName("rollbacker", other))
}

// TestTheDocsNameTheParameters holds the table in docs/template.md to what there is.
func TestTheDocsNameTheParameters(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("../../docs/template.md")
	require.NoError(t, err)
	named := map[string]any{}
	for _, row := range regexp.MustCompile("(?m)^\\| `([A-Za-z]+)` \\| (?:`([^`]+)`)? ?\\|").FindAllStringSubmatch(string(doc), -1) {
		named[row[1]] = strings.Replace(row[2], "VERSION", "v1", 1)
	}
	want := map[string]any{}
	for name, v := range defaults(made(t, small)) {
		if want[name] = fmt.Sprint(v); v == nil {
			want[name] = ""
		}
	}
	assert.Equal(t, want, named)
}
