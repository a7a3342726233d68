package codedeploy

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// continueDeployment ends a wait of a blue/green deployment: that for traffic
// to be rerouted, which is meant if nothing is said, or that for the original
// instances or tasks to be terminated.
func (s *Service) continueDeployment(c *wire.Call, in *codedeploy.ContinueDeploymentInput) (*codedeploy.ContinueDeploymentOutput, error) {
	d, err := s.deployment(in.DeploymentId)
	if err != nil {
		return nil, err
	}
	wait := in.DeploymentWaitType
	if wait == "" {
		wait = cdtypes.DeploymentWaitTypeReadyWait
	}
	if !slices.Contains(wait.Values(), wait) {
		return nil, &cdtypes.InvalidDeploymentWaitTypeException{Message: aws.String("The wait type is invalid.")}
	}
	if err := s.proceed(context.WithoutCancel(c.Context), d, wait); err != nil {
		return nil, err
	}
	return &codedeploy.ContinueDeploymentOutput{}, nil
}

// skipWaitTimeForInstanceTermination is the deprecated form of
// ContinueDeployment for the second wait.
func (s *Service) skipWaitTimeForInstanceTermination(
	c *wire.Call, in *codedeploy.SkipWaitTimeForInstanceTerminationInput,
) (*codedeploy.SkipWaitTimeForInstanceTerminationOutput, error) {
	d, err := s.deployment(in.DeploymentId)
	if err != nil {
		return nil, err
	}
	if !d.over() && !d.started() {
		return nil, notStarted(d)
	}
	if err := s.proceed(context.WithoutCancel(c.Context), d, cdtypes.DeploymentWaitTypeTerminationWait); err != nil {
		return nil, err
	}
	return &codedeploy.SkipWaitTimeForInstanceTerminationOutput{}, nil
}

func (s *Service) proceed(ctx context.Context, d *deployment, wait cdtypes.DeploymentWaitType) error {
	w, ok := d.run.(waiter)
	switch {
	case d.over():
		return alreadyCompleted(d)
	case !ok:
		return unsupportedAction()
	case d.stopping:
		return notReady(d)
	}
	return w.proceed(ctx, wait)
}

func unsupportedAction() error {
	return &cdtypes.UnsupportedActionForDeploymentTypeException{Message: aws.String("A call was submitted that is not supported for the specified deployment type.")}
}

// notReady answers ContinueDeployment while there is nothing to wait for.
func notReady(d *deployment) error {
	return &cdtypes.DeploymentIsNotInReadyStateException{
		Message: aws.String("The deployment " + d.id() + " does not have a status of Ready and can't continue yet."),
	}
}

// ready lets a deployment wait for ContinueDeployment: all that is new is
// there, and no traffic goes to it yet.
func (s *Service) ready(ctx context.Context, d *deployment) {
	d.info.Status = cdtypes.DeploymentStatusReady
	s.announce(ctx, d, stateReady)
	s.notify(ctx, d, cdtypes.TriggerEventTypeDeploymentReady)
}

// resume ends that.
func (s *Service) resume(d *deployment) { d.info.Status = cdtypes.DeploymentStatusInProgress }
