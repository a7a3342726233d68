package resource

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/pullback-dev/pullback/internal/localaws/cloudformation/template"
)

// longestFunction is the limit of a function's name (Lambda API reference,
// CreateFunction).
const longestFunction = 64

// lambdaKinds returns functions, versions and aliases.
func lambdaKinds() map[string]kind {
	return map[string]kind{
		"AWS::Lambda::Function": {
			properties: "Architectures Code! CodeSigningConfigArn DeadLetterConfig Description Environment EphemeralStorage " +
				"FileSystemConfigs FunctionName Handler ImageConfig KmsKeyArn Layers LoggingConfig MemorySize PackageType " +
				"ReservedConcurrentExecutions Role! Runtime SnapStart Tags Timeout TracingConfig VpcConfig",
			attributes: "Arn",
			replace:    "FunctionName PackageType",
			create:     createFunction,
			update:     updateFunction,
			remove: func(j *job) error {
				_, err := call[lambda.DeleteFunctionOutput](j, "lambda", "DeleteFunction",
					&lambda.DeleteFunctionInput{FunctionName: &j.resource.PhysicalID})
				return err
			},
		},
		"AWS::Lambda::Version": {
			properties: "CodeSha256 Description FunctionName!",
			attributes: "FunctionArn Version",
			create:     createVersion,
			remove: func(j *job) error {
				_, err := call[lambda.DeleteFunctionOutput](j, "lambda", "DeleteFunction", &lambda.DeleteFunctionInput{
					FunctionName: aws.String(j.text("FunctionName")), Qualifier: aws.String(j.resource.Attributes["Version"]),
				})
				return err
			},
		},
		"AWS::Lambda::Alias": {
			properties: "Description FunctionName! FunctionVersion! Name! RoutingConfig",
			attributes: "AliasArn",
			policies:   "CodeDeployLambdaAliasUpdate",
			replace:    "FunctionName Name",
			create:     createAlias,
			update:     updateAlias,
			settle:     settleAlias,
			patient:    true,
			remove: func(j *job) error {
				_, err := call[lambda.DeleteAliasOutput](j, "lambda", "DeleteAlias",
					&lambda.DeleteAliasInput{FunctionName: aws.String(j.text("FunctionName")), Name: aws.String(j.text("Name"))})
				return err
			},
		},
	}
}

func createFunction(j *job) error {
	name := j.name("FunctionName", longestFunction, "")
	var reserved struct{ ReservedConcurrentExecutions *int32 }
	if v := j.take("ReservedConcurrentExecutions"); v != nil {
		j.into(&reserved, "ReservedConcurrentExecutions", v)
	}
	var in lambda.CreateFunctionInput
	j.fill(&in)
	out, err := call[lambda.CreateFunctionOutput](j, "lambda", "CreateFunction", &in)
	if err != nil {
		return err
	}
	j.made(name, "Arn", aws.ToString(out.FunctionArn))
	if n := reserved.ReservedConcurrentExecutions; n != nil {
		_, err = call[lambda.PutFunctionConcurrencyOutput](j, "lambda", "PutFunctionConcurrency",
			&lambda.PutFunctionConcurrencyInput{FunctionName: &name, ReservedConcurrentExecutions: n})
	}
	return err
}

// createVersion publishes a version. Its Ref is the ARN with the version.
func createVersion(j *job) error {
	var in lambda.PublishVersionInput
	j.fill(&in)
	out, err := call[lambda.PublishVersionOutput](j, "lambda", "PublishVersion", &in)
	if err != nil {
		return err
	}
	// Some answers name the function without the version; Ref never does.
	arn, version := aws.ToString(out.FunctionArn), aws.ToString(out.Version)
	if !strings.HasSuffix(arn, ":"+version) {
		arn += ":" + version
	}
	j.made(arn, "FunctionArn", arn, "Version", version)
	return nil
}

// weights turns CloudFormation's list of weights into the API's map.
func weights(j *job) {
	if routing := j.object("RoutingConfig"); routing != nil {
		list, ok := routing["AdditionalVersionWeights"].([]any)
		if !ok || len(routing) != 1 {
			j.report("RoutingConfig", "must have a list AdditionalVersionWeights and nothing else")
		}
		weights := map[string]any{}
		for _, v := range list {
			one, _ := v.(map[string]any)
			version, ok := template.Text(one["FunctionVersion"])
			if _, later := one["FunctionVersion"].(template.Unknown); !ok && !later || len(one) != 2 {
				j.report("RoutingConfig.AdditionalVersionWeights", "must have FunctionVersion and FunctionWeight")
				continue
			}
			weights[version] = one["FunctionWeight"]
		}
		j.left["RoutingConfig"] = map[string]any{"AdditionalVersionWeights": weights}
	}
}

func createAlias(j *job) error {
	weights(j)
	var in lambda.CreateAliasInput
	j.fill(&in)
	out, err := call[lambda.CreateAliasOutput](j, "lambda", "CreateAlias", &in)
	if err != nil {
		return err
	}
	arn := aws.ToString(out.AliasArn)
	j.made(arn, "AliasArn", arn)
	return nil
}
