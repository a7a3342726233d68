package resource

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
)

// invokeKinds returns what decides who may call a function and how.
func invokeKinds() map[string]kind {
	return map[string]kind{
		"AWS::Lambda::Permission": {
			properties: "Action! EventSourceToken FunctionName! FunctionUrlAuthType InvokedViaFunctionUrl Principal! " +
				"PrincipalOrgID SourceAccount SourceArn",
			attributes: "Id",
			create:     createPermission,
			remove: func(j *job) error {
				_, err := call[lambda.RemovePermissionOutput](j, "lambda", "RemovePermission",
					&lambda.RemovePermissionInput{FunctionName: aws.String(j.text("FunctionName")), StatementId: &j.resource.PhysicalID})
				return err
			},
		},
		"AWS::Lambda::EventSourceMapping": {
			properties: "BatchSize BisectBatchOnFunctionError DestinationConfig Enabled EventSourceArn FilterCriteria FunctionName! " +
				"FunctionResponseTypes KmsKeyArn MaximumBatchingWindowInSeconds MaximumRecordAgeInSeconds MaximumRetryAttempts " +
				"MetricsConfig ParallelizationFactor ScalingConfig StartingPosition Tags TumblingWindowInSeconds",
			attributes: "Id EventSourceMappingArn",
			create:     createMapping,
			remove: func(j *job) error {
				_, err := call[lambda.DeleteEventSourceMappingOutput](j, "lambda", "DeleteEventSourceMapping",
					&lambda.DeleteEventSourceMappingInput{UUID: &j.resource.PhysicalID})
				return err
			},
		},
		"AWS::Lambda::EventInvokeConfig": {
			properties: "DestinationConfig FunctionName! MaximumEventAgeInSeconds MaximumRetryAttempts Qualifier!",
			create:     createInvokeConfig,
			remove: func(j *job) error {
				_, err := call[lambda.DeleteFunctionEventInvokeConfigOutput](j, "lambda", "DeleteFunctionEventInvokeConfig",
					&lambda.DeleteFunctionEventInvokeConfigInput{
						FunctionName: aws.String(j.text("FunctionName")), Qualifier: aws.String(j.text("Qualifier")),
					})
				return err
			},
		},
	}
}

// longestStatement is the limit of a statement's id (Lambda API reference,
// AddPermission).
const longestStatement = 100

func createPermission(j *job) error {
	id := j.env.name(j.id, longestStatement, j.dry)
	in := lambda.AddPermissionInput{StatementId: &id}
	j.fill(&in)
	if _, err := call[lambda.AddPermissionOutput](j, "lambda", "AddPermission", &in); err != nil {
		return err
	}
	j.made(id, "Id", id)
	return nil
}

func createMapping(j *job) error {
	var in lambda.CreateEventSourceMappingInput
	j.fill(&in)
	out, err := call[lambda.CreateEventSourceMappingOutput](j, "lambda", "CreateEventSourceMapping", &in)
	if err != nil {
		return err
	}
	id := aws.ToString(out.UUID)
	j.made(id, "Id", id, "EventSourceMappingArn", aws.ToString(out.EventSourceMappingArn))
	return nil
}

// createInvokeConfig has an id that CloudFormation makes up; the API has none.
func createInvokeConfig(j *job) error {
	var in lambda.PutFunctionEventInvokeConfigInput
	j.fill(&in)
	_, err := call[lambda.PutFunctionEventInvokeConfigOutput](j, "lambda", "PutFunctionEventInvokeConfig", &in)
	if err != nil {
		return err
	}
	j.made(strings.Join([]string{aws.ToString(in.FunctionName), aws.ToString(in.Qualifier)}, "|"))
	return nil
}
