package codedeploy

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// stopDeployment answers Pending and stops the deployment a moment later; a
// repeated call in between answers Succeeded (user guide, "Stop a deployment").
// Nothing new begins in between: traffic stays where it is.
//
// autoRollbackEnabled true rolls back and false does not, whatever the group
// says; without it, the DEPLOYMENT_STOP_ON_REQUEST event of the deployment's
// automatic rollback decides.
func (s *Service) stopDeployment(c *wire.Call, in *codedeploy.StopDeploymentInput) (*codedeploy.StopDeploymentOutput, error) {
	d, err := s.deployment(in.DeploymentId)
	switch {
	case err != nil:
		return nil, err
	case d.over():
		return nil, alreadyCompleted(d)
	case d.stopping:
		return &codedeploy.StopDeploymentOutput{
			Status:        cdtypes.StopStatusSucceeded, // with the words of the AWS CLI reference
			StatusMessage: aws.String("No more commands will be scheduled for execution in the deployment instances"),
		}, nil
	}
	rollback := d.rollsBack(cdtypes.AutoRollbackEventDeploymentStopOnRequest)
	if in.AutoRollbackEnabled != nil {
		rollback = *in.AutoRollbackEnabled
	}
	s.quiet(d)
	d.stopping, d.undone = true, rollback
	ctx := context.WithoutCancel(c.Context)
	s.w.After(stopDelay, func() { s.stopped(ctx, d) })
	return &codedeploy.StopDeploymentOutput{
		Status: cdtypes.StopStatusPending, StatusMessage: aws.String("The stop operation is pending: deployment lifecycle events might still be running."),
	}, nil
}

// stopped ends a deployment that StopDeployment has stopped.
func (s *Service) stopped(ctx context.Context, d *deployment) {
	s.halt(ctx, d, cdtypes.ErrorCodeManualStop, "The deployment was stopped manually.", d.undone)
}
