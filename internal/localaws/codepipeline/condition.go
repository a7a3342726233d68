package codepipeline

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	cptypes "github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// The kinds of conditions.
const (
	beforeEntry = "beforeEntry"
	onSuccess   = "onSuccess"
	onFailure   = "onFailure"
)

// looking is how often a rule looks at its alarm while it waits; assumed.
const looking = 30 * time.Second

// conditionRun is one check of a condition.
type conditionRun struct {
	kind   string
	result cptypes.Result // what happens if it does not hold
	status cptypes.ConditionExecutionStatus
	at     time.Time
	rules  []*ruleRun
	next   wake // looks again
}

// ruleRun is one run of a rule.
type ruleRun struct {
	e            *execution
	id           string
	stage        string
	declared     cptypes.RuleDeclaration
	status       cptypes.RuleExecutionStatus
	started      time.Time
	updated      time.Time
	until        time.Time // when it holds if nothing happens
	summary      string
	errorCode    string
	errorMessage string
}

// check begins to check a condition.
func (s *Service) check(ctx context.Context, r *stageRun, kind string, c cptypes.Condition) {
	k := &conditionRun{kind: kind, result: c.Result, status: cptypes.ConditionExecutionStatusInProgress, at: s.now()}
	for _, d := range c.Rules {
		rule := &ruleRun{
			e: r.e, id: s.w.UUID(), stage: *r.e.place().Name, declared: d, status: cptypes.RuleExecutionStatusInProgress,
			started: s.now(), updated: s.now(), until: s.now().Add(waitTime(d)),
		}
		k.rules = append(k.rules, rule)
		r.e.rules = append(r.e.rules, rule)
	}
	r.conditions[kind] = k
	s.examine(ctx, r, k)
}

// waitTime is how long a rule watches, in minutes.
func waitTime(d cptypes.RuleDeclaration) time.Duration {
	minutes, _ := strconv.Atoi(d.Configuration["WaitTime"]) // checked when the pipeline was made
	return time.Duration(minutes) * time.Minute
}

// examine looks at the rules that are in progress. The first one that fails fails
// the condition; it holds when all have succeeded.
func (s *Service) examine(ctx context.Context, r *stageRun, k *conditionRun) {
	next, failed := time.Time{}, false
	for _, rule := range k.rules {
		if rule.status != cptypes.RuleExecutionStatusInProgress {
			continue
		}
		s.apply(ctx, rule)
		switch rule.status {
		case cptypes.RuleExecutionStatusFailed:
			failed = true
			k.status = cptypes.ConditionExecutionStatusFailed
			if rule.errorCode != "" {
				k.status = cptypes.ConditionExecutionStatusErrored
			}
		case cptypes.RuleExecutionStatusInProgress:
			next = s.w.Now().Add(looking)
			if rule.until.Before(next) {
				next = rule.until
			}
		default: // it has succeeded
		}
		if failed {
			break
		}
	}
	switch {
	case failed:
		s.close(k)
		s.broken(ctx, r, k)
	case next.IsZero():
		k.status = cptypes.ConditionExecutionStatusSucceeded
		s.close(k)
		s.held(ctx, r, k)
	default:
		s.wakeAt(&k.next, next, func() { s.examine(ctx, r, k) })
	}
}

// close ends the check of a condition.
func (s *Service) close(k *conditionRun) {
	s.calm(&k.next)
	k.at = s.now()
	for _, rule := range k.rules {
		if rule.status == cptypes.RuleExecutionStatusInProgress {
			rule.status, rule.updated = cptypes.RuleExecutionStatusAbandoned, s.now()
		}
	}
}

// giveUp ends the checks that are in progress without a result.
func (s *Service) giveUp(r *stageRun) {
	for _, kind := range []string{beforeEntry, onSuccess, onFailure} {
		if k := r.conditions[kind]; k != nil && k.status == cptypes.ConditionExecutionStatusInProgress {
			k.status = cptypes.ConditionExecutionStatusAbandoned
			s.close(k)
		}
	}
}

// apply runs a rule: it fails while its alarm is in ALARM, and succeeds when it
// has not been for the wait time (user guide, "Configure conditions for a stage":
// roll back if an alarm goes into ALARM within 60 minutes).
func (s *Service) apply(ctx context.Context, rule *ruleRun) {
	name := rule.declared.Configuration["AlarmName"]
	state, err := s.alarm(ctx, rule, name)
	switch {
	case err != nil:
		rule.status = cptypes.RuleExecutionStatusFailed
		rule.errorCode, rule.errorMessage = problem(err)
		rule.summary = rule.errorMessage
	case state == cwtypes.StateValueAlarm:
		rule.status, rule.summary = cptypes.RuleExecutionStatusFailed, "CloudWatch alarm "+name+" is in state ALARM"
	case !s.w.Now().Before(rule.until):
		rule.status, rule.summary = cptypes.RuleExecutionStatusSucceeded, "CloudWatch alarm "+name+" is in state "+string(state)
	}
	if rule.status != cptypes.RuleExecutionStatusInProgress {
		rule.updated = s.now()
	}
}

// alarm is the state of an alarm.
func (s *Service) alarm(ctx context.Context, rule *ruleRun, name string) (cwtypes.StateValue, error) {
	who, err := s.who(ctx, rule.e.declaration(), rule.declared.RoleArn)
	if err != nil {
		return "", err
	}
	out, err := wire.Do[cloudwatch.DescribeAlarmsOutput](ctx, s.c, who, "monitoring", "DescribeAlarms", &cloudwatch.DescribeAlarmsInput{
		AlarmNames: []string{name}, AlarmTypes: []cwtypes.AlarmType{cwtypes.AlarmTypeMetricAlarm, cwtypes.AlarmTypeCompositeAlarm},
	})
	switch {
	case err != nil:
		return "", err
	case len(out.MetricAlarms) > 0:
		return out.MetricAlarms[0].StateValue, nil
	case len(out.CompositeAlarms) > 0:
		return out.CompositeAlarms[0].StateValue, nil
	default:
		return "", errors.New("CloudWatch alarm " + name + " does not exist")
	}
}

// held goes on after a condition that holds or was overridden.
func (s *Service) held(ctx context.Context, r *stageRun, k *conditionRun) {
	switch k.kind {
	case beforeEntry:
		s.proceed(ctx, r)
	case onSuccess:
		s.succeed(ctx, r)
	default:
		s.fail(ctx, r)
		s.admit(ctx, r.e.p)
	}
}

// broken engages the result of a condition that does not hold.
func (s *Service) broken(ctx context.Context, r *stageRun, k *conditionRun) {
	s.fail(ctx, r)
	if k.result == cptypes.ResultRollback {
		s.rollBackAfter(ctx, r)
	}
	s.admit(ctx, r.e.p)
}
