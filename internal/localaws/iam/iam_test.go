package iam_test

import (
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/iam"
	"github.com/pullback-dev/pullback/internal/localaws/sdkhttp"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

const (
	account  = "123456789012"
	trust    = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	document = `{"Version":"2012-10-17","Statement":[{"Sid":"Read","Effect":"Allow","Action":"s3:Get*","Resource":"*"}]}`
	readOnly = "arn:aws:iam::aws:policy/ReadOnlyAccess"
)

// open makes an IAM with a client.
func open(t *testing.T) (*iam.Service, *awsiam.Client) {
	t.Helper()
	w := world.New(world.Options{})
	mux := wire.NewMux(w)
	service := iam.New(w, mux)
	mux.Handle(service.Wire())
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return service, awsiam.New(awsiam.Options{
		Region: "us-east-1", HTTPClient: sdkhttp.Client(), BaseEndpoint: aws.String(server.URL), Retryer: aws.NopRetryer{}, Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	})
}

// role makes a role.
func role(t *testing.T, c *awsiam.Client, name string) *iamtypes.Role {
	t.Helper()
	out, err := c.CreateRole(t.Context(), &awsiam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: aws.String(trust)})
	require.NoError(t, err)
	return out.Role
}

func TestARoleIsShownAsItWasMade(t *testing.T) {
	_, c := open(t)
	in := &awsiam.CreateRoleInput{
		RoleName: aws.String("deployer"), Path: aws.String("/ci/"), AssumeRolePolicyDocument: aws.String(trust), Description: aws.String("deploys"),
		MaxSessionDuration: aws.Int32(7200), PermissionsBoundary: aws.String(readOnly), Tags: []iamtypes.Tag{{Key: aws.String("team"), Value: aws.String("shop")}},
	}
	made, err := c.CreateRole(t.Context(), in)
	require.NoError(t, err)
	got, err := c.GetRole(t.Context(), &awsiam.GetRoleInput{RoleName: aws.String("deployer")})
	require.NoError(t, err)
	assert.Equal(t, made.Role, got.Role)
	assert.Regexp(t, `^AROA[A-Z2-7]{17}$`, *got.Role.RoleId)
	text, err := url.QueryUnescape(*got.Role.AssumeRolePolicyDocument)
	require.NoError(t, err)
	assert.JSONEq(t, trust, text)
	got.Role.RoleId, got.Role.AssumeRolePolicyDocument = nil, nil
	assert.Equal(t, &iamtypes.Role{
		RoleName: in.RoleName, Path: in.Path, Arn: aws.String("arn:aws:iam::123456789012:role/ci/deployer"), Description: in.Description,
		CreateDate: aws.Time(time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)), MaxSessionDuration: in.MaxSessionDuration, Tags: in.Tags,
		PermissionsBoundary: &iamtypes.AttachedPermissionsBoundary{
			PermissionsBoundaryArn: in.PermissionsBoundary, PermissionsBoundaryType: iamtypes.PermissionsBoundaryAttachmentTypePolicy,
		},
	}, got.Role)
}

func TestRolesAreListedByNameInPages(t *testing.T) {
	_, c := open(t)
	for _, n := range []string{"c", "a", "b"} {
		role(t, c, n)
	}
	var names []string
	pages := awsiam.NewListRolesPaginator(c, &awsiam.ListRolesInput{MaxItems: aws.Int32(2)})
	for pages.HasMorePages() {
		out, err := pages.NextPage(t.Context())
		require.NoError(t, err)
		for _, r := range out.Roles {
			names = append(names, *r.RoleName)
		}
	}
	assert.Equal(t, []string{"a", "b", "c"}, names)
}

