package deployments

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"github.com/pullback-dev/pullback/shared/deploy"
)

// A chooser is a platform whose deployments may have to be told to which instances
// they go.
type chooser interface {
	Instances(ctx context.Context, r deploy.Restore) (*cdtypes.TargetInstances, error)
}

// Stop tells a running deployment to stop and CodeDeploy to roll it back.
// Telling it twice does no harm. deploy.ErrEnded, deploy.ErrUnknown.
func (c *Client) Stop(ctx context.Context, d deploy.Deployment) error {
	_, err := c.api.StopDeployment(ctx, &codedeploy.StopDeploymentInput{
		DeploymentId: aws.String(string(d.ID)), AutoRollbackEnabled: aws.Bool(true),
	})
	if err != nil {
		return fmt.Errorf("stop deployment %s: %w", d.ID, classify(err))
	}
	return nil
}

// Restore creates the deployment that puts a revision back, and returns its
// id. deploy.ErrBusy if another one is under way on the target,
// deploy.ErrUnknown.
//
// It makes one attempt: CreateDeployment is not idempotent, so after an error
// that leaves the outcome open the caller looks for the marker. The deployment
// ignores alarms, because the one that asked for it is still on, and its own
// failure rolls nothing back. A further attempt does not wait for what the bad
// revision does when it is stopped (user guide, "ApplicationStop": the script is
// that of the revision deployed before).
func (c *Client) Restore(ctx context.Context, r deploy.Restore) (deploy.ID, error) {
	p, err := c.platform(r.Place)
	if err != nil {
		return "", err
	}
	revision, config, err := p.Revision(ctx, r)
	if err != nil {
		return "", fmt.Errorf("restore %s: %w", r.Place.Target, err)
	}
	in := &codedeploy.CreateDeploymentInput{
		ApplicationName:           &r.Place.Target.Application,
		DeploymentGroupName:       &r.Place.Target.Group,
		DeploymentConfigName:      &config,
		Description:               &r.Marker,
		Revision:                  revision,
		FileExistsBehavior:        cdtypes.FileExistsBehavior(r.Content),
		AutoRollbackConfiguration: &cdtypes.AutoRollbackConfiguration{Enabled: false},
		// The list must not be null (API reference, "InvalidAlarmConfigException").
		OverrideAlarmConfiguration: &cdtypes.AlarmConfiguration{Enabled: false, Alarms: []cdtypes.Alarm{}},
	}
	if r.Place.Platform == deploy.OnServer {
		in.IgnoreApplicationStopFailures = r.Attempt > 1
	}
	if c, ok := p.(chooser); ok {
		if in.TargetInstances, err = c.Instances(ctx, r); err != nil {
			return "", fmt.Errorf("restore %s: %w", r.Place.Target, err)
		}
	}
	out, err := c.api.CreateDeployment(ctx, in, once)
	if err != nil {
		return "", fmt.Errorf("restore %s: %w", r.Place.Target, classify(err))
	}
	return deploy.ID(aws.ToString(out.DeploymentId)), nil
}

// once makes a call that is not repeated.
func once(o *codedeploy.Options) { o.Retryer = aws.NopRetryer{} }

// Report tells CodeDeploy the outcome of a hook. Telling it again is no error:
// hooks are invoked asynchronously, and Lambda repeats one that failed after
// it had reported.
func (c *Client) Report(ctx context.Context, id deploy.ID, execution string, passed bool) error {
	status := cdtypes.LifecycleEventStatusFailed
	if passed {
		status = cdtypes.LifecycleEventStatusSucceeded
	}
	_, err := c.api.PutLifecycleEventHookExecutionStatus(ctx, &codedeploy.PutLifecycleEventHookExecutionStatusInput{
		DeploymentId: aws.String(string(id)), LifecycleEventHookExecutionId: &execution, Status: status,
	})
	if _, told := errors.AsType[*cdtypes.LifecycleEventAlreadyCompletedException](err); told {
		return nil
	}
	if err != nil {
		return fmt.Errorf("report hook of deployment %s: %w", id, classify(err))
	}
	return nil
}
