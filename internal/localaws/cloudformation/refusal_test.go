package cloudformation_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/stretchr/testify/assert"

	"github.com/pullback-dev/pullback/internal/localaws/world"
)

func TestRefusalsAreInCloudFormationsWords(t *testing.T) {
	t.Parallel()
	a := newAccount(t, world.Manual)
	a.create(t, one)
	create := func(name, template string, capabilities ...cfntypes.Capability) error {
		_, err := a.stacks.CreateStack(t.Context(), &cloudformation.CreateStackInput{StackName: &name, TemplateBody: &template, Capabilities: capabilities})
		return err
	}
	const role = `{"Resources": {"R": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "r", "AssumeRolePolicyDocument": {"Statement": []}}}}}`
	for want, err := range map[string]error{
		"AlreadyExistsException: Stack [shop] already exists":                                                                  create("shop", one),
		"InsufficientCapabilitiesException: Requires capabilities : [CAPABILITY_NAMED_IAM]":                                    create("n", role, cfntypes.CapabilityCapabilityIam),
		"ValidationError: Template format error: Unrecognized resource types: [AWS::X::Y]":                                     create("n", `{"Resources": {"A": {"Type": "AWS::X::Y"}}}`),
		"ValidationError: Template format error: Unresolved resource dependencies [No] in the Resources block of the template": create("n", `{"Resources": {"A": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": {"Ref": "No"}}}}}`),
		"ValidationError: Parameters: [P] must have values":                                                                    create("n", `{"Parameters": {"P": {"Type": "String"}}, "Resources": {"A": {"Type": "AWS::SQS::Queue"}}}`),
		"ValidationError: Circular dependency between resources: [A, B]":                                                       create("n", `{"Resources": {"A": {"Type": "AWS::SQS::Queue", "DependsOn": "B"}, "B": {"Type": "AWS::SQS::Queue", "DependsOn": "A"}}}`),
		"ValidationError: Either Template URL or Template Body must be specified.": func() error {
			_, err := a.stacks.CreateStack(t.Context(), &cloudformation.CreateStackInput{StackName: aws.String("n")})
			return err
		}(),
		"ValidationError: Stack with id none does not exist": func() error {
			_, err := a.stacks.DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{StackName: aws.String("none")})
			return err
		}(),
		"ValidationError: No updates are to be performed.": func() error {
			_, err := a.stacks.UpdateStack(t.Context(), &cloudformation.UpdateStackInput{StackName: aws.String("shop"), TemplateBody: aws.String(one)})
			return err
		}(),
		"ChangeSetNotFound: ChangeSet [none] does not exist": func() error {
			_, err := a.stacks.DescribeChangeSet(t.Context(), &cloudformation.DescribeChangeSetInput{StackName: aws.String("shop"), ChangeSetName: aws.String("none")})
			return err
		}(),
		"api error UnknownOperationException: service cloudformation of the local AWS has no operation DetectStackDrift": func() error {
			_, err := a.stacks.DetectStackDrift(t.Context(), &cloudformation.DetectStackDriftInput{StackName: aws.String("shop")})
			return err
		}(),
	} {
		assert.ErrorContains(t, err, want)
	}
}
