package codepipeline_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	sdk "github.com/aws/aws-sdk-go-v2/service/codepipeline"
	cptypes "github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/host"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// fleet is a site with an instance and a deployment group for it.
type fleet struct {
	*site
	hosts    string // folder
	instance string
	deploy   *codedeploy.Client
}

func newFleet(t *testing.T) *fleet {
	t.Helper()
	hosts := t.TempDir()
	f := &fleet{site: newSiteWith(t, host.Options{World: world.Options{Seed: 5}, Hosts: hosts}), hosts: hosts}
	f.deploy = codedeploy.NewFromConfig(f.config)
	allow(t, f.config, "deploy", "codedeploy.amazonaws.com", `"ec2:*","tag:*","s3:Get*"`)
	allow(t, f.config, "machine", "ec2.amazonaws.com", `"s3:Get*"`)
	out, err := ec2.NewFromConfig(f.config).RunInstances(t.Context(), &ec2.RunInstancesInput{
		ImageId: aws.String("ami-0123456789abcdef0"), InstanceType: ec2types.InstanceTypeT3Micro, MinCount: aws.Int32(1), MaxCount: aws.Int32(1),
		IamInstanceProfile: &ec2types.IamInstanceProfileSpecification{Name: aws.String("machine")},
		TagSpecifications: []ec2types.TagSpecification{{
			ResourceType: ec2types.ResourceTypeInstance, Tags: []ec2types.Tag{{Key: aws.String("role"), Value: aws.String("web")}},
		}},
	})
	require.NoError(t, err)
	f.instance = *out.Instances[0].InstanceId
	_, err = f.deploy.CreateApplication(t.Context(), &codedeploy.CreateApplicationInput{ApplicationName: aws.String("app")})
	require.NoError(t, err)
	_, err = f.deploy.CreateDeploymentGroup(t.Context(), &codedeploy.CreateDeploymentGroupInput{
		ApplicationName: aws.String("app"), DeploymentGroupName: aws.String("web"), ServiceRoleArn: aws.String("arn:aws:iam::" + account + ":role/deploy"),
		Ec2TagFilters: []cdtypes.EC2TagFilter{{Key: aws.String("role"), Value: aws.String("web"), Type: cdtypes.EC2TagFilterTypeKeyAndValue}},
	})
	require.NoError(t, err)
	f.pass(time.Minute)
	return f
}

// bundle is a revision that installs a page; without one it is broken.
func bundle(t *testing.T, page string) string {
	t.Helper()
	files := map[string]string{"appspec.yml": "version: 0.0\nos: linux\nfiles:\n  - source: /index.html\n    destination: /var/www/html\n"}
	if page != "" {
		files["index.html"] = page
	}
	var buffer bytes.Buffer
	w := zip.NewWriter(&buffer)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		entry, err := w.Create(name)
		require.NoError(t, err)
		_, err = entry.Write([]byte(files[name]))
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return buffer.String()
}

// page is what the instance shows.
func (f *fleet) page() string {
	f.t.Helper()
	found, err := filepath.Glob(filepath.Join(f.hosts, "*", "var/www/html/index.html"))
	require.NoError(f.t, err)
	require.Len(f.t, found, 1)
	b, err := os.ReadFile(found[0])
	require.NoError(f.t, err)
	return string(b)
}

// deploying is a stage that deploys.
func deploying(change ...func(*cptypes.StageDeclaration)) cptypes.StageDeclaration {
	st := cptypes.StageDeclaration{Name: aws.String("Prod"), Actions: []cptypes.ActionDeclaration{{
		Name: aws.String("Deploy"), ActionTypeId: typed(cptypes.ActionCategoryDeploy, "CodeDeploy"), InputArtifacts: []cptypes.InputArtifact{{Name: aws.String("App")}},
		Configuration: map[string]string{"ApplicationName": "app", "DeploymentGroupName": "web"},
	}}}
	for _, c := range change {
		c(&st)
	}
	return st
}

// deployments are the ids of all deployments, oldest first, with their statuses.
func (f *fleet) deployments() (ids, statuses []string) {
	f.t.Helper()
	out, err := f.deploy.ListDeployments(f.t.Context(), &codedeploy.ListDeploymentsInput{ApplicationName: aws.String("app"), DeploymentGroupName: aws.String("web")})
	require.NoError(f.t, err)
	for _, id := range slices.Backward(out.Deployments) {
		d, err := f.deploy.GetDeployment(f.t.Context(), &codedeploy.GetDeploymentInput{DeploymentId: &id})
		require.NoError(f.t, err)
		ids, statuses = append(ids, id), append(statuses, string(d.DeploymentInfo.Status))
	}
	return ids, statuses
}

