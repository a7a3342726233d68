// Package stacked is a team whose Lambda alias is in a CloudFormation stack, as
// SAM and the CDK make it: each release is an update of the stack, which moves the
// alias by a canary of CodeDeploy.
package stacked

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/pullback-dev/pullback/internal/teams"
	"github.com/pullback-dev/pullback/shared/deploy"
)

// Options are how the stack is made.
type Options struct {
	Hooks bool                                 // ask pullback before and after traffic shifts
	Code  func(release string) ([]byte, error) // the deployment package of a release
}

// Team is the team at work.
type Team struct {
	teams.Common
	options  Options
	builds   int               // how often the stack was given a version
	versions map[string]string // releases by version
	order    []string          // of publication
	stacks   *cloudformation.Client
	lambda   *lambda.Client
	objects  *s3.Client
}

// New returns a team.
func New(c teams.Common, o Options) *Team {
	return &Team{
		Common: c, options: o, versions: map[string]string{}, stacks: cloudformation.NewFromConfig(c.Config), lambda: lambda.NewFromConfig(c.Config),
		objects: s3.NewFromConfig(c.Config, func(o *s3.Options) { o.UsePathStyle = true }),
	}
}

// alias is the name of the alias, and of the deployment group.
const alias = "live"

// Target is the deployment group.
func (t *Team) Target() deploy.Target { return deploy.Target{Application: t.Name, Group: alias} }

// Alias is what customers call.
func (t *Team) Alias() deploy.Alias { return deploy.Alias{Function: t.Name, Name: alias} }

func (t *Team) bucket() string { return t.Name + "-code" }

// Install makes the stack, with the good release.
func (t *Team) Install(ctx context.Context) error {
	if err := t.CreateAlarm(ctx); err != nil {
		return err
	}
	if _, err := t.objects.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String(t.bucket())}); err != nil {
		return fmt.Errorf("create bucket %s: %w", t.bucket(), err)
	}
	body, err := t.next(ctx, teams.Good)
	if err != nil {
		return err
	}
	_, err = t.stacks.CreateStack(ctx, &cloudformation.CreateStackInput{StackName: &t.Name, TemplateBody: &body, Capabilities: []cfntypes.Capability{cfntypes.CapabilityCapabilityIam}})
	if err != nil {
		return fmt.Errorf("create stack %s: %w", t.Name, err)
	}
	return t.until(ctx, "is there", func() (bool, error) {
		out, err := t.stacks.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &t.Name})
		if err != nil || out.Stacks[0].StackStatus != cfntypes.StackStatusCreateComplete {
			return false, err
		}
		return true, t.published(ctx, teams.Good)
	})
}

// until waits for something that takes CloudFormation some seconds.
func (t *Team) until(ctx context.Context, what string, holds func() (bool, error)) error {
	const limit = 120
	for range limit {
		if ok, err := holds(); ok || err != nil {
			return err
		}
		if err := t.Wait(ctx, time.Second); err != nil {
			return err
		}
	}
	return fmt.Errorf("wait until stack %s %s: not within %d s", t.Name, what, limit)
}

// published notes which version a release has become.
func (t *Team) published(ctx context.Context, release string) error {
	out, err := t.stacks.DescribeStackResource(ctx, &cloudformation.DescribeStackResourceInput{StackName: &t.Name, LogicalResourceId: aws.String(t.version())})
	if err != nil {
		return fmt.Errorf("version of %s: %w", release, err)
	}
	arn := aws.ToString(out.StackResourceDetail.PhysicalResourceId)
	t.versions[arn[strings.LastIndexByte(arn, ':')+1:]] = release
	t.order = append(slices.DeleteFunc(t.order, func(other string) bool { return other == release }), release)
	return nil
}

// version is the logical id of the newest version.
func (t *Team) version() string { return fmt.Sprintf("Version%d", t.builds) }

// Deploy updates the stack with a release, as a new build of it, and returns the
// deployment that this begins.
func (t *Team) Deploy(ctx context.Context, release string) (deploy.ID, error) {
	before, err := t.Deployments(ctx)
	if err != nil {
		return "", err
	}
	if err := t.mend(ctx); err != nil {
		return "", err
	}
	body, err := t.next(ctx, release)
	if err != nil {
		return "", err
	}
	_, err = t.stacks.UpdateStack(ctx, &cloudformation.UpdateStackInput{StackName: &t.Name, TemplateBody: &body, Capabilities: []cfntypes.Capability{cfntypes.CapabilityCapabilityIam}})
	if err != nil {
		return "", fmt.Errorf("update stack %s: %w", t.Name, err)
	}
	var begun deploy.ID
	return begun, t.until(ctx, "begins a deployment", func() (bool, error) {
		now, err := t.Deployments(ctx)
		if err != nil || len(now) == len(before) {
			return false, err
		}
		begun = now[0].ID
		return true, t.published(ctx, release)
	})
}

// mend ends the rollback of an update that was refused: the alias stays as it is.
func (t *Team) mend(ctx context.Context) error {
	stuck := func() (bool, error) {
		out, err := t.stacks.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &t.Name})
		if err != nil {
			return false, fmt.Errorf("stack %s: %w", t.Name, err)
		}
		return out.Stacks[0].StackStatus == cfntypes.StackStatusUpdateRollbackFailed, nil
	}
	if is, err := stuck(); err != nil || !is {
		return err
	}
	_, err := t.stacks.ContinueUpdateRollback(ctx, &cloudformation.ContinueUpdateRollbackInput{StackName: &t.Name, ResourcesToSkip: []string{"Alias"}})
	if err != nil {
		return fmt.Errorf("end the rollback of stack %s: %w", t.Name, err)
	}
	return t.Wait(ctx, time.Minute)
}

