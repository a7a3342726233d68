package codedeploy

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// batchTargets is the most targets of BatchGetDeploymentTargets, and the most
// revisions of BatchGetApplicationRevisions (API reference).
const batchTargets = 25

// The target filters (API reference, ListDeploymentTargets).
const (
	filterStatus = string(cdtypes.TargetFilterNameTargetStatus)
	filterLabel  = string(cdtypes.TargetFilterNameServerInstanceLabel)
)

// running finds a deployment that has started.
func (s *Service) running(id *string) (*deployment, error) {
	d, err := s.deployment(id)
	if err != nil {
		return nil, err
	}
	if !d.started() {
		return nil, notStarted(d)
	}
	return d, nil
}

func notStarted(d *deployment) error {
	return &cdtypes.DeploymentNotStartedException{Message: aws.String("The specified deployment has not started: " + d.id())}
}

// facts are what targets of all platforms have in common.
type facts struct {
	id, arn string
	status  cdtypes.TargetStatus
	label   cdtypes.TargetLabel // of instances in blue/green deployments
	updated *time.Time
	events  []cdtypes.LifecycleEvent
}

// about reads the facts of a target. The ID of a Lambda target is the name of
// its function, that of an instance its instance ID, that of an ECS service
// cluster:service (API reference, BatchGetDeploymentTargets).
func about(t *cdtypes.DeploymentTarget) facts {
	switch {
	case t.LambdaTarget != nil:
		l := t.LambdaTarget
		return facts{id: aws.ToString(l.TargetId), arn: aws.ToString(l.TargetArn), status: l.Status, updated: l.LastUpdatedAt, events: l.LifecycleEvents}
	case t.EcsTarget != nil:
		e := t.EcsTarget
		return facts{id: aws.ToString(e.TargetId), arn: aws.ToString(e.TargetArn), status: e.Status, updated: e.LastUpdatedAt, events: e.LifecycleEvents}
	case t.InstanceTarget != nil:
		i := t.InstanceTarget
		return facts{
			id: aws.ToString(i.TargetId), arn: aws.ToString(i.TargetArn), status: i.Status, label: i.InstanceLabel,
			updated: i.LastUpdatedAt, events: i.LifecycleEvents,
		}
	default:
		return facts{}
	}
}

// overview counts the targets by their status. That of a Lambda or ECS
// deployment is empty while it runs (observed), and then counts its one target.
func (d *deployment) overview() *cdtypes.DeploymentOverview {
	o := &cdtypes.DeploymentOverview{}
	if d.application.platform != cdtypes.ComputePlatformServer {
		switch {
		case !d.over():
			return nil
		case d.info.Status == cdtypes.DeploymentStatusSucceeded:
			o.Succeeded = 1
		default:
			o.Failed = 1
		}
		return o
	}
	for _, t := range d.run.targets() {
		count(o, about(&t).status)
	}
	return o
}

func count(o *cdtypes.DeploymentOverview, status cdtypes.TargetStatus) {
	switch status {
	case cdtypes.TargetStatusPending, cdtypes.TargetStatusUnknown:
		o.Pending++
	case cdtypes.TargetStatusInProgress:
		o.InProgress++
	case cdtypes.TargetStatusSucceeded:
		o.Succeeded++
	case cdtypes.TargetStatusFailed:
		o.Failed++
	case cdtypes.TargetStatusSkipped:
		o.Skipped++
	case cdtypes.TargetStatusReady:
		o.Ready++
	}
}

// listDeploymentTargets lists the targets that pass all filters.
func (s *Service) listDeploymentTargets(_ *wire.Call, in *codedeploy.ListDeploymentTargetsInput) (*codedeploy.ListDeploymentTargetsOutput, error) {
	d, err := s.running(in.DeploymentId)
	if err != nil {
		return nil, err
	}
	if err := checkTargetFilters(d, in.TargetFilters); err != nil {
		return nil, err
	}
	part, next, err := page(d.targetIDs(in.TargetFilters), in.NextToken)
	if err != nil {
		return nil, err
	}
	return &codedeploy.ListDeploymentTargetsOutput{TargetIds: part, NextToken: next}, nil
}

// targetIDs lists the targets that pass all filters.
func (d *deployment) targetIDs(filters map[string][]string) []string {
	ids := []string{}
	for _, t := range d.run.targets() {
		if f := about(&t); passes(filters, filterStatus, string(f.status)) && passes(filters, filterLabel, string(f.label)) {
			ids = append(ids, f.id)
		}
	}
	return ids
}

func passes(filters map[string][]string, name, value string) bool {
	wanted, filtered := filters[name]
	return !filtered || slices.Contains(wanted, value)
}

