package shop

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/pullback-dev/pullback/shared/deploy"
)

// Where complaints are counted.
const (
	namespace = "Shop"
	metric    = "Complaints"
)

// Publish makes a new version out of code.
func (s Shop) Publish(ctx context.Context, code []byte) (deploy.Revision, error) {
	out, err := s.lambda.UpdateFunctionCode(ctx, &lambda.UpdateFunctionCodeInput{FunctionName: &s.name, ZipFile: code, Publish: true})
	if err != nil {
		return "", fmt.Errorf("publish: %w", err)
	}
	return deploy.Revision(*out.Version), nil
}

// Canary starts a deployment from one version to another: 10 % of the traffic
// for 5 minutes, then all of it. With hooks, pullback is asked before and after.
func (s Shop) Canary(ctx context.Context, from, to deploy.Revision, hooks bool) (deploy.ID, error) {
	if hooks {
		return s.Shift(ctx, from, to, "CodeDeployHook_pullback_pretraffic", "CodeDeployHook_pullback_posttraffic")
	}
	return s.Shift(ctx, from, to, "", "")
}

// Shift starts a canary that asks some functions before and after; none if they
// have no names.
func (s Shop) Shift(ctx context.Context, from, to deploy.Revision, before, after string) (deploy.ID, error) {
	spec := fmt.Sprintf(`{"version":0.0,"Resources":[{%q:{"Type":"AWS::Lambda::Function","Properties":{"Name":%q,"Alias":%q,"CurrentVersion":%q,"TargetVersion":%q}}}]`,
		s.name, s.name, s.Alias().Name, from, to)
	if before != "" && after != "" {
		spec += fmt.Sprintf(`,"Hooks":[{"BeforeAllowTraffic":%q},{"AfterAllowTraffic":%q}]`, before, after)
	}
	spec += "}"
	t := s.Target()
	out, err := s.deploy.CreateDeployment(ctx, &codedeploy.CreateDeploymentInput{
		ApplicationName: &t.Application, DeploymentGroupName: &t.Group,
		Revision: &cdtypes.RevisionLocation{RevisionType: cdtypes.RevisionLocationTypeAppSpecContent, AppSpecContent: &cdtypes.AppSpecContent{Content: &spec}},
	})
	if err != nil {
		return "", fmt.Errorf("deploy version %s: %w", to, err)
	}
	return deploy.ID(*out.DeploymentId), nil
}

// Stop stops a deployment and leaves the traffic where it is.
func (s Shop) Stop(ctx context.Context, id deploy.ID) error {
	_, err := s.deploy.StopDeployment(ctx, &codedeploy.StopDeploymentInput{DeploymentId: aws.String(string(id)), AutoRollbackEnabled: aws.Bool(false)})
	if err != nil {
		return fmt.Errorf("stop %s: %w", id, err)
	}
	return nil
}

// Point points the alias to a version, for all of the traffic.
func (s Shop) Point(ctx context.Context, version deploy.Revision) error {
	_, err := s.lambda.UpdateAlias(ctx, &lambda.UpdateAliasInput{
		FunctionName: &s.name, Name: aws.String(s.Alias().Name), FunctionVersion: aws.String(string(version)), RoutingConfig: &lambdatypes.AliasRoutingConfiguration{},
	})
	if err != nil {
		return fmt.Errorf("point %s to version %s: %w", s.Alias(), version, err)
	}
	return nil
}

// Delete deletes a version.
func (s Shop) Delete(ctx context.Context, version deploy.Revision) error {
	_, err := s.lambda.DeleteFunction(ctx, &lambda.DeleteFunctionInput{FunctionName: &s.name, Qualifier: aws.String(string(version))})
	if err != nil {
		return fmt.Errorf("delete version %s: %w", version, err)
	}
	return nil
}

// Complain says how many customers have complained.
func (s Shop) Complain(ctx context.Context, customers float64) error {
	_, err := s.watch.PutMetricData(ctx, &cloudwatch.PutMetricDataInput{
		Namespace: aws.String(namespace), MetricData: []cwtypes.MetricDatum{{MetricName: aws.String(metric), Dimensions: s.dimensions(), Value: aws.Float64(customers)}},
	})
	if err != nil {
		return fmt.Errorf("put %s: %w", metric, err)
	}
	return nil
}

// dimensions tell the complaints of the shops apart.
func (s Shop) dimensions() []cwtypes.Dimension {
	return []cwtypes.Dimension{{Name: aws.String("Shop"), Value: &s.name}}
}

// Code returns a release as "make build" left it.
func (s Shop) Code(release string) ([]byte, error) {
	binary, err := os.ReadFile(filepath.Join(s.dist, "sample-"+release, "bootstrap")) //nolint:gosec // the caller chooses among its own files
	if err != nil {
		return nil, fmt.Errorf("read the sample's release %s (run make build first): %w", release, err)
	}
	return Pack(binary)
}

// Pack makes the deployment package of a custom runtime out of its program. It
// does not compress: the package stays on this machine.
func Pack(bootstrap []byte) ([]byte, error) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	header := &zip.FileHeader{Name: "bootstrap", Method: zip.Store}
	header.SetMode(0o755)
	w, err := z.CreateHeader(header)
	if err != nil {
		return nil, fmt.Errorf("zip a release: %w", err)
	}
	if _, err := w.Write(bootstrap); err != nil {
		return nil, fmt.Errorf("zip a release: %w", err)
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("zip a release: %w", err)
	}
	return b.Bytes(), nil
}
