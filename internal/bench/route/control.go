package route

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/pullback-dev/pullback/shared/amazon/table"
	"github.com/pullback-dev/pullback/shared/settings"
)

// configuration lets every target be taken back that is asked for: where time
// stands still, three would be all there ever are.
const configuration = `apiVersion: pullback.dev/v1
defaults:
  maxPerAccount: {count: 1000, window: 15m}
`

// control makes what the stack makes: the ledger, the queues, the topic and the
// parameter.
func (s *scene) control(ctx context.Context) error {
	s.settings = settings.Default()
	s.settings.Account, s.settings.Table, s.settings.Config = s.local.World.Account, "ledger", "/pullback/config"
	ledger := dynamodb.NewFromConfig(s.config)
	s.store = table.New(ledger, s.settings.Table)
	_, err := ledger.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName: &s.settings.Table, BillingMode: ddbtypes.BillingModePayPerRequest,
		AttributeDefinitions: []ddbtypes.AttributeDefinition{
			{AttributeName: aws.String(table.PartitionKey), AttributeType: ddbtypes.ScalarAttributeTypeS},
			{AttributeName: aws.String(table.SortKey), AttributeType: ddbtypes.ScalarAttributeTypeS},
		},
		KeySchema: []ddbtypes.KeySchemaElement{
			{AttributeName: aws.String(table.PartitionKey), KeyType: ddbtypes.KeyTypeHash},
			{AttributeName: aws.String(table.SortKey), KeyType: ddbtypes.KeyTypeRange},
		},
	})
	if err != nil {
		return fmt.Errorf("create the ledger: %w", err)
	}
	if err := s.queues(ctx); err != nil {
		return err
	}
	topic, err := sns.NewFromConfig(s.config).CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String("notices")})
	if err != nil {
		return fmt.Errorf("create the topic: %w", err)
	}
	s.settings.Topic = *topic.TopicArn
	_, err = ssm.NewFromConfig(s.config).PutParameter(ctx, &ssm.PutParameterInput{
		Name: &s.settings.Config, Value: aws.String(configuration), Type: ssmtypes.ParameterTypeString,
	})
	if err != nil {
		return fmt.Errorf("put the configuration: %w", err)
	}
	return nil
}

func (s *scene) queues(ctx context.Context) error {
	client := sqs.NewFromConfig(s.config)
	for name, url := range map[string]*string{"signals": &s.settings.Signals, "rollbacks.fifo": &s.settings.Rollbacks, "watch": &s.settings.Watch} {
		in := &sqs.CreateQueueInput{QueueName: &name}
		if name == "rollbacks.fifo" {
			in.Attributes = map[string]string{"FifoQueue": "true"}
		}
		out, err := client.CreateQueue(ctx, in)
		if err != nil {
			return fmt.Errorf("create the queue %s: %w", name, err)
		}
		*url = *out.QueueUrl
	}
	return nil
}
