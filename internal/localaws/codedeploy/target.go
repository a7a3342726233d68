package codedeploy

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// batchTargets is the most targets of BatchGetDeploymentTargets, and the most
// revisions of BatchGetApplicationRevisions (API reference).
const batchTargets = 25

// filterStatus is the one target filter that a Lambda deployment has.
const filterStatus = string(cdtypes.TargetFilterNameTargetStatus)

// target finds the target of a deployment that has started.
func (s *Service) target(id *string) (*cdtypes.DeploymentTarget, error) {
	d, err := s.deployment(id)
	if err != nil {
		return nil, err
	}
	if !d.started() {
		return nil, &cdtypes.DeploymentNotStartedException{Message: aws.String("The specified deployment has not started: " + d.id())}
	}
	return d.run.target(), nil
}

// targetID returns the ID and the status of a target. The ID of a Lambda
// target is the name of its function (API reference, BatchGetDeploymentTargets).
func targetID(t *cdtypes.DeploymentTarget) (id string, status cdtypes.TargetStatus) {
	if t == nil || t.LambdaTarget == nil {
		return "", ""
	}
	return aws.ToString(t.LambdaTarget.TargetId), t.LambdaTarget.Status
}

func (s *Service) listDeploymentTargets(_ *wire.Call, in *codedeploy.ListDeploymentTargetsInput) (*codedeploy.ListDeploymentTargetsOutput, error) {
	t, err := s.target(in.DeploymentId)
	if err != nil {
		return nil, err
	}
	for _, f := range names(in.TargetFilters) {
		if f != filterStatus {
			return nil, &cdtypes.InvalidTargetFilterNameException{Message: aws.String("The target filter name is invalid: " + f)}
		}
	}
	ids := []string{}
	statuses, filtered := in.TargetFilters[filterStatus]
	if id, status := targetID(t); id != "" && (!filtered || slices.Contains(statuses, string(status))) {
		ids = append(ids, id)
	}
	part, next, err := page(ids, in.NextToken)
	if err != nil {
		return nil, err
	}
	return &codedeploy.ListDeploymentTargetsOutput{TargetIds: part, NextToken: next}, nil
}

func (s *Service) getDeploymentTarget(_ *wire.Call, in *codedeploy.GetDeploymentTargetInput) (*codedeploy.GetDeploymentTargetOutput, error) {
	t, err := s.targetNamed(in.DeploymentId, aws.ToString(in.TargetId))
	if err != nil {
		return nil, err
	}
	return &codedeploy.GetDeploymentTargetOutput{DeploymentTarget: t}, nil
}

func (s *Service) targetNamed(deploymentID *string, name string) (*cdtypes.DeploymentTarget, error) {
	t, err := s.target(deploymentID)
	if err != nil {
		return nil, err
	}
	if name == "" {
		return nil, &cdtypes.DeploymentTargetIdRequiredException{Message: aws.String("A deployment target ID was not provided.")}
	}
	if id, _ := targetID(t); id != name {
		return nil, &cdtypes.DeploymentTargetDoesNotExistException{Message: aws.String("The provided target ID does not belong to the attempted deployment.")}
	}
	return t, nil
}

func (s *Service) batchGetDeploymentTargets(_ *wire.Call, in *codedeploy.BatchGetDeploymentTargetsInput) (*codedeploy.BatchGetDeploymentTargetsOutput, error) {
	if len(in.TargetIds) == 0 {
		return nil, &cdtypes.DeploymentTargetIdRequiredException{Message: aws.String("A deployment target ID was not provided.")}
	}
	if len(in.TargetIds) > batchTargets {
		return nil, &cdtypes.DeploymentTargetListSizeExceededException{Message: aws.String("The target list of an Amazon ECS or Lambda deployment must have exactly one item.")}
	}
	out := &codedeploy.BatchGetDeploymentTargetsOutput{DeploymentTargets: []cdtypes.DeploymentTarget{}}
	for _, id := range in.TargetIds {
		t, err := s.targetNamed(in.DeploymentId, id)
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
