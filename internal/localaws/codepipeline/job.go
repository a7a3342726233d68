package codepipeline

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	cptypes "github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// job finds the run of an action that waits for a report.
func (s *Service) job(id *string) (*actionRun, error) {
	for _, p := range s.pipelines {
		for _, e := range p.executions {
			for _, a := range e.actions {
				if a.job != "" && a.job == aws.ToString(id) {
					return a, nil
				}
			}
		}
	}
	return nil, &cptypes.JobNotFoundException{Message: aws.String("The job was specified in an invalid format or cannot be found.")}
}

// open finds a job that has no result yet.
func (s *Service) open(id *string) (*actionRun, error) {
	a, err := s.job(id)
	if err != nil {
		return nil, err
	}
	if a.status != cptypes.ActionExecutionStatusInProgress {
		return nil, &cptypes.InvalidJobStateException{Message: aws.String("Job with id '" + a.job + "' is not in progress: it is " + string(a.status))}
	}
	return a, nil
}

// maxVariableSize is how long all variables of an action may be, in bytes (user
// guide, "Quotas in AWS CodePipeline").
const maxVariableSize = 122880

func size(variables map[string]string) int {
	n := 0
	for k, v := range variables {
		n += len(k) + len(v)
	}
	return n
}

func (s *Service) putJobSuccessResult(c *wire.Call, in *codepipeline.PutJobSuccessResultInput) (*codepipeline.PutJobSuccessResultOutput, error) {
	if err := wire.Only(in, "JobId", "ContinuationToken", "ExecutionDetails", "OutputVariables"); err != nil {
		return nil, err
	}
	a, err := s.open(in.JobId)
	if err != nil {
		return nil, err
	}
	if in.ContinuationToken != nil && in.OutputVariables != nil {
		return nil, invalid("outputVariables can be included only when there is no continuation token on the request")
	}
	if size(in.OutputVariables) > maxVariableSize {
		return nil, &cptypes.OutputVariablesSizeExceededException{Message: aws.String("The variables exceed the maximum size of 122880 bytes.")}
	}
	if x := in.ExecutionDetails; x != nil {
		a.summary, a.externalID, a.percent = aws.ToString(x.Summary), aws.ToString(x.ExternalExecutionId), x.PercentComplete
	}
	ctx := context.WithoutCancel(c.Context)
	a.updated = s.now()
	if in.ContinuationToken != nil {
		a.continuation = *in.ContinuationToken
		s.calm(&a.limit)
		s.wakeAt(&a.next, s.w.Now().Add(again), func() { s.invoke(ctx, a) })
		return &codepipeline.PutJobSuccessResultOutput{}, nil
	}
	a.variables = in.OutputVariables
	s.done(ctx, a)
	return &codepipeline.PutJobSuccessResultOutput{}, nil
}

func (s *Service) putJobFailureResult(c *wire.Call, in *codepipeline.PutJobFailureResultInput) (*codepipeline.PutJobFailureResultOutput, error) {
	a, err := s.open(in.JobId)
	if err != nil {
		return nil, err
	}
	if in.FailureDetails == nil || aws.ToString(in.FailureDetails.Message) == "" {
		return nil, invalid("1 validation error detected: Value at 'failureDetails.message' failed to satisfy constraint: Member must not be null")
	}
	a.externalID = aws.ToString(in.FailureDetails.ExternalExecutionId)
	s.fault(context.WithoutCancel(c.Context), a, string(in.FailureDetails.Type), *in.FailureDetails.Message)
	return &codepipeline.PutJobFailureResultOutput{}, nil
}

func (s *Service) getJobDetails(_ *wire.Call, in *codepipeline.GetJobDetailsInput) (*codepipeline.GetJobDetailsOutput, error) {
	a, err := s.job(in.JobId)
	if err != nil {
		return nil, err
	}
	id, secret, token := s.credentials(a)
	data := &cptypes.JobData{
		ActionTypeId: a.declaration().ActionTypeId, ActionConfiguration: &cptypes.ActionConfiguration{Configuration: a.config},
		PipelineContext: &cptypes.PipelineContext{
			PipelineName: aws.String(a.e.p.name), PipelineArn: aws.String(s.arn(a.e.p.name)), PipelineExecutionId: aws.String(a.e.id),
			Stage:  &cptypes.StageContext{Name: aws.String(a.stage)},
			Action: &cptypes.ActionContext{Name: aws.String(a.name), ActionExecutionId: aws.String(a.id)},
		},
		InputArtifacts: artifacts(a.inputs), OutputArtifacts: artifacts(a.outputs), EncryptionKey: a.e.store().EncryptionKey,
		ArtifactCredentials: &cptypes.AWSSessionCredentials{
			AccessKeyId: aws.String(id), SecretAccessKey: aws.String(secret), SessionToken: aws.String(token),
		},
	}
	if a.continuation != "" {
		data.ContinuationToken = aws.String(a.continuation)
	}
	return &codepipeline.GetJobDetailsOutput{JobDetails: &cptypes.JobDetails{Id: in.JobId, AccountId: aws.String(s.w.Account), Data: data}}, nil
}

func artifacts(all []artifact) []cptypes.Artifact {
	list := []cptypes.Artifact{}
	for _, x := range all {
		a := cptypes.Artifact{Name: aws.String(x.name), Location: &cptypes.ArtifactLocation{
			Type: cptypes.ArtifactLocationTypeS3, S3Location: &cptypes.S3ArtifactLocation{BucketName: aws.String(x.bucket), ObjectKey: aws.String(x.key)},
		}}
		if x.revision != "" {
			a.Revision = aws.String(x.revision)
		}
		list = append(list, a)
	}
	return list
}
