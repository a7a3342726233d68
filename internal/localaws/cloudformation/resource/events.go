package resource

import (
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/pullback-dev/pullback/internal/localaws/cloudformation/template"
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
			replace:    "Name EventBusName",
			create:     createRule,
			update:     updateRule,
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

// updateRule puts the rule again, which replaces all of it but its targets and
// tags.
func updateRule(j *job) error {
	name := j.resource.Handle
	set, gone := j.retag()
	j.left["Name"] = name
	var wanted eventbridge.PutTargetsInput
	if v := j.take("Targets"); v != nil {
		j.into(&wanted, "Targets", v)
	}
	var in eventbridge.PutRuleInput
	j.fill(&in)
	if _, err := call[eventbridge.PutRuleOutput](j, "events", "PutRule", &in); err != nil {
		return err
	}
	wanted.Rule, wanted.EventBusName = &name, in.EventBusName
	if err := replaceTargets(j, &wanted); err != nil {
		return err
	}
	arn := aws.String(j.resource.Attributes["Arn"])
	return both(set, gone, func() error {
		tags := tagList(set, func(k, v *string) ebtypes.Tag { return ebtypes.Tag{Key: k, Value: v} })
		_, err := call[eventbridge.TagResourceOutput](j, "events", "TagResource", &eventbridge.TagResourceInput{ResourceARN: arn, Tags: tags})
		return err
	}, func() error {
		_, err := call[eventbridge.UntagResourceOutput](j, "events", "UntagResource", &eventbridge.UntagResourceInput{ResourceARN: arn, TagKeys: gone})
		return err
	})
}

// replaceTargets puts the targets that are wanted and removes the others.
func replaceTargets(j *job, wanted *eventbridge.PutTargetsInput) error {
	if len(wanted.Targets) > 0 {
		put, err := call[eventbridge.PutTargetsOutput](j, "events", "PutTargets", wanted)
		if err != nil {
			return err
		}
		if err := failed(put.FailedEntries); err != nil {
			return err
		}
	}
	gone := eventbridge.RemoveTargetsInput{Rule: wanted.Rule, EventBusName: wanted.EventBusName}
	old, _ := j.was("Targets").([]any)
	for _, id := range targetIDs(old) {
		if !slices.ContainsFunc(wanted.Targets, func(t ebtypes.Target) bool { return aws.ToString(t.Id) == id }) {
			gone.Ids = append(gone.Ids, id)
		}
	}
	if len(gone.Ids) == 0 {
		return nil
	}
	_, err := call[eventbridge.RemoveTargetsOutput](j, "events", "RemoveTargets", &gone)
	return err
}

func targetIDs(targets []any) []string {
	var out []string
	for _, v := range targets {
		if one, ok := v.(map[string]any); ok {
			id, _ := template.Text(one["Id"])
			out = append(out, id)
		}
	}
	return out
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
	targets.Ids = targetIDs(j.list("Targets"))
	if len(targets.Ids) > 0 {
		if _, err := call[eventbridge.RemoveTargetsOutput](j, "events", "RemoveTargets", &targets); err != nil {
			return err
		}
	}
	_, err := call[eventbridge.DeleteRuleOutput](j, "events", "DeleteRule",
		&eventbridge.DeleteRuleInput{Name: &j.resource.Handle, EventBusName: bus})
	return err
}
