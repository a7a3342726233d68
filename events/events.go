// Package events reads what AWS sends pullback. Each kind of event has one Go
// type, one parser, one EventBridge pattern and at least one real sample in
// testdata; the tests hold the four together.
//
// Parsers are tolerant: they take the members they need and ignore what they
// do not know, because AWS adds members without notice. They are strict about
// what they need: an event that lacks it is [MalformedError], with the reason, and
// never a half-filled value. A well-formed event of a kind that nobody here
// acts on is [Unknown]. An event says where to look, never what is true.
package events

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/pullback-dev/pullback/shared/deploy"
)

// Event is one of Deployment, Change, Alarm, Sweep, FollowUp, Verdict, Trouble,
// Recorded or Unknown.
type Event interface {
	// Envelope returns what every event has.
	Envelope() Head
}

// Head is the part of the envelope that pullback uses.
type Head struct {
	ID      string
	Source  string
	Type    string // detail-type
	Account string
	Region  string
	Time    time.Time
}

// Envelope implements Event.
func (h Head) Envelope() Head { return h }

// Deployment is a CodeDeploy deployment state change. There is no state for a
// rollback, and neither creator nor cause: ask CodeDeploy.
// Source: CodeDeploy user guide, "Monitoring deployments with Amazon CloudWatch Events".
type Deployment struct {
	Head

	Target     deploy.Target
	Deployment deploy.ID
	State      string // START, SUCCESS, FAILURE, STOP, QUEUED, READY
}

// Alarm is a change of state of a CloudWatch alarm, metric or composite.
// Source: CloudWatch user guide, "Alarm events and EventBridge".
type Alarm struct {
	Head

	Name      string
	State     string // ALARM, OK, INSUFFICIENT_DATA
	Previous  string
	Reason    string
	Since     time.Time // of the state
	Composite bool
}

// Sweep is the schedule's reminder to look at everything.
type Sweep struct{ Head }

// FollowUp is pullback's own reminder to look at an incident again.
type FollowUp struct {
	Head

	Incident deploy.Incident
	Look     int // the number of the look that is due
}

// Unknown is a well-formed event that nobody here acts on.
type Unknown struct{ Head }

// The sources and detail-types of the events that have a type here.
const (
	sourceCodeDeploy = "aws.codedeploy"
	sourceCloudWatch = "aws.cloudwatch"
	sourceSchedule   = "aws.events"
	sourcePullback   = "pullback"

	typeDeployment = "CodeDeploy Deployment State-change Notification"
	typeAlarm      = "CloudWatch Alarm State Change"
	typeSchedule   = "Scheduled Event"
	typeFollowUp   = "Pullback Incident Follow-up"
	typeVerdict    = "Pullback Verdict"
)

// MalformedError says why a payload is not an event that can be read.
type MalformedError struct{ Why string }

// Error implements error.
func (m MalformedError) Error() string { return "malformed event: " + m.Why }

type envelope struct {
	ID         string          `json:"id"`
	Source     string          `json:"source"`
	DetailType string          `json:"detail-type"`
	Account    string          `json:"account"`
	Region     string          `json:"region"`
	Time       time.Time       `json:"time"`
	Resources  []string        `json:"resources"`
	Detail     json.RawMessage `json:"detail"`
}

// Parse reads one EventBridge event. The error is always a [MalformedError].
func Parse(payload []byte) (Event, error) {
	var e envelope
	if err := json.Unmarshal(payload, &e); err != nil {
		return nil, MalformedError{Why: err.Error()}
	}
	if e.Source == "" || e.DetailType == "" || e.ID == "" {
		return nil, MalformedError{Why: "no source, detail-type or id"}
	}
	h := Head{ID: e.ID, Source: e.Source, Type: e.DetailType, Account: e.Account, Region: e.Region, Time: e.Time}
	if e.Source == sourcePullback {
		return parseOwn(h, e.Detail)
	}
	switch [2]string{e.Source, e.DetailType} {
	case [2]string{sourceCodeDeploy, typeDeployment}:
		return parseDeployment(h, e.Detail)
	case [2]string{sourceCloudWatch, typeAlarm}:
		return parseAlarm(h, e.Detail)
	case [2]string{sourceSchedule, typeSchedule}:
		return parseSchedule(h, e.Resources)
	default:
		return parseChange(h, e.Resources, e.Detail)
	}
}

