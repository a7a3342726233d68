// Command worker is a function of a pipeline: it reports what its parameters say,
// and reads its input artifacts with the credentials that it gets.
package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	cptypes "github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

type event struct {
	Job struct {
		ID   string `json:"id"`
		Data struct {
			ActionConfiguration struct {
				Configuration map[string]string `json:"configuration"`
			} `json:"actionConfiguration"`
			InputArtifacts []struct {
				Location struct {
					S3 struct {
						Bucket string `json:"bucketName"`
						Key    string `json:"objectKey"`
					} `json:"s3Location"`
				} `json:"location"`
			} `json:"inputArtifacts"`
			Credentials struct {
				ID     string `json:"accessKeyId"`
				Secret string `json:"secretAccessKey"`
				Token  string `json:"sessionToken"`
			} `json:"artifactCredentials"`
			Continuation string `json:"continuationToken"`
		} `json:"data"`
	} `json:"CodePipeline.job"`
}

func handle(ctx context.Context, e event) error {
	c, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return err
	}
	pipelines, job := codepipeline.NewFromConfig(c), e.Job
	order, text, _ := strings.Cut(job.Data.ActionConfiguration.Configuration["UserParameters"], " ")
	switch {
	case order == "silent":
		return nil
	case order == "fail":
		_, err = pipelines.PutJobFailureResult(ctx, &codepipeline.PutJobFailureResultInput{
			JobId: &job.ID, FailureDetails: &cptypes.FailureDetails{Type: cptypes.FailureTypeJobFailed, Message: &text},
		})
		return err
	case order == "later" && job.Data.Continuation == "":
		_, err = pipelines.PutJobSuccessResult(ctx, &codepipeline.PutJobSuccessResultInput{JobId: &job.ID, ContinuationToken: aws.String("half")})
		return err
	}
	variables := map[string]string{"Said": text, "Token": job.Data.Continuation}
	if len(job.Data.InputArtifacts) > 0 {
		if variables["Read"], err = read(ctx, c, e); err != nil {
			return err
		}
	}
	_, err = pipelines.PutJobSuccessResult(ctx, &codepipeline.PutJobSuccessResultInput{
		JobId: &job.ID, OutputVariables: variables, ExecutionDetails: &cptypes.ExecutionDetails{Summary: aws.String("said " + text)},
	})
	return err
}

// read reads the first artifact.
func read(ctx context.Context, c aws.Config, e event) (string, error) {
	k, at := e.Job.Data.Credentials, e.Job.Data.InputArtifacts[0].Location.S3
	c.Credentials = credentials.NewStaticCredentialsProvider(k.ID, k.Secret, k.Token)
	out, err := s3.NewFromConfig(c, func(o *s3.Options) { o.UsePathStyle = true }).GetObject(ctx, &s3.GetObjectInput{Bucket: &at.Bucket, Key: &at.Key})
	if err != nil {
		return "", err
	}
	b, err := io.ReadAll(out.Body)
	return fmt.Sprint(len(b), " bytes"), err
}

func main() { lambda.Start(handle) }
