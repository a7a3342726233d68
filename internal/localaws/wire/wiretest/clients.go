package wiretest

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"reflect"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/backup"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	smithyendpoints "github.com/aws/smithy-go/endpoints"
	"github.com/aws/smithy-go/middleware"
	"github.com/stretchr/testify/require"
)

// errSent ends a call whose request was all that mattered.
var errSent = errors.New("sent")

// transport is an HTTP client that is a function.
type transport func(*http.Request) (*http.Response, error)

// Do implements the SDK's HTTPClient.
func (f transport) Do(r *http.Request) (*http.Response, error) { return f(r) }

// anyEndpoint sends every request of EventBridge to the same place. The
// default resolver refuses the EndpointId of the snapshots.
type anyEndpoint struct{}

// ResolveEndpoint implements eventbridge.EndpointResolverV2.
func (anyEndpoint) ResolveEndpoint(context.Context, eventbridge.EndpointParameters) (smithyendpoints.Endpoint, error) {
	return smithyendpoints.Endpoint{URI: url.URL{Scheme: "https", Host: "test.example.com"}}, nil
}

// client makes the SDK's client of a service, without retries, without
// validation of inputs and without checks of message digests, which belong to
// a service's behaviour.
func client(t *testing.T, service string, do transport) any {
	t.Helper()
	c := aws.Config{
		Region: "us-east-1", HTTPClient: do, BaseEndpoint: aws.String("https://test.example.com"),
		Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", ""),
		Retryer:     func() aws.Retryer { return aws.NopRetryer{} },
		APIOptions: []func(*middleware.Stack) error{func(s *middleware.Stack) error {
			_, _ = s.Initialize.Remove("OperationInputValidation") // not there where there is nothing to validate
			return nil
		}},
	}
	if c := fleetClient(service, c); c != nil {
		return c
	}
	switch service {
	case "cloudformation":
		return cloudformation.NewFromConfig(c)
	case "codedeploy":
		return codedeploy.NewFromConfig(c)
	case "lambda":
		return lambda.NewFromConfig(c)
	case "monitoring":
		return cloudwatch.NewFromConfig(c, func(o *cloudwatch.Options) { o.DisableRequestCompression = true })
	case "logs":
		return cloudwatchlogs.NewFromConfig(c)
	case "events":
		return eventbridge.NewFromConfig(c, func(o *eventbridge.Options) { o.EndpointResolverV2 = anyEndpoint{} })
	case "sqs":
		return sqs.NewFromConfig(c, func(o *sqs.Options) { o.DisableMessageChecksumValidation = true })
	case "sns":
		return sns.NewFromConfig(c)
	case "dynamodb":
		return dynamodb.NewFromConfig(c, func(o *dynamodb.Options) { o.DisableValidateResponseChecksum = true })
	case "ssm":
		return ssm.NewFromConfig(c)
	}
	require.Fail(t, "no client", "wiretest has no client of %s", service)
	return nil
}

// fleetClient makes the client of a service of machines and tasks, their pipelines,
// their backups, their
// identities and their secrets, or nil.
func fleetClient(service string, c aws.Config) any {
	switch service {
	case "iam":
		return iam.NewFromConfig(c)
	case "ecr":
		return ecr.NewFromConfig(c)
	case "kms":
		return kms.NewFromConfig(c)
	case "secretsmanager":
		return secretsmanager.NewFromConfig(c)
	case "sts":
		return sts.NewFromConfig(c)
	case "ecs":
		return ecs.NewFromConfig(c)
	case "elasticloadbalancing":
		return elasticloadbalancingv2.NewFromConfig(c)
	case "ec2":
		return ec2.NewFromConfig(c)
	case "autoscaling":
		return autoscaling.NewFromConfig(c)
	case "backup":
		return backup.NewFromConfig(c)
	case "codepipeline":
		return codepipeline.NewFromConfig(c)
	}
	return storeClient(service, c)
}

// storeClient makes the client of a service that keeps objects, or nil.
func storeClient(service string, c aws.Config) any {
	if service != "s3" {
		return nil
	}
	c.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired // the checksums are those of the snapshots
	return s3.NewFromConfig(c, func(o *s3.Options) { o.UsePathStyle = true })
}

// call lets the SDK's client call an operation over a transport.
func call(t *testing.T, service, operation string, in any, do transport) (any, error) {
	t.Helper()
	method := reflect.ValueOf(client(t, service, do)).MethodByName(operation)
	require.True(t, method.IsValid(), "the SDK's client of %s has no method %s", service, operation)
	results := method.Call([]reflect.Value{reflect.ValueOf(t.Context()), reflect.ValueOf(in)})
	if err, ok := reflect.TypeAssert[error](results[1]); ok {
		return nil, err
	}
	return results[0].Interface(), nil
}

// modeledError returns the SDK's own error type in an error, or nil.
func modeledError(err error) error {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return nil
	}
	if _, generic := api.(*smithy.GenericAPIError); generic {
		return nil
	}
	return api
}
