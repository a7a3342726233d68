package codepipeline_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/codepipeline"
	cptypes "github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/host"
	"github.com/pullback-dev/pullback/internal/localaws/sdkhttp"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

const (
	account = "123456789012"
	role    = "arn:aws:iam::" + account + ":role/pipeline"
	root    = "arn:aws:iam::" + account + ":root"
	line    = "line" // the pipeline's name
)

// site is a local AWS with a source bucket, an artifact store and a role, and
// what the bus was told by CodePipeline.
type site struct {
	*sdk.Client
	t      *testing.T
	local  *host.AWS
	config aws.Config
	store  *s3.Client
	told   []string          // in short
	raw    []json.RawMessage // in full
}

func newSite(t *testing.T) *site {
	t.Helper()
	return newSiteWith(t, host.Options{World: world.Options{Seed: 5}})
}

func newSiteWith(t *testing.T, o host.Options) *site {
	t.Helper()
	s := &site{t: t}
	s.open(o)
	allow(t, s.config, "pipeline", "codepipeline.amazonaws.com", `"s3:*","codedeploy:*","sns:Publish","lambda:InvokeFunction","cloudwatch:DescribeAlarms"`)
	for _, bucket := range []string{"source", "artifacts"} {
		_, err := s.store.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String(bucket)})
		require.NoError(t, err)
	}
	_, err := s.store.PutBucketVersioning(t.Context(), &s3.PutBucketVersioningInput{
		Bucket: aws.String("source"), VersioningConfiguration: &s3types.VersioningConfiguration{Status: s3types.BucketVersioningStatusEnabled},
	})
	require.NoError(t, err)
	s.upload("first")
	return s
}

// open starts the local AWS.
func (s *site) open(o host.Options) {
	s.t.Helper()
	local, err := host.Start(s.t.Context(), o)
	require.NoError(s.t, err)
	s.t.Cleanup(func() { _ = local.Close() })
	s.local = local
	s.config = aws.Config{
		Region: "us-east-1", HTTPClient: sdkhttp.Client(), BaseEndpoint: aws.String(local.URL()), Retryer: func() aws.Retryer { return aws.NopRetryer{} },
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	}
	s.Client = sdk.NewFromConfig(s.config)
	s.store = s3.NewFromConfig(s.config, func(o *s3.Options) { o.UsePathStyle = true })
	local.World.Lock()
	defer local.World.Unlock()
	local.Events.Observe(s.observe)
}

// observe notes what events of CodePipeline tell.
func (s *site) observe(text json.RawMessage) {
	var e struct {
		Source string `json:"source"`
		Detail struct {
			ID     string `json:"execution-id"`
			Stage  string `json:"stage"`
			Action string `json:"action"`
			State  string `json:"state"`
		} `json:"detail"`
	}
	if json.Unmarshal(text, &e) != nil || e.Source != "aws.codepipeline" {
		return
	}
	s.raw = append(s.raw, text)
	what := strings.Trim(e.Detail.Stage+"/"+e.Detail.Action, "/")
	if what == "" {
		what = "-"
	}
	s.told = append(s.told, fmt.Sprintf("%s %s %s %s", s.local.World.Now().Format(time.TimeOnly), e.Detail.ID[:4], what, e.Detail.State))
}

// events returns what was told since the last call, with the names of executions
// for their ids.
func (s *site) events(names ...string) []string {
	s.local.World.Lock()
	defer s.local.World.Unlock()
	all := s.told
	s.told = nil
	for i := range all {
		for j := 0; j+1 < len(names); j += 2 {
			all[i] = strings.ReplaceAll(all[i], " "+names[j][:4]+" ", " "+names[j+1]+" ")
		}
	}
	return all
}

func (s *site) pass(d time.Duration) {
	s.t.Helper()
	require.NoError(s.t, s.local.World.Advance(s.t.Context(), d))
}

// upload makes a new version of the source and returns it.
func (s *site) upload(content string) string {
	s.t.Helper()
	out, err := s.store.PutObject(s.t.Context(), &s3.PutObjectInput{Bucket: aws.String("source"), Key: aws.String("app.zip"), Body: bytes.NewReader([]byte(content))})
	require.NoError(s.t, err)
	return *out.VersionId
}

func typed(category cptypes.ActionCategory, provider string) *cptypes.ActionTypeId {
	return &cptypes.ActionTypeId{Category: category, Owner: cptypes.ActionOwnerAws, Provider: aws.String(provider), Version: aws.String("1")}
}

