package codepipeline_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/codepipeline"
	cptypes "github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// worker makes the function of testdata.
func (s *site) worker() {
	t := s.t
	t.Helper()
	bin := filepath.Join(t.TempDir(), "bootstrap")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-tags=lambda.norpc", "-ldflags=-s -w", "-o", bin, "./testdata/worker").CombinedOutput()
	require.NoError(t, err, "%s", out)
	contents, err := os.ReadFile(bin)
	require.NoError(t, err)
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	h := &zip.FileHeader{Name: "bootstrap", Method: zip.Store}
	h.SetMode(0o755)
	f, err := z.CreateHeader(h)
	require.NoError(t, err)
	_, err = f.Write(contents)
	require.NoError(t, err)
	require.NoError(t, z.Close())
	allow(t, s.config, "worker", "lambda.amazonaws.com", `"codepipeline:PutJob*"`)
	_, err = lambda.NewFromConfig(s.config).CreateFunction(t.Context(), &lambda.CreateFunctionInput{
		FunctionName: aws.String("worker"), Role: aws.String("arn:aws:iam::" + account + ":role/worker"), Runtime: lambdatypes.RuntimeProvidedal2023,
		Handler: aws.String("bootstrap"), Code: &lambdatypes.FunctionCode{ZipFile: b.Bytes()},
	})
	require.NoError(t, err)
}

// invoking is an action that invokes the function.
func invoking(name, parameters string, change ...func(*cptypes.ActionDeclaration)) cptypes.ActionDeclaration {
	a := cptypes.ActionDeclaration{
		Name: aws.String(name), ActionTypeId: typed(cptypes.ActionCategoryInvoke, "Lambda"), Namespace: aws.String(name),
		Configuration: map[string]string{"FunctionName": "worker", "UserParameters": parameters},
	}
	for _, c := range change {
		c(&a)
	}
	return a
}

func TestAFunctionDoesAJob(t *testing.T) {
	s := newSite(t)
	s.worker()
	one := s.create(structure(cptypes.StageDeclaration{Name: aws.String("Work"), Actions: []cptypes.ActionDeclaration{
		invoking("First", "say hello", func(a *cptypes.ActionDeclaration) {
			a.InputArtifacts = []cptypes.InputArtifact{{Name: aws.String("App")}}
		}),
		invoking("Second", "later #{First.Said}, #{First.Read} in #{codepipeline.PipelineExecutionId}", func(a *cptypes.ActionDeclaration) { a.RunOrder = aws.Int32(2) }),
		invoking("Third", "fail it is broken", func(a *cptypes.ActionDeclaration) { a.RunOrder = aws.Int32(3) }),
	}}))
	s.pass(5 * time.Minute)
	assert.Equal(t, []string{
		"09:00:04 one Work STARTED",
		"09:00:04 one Work/First STARTED",
		"09:00:04 one Work/First SUCCEEDED",
		"09:00:04 one Work/Second STARTED",
		"09:00:34 one Work/Second SUCCEEDED",
		"09:00:34 one Work/Third STARTED",
		"09:00:34 one Work/Third FAILED",
		"09:00:34 one Work FAILED",
		"09:00:34 one - FAILED",
	}, s.events(one, "one")[5:])
	out, err := s.ListActionExecutions(t.Context(), &sdk.ListActionExecutionsInput{PipelineName: aws.String(line)})
	require.NoError(t, err)
	third, second, first := out.ActionExecutionDetails[0], out.ActionExecutionDetails[1], out.ActionExecutionDetails[2]
	assert.Equal(t, map[string]string{"Said": "hello", "Read": "5 bytes", "Token": ""}, first.Output.OutputVariables)
	assert.Equal(t, map[string]string{"Said": "hello, 5 bytes in " + one, "Token": "half"}, second.Output.OutputVariables)
	assert.Equal(t, &cptypes.ErrorDetails{Code: aws.String("JobFailed"), Message: aws.String("it is broken")}, third.Output.ExecutionResult.ErrorDetails)
}

func TestAFunctionThatSaysNothingTimesOut(t *testing.T) {
	s := newSite(t)
	s.worker()
	s.create(structure(cptypes.StageDeclaration{Name: aws.String("Work"), Actions: []cptypes.ActionDeclaration{invoking("First", "silent")}}))
	s.pass(20 * time.Minute)
	assert.Equal(t, []string{"InProgress"}, s.statuses())
	s.pass(4 * time.Second)
	assert.Equal(t, []string{"Failed"}, s.statuses())
	assert.Equal(t, "The AWS Lambda function worker failed to return a result. Check the function to verify that it has permission to call the "+
		"PutJobSuccessResult action and that it made a call to PutJobSuccessResult.", *s.stage("Work").ActionStates[0].LatestExecution.ErrorDetails.Message)
}