// Deployments returns the group's deployments, newest first.
func (t *Team) Deployments(ctx context.Context) ([]teams.Deployment, error) {
	return teams.CodeDeploy{Config: t.Config, Target: t.Target()}.Deployments(ctx)
}

// Live returns the releases that serve, the one that the alias names first.
func (t *Team) Live(ctx context.Context) ([]string, error) {
	out, err := t.lambda.GetAlias(ctx, &lambda.GetAliasInput{FunctionName: &t.Name, Name: aws.String(alias)})
	if err != nil {
		return nil, fmt.Errorf("look at %s: %w", t.Target(), err)
	}
	serving := []string{t.ReleaseOf(deploy.Revision(*out.FunctionVersion))}
	if out.RoutingConfig != nil {
		for v := range maps.Keys(out.RoutingConfig.AdditionalVersionWeights) { // Lambda allows one
			serving = append(serving, t.ReleaseOf(deploy.Revision(v)))
		}
	}
	return serving, nil
}

// Releases are those that were published, in their order.
func (t *Team) Releases() []string { return t.order }

// ReleaseOf names the release of a version; empty if there is none.
func (t *Team) ReleaseOf(r deploy.Revision) string { return t.versions[string(r)] }

// Digest returns the code that a release is.
func (t *Team) Digest(ctx context.Context, release string) (deploy.Digest, error) {
	for version, other := range t.versions {
		if other != release {
			continue
		}
		out, err := t.lambda.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &t.Name, Qualifier: &version})
		if err != nil {
			return "", fmt.Errorf("code of %s: %w", release, err)
		}
		return deploy.Digest(*out.CodeSha256), nil
	}
	return "", fmt.Errorf("%s was not published", release)
}

// Template is what the team would deploy as the next build of a release. Its code
// is in the bucket.
func (t *Team) Template(ctx context.Context, release string) (string, error) {
	defer func() { t.builds-- }()
	return t.next(ctx, release)
}

// next uploads a release and writes the template of its next build.
func (t *Team) next(ctx context.Context, release string) (string, error) {
	t.builds++
	code, err := t.options.Code(release)
	if err != nil {
		return "", err
	}
	key := release + ".zip"
	if _, err := t.objects.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String(t.bucket()), Key: &key, Body: bytes.NewReader(code)}); err != nil {
		return "", fmt.Errorf("upload %s: %w", key, err)
	}
	text, err := json.MarshalIndent(object{"Resources": t.resources(key)}, "", "  ")
	if err != nil {
		return "", fmt.Errorf("write the template: %w", err)
	}
	return string(text), nil
}

type object = map[string]any

func ref(id string) object { return object{"Ref": id} }

func attribute(id, name string) object { return object{"Fn::GetAtt": []any{id, name}} }

// resources are those of the stack. Each build has a version of its own, which
// stays when it is not in the template any more.
func (t *Team) resources(key string) object {
	update := object{"ApplicationName": ref("Application"), "DeploymentGroupName": ref("Group")}
	if t.options.Hooks {
		update["BeforeAllowTrafficHook"], update["AfterAllowTrafficHook"] = teams.BeforeHook, teams.AfterHook
	}
	tags := t.Tags()
	if !t.Untagged {
		tags["pullback:alias"] = t.Name + ":" + alias // what the group moves, before its first deployment
	}
	listed := []any{}
	for _, name := range slices.Sorted(maps.Keys(tags)) {
		listed = append(listed, object{"Key": name, "Value": tags[name]})
	}
	return object{
		"Run": role("lambda.amazonaws.com", "AWSLambdaBasicExecutionRole"), "Deploy": role("codedeploy.amazonaws.com", "AWSCodeDeployRoleForLambda"),
		"Function": object{"Type": "AWS::Lambda::Function", "Properties": object{
			"FunctionName": t.Name, "Runtime": "provided.al2023", "Handler": "bootstrap", "Role": attribute("Run", "Arn"), "Tags": listed,
			"Environment": object{"Variables": object{"BUILD": fmt.Sprint(t.builds)}}, "Code": object{"S3Bucket": t.bucket(), "S3Key": key},
		}},
		t.version():   object{"Type": "AWS::Lambda::Version", "DeletionPolicy": "Retain", "Properties": object{"FunctionName": ref("Function")}},
		"Application": object{"Type": "AWS::CodeDeploy::Application", "Properties": object{"ApplicationName": t.Name, "ComputePlatform": "Lambda"}},
		"Group": object{"Type": "AWS::CodeDeploy::DeploymentGroup", "Properties": object{
			"ApplicationName": ref("Application"), "DeploymentGroupName": alias, "ServiceRoleArn": attribute("Deploy", "Arn"), "Tags": listed,
			"DeploymentConfigName": "CodeDeployDefault.LambdaCanary10Percent5Minutes",
			"DeploymentStyle":      object{"DeploymentOption": "WITH_TRAFFIC_CONTROL", "DeploymentType": "BLUE_GREEN"},
		}},
		"Alias": object{
			"Type":         "AWS::Lambda::Alias",
			"Properties":   object{"FunctionName": ref("Function"), "Name": alias, "FunctionVersion": attribute(t.version(), "Version")},
			"UpdatePolicy": object{"CodeDeployLambdaAliasUpdate": update},
		},
	}
}

func role(service, policy string) object {
	return object{"Type": "AWS::IAM::Role", "Properties": object{
		"ManagedPolicyArns": []any{"arn:aws:iam::aws:policy/service-role/" + policy},
		"AssumeRolePolicyDocument": object{"Version": "2012-10-17", "Statement": []any{object{
			"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": object{"Service": service},
		}}},
	}}
}
