package crash_test

import (
	"encoding/json"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/shared/ledger"
)

// trail is what the endpoint saw: the effects that were asked for, and those
// of them for which no reason was on record at that moment.
type trail struct {
	armed    bool
	effects  []string // that took effect
	baseless []string // asked for without a record of the decision and of the intent
	decided  bool
	intent   string // of the newest record; empty if that is no intent
}

// note is called for every call over HTTP, in order. What services do among
// themselves, as CodeDeploy's rollback, is not in it.
func (t *trail) note(e wire.Entry) {
	if in, ok := e.Input.(*dynamodb.TransactWriteItemsInput); ok && e.Error == nil {
		t.read(in)
		return
	}
	api := e.Service + ":" + e.Operation
	if !t.armed || !slices.Contains([]string{"codedeploy:StopDeployment", "codedeploy:CreateDeployment", "lambda:UpdateAlias"}, api) {
		return
	}
	if !t.decided || t.intent != api {
		t.baseless = append(t.baseless, api)
	}
	if e.Error == nil {
		t.effects = append(t.effects, api)
	}
}

// read finds the records in what is written to the ledger.
func (t *trail) read(in *dynamodb.TransactWriteItemsInput) {
	for _, w := range in.TransactItems {
		if w.Put == nil {
			continue
		}
		doc, ok := w.Put.Item["doc"].(*ddbtypes.AttributeValueMemberS)
		var r ledger.Record
		if !ok || json.Unmarshal([]byte(doc.Value), &r) != nil || r.Hash == "" {
			continue
		}
		t.decided = t.decided || r.Function == "alarmrouter" && r.Verb == "rollback"
		t.intent = ""
		if r.Rule == "intent" && len(r.Calls) == 1 {
			t.intent = r.Calls[0].API
		}
	}
}
