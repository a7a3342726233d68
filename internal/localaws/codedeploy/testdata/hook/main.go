// Command hook is a lifecycle hook: it reports what its environment variable
// ANSWER says, and the function that is deployed as well.
package main

import (
	"context"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

type event struct {
	DeploymentID string `json:"DeploymentId"`
	ExecutionID  string `json:"LifecycleEventHookExecutionId"`
}

func handle(ctx context.Context, e event) error {
	c, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return err
	}
	_, err = codedeploy.NewFromConfig(c).PutLifecycleEventHookExecutionStatus(ctx, &codedeploy.PutLifecycleEventHookExecutionStatusInput{
		DeploymentId: aws.String(e.DeploymentID), LifecycleEventHookExecutionId: aws.String(e.ExecutionID),
		Status: cdtypes.LifecycleEventStatus(os.Getenv("ANSWER")),
	})
	return err
}

func main() { lambda.Start(handle) }
