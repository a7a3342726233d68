package bench

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/pullback-dev/pullback/shared/amazon/table"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
	"github.com/pullback-dev/pullback/shared/settings"
)

// app is an application with a function, of which version 1 is good and
// version 2 is on its way.
type app struct {
	function string
	release  string // the sample's release that version 2 is made of
}

func (a app) alias() deploy.Alias   { return deploy.Alias{Function: a.function, Name: "live"} }
func (a app) target() deploy.Target { return deploy.Target{Application: a.function, Group: "live"} }

var (
	hooked = app{"checkout", "v3"} //nolint:gochecknoglobals // a constant that Go cannot write as one
	taken  = app{"billing", "v2"}  //nolint:gochecknoglobals // the same; the rollbacker takes it back
)

const (
	alarm    = "checkout-errors"
	requests = 700 // through the canary, so that both versions have some to be judged by
)

// set makes everything that the candidates work on.
func (s *scene) set(ctx context.Context) error {
	if err := s.control(ctx); err != nil {
		return err
	}
	for _, a := range []app{hooked, taken} {
		if err := s.install(ctx, a); err != nil {
			return fmt.Errorf("install %s: %w", a.function, err)
		}
	}
	// Half a second of Lambda's own, and then traffic shifts.
	if err := s.local.World.Advance(ctx, time.Minute); err != nil {
		return fmt.Errorf("let traffic shift: %w", err)
	}
	functions := lambda.NewFromConfig(s.config())
	for range requests {
		if _, err := functions.Invoke(ctx, &lambda.InvokeInput{FunctionName: aws.String(hooked.alias().String())}); err != nil {
			return fmt.Errorf("use %s: %w", hooked.alias(), err)
		}
	}
	if err := s.local.World.Advance(ctx, 3*time.Minute); err != nil {
		return fmt.Errorf("let metrics settle: %w", err)
	}
	return s.remember(ctx)
}

// control makes what the stack makes: the ledger, the queues and the topic.
func (s *scene) control(ctx context.Context) error {
	s.settings = settings.Default()
	s.settings.Account, s.settings.Table = s.local.World.Account, "ledger"
	_, err := dynamodb.NewFromConfig(s.config()).CreateTable(ctx, &dynamodb.CreateTableInput{
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
	queues := sqs.NewFromConfig(s.config())
	signals, err := queues.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("signals")})
	if err != nil {
		return fmt.Errorf("create the signals queue: %w", err)
	}
	rollbacks, err := queues.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("rollbacks.fifo"), Attributes: map[string]string{"FifoQueue": "true"}})
	if err != nil {
		return fmt.Errorf("create the rollbacks queue: %w", err)
	}
	watch, err := queues.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("watch")})
	if err != nil {
		return fmt.Errorf("create the watch queue: %w", err)
	}
	topic, err := sns.NewFromConfig(s.config()).CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String("notices")})
	if err != nil {
		return fmt.Errorf("create the topic: %w", err)
	}
	s.settings.Signals, s.settings.Rollbacks, s.settings.Watch, s.settings.Topic = *signals.QueueUrl, *rollbacks.QueueUrl, *watch.QueueUrl, *topic.TopicArn
	_, err = cloudwatch.NewFromConfig(s.config()).PutMetricAlarm(ctx, &cloudwatch.PutMetricAlarmInput{
		AlarmName: aws.String(alarm), Namespace: aws.String("AWS/Lambda"), MetricName: aws.String("Errors"), Statistic: cwtypes.StatisticSum,
		Dimensions: []cwtypes.Dimension{{Name: aws.String("FunctionName"), Value: &hooked.function}},
		Period:     aws.Int32(60), EvaluationPeriods: aws.Int32(1), Threshold: aws.Float64(3),
		ComparisonOperator: cwtypes.ComparisonOperatorGreaterThanThreshold, TreatMissingData: aws.String("notBreaching"),
	})
	if err != nil {
		return fmt.Errorf("create the alarm: %w", err)
	}
	return nil
}

// install puts version 1 behind the alias and starts a canary of version 2.
func (s *scene) install(ctx context.Context, a app) error {
	functions := lambda.NewFromConfig(s.config())
	first, err := pack(s.options.Dist, "v1")
	if err != nil {
		return err
	}
	second, err := pack(s.options.Dist, a.release)
	if err != nil {
		return err
	}
	_, err = functions.CreateFunction(ctx, &lambda.CreateFunctionInput{
		FunctionName: &a.function, Runtime: lambdatypes.RuntimeProvidedal2023, Handler: aws.String("bootstrap"), Publish: true,
		Role: aws.String("arn:aws:iam::123456789012:role/bench"), Code: &lambdatypes.FunctionCode{ZipFile: first},
	})
	if err != nil {
		return fmt.Errorf("create function: %w", err)
	}
	if _, err := functions.UpdateFunctionCode(ctx, &lambda.UpdateFunctionCodeInput{FunctionName: &a.function, ZipFile: second, Publish: true}); err != nil {
		return fmt.Errorf("publish version 2: %w", err)
	}
	alias := a.alias()
	if _, err := functions.CreateAlias(ctx, &lambda.CreateAliasInput{FunctionName: &a.function, Name: &alias.Name, FunctionVersion: aws.String("1")}); err != nil {
		return fmt.Errorf("create alias: %w", err)
	}
	return s.deploy(ctx, a)
}

