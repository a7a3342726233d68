package eventbridge

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// Limits of targets (EventBridge user guide, "Amazon EventBridge quotas";
// EventBridge API reference, RetryPolicy and Target).
const (
	maxTargets      = 5
	maxTargetID     = 64
	maxAge          = 86400
	minAge          = 60
	maxAttempts     = 185
	fifoSuffix      = ".fifo"
	partsOfARN      = 6
	serviceOfARN    = 2
	regionOfARN     = 3
	accountOfARN    = 4
	resourceOfARN   = 5
	serviceQueue    = "sqs"
	serviceFunction = "lambda"
	serviceTopic    = "sns"
	serviceBus      = "events"
	serviceLogs     = "logs"
	servicePipeline = "codepipeline"
)

func (s *Service) putTargets(_ *wire.Call, in *eventbridge.PutTargetsInput) (*eventbridge.PutTargetsOutput, error) {
	r, err := s.rule(in.Rule, in.EventBusName)
	if err != nil {
		return nil, err
	}
	targets := slices.Clone(r.targets)
	for _, t := range in.Targets {
		if err := s.checkTarget(t); err != nil {
			return nil, err
		}
		i := slices.IndexFunc(targets, func(o ebtypes.Target) bool { return *o.Id == *t.Id })
		if i < 0 {
			targets = append(targets, t)
			continue
		}
		targets[i] = t
	}
	if len(targets) > maxTargets {
		return nil, &ebtypes.LimitExceededException{Message: aws.String("The requested resource exceeds the maximum number allowed.")}
	}
	r.targets = targets
	return &eventbridge.PutTargetsOutput{FailedEntries: []ebtypes.PutTargetsResultEntry{}}, nil
}

func (s *Service) checkTarget(t ebtypes.Target) error {
	id := aws.ToString(t.Id)
	if !isName(id, ".-_", maxTargetID) {
		return invalid("Value '%s' at 'targets.1.member.id' failed to satisfy constraint: "+
			"Member must satisfy regular expression pattern: [\\.\\-_A-Za-z0-9]+", id)
	}
	if err := refuseKinds(t); err != nil {
		return err
	}
	if err := s.checkARN(t); err != nil {
		return err
	}
	if err := checkInput(t); err != nil {
		return err
	}
	return checkFailure(t)
}

// checkFailure checks what is to happen when delivery fails.
func checkFailure(t ebtypes.Target) error {
	p := t.RetryPolicy
	if p == nil {
		p = &ebtypes.RetryPolicy{}
	}
	if age := aws.ToInt32(p.MaximumEventAgeInSeconds); p.MaximumEventAgeInSeconds != nil && (age < minAge || age > maxAge) {
		return invalid("Parameter MaximumEventAgeInSeconds is not valid. Reason: must be between %d and %d.", minAge, maxAge)
	}
	if n := aws.ToInt32(p.MaximumRetryAttempts); n < 0 || n > maxAttempts {
		return invalid("Parameter MaximumRetryAttempts is not valid. Reason: must be between 0 and %d.", maxAttempts)
	}
	if t.DeadLetterConfig == nil {
		return nil
	}
	dead := parseARN(aws.ToString(t.DeadLetterConfig.Arn))
	if dead == nil || dead[serviceOfARN] != serviceQueue || strings.HasSuffix(dead[resourceOfARN], fifoSuffix) {
		return invalid("Parameter DeadLetterConfig.Arn is not valid. Reason: %s is not the ARN of a standard SQS queue.",
			aws.ToString(t.DeadLetterConfig.Arn))
	}
	return nil
}

// refuseKinds refuses the parameters of targets that are not here.
func refuseKinds(t ebtypes.Target) error {
	for _, p := range []struct {
		name  string
		given bool
	}{
		{"AppSyncParameters", t.AppSyncParameters != nil},
		{"BatchParameters", t.BatchParameters != nil},
		{"EcsParameters", t.EcsParameters != nil},
		{"HttpParameters", t.HttpParameters != nil},
		{"KinesisParameters", t.KinesisParameters != nil},
		{"RedshiftDataParameters", t.RedshiftDataParameters != nil},
		{"RunCommandParameters", t.RunCommandParameters != nil},
		{"SageMakerPipelineParameters", t.SageMakerPipelineParameters != nil},
	} {
		if p.given {
			return refuse(p.name)
		}
	}
	return nil
}

