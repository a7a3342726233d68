package cloudformation_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/cloudformation"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// identities is a stack with a role, a policy of it and a managed one.
const identities = `{"Resources": {
	"Role": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "r", "Path": "/team/", "MaxSessionDuration": "7200", "Tags": [{"Key": "a", "Value": "b"}],
		"PermissionsBoundary": "arn:aws:iam::aws:policy/ReadOnlyAccess",
		"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]},
		"Policies": [{"PolicyName": "inline", "PolicyDocument": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}}],
		"ManagedPolicyArns": ["arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"]}},
	"Policy": {"Type": "AWS::IAM::Policy", "Properties": {"PolicyName": "more", "Roles": [{"Ref": "Role"}],
		"PolicyDocument": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}]}}},
	"Managed": {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"ManagedPolicyName": "p", "Roles": [{"Ref": "Role"}],
		"PolicyDocument": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sns:*", "Resource": "*"}]}}}}}`

// identity spells what a role has.
func identity(t *testing.T, mux *wire.Mux) []string {
	t.Helper()
	role := ask[iam.GetRoleOutput](t, mux, "iam", "GetRole", &iam.GetRoleInput{RoleName: new("r")}).Role
	lines := []string{*role.Arn, *role.PermissionsBoundary.PermissionsBoundaryArn}
	for _, name := range ask[iam.ListRolePoliciesOutput](t, mux, "iam", "ListRolePolicies", &iam.ListRolePoliciesInput{RoleName: new("r")}).PolicyNames {
		p := ask[iam.GetRolePolicyOutput](t, mux, "iam", "GetRolePolicy", &iam.GetRolePolicyInput{RoleName: new("r"), PolicyName: &name})
		text, err := url.QueryUnescape(*p.PolicyDocument)
		require.NoError(t, err)
		lines = append(lines, name+" "+text)
	}
	for _, p := range ask[iam.ListAttachedRolePoliciesOutput](t, mux, "iam", "ListAttachedRolePolicies", &iam.ListAttachedRolePoliciesInput{RoleName: new("r")}).AttachedPolicies {
		lines = append(lines, *p.PolicyArn)
	}
	return lines
}

func TestRolesAndPoliciesBecomeIAMs(t *testing.T) {
	t.Parallel()
	w, mux := region(t)
	cfn := cloudformation.New(w, mux, cloudformation.Options{})
	stack, err := cfn.Deploy(t.Context(), cloudformation.Input{StackName: "s", Template: []byte(identities)})
	require.NoError(t, err)
	role, _ := stack.Resource("Role")
	assert.Equal(t, "arn:aws:iam::123456789012:role/team/r", role.Attributes["Arn"])
	w.Lock()
	assert.Equal(t, []string{
		"arn:aws:iam::123456789012:role/team/r", "arn:aws:iam::aws:policy/ReadOnlyAccess",
		`inline {"Statement":[{"Action":"s3:*","Effect":"Allow","Resource":"*"}],"Version":"2012-10-17"}`,
		`more {"Statement":[{"Action":"sqs:*","Effect":"Allow","Resource":"*"}],"Version":"2012-10-17"}`,
		"arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole", "arn:aws:iam::123456789012:policy/p",
	}, identity(t, mux))
	w.Unlock()

	_, err = cfn.Deploy(t.Context(), cloudformation.Input{StackName: "other", Template: []byte(identities)})
	require.ErrorContains(t, err, "Role with name r already exists.")
	w.Lock()
	assert.NotEmpty(t, identity(t, mux), "a rollback leaves what it did not make")
	w.Unlock()

	require.NoError(t, cfn.Delete(t.Context(), "s"))
	w.Lock()
	defer w.Unlock()
	assert.Empty(t, ask[iam.ListRolesOutput](t, mux, "iam", "ListRoles", &iam.ListRolesInput{}).Roles)
	assert.Empty(t, ask[iam.ListPoliciesOutput](t, mux, "iam", "ListPolicies", &iam.ListPoliciesInput{Scope: "Local"}).Policies)
}

func TestAPolicyThatIAMRefusesFailsTheStack(t *testing.T) {
	t.Parallel()
	w, mux := region(t)
	text := strings.Replace(identities, `"Action": "sqs:*"`, `"Action": "sqs"`, 1)
	_, err := cloudformation.New(w, mux, cloudformation.Options{}).Deploy(t.Context(), cloudformation.Input{StackName: "s", Template: []byte(text)})
	require.ErrorContains(t, err, "create Policy (AWS::IAM::Policy): iam PutRolePolicy: MalformedPolicyDocument")
	w.Lock()
	defer w.Unlock()
	assert.Empty(t, ask[iam.ListRolesOutput](t, mux, "iam", "ListRoles", &iam.ListRolesInput{}).Roles)
}