func TestPoliciesOfARole(t *testing.T) {
	service, c := open(t)
	r := role(t, c, "deployer")
	_, err := c.PutRolePolicy(t.Context(), &awsiam.PutRolePolicyInput{RoleName: r.RoleName, PolicyName: aws.String("own"), PolicyDocument: aws.String(document)})
	require.NoError(t, err)
	made, err := c.CreatePolicy(t.Context(), &awsiam.CreatePolicyInput{PolicyName: aws.String("shared"), PolicyDocument: aws.String(document)})
	require.NoError(t, err)
	for _, arn := range []*string{made.Policy.Arn, aws.String(readOnly), made.Policy.Arn} {
		_, err = c.AttachRolePolicy(t.Context(), &awsiam.AttachRolePolicyInput{RoleName: r.RoleName, PolicyArn: arn})
		require.NoError(t, err)
	}
	inline, err := c.GetRolePolicy(t.Context(), &awsiam.GetRolePolicyInput{RoleName: r.RoleName, PolicyName: aws.String("own")})
	require.NoError(t, err)
	text, err := url.QueryUnescape(*inline.PolicyDocument)
	require.NoError(t, err)
	assert.JSONEq(t, document, text)
	attached, err := c.ListAttachedRolePolicies(t.Context(), &awsiam.ListAttachedRolePoliciesInput{RoleName: r.RoleName})
	require.NoError(t, err)
	assert.Equal(t, []iamtypes.AttachedPolicy{
		{PolicyArn: made.Policy.Arn, PolicyName: aws.String("shared")}, {PolicyArn: aws.String(readOnly), PolicyName: aws.String("ReadOnlyAccess")},
	}, attached.AttachedPolicies)
	shown, err := c.GetPolicy(t.Context(), &awsiam.GetPolicyInput{PolicyArn: made.Policy.Arn})
	require.NoError(t, err)
	assert.Equal(t, int32(1), *shown.Policy.AttachmentCount)

	var names []string
	for _, p := range service.Subject(wire.Principal{ARN: *r.Arn}).Policies.Identity {
		names = append(names, p.Name)
	}
	assert.Equal(t, []string{"own", *made.Policy.Arn, readOnly}, names)
}

func TestAPolicyHasUpToFiveVersions(t *testing.T) {
	_, c := open(t)
	made, err := c.CreatePolicy(t.Context(), &awsiam.CreatePolicyInput{PolicyName: aws.String("p"), PolicyDocument: aws.String(document)})
	require.NoError(t, err)
	arn := made.Policy.Arn
	for i := range 4 {
		_, err := c.CreatePolicyVersion(t.Context(), &awsiam.CreatePolicyVersionInput{PolicyArn: arn, PolicyDocument: aws.String(document), SetAsDefault: i == 0})
		require.NoError(t, err)
	}
	_, err = c.CreatePolicyVersion(t.Context(), &awsiam.CreatePolicyVersionInput{PolicyArn: arn, PolicyDocument: aws.String(document)})
	require.ErrorContains(t, err, "A managed policy can have up to 5 versions.")
	_, err = c.DeletePolicyVersion(t.Context(), &awsiam.DeletePolicyVersionInput{PolicyArn: arn, VersionId: aws.String("v2")})
	require.ErrorContains(t, err, "Cannot delete the default version of a policy.")
	_, err = c.DeletePolicyVersion(t.Context(), &awsiam.DeletePolicyVersionInput{PolicyArn: arn, VersionId: aws.String("v1")})
	require.NoError(t, err)
	six, err := c.CreatePolicyVersion(t.Context(), &awsiam.CreatePolicyVersionInput{PolicyArn: arn, PolicyDocument: aws.String(document)})
	require.NoError(t, err)
	assert.Equal(t, "v6", *six.PolicyVersion.VersionId, "a number is not used twice")
	all, err := c.ListPolicyVersions(t.Context(), &awsiam.ListPolicyVersionsInput{PolicyArn: arn})
	require.NoError(t, err)
	var shown []string
	for _, v := range all.Versions {
		mark := ""
		if v.IsDefaultVersion {
			mark = "*"
		}
		shown = append(shown, *v.VersionId+mark)
	}
	assert.Equal(t, []string{"v6", "v5", "v4", "v3", "v2*"}, shown)
}