func TestAJobHasDetails(t *testing.T) {
	s := newSite(t)
	s.worker()
	_, queue := s.inbox()
	functions := lambda.NewFromConfig(s.config)
	allow(t, s.config, "sender", "lambda.amazonaws.com", `"sqs:SendMessage"`)
	_, err := functions.UpdateFunctionConfiguration(t.Context(), &lambda.UpdateFunctionConfigurationInput{
		FunctionName: aws.String("worker"), Role: aws.String("arn:aws:iam::" + account + ":role/sender"),
		DeadLetterConfig: &lambdatypes.DeadLetterConfig{TargetArn: aws.String("arn:aws:sqs:us-east-1:" + account + ":inbox")},
	})
	require.NoError(t, err)
	_, err = functions.PutFunctionConcurrency(t.Context(), &lambda.PutFunctionConcurrencyInput{ // what it would get goes to the queue
		FunctionName: aws.String("worker"), ReservedConcurrentExecutions: aws.Int32(0),
	})
	require.NoError(t, err)
	one := s.create(structure(cptypes.StageDeclaration{Name: aws.String("Work"), Actions: []cptypes.ActionDeclaration{
		invoking("First", "say hello", func(a *cptypes.ActionDeclaration) {
			a.InputArtifacts = []cptypes.InputArtifact{{Name: aws.String("App")}}
			a.OutputArtifacts = []cptypes.OutputArtifact{{Name: aws.String("Made")}}
		}),
	}}))
	s.pass(time.Minute)
	got, err := sqs.NewFromConfig(s.config).ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &queue})
	require.NoError(t, err)
	require.Len(t, got.Messages, 1)
	var event struct {
		Job struct {
			ID string `json:"id"`
		} `json:"CodePipeline.job"`
	}
	require.NoError(t, json.Unmarshal([]byte(*got.Messages[0].Body), &event))
	out, err := s.GetJobDetails(t.Context(), &sdk.GetJobDetailsInput{JobId: &event.Job.ID})
	require.NoError(t, err)
	d := out.JobDetails.Data
	version, in, made, keys := *d.InputArtifacts[0].Revision, d.InputArtifacts[0].Location.S3Location, d.OutputArtifacts[0].Location.S3Location, d.ArtifactCredentials
	assert.JSONEq(t, `{"CodePipeline.job":{"id":"`+event.Job.ID+`","accountId":"123456789012","data":{
		"actionConfiguration":{"configuration":{"FunctionName":"worker","UserParameters":"say hello"}},
		"inputArtifacts":[{"name":"App","revision":"`+version+`","location":{"type":"S3","s3Location":{"bucketName":"artifacts","objectKey":"`+*in.ObjectKey+`"}}}],
		"outputArtifacts":[{"name":"Made","revision":null,"location":{"type":"S3","s3Location":{"bucketName":"artifacts","objectKey":"`+*made.ObjectKey+`"}}}],
		"artifactCredentials":{"accessKeyId":"`+*keys.AccessKeyId+`","secretAccessKey":"`+*keys.SecretAccessKey+`","sessionToken":"`+*keys.SessionToken+`"}
	}}}`, *got.Messages[0].Body)
	assert.Equal(t, []string{line, one, "Work", "First"}, []string{
		*d.PipelineContext.PipelineName, *d.PipelineContext.PipelineExecutionId, *d.PipelineContext.Stage.Name, *d.PipelineContext.Action.Name,
	})
	_, err = s.PutJobSuccessResult(t.Context(), &sdk.PutJobSuccessResultInput{
		JobId: &event.Job.ID, OutputVariables: map[string]string{"A": strings.Repeat("x", 122880)},
	})
	require.ErrorContains(t, err, "OutputVariablesSizeExceededException")
	_, err = s.PutJobSuccessResult(t.Context(), &sdk.PutJobSuccessResultInput{JobId: &event.Job.ID})
	require.NoError(t, err)
	assert.Equal(t, []string{"Succeeded"}, s.statuses())
	_, err = s.PutJobFailureResult(t.Context(), &sdk.PutJobFailureResultInput{JobId: &event.Job.ID, FailureDetails: &cptypes.FailureDetails{
		Type: cptypes.FailureTypeJobFailed, Message: aws.String("late"),
	}})
	require.ErrorContains(t, err, "InvalidJobStateException")
}

func TestAVariableThatIsNotThereFailsTheAction(t *testing.T) {
	s := newSite(t)
	st := asking("Beta", "Look")
	st.Actions[0].Configuration = map[string]string{"CustomData": "#{Nobody.Knows} #{variables.size}"}
	d := structure(st)
	d.Variables = []cptypes.PipelineVariableDeclaration{{Name: aws.String("size"), DefaultValue: aws.String("small")}}
	s.create(d)
	s.pass(time.Minute)
	got := s.stage("Beta").ActionStates[0].LatestExecution.ErrorDetails
	assert.Equal(t, []string{"ConfigurationError", "an action configuration variable could not be resolved: #{Nobody.Knows}"}, []string{*got.Code, *got.Message})
}
