package stack_test

import (
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/demo"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// TestEveryCallOfTheDemoIsAllowed compares what the functions call with what
// their roles allow: the local AWS lets everybody do everything, AWS does not.
func TestEveryCallOfTheDemoIsAllowed(t *testing.T) {
	if testing.Short() {
		t.Skip("the demo takes many seconds")
	}
	const dist = "../../dist/local"
	for _, made := range []string{synthesized, dist} {
		if _, err := os.Stat(made); err != nil {
			t.Skipf("the demo is not built (make build synth builds it): %v", err)
		}
	}
	seen := calls{folders: folderOfName(t), actions: make(map[string]map[string]bool)}
	_, err := demo.Run(t.Context(), demo.Options{Template: synthesized, Dist: dist, Seed: 1, Trail: seen.note})
	require.NoError(t, err)

	unused := make(map[string][]string)
	for folder, lines := range readTemplate(t).granted(t) {
		allowed := make(map[string]bool)
		for _, l := range lines {
			action, _, _ := strings.Cut(l, " on ")
			allowed[action] = true
		}
		require.NotEmpty(t, seen.actions[folder], folder)
		for action := range seen.actions[folder] {
			assert.True(t, allowed[action], "%s calls %s, which its role does not allow", folder, action)
		}
		for _, action := range slices.Sorted(maps.Keys(allowed)) {
			if !seen.actions[folder][action] {
				unused[folder] = append(unused[folder], action)
			}
		}
	}
	assert.Equal(t, withoutReasons(notInTheDemo()), unused, "what is allowed must be used in the demo, or be listed with the reason")
}

// calls is what functions called, as IAM's actions by the function's folder.
type calls struct {
	folders map[string]string // by the function's name on AWS
	actions map[string]map[string]bool
}

func (c calls) note(e wire.Entry) {
	// arn:aws:sts::ACCOUNT:assumed-role/ROLE/FUNCTION
	folder, ours := c.folders[path.Base(e.Principal.ARN)]
	if !ours || !strings.Contains(e.Principal.ARN, ":assumed-role/") {
		return
	}
	if c.actions[folder] == nil {
		c.actions[folder] = make(map[string]bool)
	}
	for _, action := range actions(e) {
		c.actions[folder][action] = true
	}
}

// notInTheDemo returns what functions may do but do not do in the demo, and
// why they may.
func notInTheDemo() map[string]map[string]string {
	const (
		lambdas   = "Lambda does it in the function's name; the local AWS's Lambda needs no role"
		authority = "CodeDeploy wants it of whoever calls CreateDeployment"
	)
	logs := map[string]string{"logs:CreateLogGroup": lambdas, "logs:CreateLogStream": lambdas, "logs:PutLogEvents": lambdas}
	hook := merge(logs, map[string]string{"sqs:GetQueueAttributes": lambdas, "sqs:GetQueueUrl": lambdas, "sqs:SendMessage": lambdas})
	reader := merge(logs, map[string]string{
		"sqs:ChangeMessageVisibility": lambdas, "sqs:DeleteMessage": lambdas, "sqs:GetQueueAttributes": lambdas,
		"sqs:GetQueueUrl": lambdas, "sqs:ReceiveMessage": lambdas,
	})
	return map[string]map[string]string{
		"pretraffic":  hook,
		"posttraffic": hook,
		"alarmrouter": merge(reader, map[string]string{
			"dynamodb:DeleteItem": "removes an alarm from the index that a group does not name any more",
			"sns:Publish":         "says that a target is held because there is no way back",
		}),
		"rollbacker": merge(reader, map[string]string{
			"codedeploy:CreateDeployment":            "restores what CodeDeploy did not roll back",
			"codedeploy:GetApplicationRevision":      authority,
			"codedeploy:GetDeploymentConfig":         authority,
			"codedeploy:RegisterApplicationRevision": authority,
			"codedeploy:UpdateDeploymentGroup":       authority + " with an override of the group's alarms",
			"lambda:GetFunctionConfiguration":        "asks whether that revision could serve",
			"lambda:UpdateAlias":                     "heals an alias that a stopped deployment left split",
		}),
	}
}

func merge(a, b map[string]string) map[string]string {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

func withoutReasons(listed map[string]map[string]string) map[string][]string {
	actions := make(map[string][]string)
	for folder, reasons := range listed {
		actions[folder] = slices.Sorted(maps.Keys(reasons))
	}
	return actions
}

// folderOfName returns the functions' folders by their names on AWS.
func folderOfName(t *testing.T) map[string]string {
	t.Helper()
	x := readTemplate(t)
	folders := make(map[string]string)
	for folder, id := range x.functions(t) {
		folders[text(t, x.Resources[id].Properties["FunctionName"])] = folder
	}
	return folders
}

// actions returns the IAM actions that allow a call.
func actions(e wire.Entry) []string {
	service, operation := e.Service, e.Operation
	switch {
	case service == "monitoring":
		service = "cloudwatch"
	case service == "lambda" && operation == "Invoke":
		operation = "InvokeFunction"
	case operation == "TransactWriteItems":
		return writes(e.Input)
	}
	return []string{service + ":" + operation}
}

// writes returns the actions of a transaction: one for each kind of write.
func writes(in any) []string {
	transaction, ok := in.(*dynamodb.TransactWriteItemsInput)
	if !ok {
		return []string{"dynamodb:TransactWriteItems"}
	}
	var all []string
	for _, i := range transaction.TransactItems {
		switch {
		case i.Put != nil:
			all = append(all, "dynamodb:PutItem")
		case i.Update != nil:
			all = append(all, "dynamodb:UpdateItem")
		case i.Delete != nil:
			all = append(all, "dynamodb:DeleteItem")
		default:
			all = append(all, "dynamodb:ConditionCheckItem")
		}
	}
	return all
}
