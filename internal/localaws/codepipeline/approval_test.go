package codepipeline_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/codepipeline"
	cptypes "github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// inbox makes a topic with a queue and returns the topic and the queue's URL.
func (s *site) inbox() (topic, queue string) {
	s.t.Helper()
	topics, queues := sns.NewFromConfig(s.config), sqs.NewFromConfig(s.config)
	made, err := topics.CreateTopic(s.t.Context(), &sns.CreateTopicInput{Name: aws.String("ask")})
	require.NoError(s.t, err)
	q, err := queues.CreateQueue(s.t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("inbox"), Attributes: map[string]string{
		"Policy": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},"Action":"sqs:SendMessage",` +
			`"Resource":"arn:aws:sqs:us-east-1:` + account + `:inbox"}]}`,
	}})
	require.NoError(s.t, err)
	_, err = topics.Subscribe(s.t.Context(), &sns.SubscribeInput{
		TopicArn: made.TopicArn, Protocol: aws.String("sqs"), Endpoint: aws.String("arn:aws:sqs:us-east-1:" + account + ":inbox"),
	})
	require.NoError(s.t, err)
	return *made.TopicArn, *q.QueueUrl
}

func TestAnApprovalIsAskedForThroughATopic(t *testing.T) {
	s := newSite(t)
	topic, queue := s.inbox()
	st := asking("Beta", "Look")
	st.Actions[0].Configuration = map[string]string{
		"NotificationArn": topic, "CustomData": "version #{Source.ObjectKey}", "ExternalEntityLink": "https://example.com",
	}
	s.create(structure(st))
	s.pass(time.Minute)
	got, err := sqs.NewFromConfig(s.config).ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &queue})
	require.NoError(t, err)
	require.Len(t, got.Messages, 1)
	var envelope struct {
		Subject string `json:"Subject"`
		Message string `json:"Message"`
	}
	require.NoError(t, json.Unmarshal([]byte(*got.Messages[0].Body), &envelope))
	assert.Equal(t, "APPROVAL NEEDED: AWS CodePipeline line for action Look", envelope.Subject)
	token := *s.stage("Beta").ActionStates[0].LatestExecution.Token
	page := "https://console.aws.amazon.com/codepipeline/home?region=us-east-1#/view/line"
	assert.JSONEq(t, `{"region":"us-east-1","consoleLink":"`+page+`","approval":{"pipelineName":"line","stageName":"Beta","actionName":"Look",
		"token":"`+token+`","expires":"2026-01-12T09:00Z","externalEntityLink":"https://example.com",
		"approvalReviewLink":"`+page+`/Beta/Look/approve/`+token+`","customData":"version app.zip"}}`, envelope.Message)
}

func TestAnApprovalIsAnsweredOnce(t *testing.T) {
	s := newSite(t)
	s.create(structure(asking("Beta", "Look"), asking("Prod", "Look")))
	s.pass(time.Minute)
	in := func(change func(*sdk.PutApprovalResultInput)) *sdk.PutApprovalResultInput {
		x := &sdk.PutApprovalResultInput{
			PipelineName: aws.String(line), StageName: aws.String("Beta"), ActionName: aws.String("Look"),
			Token: aws.String("12345678-1234-1234-1234-123456789012"), Result: &cptypes.ApprovalResult{Status: "Approved", Summary: aws.String("yes")},
		}
		change(x)
		return x
	}
	token := s.stage("Beta").ActionStates[0].LatestExecution.Token
	for want, change := range map[string]func(*sdk.PutApprovalResultInput){
		"PipelineNotFoundException":     func(x *sdk.PutApprovalResultInput) { x.PipelineName = aws.String("no") },
		"StageNotFoundException":        func(x *sdk.PutApprovalResultInput) { x.StageName = aws.String("no") },
		"ActionNotFoundException":       func(x *sdk.PutApprovalResultInput) { x.ActionName = aws.String("no") },
		"InvalidApprovalTokenException": func(*sdk.PutApprovalResultInput) {},
		"ValidationException":           func(x *sdk.PutApprovalResultInput) { x.Token, x.Result.Status = token, "Maybe" },
	} {
		_, err := s.PutApprovalResult(t.Context(), in(change))
		require.ErrorContains(t, err, want)
	}
	yes := in(func(x *sdk.PutApprovalResultInput) { x.Token = token })
	out, err := s.PutApprovalResult(t.Context(), yes)
	require.NoError(t, err)
	assert.Equal(t, time.Date(2026, 1, 5, 9, 1, 0, 0, time.UTC), *out.ApprovedAt)
	_, err = s.PutApprovalResult(t.Context(), yes)
	require.ErrorContains(t, err, "ApprovalAlreadyCompletedException")
	got := s.stage("Beta").ActionStates[0].LatestExecution
	assert.Equal(t, []string{"Succeeded", "yes", root}, []string{string(got.Status), *got.Summary, *got.LastUpdatedBy})
}

func TestAnApprovalThatNobodyGivesExpires(t *testing.T) {
	s := newSite(t)
	st := asking("Beta", "Look")
	st.Actions[0].TimeoutInMinutes = aws.Int32(30)
	s.create(structure(st))
	s.pass(30 * time.Minute)
	assert.Equal(t, []string{"InProgress"}, s.statuses())
	token := s.stage("Beta").ActionStates[0].LatestExecution.Token
	s.pass(4 * time.Second)
	assert.Equal(t, []string{"Failed"}, s.statuses())
	_, err := s.PutApprovalResult(t.Context(), &sdk.PutApprovalResultInput{
		PipelineName: aws.String(line), StageName: aws.String("Beta"), ActionName: aws.String("Look"), Token: token,
		Result: &cptypes.ApprovalResult{Status: "Approved", Summary: aws.String("yes")},
	})
	assert.ErrorContains(t, err, "InvalidApprovalTokenException")
}

func TestAnApprovalThatWasGivenDoesNotExpire(t *testing.T) {
	s := newSite(t)
	st := asking("Beta", "Look")
	st.Actions[0].TimeoutInMinutes = aws.Int32(30)
	s.create(structure(st, asking("Prod", "Look")))
	s.pass(time.Minute)
	s.approve("Beta")
	s.pass(time.Minute)
	s.events()
	s.pass(time.Hour)
	assert.Empty(t, s.events())
	assert.Equal(t, cptypes.ActionExecutionStatusSucceeded, s.stage("Beta").ActionStates[0].LatestExecution.Status)
}
