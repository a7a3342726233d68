package resource

import (
	"encoding/json"
	"errors"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
)

// longestArchive is the limit of an archive's name (EventBridge API reference,
// CreateArchive).
const longestArchive = 48

// busKinds returns event buses, their policies and archives.
func busKinds() map[string]kind {
	return map[string]kind{
		"AWS::Events::EventBus": {
			properties: "Description Name! Policy Tags",
			attributes: "Arn Name",
			replace:    "Name",
			create:     createBus,
			update:     updateBus,
			remove: func(j *job) error {
				_, err := call[eventbridge.DeleteEventBusOutput](j, "events", "DeleteEventBus", &eventbridge.DeleteEventBusInput{Name: &j.resource.PhysicalID})
				return err
			},
		},
		"AWS::Events::EventBusPolicy": {
			properties: "EventBusName Statement! StatementId!",
			replace:    "EventBusName StatementId",
			create: func(j *job) error {
				id, bus := j.text("StatementId"), busOf(j)
				if err := putStatement(j); err != nil {
					return err
				}
				j.made(bus + "|" + id)
				return nil
			},
			update: putStatement,
			remove: func(j *job) error {
				_, err := call[eventbridge.RemovePermissionOutput](j, "events", "RemovePermission",
					&eventbridge.RemovePermissionInput{EventBusName: aws.String(busOf(j)), StatementId: aws.String(j.text("StatementId"))})
				if _, gone := errors.AsType[*ebtypes.ResourceNotFoundException](err); gone {
					return nil
				}
				return err
			},
		},
		"AWS::Events::Archive": {
			properties: "ArchiveName Description EventPattern RetentionDays SourceArn!",
			attributes: "Arn ArchiveName",
			rename:     map[string]string{"SourceArn": "EventSourceArn"},
			asJSON:     []string{"EventPattern"},
			replace:    "ArchiveName SourceArn",
			create:     createArchive,
			update:     updateArchive,
			remove: func(j *job) error {
				_, err := call[eventbridge.DeleteArchiveOutput](j, "events", "DeleteArchive", &eventbridge.DeleteArchiveInput{ArchiveName: &j.resource.PhysicalID})
				return err
			},
		},
	}
}

func createBus(j *job) error {
	name, policy := j.text("Name"), j.take("Policy")
	var in eventbridge.CreateEventBusInput
	j.fill(&in)
	out, err := call[eventbridge.CreateEventBusOutput](j, "events", "CreateEventBus", &in)
	if err != nil {
		return err
	}
	j.made(name, "Arn", aws.ToString(out.EventBusArn), "Name", name)
	return putBusPolicy(j, name, policy)
}

// putBusPolicy replaces the whole policy of a bus.
func putBusPolicy(j *job, bus string, policy any) error {
	if policy == nil {
		return nil
	}
	_, err := call[eventbridge.PutPermissionOutput](j, "events", "PutPermission",
		&eventbridge.PutPermissionInput{EventBusName: &bus, Policy: aws.String(document(policy))})
	return err
}

func updateBus(j *job) error {
	name := j.resource.PhysicalID
	if j.changed("Description") {
		_, err := call[eventbridge.UpdateEventBusOutput](j, "events", "UpdateEventBus",
			&eventbridge.UpdateEventBusInput{Name: &name, Description: aws.String(j.text("Description"))})
		if err != nil {
			return err
		}
	}
	if j.changed("Policy") {
		policy := j.take("Policy")
		if err := putBusPolicy(j, name, policy); err != nil {
			return err
		}
		if policy == nil {
			_, err := call[eventbridge.RemovePermissionOutput](j, "events", "RemovePermission",
				&eventbridge.RemovePermissionInput{EventBusName: &name, RemoveAllPermissions: true})
			if err != nil {
				return err
			}
		}
	}
	return retagBus(j)
}

// busOf is the bus that a policy is for.
func busOf(j *job) string {
	if name := j.text("EventBusName"); name != "" {
		return name
	}
	return defaultBus
}

// statement is one statement of a bus's policy, in the order in which policies
// are written.
type statement struct {
	Sid       string          `json:"Sid"`
	Effect    json.RawMessage `json:"Effect"`
	Principal json.RawMessage `json:"Principal,omitempty"`
	Action    json.RawMessage `json:"Action"`
	Resource  json.RawMessage `json:"Resource"`
	Condition json.RawMessage `json:"Condition,omitempty"`
}

// putStatement adds a statement to the policy of a bus or replaces it: the API
// takes whole policies only (CloudFormation template reference,
// AWS::Events::EventBusPolicy, Statement).
func putStatement(j *job) error {
	bus, id := busOf(j), j.text("StatementId")
	given := j.object("Statement")
	var fresh statement
	if err := json.Unmarshal([]byte(document(given)), &fresh); err != nil || given != nil && (fresh.Effect == nil || fresh.Action == nil || fresh.Resource == nil) {
		j.report("Statement", "must have Effect, Principal, Action and Resource")
	}
	fresh.Sid = id
	now, err := call[eventbridge.DescribeEventBusOutput](j, "events", "DescribeEventBus", &eventbridge.DescribeEventBusInput{Name: &bus})
	if err != nil || j.dry {
		return err
	}
	policy := struct {
		Version   string            `json:"Version"`
		Statement []json.RawMessage `json:"Statement"`
	}{Version: "2012-10-17"}
	if now.Policy != nil {
		if err := json.Unmarshal([]byte(*now.Policy), &policy); err != nil {
			return err
		}
	}
	policy.Statement = slices.DeleteFunc(policy.Statement, func(raw json.RawMessage) bool {
		var other statement
		return json.Unmarshal(raw, &other) == nil && other.Sid == id
	})
	policy.Statement = append(policy.Statement, json.RawMessage(document(fresh)))
	_, err = call[eventbridge.PutPermissionOutput](j, "events", "PutPermission",
		&eventbridge.PutPermissionInput{EventBusName: &bus, Policy: aws.String(document(policy))})
	return err
}

func createArchive(j *job) error {
	name := j.name("ArchiveName", longestArchive, "")
	var in eventbridge.CreateArchiveInput
	j.fill(&in)
	out, err := call[eventbridge.CreateArchiveOutput](j, "events", "CreateArchive", &in)
	if err != nil {
		return err
	}
	j.made(name, "Arn", aws.ToString(out.ArchiveArn), "ArchiveName", name)
	return nil
}

func updateArchive(j *job) error {
	j.left["ArchiveName"] = j.resource.PhysicalID
	j.without("SourceArn")
	j.lacking(map[string]any{"Description": "", "EventPattern": "", "RetentionDays": 0, "ArchiveName": j.resource.PhysicalID})
	var in eventbridge.UpdateArchiveInput
	j.fill(&in)
	_, err := call[eventbridge.UpdateArchiveOutput](j, "events", "UpdateArchive", &in)
	return err
}