// checkARN checks what a target points to. It need not exist.
func (s *Service) checkARN(t ebtypes.Target) error {
	arn := parseARN(aws.ToString(t.Arn))
	if arn == nil {
		return invalid("Parameter %s is not valid. Reason: Provided Arn is not in correct format.", aws.ToString(t.Arn))
	}
	elsewhere := arn[regionOfARN] != s.w.Region || arn[accountOfARN] != s.w.Account
	switch {
	case elsewhere && arn[serviceOfARN] != serviceBus:
		return invalid("Target %s is not in this account and region, which the local AWS supports of event buses only.", *t.Arn)
	case arn[regionOfARN] != s.w.Region && t.RoleArn == nil:
		return invalid("RoleArn is required for target %s.", *t.Arn)
	}
	return checkService(t, arn)
}

// checkService checks that events can be sent to a service, and how.
func checkService(t ebtypes.Target, arn []string) error {
	switch arn[serviceOfARN] {
	case serviceQueue:
		return checkQueue(t, arn[resourceOfARN])
	case serviceFunction, serviceTopic:
	case serviceLogs:
		if err := checkLogs(t, arn[resourceOfARN]); err != nil {
			return err
		}
	case servicePipeline:
		if t.RoleArn == nil {
			return invalid("RoleArn is required for target %s.", *t.Arn)
		}
	case serviceBus:
		if !strings.HasPrefix(arn[resourceOfARN], "event-bus/") {
			return otherKind(*t.Arn)
		}
	default:
		return otherKind(*t.Arn)
	}
	if t.SqsParameters != nil {
		return invalid("Parameter(s) SqsParameters not valid for target: %s.", *t.Id)
	}
	return nil
}

func checkQueue(t ebtypes.Target, name string) error {
	if strings.HasSuffix(name, fifoSuffix) && (t.SqsParameters == nil || aws.ToString(t.SqsParameters.MessageGroupId) == "") {
		return invalid("Parameter(s) SqsParameters must be specified for target: %s.", *t.Id)
	}
	return nil
}

func otherKind(arn string) error {
	return invalid("Target %s is of a kind that the local AWS does not support: sqs, lambda, sns, logs, codepipeline and event buses are.", arn)
}

// parseARN takes an ARN apart. It is nil if it is none.
func parseARN(arn string) []string {
	parts := strings.SplitN(arn, ":", partsOfARN)
	if len(parts) != partsOfARN || parts[0] != "arn" || parts[serviceOfARN] == "" || parts[resourceOfARN] == "" {
		return nil
	}
	return parts
}

func (s *Service) removeTargets(_ *wire.Call, in *eventbridge.RemoveTargetsInput) (*eventbridge.RemoveTargetsOutput, error) {
	r, err := s.rule(in.Rule, in.EventBusName)
	if err != nil {
		return nil, err
	}
	out := &eventbridge.RemoveTargetsOutput{FailedEntries: []ebtypes.RemoveTargetsResultEntry{}}
	for _, id := range in.Ids {
		i := slices.IndexFunc(r.targets, func(t ebtypes.Target) bool { return *t.Id == id })
		if i < 0 {
			out.FailedEntryCount++
			out.FailedEntries = append(out.FailedEntries, ebtypes.RemoveTargetsResultEntry{
				TargetId: aws.String(id), ErrorCode: aws.String("ResourceNotFoundException"),
				ErrorMessage: aws.String("Rule " + r.name + " does not have a target with the Id " + id + "."),
			})
			continue
		}
		r.targets = slices.Delete(slices.Clone(r.targets), i, i+1)
	}
	return out, nil
}

func (s *Service) listTargetsByRule(_ *wire.Call, in *eventbridge.ListTargetsByRuleInput) (*eventbridge.ListTargetsByRuleOutput, error) {
	r, err := s.rule(in.Rule, in.EventBusName)
	if err != nil {
		return nil, err
	}
	byID := map[string]ebtypes.Target{}
	for _, t := range r.targets {
		byID[*t.Id] = t
	}
	ids, next, err := page(prefixed(byID, nil), in.Limit, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &eventbridge.ListTargetsByRuleOutput{NextToken: next, Targets: []ebtypes.Target{}}
	for _, id := range ids {
		out.Targets = append(out.Targets, byID[id])
	}
	return out, nil
}
