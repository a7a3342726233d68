package resource

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
)

// longestRule is the limit of a rule's name (EventBridge API reference,
// PutRule).
const longestRule = 64

// defaultBus is the bus of the events of AWS services.
const defaultBus = "default"

// eventsKinds returns rules.
func eventsKinds() map[string]kind {
	return map[string]kind{
		"AWS::Events::Rule": {
			properties: "Description EventBusName EventPattern Name RoleArn ScheduleExpression State Tags Targets",
			attributes: "Arn",
			asJSON:     []string{"EventPattern"},
			create:     createRule,
			remove:     removeRule,
		},
	}
}

func createRule(j *job) error {
	name := j.name("Name", longestRule, "")
	targets := eventbridge.PutTargetsInput{Rule: &name}
	if v := j.take("Targets"); v != nil {
		j.into(&targets, "Targets", v)
	}
	var in eventbridge.PutRuleInput
	j.fill(&in)
	targets.EventBusName = in.EventBusName
	out, err := call[eventbridge.PutRuleOutput](j, "events", "PutRule", &in)
	if err != nil {
		return err
	}
	// Ref is the name, on another than the default bus with the bus before it
	// (CloudFormation template reference, AWS::Events::Rule).
	id := name
	if bus := aws.ToString(in.EventBusName); bus != "" && bus != defaultBus {
		id = bus + "|" + name
	}
	j.made(id, "Arn", aws.ToString(out.RuleArn))
	j.resource.Handle = name
	if len(targets.Targets) == 0 {
		return nil
	}
	put, err := call[eventbridge.PutTargetsOutput](j, "events", "PutTargets", &targets)
	if err != nil {
		return err
	}
	return failed(put.FailedEntries)
}

// failed makes an error of entries that PutTargets answers for.
func failed(entries []ebtypes.PutTargetsResultEntry) error {
	if len(entries) == 0 {
		return nil
	}
	e := entries[0]
	return fmt.Errorf("events PutTargets: target %s: %s: %s",
		aws.ToString(e.TargetId), aws.ToString(e.ErrorCode), aws.ToString(e.ErrorMessage))
}

// removeRule takes the targets away first: a rule with targets cannot be
// deleted (EventBridge API reference, DeleteRule).
func removeRule(j *job) error {
	var bus *string
	if _, own := j.properties["EventBusName"]; own {
		bus = aws.String(j.text("EventBusName"))
	}
	targets := eventbridge.RemoveTargetsInput{Rule: &j.resource.Handle, EventBusName: bus}
	for _, v := range j.list("Targets") {
		if one, ok := v.(map[string]any); ok {
			id, _ := one["Id"].(string)
			targets.Ids = append(targets.Ids, id)
		}
	}
	if len(targets.Ids) > 0 {
		if _, err := call[eventbridge.RemoveTargetsOutput](j, "events", "RemoveTargets", &targets); err != nil {
			return err
		}
	}
	_, err := call[eventbridge.DeleteRuleOutput](j, "events", "DeleteRule",
		&eventbridge.DeleteRuleInput{Name: &j.resource.Handle, EventBusName: bus})
	return err
}