func TestAnAccessKeyActsAsItsUserUntilItIsDeleted(t *testing.T) {
	w := world.New(world.Options{})
	mux := wire.NewMux(w)
	mux.Handle(iam.New(w, mux).Wire())
	mux.Authenticate()
	server := httptest.NewServer(mux)
	defer server.Close()
	client := func(id, secret string) *awsiam.Client {
		return awsiam.New(awsiam.Options{
			Region: "us-east-1", HTTPClient: sdkhttp.Client(), BaseEndpoint: aws.String(server.URL), Retryer: aws.NopRetryer{}, Credentials: credentials.NewStaticCredentialsProvider(id, secret, ""),
		})
	}
	root := client("test", "test")
	_, err := root.CreateUser(t.Context(), &awsiam.CreateUserInput{UserName: aws.String("ana")})
	require.NoError(t, err)
	key, err := root.CreateAccessKey(t.Context(), &awsiam.CreateAccessKeyInput{UserName: aws.String("ana")})
	require.NoError(t, err)
	ana := client(*key.AccessKey.AccessKeyId, *key.AccessKey.SecretAccessKey)
	me, err := ana.GetUser(t.Context(), &awsiam.GetUserInput{})
	require.NoError(t, err)
	assert.Equal(t, "arn:aws:iam::123456789012:user/ana", *me.User.Arn)
	listed, err := ana.ListAccessKeys(t.Context(), &awsiam.ListAccessKeysInput{})
	require.NoError(t, err)
	assert.Len(t, listed.AccessKeyMetadata, 1)
	_, err = root.DeleteAccessKey(t.Context(), &awsiam.DeleteAccessKeyInput{UserName: aws.String("ana"), AccessKeyId: key.AccessKey.AccessKeyId})
	require.NoError(t, err)
	_, err = ana.GetUser(t.Context(), &awsiam.GetUserInput{})
	require.ErrorContains(t, err, "InvalidClientTokenId", "it has not become the root's")
}

