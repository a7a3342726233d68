// Package aliases is a team with a Lambda alias that its own script moves.
package aliases

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/pullback-dev/pullback/internal/teams"
	"github.com/pullback-dev/pullback/shared/deploy"
)

// Options are how the team's script moves the alias.
type Options struct {
	Weighted bool                                 // a tenth of the traffic first; Move gives it the rest
	Code     func(release string) ([]byte, error) // the deployment package of a release
}

// share is what a release gets first.
const share = 0.1

// Team is the team at work.
type Team struct {
	teams.Common
	options  Options
	versions map[string]string // by release
	order    []string          // of publication
	moved    []teams.Deployment
	lambda   *lambda.Client
}

// New returns a team.
func New(c teams.Common, o Options) *Team {
	return &Team{Common: c, options: o, versions: map[string]string{}, lambda: lambda.NewFromConfig(c.Config)}
}

// Alias is what customers call.
func (t *Team) Alias() deploy.Alias { return deploy.Alias{Function: t.Name, Name: "live"} }

// Target is the alias.
func (t *Team) Target() deploy.Target {
	return deploy.Target{Kind: deploy.KindAlias, Application: t.Name, Group: t.Alias().Name}
}

// Install makes the function and its alias, with the good release.
func (t *Team) Install(ctx context.Context) error {
	if err := t.CreateAlarm(ctx); err != nil {
		return err
	}
	role, err := t.Role(ctx, t.Name, "lambda.amazonaws.com", "service-role/AWSLambdaBasicExecutionRole")
	if err != nil {
		return err
	}
	code, err := t.options.Code(teams.Good)
	if err != nil {
		return err
	}
	tags := t.Tags()
	if !t.Untagged {
		tags["pullback:aliases"] = t.Alias().Name
	}
	out, err := t.lambda.CreateFunction(ctx, &lambda.CreateFunctionInput{
		FunctionName: &t.Name, Runtime: lambdatypes.RuntimeProvidedal2023, Handler: aws.String("bootstrap"), Role: &role,
		Code: &lambdatypes.FunctionCode{ZipFile: code}, Publish: true, Tags: tags,
	})
	if err != nil {
		return fmt.Errorf("create function %s: %w", t.Name, err)
	}
	t.versions[teams.Good], t.order = *out.Version, []string{teams.Good}
	_, err = t.lambda.CreateAlias(ctx, &lambda.CreateAliasInput{FunctionName: &t.Name, Name: aws.String(t.Alias().Name), FunctionVersion: out.Version})
	if err != nil {
		return fmt.Errorf("create alias %s: %w", t.Alias(), err)
	}
	return nil
}

// Deploy publishes a release and moves the alias to it, or gives it a share. AWS
// has no name for that: the deployment is named "v" and the version, as pullback's
// name for it begins.
func (t *Team) Deploy(ctx context.Context, release string) (deploy.ID, error) {
	version, err := t.publish(ctx, release)
	if err != nil {
		return "", err
	}
	if t.options.Weighted {
		err = t.move(ctx, &lambda.UpdateAliasInput{RoutingConfig: &lambdatypes.AliasRoutingConfiguration{AdditionalVersionWeights: map[string]float64{version: share}}})
	} else {
		err = t.move(ctx, &lambda.UpdateAliasInput{FunctionVersion: &version, RoutingConfig: &lambdatypes.AliasRoutingConfiguration{}})
	}
	id := deploy.ID("v" + version)
	if err == nil {
		t.moved = append([]teams.Deployment{{ID: id, Status: "Moved", By: "user"}}, t.moved...)
	}
	return id, err
}

// Move moves the alias to a release, for all of the traffic.
func (t *Team) Move(ctx context.Context, release string) error {
	version := t.versions[release]
	return t.move(ctx, &lambda.UpdateAliasInput{FunctionVersion: &version, RoutingConfig: &lambdatypes.AliasRoutingConfiguration{}})
}

func (t *Team) move(ctx context.Context, in *lambda.UpdateAliasInput) error {
	in.FunctionName, in.Name = &t.Name, aws.String(t.Alias().Name)
	if _, err := t.lambda.UpdateAlias(ctx, in); err != nil {
		return fmt.Errorf("move alias %s: %w", t.Alias(), err)
	}
	return nil
}

func (t *Team) publish(ctx context.Context, release string) (string, error) {
	if v := t.versions[release]; v != "" {
		return v, nil
	}
	code, err := t.options.Code(release)
	if err != nil {
		return "", err
	}
	out, err := t.lambda.UpdateFunctionCode(ctx, &lambda.UpdateFunctionCodeInput{FunctionName: &t.Name, ZipFile: code, Publish: true})
	if err != nil {
		return "", fmt.Errorf("publish %s: %w", release, err)
	}
	t.versions[release], t.order = *out.Version, append(t.order, release)
	return *out.Version, nil
}

// Live returns the releases that serve, the one that the alias names first.
func (t *Team) Live(ctx context.Context) ([]string, error) {
	out, err := t.lambda.GetAlias(ctx, &lambda.GetAliasInput{FunctionName: &t.Name, Name: aws.String(t.Alias().Name)})
	if err != nil {
		return nil, fmt.Errorf("look at %s: %w", t.Alias(), err)
	}
	versions := []string{*out.FunctionVersion}
	if out.RoutingConfig != nil {
		versions = slices.AppendSeq(versions, maps.Keys(out.RoutingConfig.AdditionalVersionWeights)) // Lambda allows one
	}
	for i, v := range versions {
		versions[i] = "version " + v
		if release := t.ReleaseOf(deploy.Revision(v)); release != "" {
			versions[i] = release
		}
	}
	return versions, nil
}

// Deployments returns what the team itself has done, newest first: AWS remembers
// nothing.
func (t *Team) Deployments(context.Context) ([]teams.Deployment, error) { return t.moved, nil }

// Releases are those that were published, in their order.
func (t *Team) Releases() []string { return t.order }

// ReleaseOf names the release of a version; empty if there is none.
func (t *Team) ReleaseOf(r deploy.Revision) string {
	for release, version := range t.versions {
		if version == string(r) {
			return release
		}
	}
	return ""
}

// Withdraw deletes what a release was published as.
func (t *Team) Withdraw(ctx context.Context, release string) error {
	version := t.versions[release]
	if _, err := t.lambda.DeleteFunction(ctx, &lambda.DeleteFunctionInput{FunctionName: &t.Name, Qualifier: &version}); err != nil {
		return fmt.Errorf("delete version %s: %w", version, err)
	}
	return nil
}

// Tag tags the function, of which every release is a version.
func (t *Team) Tag(ctx context.Context, tags map[string]string) error {
	arn := t.Function(t.Name)
	if _, err := t.lambda.TagResource(ctx, &lambda.TagResourceInput{Resource: &arn, Tags: tags}); err != nil {
		return fmt.Errorf("tag %s: %w", t.Name, err)
	}
	return nil
}