func TestADeploymentIsCodeDeploys(t *testing.T) {
	f := newFleet(t)
	version := f.upload(bundle(t, "one"))
	one := f.create(structure(deploying()))
	f.pass(5 * time.Minute)
	ids, statuses := f.deployments()
	require.Equal(t, []string{"Succeeded"}, statuses)
	assert.Equal(t, "one", f.page())
	state := f.stage("Prod")
	assert.Equal(t, cptypes.StageExecutionStatusSucceeded, state.LatestExecution.Status)
	assert.Equal(t, ids[0], *state.ActionStates[0].LatestExecution.ExternalExecutionId)
	out, err := f.GetPipelineExecution(t.Context(), &sdk.GetPipelineExecutionInput{PipelineName: aws.String(line), PipelineExecutionId: &one})
	require.NoError(t, err)
	assert.Equal(t, []string{"App", version, "Amazon S3 version id: " + version}, []string{
		*out.PipelineExecution.ArtifactRevisions[0].Name, *out.PipelineExecution.ArtifactRevisions[0].RevisionId,
		*out.PipelineExecution.ArtifactRevisions[0].RevisionSummary,
	})
	d, err := f.deploy.GetDeployment(t.Context(), &codedeploy.GetDeploymentInput{DeploymentId: &ids[0]})
	require.NoError(t, err)
	assert.Equal(t, "artifacts", *d.DeploymentInfo.Revision.S3Location.Bucket)
	assert.Regexp(t, `^line/App/[A-Za-z0-9]{7}$`, *d.DeploymentInfo.Revision.S3Location.Key)
}

func TestAFailedDeploymentIsTheActionsFailure(t *testing.T) {
	f := newFleet(t)
	f.upload(bundle(t, ""))
	one := f.create(structure(deploying()))
	f.pass(time.Hour)
	ids, statuses := f.deployments()
	require.Equal(t, []string{"Failed"}, statuses)
	assert.Equal(t, []string{"Failed"}, f.statuses())
	f.local.World.Lock()
	defer f.local.World.Unlock()
	var failed json.RawMessage
	for _, e := range f.raw {
		if bytes.Contains(e, []byte("Action Execution")) && bytes.Contains(e, []byte("FAILED")) {
			failed = e
		}
	}
	var got struct {
		Resources []string        `json:"resources"`
		Detail    json.RawMessage `json:"detail"`
	}
	require.NoError(t, json.Unmarshal(failed, &got))
	assert.Equal(t, []string{"arn:aws:codepipeline:us-east-1:123456789012:line"}, got.Resources)
	var detail struct {
		Start string `json:"start-time"`
		ID    string `json:"action-execution-id"`
	}
	require.NoError(t, json.Unmarshal(got.Detail, &detail))
	assert.JSONEq(t, `{"pipeline":"line","execution-id":"`+one+`","start-time":"`+detail.Start+`","stage":"Prod",
		"execution-result":{"external-execution-url":"https://us-east-1.console.aws.amazon.com/codedeploy/home?#/deployments/`+ids[0]+`",
		"external-execution-summary":"Deployment `+ids[0]+` failed","external-execution-id":"`+ids[0]+`","error-code":"JobFailed"},
		"action-execution-id":"`+detail.ID+`","action":"Deploy","state":"FAILED","region":"us-east-1",
		"type":{"owner":"AWS","provider":"CodeDeploy","category":"Deploy","version":"1"},"version":1.0,"pipeline-execution-attempt":1.0}`, string(got.Detail))
}

func TestAFailedStageIsRolledBackByItself(t *testing.T) {
	f := newFleet(t)
	f.upload(bundle(t, "good"))
	good := f.create(structure(deploying(func(st *cptypes.StageDeclaration) {
		st.OnFailure = &cptypes.FailureConditions{Result: cptypes.ResultRollback}
	})))
	f.pass(5 * time.Minute)
	f.upload(bundle(t, ""))
	bad := f.start()
	f.events()
	f.pass(time.Hour)
	_, statuses := f.deployments()
	require.Equal(t, []string{"Succeeded", "Failed", "Succeeded"}, statuses)
	assert.Equal(t, "good", f.page())
	all := f.summaries()
	assert.Equal(t, []string{"Succeeded", "Failed", "Succeeded"}, f.statuses())
	assert.Equal(t, cptypes.ExecutionTypeRollback, all[0].ExecutionType)
	assert.Equal(t, &cptypes.PipelineRollbackMetadata{RollbackTargetPipelineExecutionId: &good}, all[0].RollbackMetadata)
	assert.Equal(t, &cptypes.ExecutionTrigger{TriggerType: cptypes.TriggerTypeAutomatedRollback, TriggerDetail: &bad}, all[0].Trigger)
	events := f.events(good, "good", bad, "bad", *all[0].PipelineExecutionId, "back")
	times := func(what []string) (short []string) {
		for _, w := range what {
			short = append(short, w[9:])
		}
		return short
	}
	assert.Equal(t, []string{
		"bad Source STARTED", "bad Source/Read STARTED", "bad Source/Read SUCCEEDED", "bad Source SUCCEEDED",
		"bad Prod STARTED", "bad Prod/Deploy STARTED", "bad Prod/Deploy FAILED", "bad Prod FAILED", "bad - FAILED",
		"back - STARTED", "back Prod STARTED", "back Prod/Deploy STARTED", "back Prod/Deploy SUCCEEDED", "back Prod SUCCEEDED", "back - SUCCEEDED",
	}, times(events))
}

func TestARoleThatMayNotDeployIsAPermissionError(t *testing.T) {
	f := newFleet(t)
	allow(t, f.config, "weak", "codepipeline.amazonaws.com", `"s3:*"`)
	d := structure(deploying())
	d.RoleArn = aws.String("arn:aws:iam::" + account + ":role/weak")
	f.create(d)
	f.pass(time.Minute)
	got := f.stage("Prod").ActionStates[0].LatestExecution.ErrorDetails
	assert.Equal(t, "PermissionError", *got.Code)
	assert.Contains(t, *got.Message, "is not authorized to perform: codedeploy:CreateDeployment")
}
