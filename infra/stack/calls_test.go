package stack_test

import (
	"os"
	"path"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/demo"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// TestEveryCallOfTheDemoIsAllowed compares what the functions call with what
// their roles allow by a second reading of the calls: the local AWS, which
// refuses what is not allowed, could be wrong about the same thing. That nothing is
// allowed in vain is for the scenarios to show.
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
	}
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