func (s *scene) deploy(ctx context.Context, a app) error {
	client, t := codedeploy.NewFromConfig(s.config()), a.target()
	if _, err := client.CreateApplication(ctx, &codedeploy.CreateApplicationInput{ApplicationName: &t.Application, ComputePlatform: cdtypes.ComputePlatformLambda}); err != nil {
		return fmt.Errorf("create application: %w", err)
	}
	_, err := client.CreateDeploymentGroup(ctx, &codedeploy.CreateDeploymentGroupInput{
		ApplicationName: &t.Application, DeploymentGroupName: &t.Group, ServiceRoleArn: aws.String("arn:aws:iam::123456789012:role/codedeploy"),
		DeploymentConfigName: aws.String("CodeDeployDefault.LambdaCanary10Percent30Minutes"),
		DeploymentStyle:      &cdtypes.DeploymentStyle{DeploymentType: cdtypes.DeploymentTypeBlueGreen, DeploymentOption: cdtypes.DeploymentOptionWithTrafficControl},
		Tags:                 []cdtypes.Tag{{Key: aws.String("pullback:enabled"), Value: aws.String("true")}, {Key: aws.String("pullback:alarms"), Value: aws.String(alarm)}},
	})
	if err != nil {
		return fmt.Errorf("create deployment group: %w", err)
	}
	spec := fmt.Sprintf(`{"version":0.0,"Resources":[{%q:{"Type":"AWS::Lambda::Function","Properties":{"Name":%q,"Alias":"live","CurrentVersion":"1","TargetVersion":"2"}}}]}`, a.function, a.function)
	out, err := client.CreateDeployment(ctx, &codedeploy.CreateDeploymentInput{
		ApplicationName: &t.Application, DeploymentGroupName: &t.Group,
		Revision: &cdtypes.RevisionLocation{RevisionType: cdtypes.RevisionLocationTypeAppSpecContent, AppSpecContent: &cdtypes.AppSpecContent{Content: &spec}},
	})
	if err != nil {
		return fmt.Errorf("deploy: %w", err)
	}
	if a == hooked {
		s.canary = deploy.ID(*out.DeploymentId)
		return nil
	}
	return s.open(ctx, a, deploy.ID(*out.DeploymentId))
}

// open opens an incident for every start of the rollbacker, so that each
// begins with an incident's first look.
func (s *scene) open(ctx context.Context, a app, bad deploy.ID) error {
	now := s.now()
	store := table.New(dynamodb.NewFromConfig(s.config()), s.settings.Table)
	for start := range s.options.Starts {
		_, _, err := store.OpenIncident(ctx, ledger.Incident{
			ID: incident(start), Target: a.target(), Deployment: bad, Alias: a.alias(), Bad: "2", Good: "1",
			Rule: "alarm", Because: "bench", Phase: ledger.Open, Opened: now, NextLook: now,
		})
		if err != nil {
			return fmt.Errorf("open incident: %w", err)
		}
	}
	return nil
}

// remember writes what the control plane would know by now.
func (s *scene) remember(ctx context.Context) error {
	now := s.now()
	store := table.New(dynamodb.NewFromConfig(s.config()), s.settings.Table)
	for _, a := range []app{hooked, taken} {
		good := ledger.KnownGood{Target: a.target(), Revision: "1", Why: "bench", At: now.Add(-time.Hour)}
		if err := store.MarkKnownGood(ctx, good); err != nil {
			return fmt.Errorf("mark known good: %w", err)
		}
	}
	if err := store.IndexAlarms(ctx, hooked.target(), []string{alarm}); err != nil {
		return fmt.Errorf("index alarms: %w", err)
	}
	return nil
}

// pack makes a deployment package of one of the sample's releases.
func pack(dist, release string) ([]byte, error) {
	binary, err := os.ReadFile(filepath.Join(dist, "sample-"+release, "bootstrap")) //nolint:gosec // a path that the caller chose
	if err != nil {
		return nil, fmt.Errorf("read the sample's release %s (make build builds it): %w", release, err)
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	header := &zip.FileHeader{Name: "bootstrap", Method: zip.Deflate}
	header.SetMode(0o755)
	w, err := z.CreateHeader(header)
	if err == nil {
		_, err = w.Write(binary)
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("zip release %s: %w", release, err)
	}
	return b.Bytes(), nil
}
