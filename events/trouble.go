package events

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/pullback-dev/pullback/shared/deploy"
)

// Trouble is pullback's own signal that a revision was taken back: its code is to be
// kept off everywhere, and the stages after this one are to wait. It also goes to
// pullback in other accounts and regions.
type Trouble struct {
	Head

	Target   deploy.Target // where, in the sender's account and region
	Revision deploy.Revision
	Digest   deploy.Digest // empty: the code itself is not to blame
	Incident deploy.Incident
	Because  string
}

type trouble struct {
	Region   string          `json:"region"` // where it happened: the envelope of an event that was put into another region's bus names that one
	Target   deploy.Target   `json:"target"`
	Revision deploy.Revision `json:"revision"`
	Digest   deploy.Digest   `json:"digest,omitempty"`
	Incident deploy.Incident `json:"incident"`
	Because  string          `json:"because"`
}

// TypeTrouble is the detail-type of a Trouble, for those who send one by an event bus.
const TypeTrouble = "Pullback Trouble"

// NewTrouble returns the text of a trouble, in EventBridge's envelope, and its
// detail alone.
func NewTrouble(t Trouble, now time.Time) (text, detail string, err error) {
	inside, err := json.Marshal(trouble{Region: t.Region, Target: t.Target, Revision: t.Revision, Digest: t.Digest, Incident: t.Incident, Because: t.Because})
	if err != nil {
		return "", "", fmt.Errorf("trouble of %s: %w", t.Incident, err)
	}
	whole, err := json.Marshal(envelope{
		ID: "trouble-" + string(t.Incident), Source: sourcePullback, DetailType: TypeTrouble, Account: t.Account, Region: t.Region,
		Time: now.UTC(), Resources: []string{}, Detail: inside,
	})
	if err != nil {
		return "", "", fmt.Errorf("trouble of %s: %w", t.Incident, err)
	}
	return string(whole), string(inside), nil
}

func parseTrouble(h Head, detail []byte) (Event, error) {
	var d trouble
	if err := json.Unmarshal(detail, &d); err != nil {
		return nil, MalformedError{Why: "detail: " + err.Error()}
	}
	h.Region = d.Region
	if d.Target.Group == "" || d.Incident == "" || h.Account == "" || h.Region == "" {
		return nil, MalformedError{Why: "a trouble lacks target, incident, account or region"}
	}
	return Trouble{Head: h, Target: d.Target, Revision: d.Revision, Digest: d.Digest, Incident: d.Incident, Because: d.Because}, nil
}