// TestRefusals has the errors of "IAM API reference" with their texts.
func TestRefusals(t *testing.T) {
	_, c := open(t)
	ctx := t.Context()
	role(t, c, "full")
	_, err := c.PutRolePolicy(ctx, &awsiam.PutRolePolicyInput{RoleName: aws.String("full"), PolicyName: aws.String("own"), PolicyDocument: aws.String(document)})
	require.NoError(t, err)
	role(t, c, "attached")
	made, err := c.CreatePolicy(ctx, &awsiam.CreatePolicyInput{PolicyName: aws.String("p"), PolicyDocument: aws.String(document)})
	require.NoError(t, err)
	_, err = c.AttachRolePolicy(ctx, &awsiam.AttachRolePolicyInput{RoleName: aws.String("attached"), PolicyArn: made.Policy.Arn})
	require.NoError(t, err)
	_, err = c.CreateUser(ctx, &awsiam.CreateUserInput{UserName: aws.String("ana")})
	require.NoError(t, err)
	for range 2 {
		_, err = c.CreateAccessKey(ctx, &awsiam.CreateAccessKeyInput{UserName: aws.String("ana")})
		require.NoError(t, err)
	}
	long := strings.Replace(document, "s3:Get*", "s3:Get"+strings.Repeat("x", 11000), 1)
	for name, x := range map[string]struct {
		do         func() error
		code, text string
	}{
		"no role":  {func() error { _, err := c.GetRole(ctx, &awsiam.GetRoleInput{RoleName: aws.String("none")}); return err }, "NoSuchEntity", "The role with name none cannot be found."},
		"no user":  {func() error { _, err := c.GetUser(ctx, &awsiam.GetUserInput{UserName: aws.String("none")}); return err }, "NoSuchEntity", "The user with name none cannot be found."},
		"who am I": {func() error { _, err := c.GetUser(ctx, &awsiam.GetUserInput{}); return err }, "ValidationError", "Must specify userName when calling with non-User credentials"},
		"no inline": {func() error {
			_, err := c.DeleteRolePolicy(ctx, &awsiam.DeleteRolePolicyInput{RoleName: aws.String("full"), PolicyName: aws.String("x")})
			return err
		}, "NoSuchEntity", "The role policy with name x cannot be found."},
		"no managed": {func() error {
			_, err := c.AttachRolePolicy(ctx, &awsiam.AttachRolePolicyInput{RoleName: aws.String("full"), PolicyArn: aws.String("arn:aws:iam::aws:policy/None")})
			return err
		}, "NoSuchEntity", "Policy arn:aws:iam::aws:policy/None does not exist or is not attachable."},
		"not attached": {func() error {
			_, err := c.DetachRolePolicy(ctx, &awsiam.DetachRolePolicyInput{RoleName: aws.String("full"), PolicyArn: made.Policy.Arn})
			return err
		}, "NoSuchEntity", "Policy arn:aws:iam::123456789012:policy/p was not found."},
		"no policy": {func() error {
			_, err := c.GetPolicy(ctx, &awsiam.GetPolicyInput{PolicyArn: aws.String("arn:aws:iam::123456789012:policy/none")})
			return err
		}, "NoSuchEntity", "Policy arn:aws:iam::123456789012:policy/none was not found."},
		"a taken name": {func() error {
			_, err := c.CreateRole(ctx, &awsiam.CreateRoleInput{RoleName: aws.String("FULL"), AssumeRolePolicyDocument: aws.String(trust)})
			return err
		}, "EntityAlreadyExists", "Role with name FULL already exists."},
		"a taken policy": {func() error {
			_, err := c.CreatePolicy(ctx, &awsiam.CreatePolicyInput{PolicyName: aws.String("P"), PolicyDocument: aws.String(document)})
			return err
		}, "EntityAlreadyExists", "A policy called P already exists. Duplicate names are not allowed."},
		"a full role": {func() error {
			_, err := c.DeleteRole(ctx, &awsiam.DeleteRoleInput{RoleName: aws.String("full")})
			return err
		}, "DeleteConflict", "Cannot delete entity, must delete policies first."},
		"a role with a managed policy": {func() error {
			_, err := c.DeleteRole(ctx, &awsiam.DeleteRoleInput{RoleName: aws.String("attached")})
			return err
		}, "DeleteConflict", "Cannot delete entity, must detach all policies first."},
		"an attached policy": {func() error {
			_, err := c.DeletePolicy(ctx, &awsiam.DeletePolicyInput{PolicyArn: made.Policy.Arn})
			return err
		}, "DeleteConflict", "Cannot delete a policy attached to entities."},
		"a user with keys": {func() error {
			_, err := c.DeleteUser(ctx, &awsiam.DeleteUserInput{UserName: aws.String("ana")})
			return err
		}, "DeleteConflict", "Cannot delete entity, must delete access keys first."},
		"a third key": {func() error {
			_, err := c.CreateAccessKey(ctx, &awsiam.CreateAccessKeyInput{UserName: aws.String("ana")})
			return err
		}, "LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2"},
		"a long policy": {func() error {
			_, err := c.PutRolePolicy(ctx, &awsiam.PutRolePolicyInput{RoleName: aws.String("full"), PolicyName: aws.String("own"), PolicyDocument: &long})
			return err
		}, "LimitExceeded", "Maximum policy size of 10240 bytes exceeded for role full"},
		"a bad policy": {func() error {
			_, err := c.PutRolePolicy(ctx, &awsiam.PutRolePolicyInput{RoleName: aws.String("full"), PolicyName: aws.String("own"), PolicyDocument: aws.String(`{}`)})
			return err
		}, "MalformedPolicyDocument", "Policy document must be version 2012-10-17 or greater."},
		"a bad trust policy": {func() error {
			_, err := c.UpdateAssumeRolePolicy(ctx, &awsiam.UpdateAssumeRolePolicyInput{RoleName: aws.String("full"), PolicyDocument: aws.String(document)})
			return err
		}, "MalformedPolicyDocument", "Has prohibited field Resource"},
		"a bad name": {func() error {
			_, err := c.CreateUser(ctx, &awsiam.CreateUserInput{UserName: aws.String("a b")})
			return err
		}, "ValidationError", "The specified value for userName is invalid."},
		"a bad path": {func() error {
			_, err := c.CreateUser(ctx, &awsiam.CreateUserInput{UserName: aws.String("b"), Path: aws.String("x")})
			return err
		}, "ValidationError", "The specified value for path is invalid."},
		"AWS's policy": {func() error {
			_, err := c.DeletePolicy(ctx, &awsiam.DeletePolicyInput{PolicyArn: aws.String(readOnly)})
			return err
		}, "NoSuchEntity", "was not found"},
		"a service-linked role": {func() error {
			_, err := c.CreateServiceLinkedRole(ctx, &awsiam.CreateServiceLinkedRoleInput{AWSServiceName: aws.String("ecs.amazonaws.com")})
			return err
		}, "UnknownOperationException", "iam of the local AWS has no operation CreateServiceLinkedRole"},
	} {
		t.Run(name, func(t *testing.T) {
			var api smithy.APIError
			require.ErrorAs(t, x.do(), &api)
			assert.Equal(t, x.code, api.ErrorCode())
			assert.Contains(t, api.ErrorMessage(), x.text)
		})
	}
}