// source is a source stage that is not polled.
func source() cptypes.StageDeclaration {
	return cptypes.StageDeclaration{Name: aws.String("Source"), Actions: []cptypes.ActionDeclaration{{
		Name: aws.String("Read"), ActionTypeId: typed(cptypes.ActionCategorySource, "S3"), Namespace: aws.String("Source"),
		Configuration:   map[string]string{"S3Bucket": "source", "S3ObjectKey": "app.zip", "PollForSourceChanges": "false"},
		OutputArtifacts: []cptypes.OutputArtifact{{Name: aws.String("App")}},
	}}}
}

// asking is a stage with approvals.
func asking(name string, actions ...string) cptypes.StageDeclaration {
	st := cptypes.StageDeclaration{Name: aws.String(name)}
	for _, a := range actions {
		st.Actions = append(st.Actions, cptypes.ActionDeclaration{Name: aws.String(a), ActionTypeId: typed(cptypes.ActionCategoryApproval, "Manual")})
	}
	return st
}

// structure is a pipeline of type V2.
func structure(stages ...cptypes.StageDeclaration) *cptypes.PipelineDeclaration {
	return &cptypes.PipelineDeclaration{
		Name: aws.String(line), RoleArn: aws.String(role), PipelineType: cptypes.PipelineTypeV2,
		ArtifactStore: &cptypes.ArtifactStore{Type: cptypes.ArtifactStoreTypeS3, Location: aws.String("artifacts")},
		Stages:        append([]cptypes.StageDeclaration{source()}, stages...),
	}
}

// create makes a pipeline and returns its first execution.
func (s *site) create(d *cptypes.PipelineDeclaration) string {
	s.t.Helper()
	_, err := s.CreatePipeline(s.t.Context(), &sdk.CreatePipelineInput{Pipeline: d})
	require.NoError(s.t, err)
	return s.executions()[0]
}

func (s *site) start() string {
	s.t.Helper()
	out, err := s.StartPipelineExecution(s.t.Context(), &sdk.StartPipelineExecutionInput{Name: aws.String(line)})
	require.NoError(s.t, err)
	return *out.PipelineExecutionId
}

// executions are the ids of all executions, newest first.
func (s *site) executions() []string {
	s.t.Helper()
	var ids []string
	for _, e := range s.summaries() {
		ids = append(ids, *e.PipelineExecutionId)
	}
	return ids
}

func (s *site) summaries() []cptypes.PipelineExecutionSummary {
	s.t.Helper()
	out, err := s.ListPipelineExecutions(s.t.Context(), &sdk.ListPipelineExecutionsInput{PipelineName: aws.String(line)})
	require.NoError(s.t, err)
	return out.PipelineExecutionSummaries
}

// statuses are those of the executions, newest first.
func (s *site) statuses() []string {
	s.t.Helper()
	var all []string
	for _, e := range s.summaries() {
		all = append(all, string(e.Status))
	}
	return all
}

func (s *site) status(id string) string {
	s.t.Helper()
	out, err := s.GetPipelineExecution(s.t.Context(), &sdk.GetPipelineExecutionInput{PipelineName: aws.String(line), PipelineExecutionId: &id})
	require.NoError(s.t, err)
	return string(out.PipelineExecution.Status)
}

// stage is the state of a stage.
func (s *site) stage(name string) cptypes.StageState {
	s.t.Helper()
	out, err := s.GetPipelineState(s.t.Context(), &sdk.GetPipelineStateInput{Name: aws.String(line)})
	require.NoError(s.t, err)
	for _, st := range out.StageStates {
		if *st.StageName == name {
			return st
		}
	}
	s.t.Fatalf("there is no stage %s", name)
	return cptypes.StageState{}
}

// answer approves or rejects the first approval of a stage that waits.
func (s *site) answer(stage string, status cptypes.ApprovalStatus) {
	s.t.Helper()
	for _, a := range s.stage(stage).ActionStates {
		if a.LatestExecution == nil || a.LatestExecution.Token == nil {
			continue
		}
		_, err := s.PutApprovalResult(s.t.Context(), &sdk.PutApprovalResultInput{
			PipelineName: aws.String(line), StageName: aws.String(stage), ActionName: a.ActionName, Token: a.LatestExecution.Token,
			Result: &cptypes.ApprovalResult{Status: status, Summary: aws.String("ok?")},
		})
		require.NoError(s.t, err)
		return
	}
	s.t.Fatalf("no approval of %s waits", stage)
}

func (s *site) approve(stage string) { s.t.Helper(); s.answer(stage, cptypes.ApprovalStatusApproved) }

// reject rejects one of the stage Beta.
func (s *site) reject() { s.t.Helper(); s.answer("Beta", cptypes.ApprovalStatusRejected) }