// parseOwn reads what control planes tell themselves and each other.
func parseOwn(h Head, detail []byte) (Event, error) {
	switch h.Type {
	case typeFollowUp:
		return parseFollowUp(h, detail)
	case typeVerdict:
		return parseVerdict(h, detail)
	case TypeTrouble:
		return parseTrouble(h, detail)
	case TypeRecord:
		return parseRecorded(h, detail)
	default:
		return Unknown{h}, nil
	}
}

func parseDeployment(h Head, detail []byte) (Event, error) {
	var d struct {
		Application     string    `json:"application"`
		DeploymentGroup string    `json:"deploymentGroup"`
		DeploymentID    deploy.ID `json:"deploymentId"`
		State           string    `json:"state"`
	}
	if err := json.Unmarshal(detail, &d); err != nil {
		return nil, MalformedError{Why: "detail: " + err.Error()}
	}
	if d.Application == "" || d.DeploymentGroup == "" || d.DeploymentID == "" || d.State == "" {
		return nil, MalformedError{Why: "a deployment event lacks application, deploymentGroup, deploymentId or state"}
	}
	t := deploy.Target{Application: d.Application, Group: d.DeploymentGroup}
	return Deployment{Head: h, Target: t, Deployment: d.DeploymentID, State: d.State}, nil
}

func parseAlarm(h Head, detail []byte) (Event, error) {
	type state struct {
		Value     string `json:"value"`
		Reason    string `json:"reason"`
		Timestamp string `json:"timestamp"`
	}
	var d struct {
		AlarmName     string `json:"alarmName"`
		State         state  `json:"state"`
		PreviousState state  `json:"previousState"`
		Configuration struct {
			AlarmRule string `json:"alarmRule"`
		} `json:"configuration"`
	}
	if err := json.Unmarshal(detail, &d); err != nil {
		return nil, MalformedError{Why: "detail: " + err.Error()}
	}
	if d.AlarmName == "" || d.State.Value == "" {
		return nil, MalformedError{Why: "an alarm event lacks alarmName or state.value"}
	}
	return Alarm{
		Head: h, Name: d.AlarmName, State: d.State.Value, Previous: d.PreviousState.Value, Reason: d.State.Reason,
		Since: alarmTime(d.State.Timestamp, h.Time), Composite: d.Configuration.AlarmRule != "",
	}, nil
}

// alarmTime reads CloudWatch's timestamps, whose zone has no colon
// ("2019-10-02T17:04:40.989+0000") and so is not RFC 3339.
func alarmTime(s string, otherwise time.Time) time.Time {
	t, err := time.Parse("2006-01-02T15:04:05.999-0700", s)
	if err != nil {
		return otherwise
	}
	return t.UTC()
}

// parseSchedule knows the sweep by the name of its rule: all schedules of an
// account look alike otherwise.
func parseSchedule(h Head, resources []string) (Event, error) {
	for _, arn := range resources {
		if strings.HasSuffix(arn, ":rule/"+SweepRule) {
			return Sweep{h}, nil
		}
	}
	return Unknown{h}, nil
}

func parseFollowUp(h Head, detail []byte) (Event, error) {
	var d followUp
	if err := json.Unmarshal(detail, &d); err != nil {
		return nil, MalformedError{Why: "detail: " + err.Error()}
	}
	if d.Incident == "" || d.Look < 1 {
		return nil, MalformedError{Why: "a follow-up lacks incident or look"}
	}
	return FollowUp{Head: h, Incident: d.Incident, Look: d.Look}, nil
}

type followUp struct {
	Incident deploy.Incident `json:"incident"`
	Look     int             `json:"look"`
}

// NewFollowUp returns the text of a follow-up, in EventBridge's envelope.
func NewFollowUp(i deploy.Incident, look int, now time.Time) (string, error) {
	detail, err := json.Marshal(followUp{Incident: i, Look: look})
	if err != nil {
		return "", fmt.Errorf("follow-up of %s: %w", i, err)
	}
	text, err := json.Marshal(envelope{
		ID: fmt.Sprintf("%s-%d", i, look), Source: sourcePullback, DetailType: typeFollowUp, Time: now.UTC(), Resources: []string{}, Detail: detail,
	})
	if err != nil {
		return "", fmt.Errorf("follow-up of %s: %w", i, err)
	}
	return string(text), nil
}