func TestEveryManagedPolicyOfAWSCanBeRead(t *testing.T) {
	service, c := open(t)
	all, err := c.ListPolicies(t.Context(), &awsiam.ListPoliciesInput{Scope: iamtypes.PolicyScopeTypeAws})
	require.NoError(t, err)
	assert.NotEmpty(t, all.Policies)
	for i, p := range all.Policies {
		name := "r" + string(rune('a'+i))
		r := role(t, c, name)
		_, err := c.AttachRolePolicy(t.Context(), &awsiam.AttachRolePolicyInput{RoleName: r.RoleName, PolicyArn: p.Arn})
		require.NoError(t, err)
		assert.Len(t, service.Subject(wire.Principal{ARN: *r.Arn}).Policies.Identity, 1, *p.Arn)
	}
}

func TestTheRoleOfAnInstanceProfileCannotBeDeleted(t *testing.T) {
	_, c := open(t)
	role(t, c, "machine")
	ctx, name := t.Context(), aws.String("machine")
	made, err := c.CreateInstanceProfile(ctx, &awsiam.CreateInstanceProfileInput{InstanceProfileName: name})
	require.NoError(t, err)
	assert.Empty(t, made.InstanceProfile.Roles)
	_, err = c.AddRoleToInstanceProfile(ctx, &awsiam.AddRoleToInstanceProfileInput{InstanceProfileName: name, RoleName: name})
	require.NoError(t, err)
	_, err = c.DeleteRole(ctx, &awsiam.DeleteRoleInput{RoleName: name})
	var conflict *iamtypes.DeleteConflictException
	require.ErrorAs(t, err, &conflict)
	got, err := c.GetInstanceProfile(ctx, &awsiam.GetInstanceProfileInput{InstanceProfileName: name})
	require.NoError(t, err)
	assert.Equal(t, "machine", *got.InstanceProfile.Roles[0].RoleName)
	_, err = c.RemoveRoleFromInstanceProfile(ctx, &awsiam.RemoveRoleFromInstanceProfileInput{InstanceProfileName: name, RoleName: name})
	require.NoError(t, err)
	_, err = c.DeleteRole(ctx, &awsiam.DeleteRoleInput{RoleName: name})
	require.NoError(t, err)
}
