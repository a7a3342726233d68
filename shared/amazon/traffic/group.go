package traffic

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"github.com/pullback-dev/pullback/shared/deploy"
)

// Moved adds what a deployment of a group moves, and how far it is, as its
// target says. Before the deployment has started there is no target, and nothing
// to add: the AppSpec, which would say it, is never returned by GetDeployment
// (API reference, "AppSpecContent").
func (c *Client) Moved(_ context.Context, d deploy.Deployment, _ cdtypes.DeploymentInfo, targets []cdtypes.DeploymentTarget) (deploy.Deployment, error) {
	// A Lambda deployment has exactly one target (API reference,
	// "DeploymentTargetListSizeExceededException").
	if len(targets) == 0 || targets[0].LambdaTarget == nil {
		return d, nil
	}
	moved := *targets[0].LambdaTarget
	if f := moved.LambdaFunctionInfo; f != nil {
		d.Alias = deploy.Alias{Function: aws.ToString(f.FunctionName), Name: aws.ToString(f.FunctionAlias)}
		d.From, d.To = deploy.Revision(aws.ToString(f.CurrentVersion)), deploy.Revision(aws.ToString(f.TargetVersion))
	}
	d.Shifted = shifted(moved)
	d.Waiting, d.WaitingSince = waiting(moved)
	return d, nil
}

// waiting returns the hook that is under way, and since when.
func waiting(t cdtypes.LambdaTarget) (string, time.Time) {
	for _, e := range t.LifecycleEvents {
		name := aws.ToString(e.LifecycleEventName)
		hook := name == "BeforeAllowTraffic" || name == "AfterAllowTraffic"
		if hook && e.Status == cdtypes.LifecycleEventStatusInProgress && e.StartTime != nil {
			return name, e.StartTime.UTC()
		}
	}
	return "", time.Time{}
}

// shifted returns when traffic began to move: the start of AllowTraffic, which
// a deployment that was refused before never has.
func shifted(t cdtypes.LambdaTarget) time.Time {
	for _, e := range t.LifecycleEvents {
		if aws.ToString(e.LifecycleEventName) == "AllowTraffic" && e.Status != cdtypes.LifecycleEventStatusSkipped {
			return aws.ToTime(e.StartTime).UTC()
		}
	}
	return time.Time{}
}

// allAtOnce moves all traffic in one step. A rollback is not tried out.
const allAtOnce = "CodeDeployDefault.LambdaAllAtOnce"

// Revision returns what CodeDeploy is given to put a version back, and the
// deployment configuration that does it at once.
func (c *Client) Revision(_ context.Context, r deploy.Restore) (*cdtypes.RevisionLocation, string, error) {
	spec, err := appSpec(r)
	if err != nil {
		return nil, "", err
	}
	return &cdtypes.RevisionLocation{
		RevisionType: cdtypes.RevisionLocationTypeAppSpecContent, AppSpecContent: &cdtypes.AppSpecContent{Content: &spec},
	}, allAtOnce, nil
}

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
				Name: r.Place.Alias.Function, Alias: r.Place.Alias.Name, CurrentVersion: string(r.From), TargetVersion: string(r.To),
			},
		}}},
	})
	if err != nil {
		return "", fmt.Errorf("write AppSpec: %w", err)
	}
	return string(text), nil
}
