package deployments

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"github.com/pullback-dev/pullback/shared/deploy"
)

// Stop tells a running deployment to stop and CodeDeploy to roll it back.
// Telling it twice does no harm. deploy.ErrEnded, deploy.ErrUnknown.
func (c *Client) Stop(ctx context.Context, id deploy.ID) error {
	_, err := c.api.StopDeployment(ctx, &codedeploy.StopDeploymentInput{
		DeploymentId: aws.String(string(id)), AutoRollbackEnabled: aws.Bool(true),
	})
	if err != nil {
		return fmt.Errorf("stop deployment %s: %w", id, classify(err))
	}
	return nil
}

// allAtOnce moves all traffic in one step. A rollback is not tried out.
const allAtOnce = "CodeDeployDefault.LambdaAllAtOnce"

// Restore creates the deployment that puts a revision back, and returns its
// id. deploy.ErrBusy if another one is under way on the target,
// deploy.ErrUnknown.
//
// It makes one attempt: CreateDeployment is not idempotent, so after an error
// that leaves the outcome open the caller looks for the marker. The deployment
// ignores alarms, because the one that asked for it is still on, and its own
// failure rolls nothing back.
func (c *Client) Restore(ctx context.Context, r deploy.Restore) (deploy.ID, error) {
	spec, err := appSpec(r)
	if err != nil {
		return "", fmt.Errorf("restore %s: %w", r.Target, err)
	}
	out, err := c.api.CreateDeployment(ctx, &codedeploy.CreateDeploymentInput{
		ApplicationName:      &r.Target.Application,
		DeploymentGroupName:  &r.Target.Group,
		DeploymentConfigName: aws.String(allAtOnce),
		Description:          &r.Marker,
		Revision: &cdtypes.RevisionLocation{
			RevisionType:   cdtypes.RevisionLocationTypeAppSpecContent,
			AppSpecContent: &cdtypes.AppSpecContent{Content: &spec},
		},
		AutoRollbackConfiguration: &cdtypes.AutoRollbackConfiguration{Enabled: false},
		// The list must not be null (API reference, "InvalidAlarmConfigException").
		OverrideAlarmConfiguration: &cdtypes.AlarmConfiguration{Enabled: false, Alarms: []cdtypes.Alarm{}},
	}, once)
	if err != nil {
		return "", fmt.Errorf("restore %s: %w", r.Target, classify(err))
	}
	return deploy.ID(aws.ToString(out.DeploymentId)), nil
}

// once makes a call that is not repeated.
func once(o *codedeploy.Options) { o.Retryer = aws.NopRetryer{} }

// appSpec returns the text that tells CodeDeploy what to move (user guide,
// "AppSpec 'resources' section for AWS Lambda deployments"). It names no hooks:
// no gate may refuse a rollback.
func appSpec(r deploy.Restore) (string, error) {
	type properties struct {
		Name           string `json:"Name"`
		Alias          string `json:"Alias"`
		CurrentVersion string `json:"CurrentVersion"`
		TargetVersion  string `json:"TargetVersion"`
	}
	type resource struct {
		Type       string     `json:"Type"`
		Properties properties `json:"Properties"`
	}
	text, err := json.Marshal(struct {
		Version   json.RawMessage       `json:"version"`
		Resources []map[string]resource `json:"Resources"`
	}{
		Version: json.RawMessage("0.0"),
		Resources: []map[string]resource{{"function": {
			Type: "AWS::Lambda::Function",
			Properties: properties{
				Name: r.Alias.Function, Alias: r.Alias.Name, CurrentVersion: string(r.From), TargetVersion: string(r.To),
			},
		}}},
	})
	if err != nil {
		return "", fmt.Errorf("write AppSpec: %w", err)
	}
	return string(text), nil
}

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