func checkTargetFilters(d *deployment, filters map[string][]string) error {
	for _, f := range names(filters) {
		switch {
		case f == filterStatus:
			for _, status := range filters[f] {
				if !slices.Contains(cdtypes.TargetStatus("").Values(), cdtypes.TargetStatus(status)) {
					return &cdtypes.InvalidInstanceStatusException{Message: aws.String("The specified instance status does not exist: " + status)}
				}
			}
		case f == filterLabel && d.application.platform == cdtypes.ComputePlatformServer:
			if err := checkLabels(d, filters[f]); err != nil {
				return err
			}
		default:
			return &cdtypes.InvalidTargetFilterNameException{Message: aws.String("The target filter name is invalid: " + f)}
		}
	}
	return nil
}

// checkLabels refuses labels of instances that do not exist, or that are asked
// for in an in-place deployment, which has none.
func checkLabels(d *deployment, labels []string) error {
	if len(labels) > 0 && d.info.DeploymentStyle.DeploymentType != cdtypes.DeploymentTypeBlueGreen {
		return &cdtypes.InvalidDeploymentInstanceTypeException{
			Message: aws.String("An instance type was specified for an in-place deployment. Instance types are supported for blue/green deployments only."),
		}
	}
	for _, l := range labels {
		if !slices.Contains(cdtypes.TargetLabel("").Values(), cdtypes.TargetLabel(l)) {
			return &cdtypes.InvalidInstanceTypeException{
				Message: aws.String(`An invalid instance type was specified for instances in a blue/green deployment. Valid values include "Blue" for an original environment and "Green" for a replacement environment.`),
			}
		}
	}
	return nil
}

func (s *Service) getDeploymentTarget(_ *wire.Call, in *codedeploy.GetDeploymentTargetInput) (*codedeploy.GetDeploymentTargetOutput, error) {
	d, err := s.running(in.DeploymentId)
	if err != nil {
		return nil, err
	}
	t, err := d.target(aws.ToString(in.TargetId))
	if err != nil {
		return nil, err
	}
	return &codedeploy.GetDeploymentTargetOutput{DeploymentTarget: t}, nil
}

// target finds a target by its ID.
func (d *deployment) target(id string) (*cdtypes.DeploymentTarget, error) {
	if id == "" {
		return nil, &cdtypes.DeploymentTargetIdRequiredException{Message: aws.String("A deployment target ID was not provided.")}
	}
	for _, t := range d.run.targets() {
		if about(&t).id == id {
			return &t, nil
		}
	}
	return nil, &cdtypes.DeploymentTargetDoesNotExistException{Message: aws.String("The provided target ID does not belong to the attempted deployment.")}
}

func (s *Service) batchGetDeploymentTargets(_ *wire.Call, in *codedeploy.BatchGetDeploymentTargetsInput) (*codedeploy.BatchGetDeploymentTargetsOutput, error) {
	d, err := s.running(in.DeploymentId)
	if err != nil {
		return nil, err
	}
	if len(in.TargetIds) == 0 {
		return nil, &cdtypes.DeploymentTargetIdRequiredException{Message: aws.String("A deployment target ID was not provided.")}
	}
	if len(in.TargetIds) > batchTargets || len(in.TargetIds) > 1 && d.application.platform != cdtypes.ComputePlatformServer {
		return nil, &cdtypes.DeploymentTargetListSizeExceededException{Message: aws.String("The target list of an Amazon ECS or Lambda deployment must have exactly one item.")}
	}
	out := &codedeploy.BatchGetDeploymentTargetsOutput{DeploymentTargets: []cdtypes.DeploymentTarget{}}
	for _, id := range in.TargetIds {
		t, err := d.target(id)
		if err != nil {
			return nil, err
		}
		out.DeploymentTargets = append(out.DeploymentTargets, *t)
	}
	return out, nil
}

// putLifecycleEventHookExecutionStatus takes the answer of a hook function.
// Only Succeeded and Failed are answers, and only the first one counts.
func (s *Service) putLifecycleEventHookExecutionStatus(
	c *wire.Call, in *codedeploy.PutLifecycleEventHookExecutionStatusInput,
) (*codedeploy.PutLifecycleEventHookExecutionStatusOutput, error) {
	d, err := s.deployment(in.DeploymentId)
	if err != nil {
		return nil, err
	}
	if in.Status != cdtypes.LifecycleEventStatusSucceeded && in.Status != cdtypes.LifecycleEventStatusFailed {
		return nil, &cdtypes.InvalidLifecycleEventHookExecutionStatusException{
			Message: aws.String("The result of a Lambda validation function that verifies a lifecycle event is invalid. It should return Succeeded or Failed."),
		}
	}
	if err := d.run.report(context.WithoutCancel(c.Context), aws.ToString(in.LifecycleEventHookExecutionId), in.Status); err != nil {
		return nil, err
	}
	return &codedeploy.PutLifecycleEventHookExecutionStatusOutput{LifecycleEventHookExecutionId: in.LifecycleEventHookExecutionId}, nil
}
