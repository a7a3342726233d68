package bus_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/events"
	"github.com/pullback-dev/pullback/internal/localaws/host"
	"github.com/pullback-dev/pullback/internal/localaws/sdkhttp"
	"github.com/pullback-dev/pullback/internal/localaws/world"
	"github.com/pullback-dev/pullback/shared/amazon/bus"
	"github.com/pullback-dev/pullback/shared/deploy"
)

// region is a local AWS with a bus whose troubles go to a queue.
type region struct {
	t      *testing.T
	aws    *host.AWS
	events *eventbridge.Client
	queues *sqs.Client
	arn    string
	queue  *string
}

func start(t *testing.T) region {
	t.Helper()
	local, err := host.Start(t.Context(), host.Options{World: world.Options{Mode: world.Manual, Seed: 1}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, local.Close()) })
	cfg := aws.Config{
		Region: local.World.Region, HTTPClient: sdkhttp.Client(), BaseEndpoint: aws.String(local.URL()),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "x", SecretAccessKey: "x"}, nil
		}),
	}
	r := region{
		t: t, aws: local, events: eventbridge.NewFromConfig(cfg), queues: sqs.NewFromConfig(cfg),
		arn: "arn:aws:events:" + local.World.Region + ":" + local.World.Account + ":event-bus/default",
	}
	r.listen()
	return r
}

func (r *region) listen() {
	r.t.Helper()
	ctx := r.t.Context()
	made, err := r.queues.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("heard")})
	require.NoError(r.t, err)
	r.queue = made.QueueUrl
	arn := "arn:aws:sqs:" + r.aws.World.Region + ":" + r.aws.World.Account + ":heard"
	_, err = r.queues.SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{QueueUrl: r.queue, Attributes: map[string]string{
		"Policy": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"events.amazonaws.com"},"Action":"sqs:SendMessage","Resource":"` + arn + `"}]}`,
	}})
	require.NoError(r.t, err)
	_, err = r.events.PutRule(ctx, &eventbridge.PutRuleInput{Name: aws.String("troubles"), EventPattern: aws.String(`{"source":["pullback"]}`)})
	require.NoError(r.t, err)
	in := &eventbridge.PutTargetsInput{}
	require.NoError(r.t, json.Unmarshal([]byte(`{"Rule":"troubles","Targets":[{"Id":"q","Arn":"`+arn+`"}]}`), in))
	_, err = r.events.PutTargets(ctx, in)
	require.NoError(r.t, err)
}

func (r *region) heard() []events.Event {
	r.t.Helper()
	require.NoError(r.t, r.aws.World.Advance(r.t.Context(), 10*time.Second))
	out, err := r.queues.ReceiveMessage(r.t.Context(), &sqs.ReceiveMessageInput{
		QueueUrl: r.queue, MaxNumberOfMessages: 10, MessageSystemAttributeNames: []sqstypes.MessageSystemAttributeName{},
	})
	require.NoError(r.t, err)
	var all []events.Event
	for _, m := range out.Messages {
		e, err := events.Parse([]byte(*m.Body))
		require.NoError(r.t, err)
		all = append(all, e)
	}
	return all
}

func trouble() events.Trouble {
	return events.Trouble{
		Head:   events.Head{Region: "eu-central-1"},
		Target: deploy.Target{Application: "shop", Group: "eu"}, Revision: "8", Digest: "sha-8", Incident: "i-0123456789ab", Because: "alarm errors is red",
	}
}

func TestATroubleArrivesAtABusAsItWasSent(t *testing.T) {
	r := start(t)
	now := time.Date(2026, 1, 5, 9, 31, 0, 0, time.UTC)
	require.NoError(t, bus.New(r.events, func() time.Time { return now }).Tell(t.Context(), []string{r.arn}, trouble()))
	heard := r.heard()
	require.Len(t, heard, 1)
	want := trouble()
	want.Head = events.Head{ID: heard[0].Envelope().ID, Source: "pullback", Type: events.TypeTrouble, Account: r.aws.World.Account, Region: "eu-central-1", Time: now}
	assert.Equal(t, want, heard[0])
}

func TestABusThatDoesNotTakeItKeepsItNotFromTheOthers(t *testing.T) {
	r := start(t)
	missing := r.arn + "-of-nobody"
	err := bus.New(r.events, time.Now).Tell(t.Context(), []string{"somewhere", missing, r.arn}, trouble())
	require.ErrorContains(t, err, `"somewhere": it is not the ARN of an event bus`)
	require.ErrorContains(t, err, missing)
	assert.Len(t, r.heard(), 1)
}

func TestNobodyToTellIsNoTrouble(t *testing.T) {
	require.NoError(t, bus.New(nil, time.Now).Tell(t.Context(), nil, trouble()))
}
