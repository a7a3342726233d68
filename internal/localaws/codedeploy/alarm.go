package codedeploy

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// How often alarms are read is not documented. Published runs show deployments
// that stop 12 and 23 seconds after their alarm, and one that stops 0.7 seconds
// after its start because the alarm was in ALARM already.
const (
	firstPoll    = 700 * time.Millisecond
	pollInterval = 10 * time.Second
)

// describeLimit is the most alarms of one DescribeAlarms answer (CloudWatch
// API reference, MaxRecords).
const describeLimit = 100

// principal is who CodeDeploy is when it acts by itself.
func principal() wire.Principal { return wire.Principal{Service: "codedeploy.amazonaws.com"} }

// as is who CodeDeploy is when it acts with a service role.
func as(role string) wire.Principal { return wire.Principal{ARN: role, Service: principal().Service} }

// principal is who CodeDeploy is when it acts for a deployment.
func (d *deployment) principal() wire.Principal { return as(d.role) }

// poll reads the alarms of a deployment and stops it if one is in ALARM, or if
// they cannot be read (API reference, AlarmConfiguration, ignorePollAlarmFailure).
func (s *Service) poll(ctx context.Context, d *deployment) {
	active, err := s.activeAlarms(ctx, d)
	rollback := d.rollsBack(cdtypes.AutoRollbackEventDeploymentStopOnAlarm)
	switch {
	case len(active) > 0:
		// The wording, angle brackets included, is AWS's.
		s.halt(ctx, d, cdtypes.ErrorCodeAlarmActive, "One or more alarms have been activated according to the Amazon CloudWatch metrics you selected, "+
			"and the affected deployments have been stopped. Activated alarms: <"+strings.Join(active, "> <")+">", rollback)
	case err != nil && !d.alarms.IgnorePollAlarmFailure:
		s.halt(ctx, d, cdtypes.ErrorCodeInternalError, fmt.Sprintf("The status of the alarms could not be retrieved from Amazon CloudWatch: %v", err), rollback)
	default:
		s.later(d, pollInterval, func() { s.poll(ctx, d) })
	}
}

// activeAlarms returns the names of the alarms in ALARM, in the order of the
// configuration. The error says which could not be read.
func (s *Service) activeAlarms(ctx context.Context, d *deployment) (active []string, err error) {
	c := d.alarms
	state := map[string]cwtypes.StateValue{}
	for from := 0; from < len(c.Alarms); from += describeLimit {
		in := &cloudwatch.DescribeAlarmsInput{
			AlarmTypes: []cwtypes.AlarmType{cwtypes.AlarmTypeMetricAlarm, cwtypes.AlarmTypeCompositeAlarm},
			MaxRecords: aws.Int32(describeLimit),
		}
		for _, a := range c.Alarms[from:min(from+describeLimit, len(c.Alarms))] {
			in.AlarmNames = append(in.AlarmNames, aws.ToString(a.Name))
		}
		out, err := wire.Do[cloudwatch.DescribeAlarmsOutput](ctx, s.c, d.principal(), "monitoring", "DescribeAlarms", in)
		if err != nil {
			return nil, fmt.Errorf("describe alarms: %w", err)
		}
		for _, a := range out.MetricAlarms {
			state[aws.ToString(a.AlarmName)] = a.StateValue
		}
		for _, a := range out.CompositeAlarms {
			state[aws.ToString(a.AlarmName)] = a.StateValue
		}
	}
	var missing []error
	for _, a := range c.Alarms {
		name := aws.ToString(a.Name)
		switch value, ok := state[name]; {
		case !ok:
			missing = append(missing, fmt.Errorf("alarm %s does not exist", name))
		case value == cwtypes.StateValueAlarm:
			active = append(active, name)
		}
	}
	return active, errors.Join(missing...)
}
