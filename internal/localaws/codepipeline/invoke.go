package codepipeline

import (
	"context"
	"encoding/json"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cptypes "github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// replyTime is how long a function may take to report: "If the Lambda function
// has sent no reply after 20 minutes, the action times out" (user guide, "Quotas
// in AWS CodePipeline").
const replyTime = 20 * time.Minute

// invokeTime is how long an action may go on with continuation tokens (ibid.).
const invokeTime = 24 * time.Hour

// again is when a function with a continuation token is invoked again; assumed.
const again = 30 * time.Second

// invoke lets a function do the job.
func (s *Service) invoke(ctx context.Context, a *actionRun) {
	if a.job == "" {
		a.job = s.w.UUID()
	}
	payload, err := json.Marshal(map[string]any{"CodePipeline.job": s.jobEvent(a)})
	if err != nil {
		return // texts always marshal
	}
	who, err := s.agent(ctx, a)
	if err == nil {
		_, err = wire.Do[lambda.InvokeOutput](ctx, s.c, who, "lambda", "Invoke", &lambda.InvokeInput{
			FunctionName: aws.String(a.config["FunctionName"]), InvocationType: lambdatypes.InvocationTypeEvent, Payload: payload,
		})
	}
	if err != nil {
		s.refused(ctx, a, err)
		return
	}
	s.within(ctx, a, min(replyTime, max(0, a.started.Add(invokeTime).Sub(s.w.Now()))))
}

// credentials are those of the role, with which a function reads and writes
// artifacts.
func (s *Service) credentials(a *actionRun) (id, secret, token string) {
	if s.issue == nil {
		return "", "", ""
	}
	return s.issue(s.as(a.e.p, *a.e.declaration().RoleArn))
}

// jobEvent is what a function gets (user guide, "AWS Lambda action reference").
func (s *Service) jobEvent(a *actionRun) map[string]any {
	id, secret, token := s.credentials(a)
	data := map[string]any{
		"actionConfiguration": map[string]any{"configuration": a.config},
		"inputArtifacts":      events(a.inputs),
		"outputArtifacts":     events(a.outputs),
		"artifactCredentials": map[string]any{"accessKeyId": id, "secretAccessKey": secret, "sessionToken": token},
	}
	if a.continuation != "" {
		data["continuationToken"] = a.continuation
	}
	if k := a.e.store().EncryptionKey; k != nil {
		data["encryptionKey"] = map[string]any{"id": *k.Id, "type": string(k.Type)}
	}
	return map[string]any{"id": a.job, "accountId": s.w.Account, "data": data}
}

func events(all []artifact) []any {
	list := []any{}
	for _, x := range all {
		var revision any
		if x.revision != "" {
			revision = x.revision
		}
		list = append(list, map[string]any{
			"name": x.name, "revision": revision,
			"location": map[string]any{"type": string(cptypes.ArtifactLocationTypeS3), "s3Location": map[string]any{"bucketName": x.bucket, "objectKey": x.key}},
		})
	}
	return list
}
