package stack

import (
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/jsii-runtime-go"
)

// GrantRead lets somebody read what pullback did and why: what "pullback explain" and
// "pullback fleet" need. They find the ledger by the settings of the rollbacker.
func (c *ControlPlane) GrantRead(to awsiam.IGrantable) {
	c.allow(to, []permission{{ledgerTable, []string{"dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"}}})
}

// GrantOperate lets somebody say what becomes of targets, besides: what "pullback hold",
// "release", "mark" and "rollback" need. They look at the target as the functions do,
// write to the ledger and, if something is to be taken back, to the signals queue, and
// close and open the way into the stages of pipelines. They take nothing back themselves,
// and what they say is on record with their name.
func (c *ControlPlane) GrantOperate(to awsiam.IGrantable) {
	c.GrantRead(to)
	c.allow(to, slices.Concat(inspect(), gate(), []permission{
		{groups, []string{"codedeploy:GetDeployment"}},
		{everything, []string{"codedeploy:GetDeploymentTarget", "codedeploy:ListDeploymentTargets"}},
		{lambdas, []string{"lambda:GetFunctionConfiguration"}},
		{ledgerTable, []string{"dynamodb:DeleteItem", "dynamodb:PutItem"}},
		{signalsQueue, []string{"sqs:SendMessage"}},
	}))
}

// allow gives somebody permissions, and those to find the ledger and to use the key.
func (c *ControlPlane) allow(to awsiam.IGrantable, all []permission) {
	on := arns(c.at)
	all = append(all, permission{ownKey, []string{"kms:Decrypt", "kms:GenerateDataKey"}})
	for _, p := range all {
		if on[p.on] == nil {
			continue
		}
		to.GrantPrincipal().AddToPrincipalPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
			Actions: jsii.Strings(p.actions...), Resources: on[p.on], Conditions: p.on.conditions(),
		}))
	}
	to.GrantPrincipal().AddToPrincipalPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Actions: jsii.Strings("lambda:GetFunctionConfiguration"), Resources: &[]*string{c.functions["rollbacker"].FunctionArn()},
	}))
}
