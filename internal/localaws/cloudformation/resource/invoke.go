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
			replace:    "EventSourceArn StartingPosition",
			create:     createMapping,
			update:     updateMapping,
			remove: func(j *job) error {
				_, err := call[lambda.DeleteEventSourceMappingOutput](j, "lambda", "DeleteEventSourceMapping",
					&lambda.DeleteEventSourceMappingInput{UUID: &j.resource.PhysicalID})
				return err
			},
		},
		"AWS::Lambda::EventInvokeConfig": {
			properties: "DestinationConfig FunctionName! MaximumEventAgeInSeconds MaximumRetryAttempts Qualifier!",
			replace:    "FunctionName Qualifier",
			create:     createInvokeConfig,
			update:     putInvokeConfig,
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
	function, qualifier := j.text("FunctionName"), j.text("Qualifier")
	if err := putInvokeConfig(j); err != nil {
		return err
	}
	j.made(strings.Join([]string{function, qualifier}, "|"))
	return nil
}

// putInvokeConfig replaces the whole configuration, if there is one.
func putInvokeConfig(j *job) error {
	var in lambda.PutFunctionEventInvokeConfigInput
	j.fill(&in)
	_, err := call[lambda.PutFunctionEventInvokeConfigOutput](j, "lambda", "PutFunctionEventInvokeConfig", &in)
	return err
}

// updateMapping changes a mapping. What is left out of the call stays as it
// was, so what was taken away gets its default (Lambda API reference,
// CreateEventSourceMapping).
func updateMapping(j *job) error {
	set, gone := j.retag()
	j.lacking(map[string]any{
		"BatchSize": "10", "BisectBatchOnFunctionError": false, "DestinationConfig": map[string]any{}, "Enabled": true,
		"FilterCriteria": map[string]any{}, "FunctionResponseTypes": []any{}, "KmsKeyArn": "", "MaximumBatchingWindowInSeconds": 0,
		"MaximumRecordAgeInSeconds": "-1", "MaximumRetryAttempts": "-1", "ScalingConfig": map[string]any{}, "Tags": nil,
	})
	j.without("Tags", "EventSourceArn", "StartingPosition")
	in := lambda.UpdateEventSourceMappingInput{UUID: &j.resource.PhysicalID}
	j.fill(&in)
	if _, err := call[lambda.UpdateEventSourceMappingOutput](j, "lambda", "UpdateEventSourceMapping", &in); err != nil {
		return err
	}
	return retagLambda(j, j.resource.Attributes["EventSourceMappingArn"], set, gone)
}

func retagLambda(j *job, arn string, set []pair, gone []string) error {
	return both(set, gone, func() error {
		_, err := call[lambda.TagResourceOutput](j, "lambda", "TagResource", &lambda.TagResourceInput{Resource: &arn, Tags: tagMap(set)})
		return err
	}, func() error {
		_, err := call[lambda.UntagResourceOutput](j, "lambda", "UntagResource", &lambda.UntagResourceInput{Resource: &arn, TagKeys: gone})
		return err
	})
}
