package lambda_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	awslambda "github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/lambda"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// status is the HTTP status of an answer.
func status(t *testing.T, m middleware.Metadata, err error) int {
	t.Helper()
	require.NoError(t, err)
	raw, ok := awsmiddleware.GetRawResponse(m).(*smithyhttp.Response)
	require.True(t, ok)
	return raw.StatusCode
}

func TestAnswersHaveTheStatusOfTheAPIReference(t *testing.T) {
	l := newLocal(t)
	ctx, name := t.Context(), aws.String("worker")
	code, err := packaged()
	require.NoError(t, err)
	created, err := l.client.CreateFunction(ctx, &awslambda.CreateFunctionInput{
		FunctionName: name, Role: aws.String(role), Handler: aws.String("h"), Runtime: lambdatypes.RuntimeProvidedal2,
		Code: &lambdatypes.FunctionCode{ZipFile: code},
	})
	assert.Equal(t, 201, status(t, created.ResultMetadata, err))
	published, err := l.client.PublishVersion(ctx, &awslambda.PublishVersionInput{FunctionName: name})
	assert.Equal(t, 201, status(t, published.ResultMetadata, err))
	alias, err := l.client.CreateAlias(ctx, &awslambda.CreateAliasInput{FunctionName: name, Name: aws.String("live"), FunctionVersion: aws.String("1")})
	assert.Equal(t, 201, status(t, alias.ResultMetadata, err))
	permitted, err := l.client.AddPermission(ctx, &awslambda.AddPermissionInput{
		FunctionName: name, StatementId: aws.String("s"), Action: aws.String("lambda:InvokeFunction"), Principal: aws.String("events.amazonaws.com"),
	})
	assert.Equal(t, 201, status(t, permitted.ResultMetadata, err))
	removed, err := l.client.RemovePermission(ctx, &awslambda.RemovePermissionInput{FunctionName: name, StatementId: aws.String("s")})
	assert.Equal(t, 204, status(t, removed.ResultMetadata, err))
	tagged, err := l.client.TagResource(ctx, &awslambda.TagResourceInput{Resource: created.FunctionArn, Tags: map[string]string{"a": "b", "c": "d"}})
	assert.Equal(t, 204, status(t, tagged.ResultMetadata, err))
	untagged, err := l.client.UntagResource(ctx, &awslambda.UntagResourceInput{Resource: created.FunctionArn, TagKeys: []string{"a"}})
	assert.Equal(t, 204, status(t, untagged.ResultMetadata, err))
	tags, err := l.client.ListTags(ctx, &awslambda.ListTagsInput{Resource: created.FunctionArn})
	assert.Equal(t, 200, status(t, tags.ResultMetadata, err))
	assert.Equal(t, map[string]string{"c": "d"}, tags.Tags)
	freed, err := l.client.DeleteFunctionConcurrency(ctx, &awslambda.DeleteFunctionConcurrencyInput{FunctionName: name})
	assert.Equal(t, 204, status(t, freed.ResultMetadata, err))
	gone, err := l.client.DeleteAlias(ctx, &awslambda.DeleteAliasInput{FunctionName: name, Name: aws.String("live")})
	assert.Equal(t, 204, status(t, gone.ResultMetadata, err))
	deleted, err := l.client.DeleteFunction(ctx, &awslambda.DeleteFunctionInput{FunctionName: name})
	assert.Equal(t, 204, status(t, deleted.ResultMetadata, err))
}

func TestAFunctionIsDescribedAsItWasCreated(t *testing.T) {
	l := newLocal(t)
	l.create("worker", does("error"), func(in *awslambda.CreateFunctionInput) { in.Tags = map[string]string{"team": "a"} })
	code, err := packaged()
	require.NoError(t, err)
	out, err := l.client.GetFunction(t.Context(), &awslambda.GetFunctionInput{FunctionName: aws.String("worker")})
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"team": "a"}, out.Tags)
	c := out.Configuration
	assert.Len(t, *c.RevisionId, 36)
	assert.Len(t, *c.CodeSha256, 44)
	c.RevisionId, c.CodeSha256 = nil, nil
	assert.Equal(t, &lambdatypes.FunctionConfiguration{
		Architectures: []lambdatypes.Architecture{lambdatypes.ArchitectureX8664}, CodeSize: int64(len(code)), Description: aws.String(""),
		Environment:      &lambdatypes.EnvironmentResponse{Variables: map[string]string{"DO": "error"}},
		EphemeralStorage: &lambdatypes.EphemeralStorage{Size: aws.Int32(512)},
		FunctionArn:      aws.String(arn + "worker"), FunctionName: aws.String("worker"), Handler: aws.String("bootstrap"),
		LastModified: aws.String("2026-01-05T09:00:00.000+0000"), LastUpdateStatus: lambdatypes.LastUpdateStatusSuccessful,
		LoggingConfig: &lambdatypes.LoggingConfig{LogFormat: lambdatypes.LogFormatText, LogGroup: aws.String("/aws/lambda/worker")},
		MemorySize:    aws.Int32(128), PackageType: lambdatypes.PackageTypeZip, Role: aws.String(role), Runtime: lambdatypes.RuntimeProvidedal2023,
		SnapStart:     &lambdatypes.SnapStartResponse{ApplyOn: lambdatypes.SnapStartApplyOnNone, OptimizationStatus: lambdatypes.SnapStartOptimizationStatusOff},
		State:         lambdatypes.StateActive,
		Timeout:       aws.Int32(20),
		TracingConfig: &lambdatypes.TracingConfigResponse{Mode: lambdatypes.TracingModePassThrough},
		Version:       aws.String("$LATEST"),
	}, c)
}

func TestAFunctionCanBeNamedInManyWays(t *testing.T) {
	l := newLocal(t)
	l.create("worker")
	l.publish()
	for _, name := range []string{
		"worker", "worker:1", "worker:$LATEST", arn + "worker", arn + "worker:1", "123456789012:function:worker", "123456789012:function:worker:1",
	} {
		out, err := l.client.GetFunctionConfiguration(t.Context(), &awslambda.GetFunctionConfigurationInput{FunctionName: &name})
		require.NoError(t, err, name)
		assert.Equal(t, "worker", *out.FunctionName)
	}
	tests := map[string]struct{ name, qualifier, want string }{
		"unknown":          {"nobody", "", "ResourceNotFoundException: Function not found: " + arn + "nobody"},
		"no such version":  {"worker:9", "", "ResourceNotFoundException: Function not found: " + arn + "worker:9"},
		"two qualifiers":   {"worker:1", "2", "InvalidParameterValueException: The derived qualifier from the function name does not match the specified qualifier."},
		"another region":   {"arn:aws:lambda:eu-west-1:123456789012:function:worker", "", "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')"},
		"another account":  {"999999999999:function:worker", "", "ResourceNotFoundException"},
		"not a name":       {"wor ker", "", "ValidationException"},
		"not a lambda ARN": {"arn:aws:sqs:us-east-1:123456789012:worker", "", "InvalidParameterValueException"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			in := &awslambda.GetFunctionConfigurationInput{FunctionName: &tt.name}
			if tt.qualifier != "" {
				in.Qualifier = &tt.qualifier
			}
			_, err := l.client.GetFunctionConfiguration(t.Context(), in)
			require.ErrorContains(t, err, tt.want)
		})
	}
}

func TestWhatTheLocalLambdaCannotDoIsRefused(t *testing.T) {
	l := newLocal(t)
	code, err := packaged()
	require.NoError(t, err)
	tests := map[string]struct {
		change func(*awslambda.CreateFunctionInput)
		want   string
	}{
		"runtime": {func(in *awslambda.CreateFunctionInput) { in.Runtime = lambdatypes.RuntimePython312 }, "runtime python3.12 is not supported"},
		"image":   {func(in *awslambda.CreateFunctionInput) { in.PackageType = lambdatypes.PackageTypeImage }, "PackageType Image is not supported"},
		"layers":  {func(in *awslambda.CreateFunctionInput) { in.Layers = []string{"l"} }, "Layers is not supported"},
		"vpc": {func(in *awslambda.CreateFunctionInput) {
			in.VpcConfig = &lambdatypes.VpcConfig{SubnetIds: []string{"s"}}
		}, "VpcConfig is not supported"},
		"not a zip": {func(in *awslambda.CreateFunctionInput) { in.Code.ZipFile = []byte("x") }, "Could not unzip uploaded file"},
		"no code":   {func(in *awslambda.CreateFunctionInput) { in.Code = &lambdatypes.FunctionCode{} }, "Please provide a source for function code."},
		"timeout":   {func(in *awslambda.CreateFunctionInput) { in.Timeout = aws.Int32(901) }, "ValidationException: 1 validation error detected: Value '901' at 'timeout'"},
		"memory":    {func(in *awslambda.CreateFunctionInput) { in.MemorySize = aws.Int32(64) }, "ValidationException: 1 validation error detected: Value '64' at 'memorySize'"},
		"role":      {func(in *awslambda.CreateFunctionInput) { in.Role = aws.String("worker") }, "ValidationException: 1 validation error detected: Value 'worker' at 'role'"},
		"reserved variable": {func(in *awslambda.CreateFunctionInput) {
			in.Environment = &lambdatypes.Environment{Variables: map[string]string{"AWS_REGION": "x"}}
		}, "Reserved keys used in this request: AWS_REGION"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			in := &awslambda.CreateFunctionInput{
				FunctionName: aws.String("worker"), Role: aws.String(role), Handler: aws.String("h"), Runtime: lambdatypes.RuntimeProvidedal2023,
				Code: &lambdatypes.FunctionCode{ZipFile: code},
			}
			tt.change(in)
			_, err := l.client.CreateFunction(t.Context(), in)
			require.ErrorContains(t, err, tt.want)
			invalid, ok := errors.AsType[*lambdatypes.InvalidParameterValueException](err)
			assert.True(t, !ok || aws.ToString(invalid.Type) == "User", err)
		})
	}
	_, err = l.client.GetFunction(t.Context(), &awslambda.GetFunctionInput{FunctionName: aws.String("worker")})
	var missing *lambdatypes.ResourceNotFoundException
	require.ErrorAs(t, err, &missing)
}

func TestCodeThatLeadsOutOfItsPackageIsRefused(t *testing.T) {
	l := newLocal(t)
	l.create("worker")
	evil, err := zipped("../bootstrap", []byte("x"))
	require.NoError(t, err)
	_, err = l.client.UpdateFunctionCode(t.Context(), &awslambda.UpdateFunctionCodeInput{FunctionName: aws.String("worker"), ZipFile: evil})
	require.ErrorContains(t, err, `file name "../bootstrap" leads out of the package`)
}

func TestPublishingTwiceGivesTheSameVersion(t *testing.T) {
	l := newLocal(t)
	l.create("worker")
	assert.Equal(t, "1", l.publish())
	l.advance(time.Minute)
	assert.Equal(t, "1", l.publish())
	l.vary(map[string]string{"A": "1"})
	assert.Equal(t, "2", l.publish())
	_, err := l.client.DeleteFunction(t.Context(), &awslambda.DeleteFunctionInput{FunctionName: aws.String("worker"), Qualifier: aws.String("2")})
	require.NoError(t, err)
	assert.Equal(t, "3", l.publish(), "a number is never used again")
	out, err := l.client.ListVersionsByFunction(t.Context(), &awslambda.ListVersionsByFunctionInput{FunctionName: aws.String("worker")})
	require.NoError(t, err)
	var arns []string
	for _, v := range out.Versions {
		arns = append(arns, *v.FunctionArn)
	}
	assert.Equal(t, []string{arn + "worker:$LATEST", arn + "worker:1", arn + "worker:3"}, arns)
}

func TestAPermissionIsWrittenAsAPolicy(t *testing.T) {
	l := newLocal(t)
	l.create("worker")
	name := aws.String("worker")
	add := &awslambda.AddPermissionInput{
		FunctionName: name, StatementId: aws.String("rule"), Action: aws.String("lambda:InvokeFunction"), Principal: aws.String("events.amazonaws.com"),
		SourceArn: aws.String("arn:aws:events:us-east-1:123456789012:rule/r"), SourceAccount: aws.String("123456789012"),
	}
	_, err := l.client.AddPermission(t.Context(), add)
	require.NoError(t, err)
	_, err = l.client.AddPermission(t.Context(), add)
	require.ErrorContains(t, err, "The statement id (rule) provided already exists.")
	got, err := l.client.GetPolicy(t.Context(), &awslambda.GetPolicyInput{FunctionName: name})
	require.NoError(t, err)
	assert.JSONEq(t, `{"Version":"2012-10-17","Id":"default","Statement":[{"Sid":"rule","Effect":"Allow","Principal":{"Service":"events.amazonaws.com"},
		"Action":"lambda:InvokeFunction","Resource":"`+arn+`worker","Condition":{"ArnLike":{"AWS:SourceArn":"arn:aws:events:us-east-1:123456789012:rule/r"},
		"StringEquals":{"AWS:SourceAccount":"123456789012"}}}]}`, *got.Policy)
	_, err = l.client.RemovePermission(t.Context(), &awslambda.RemovePermissionInput{FunctionName: name, StatementId: aws.String("rule")})
	require.NoError(t, err)
	_, err = l.client.GetPolicy(t.Context(), &awslambda.GetPolicyInput{FunctionName: name})
	require.ErrorContains(t, err, "StatusCode: 404")
}

func TestListsComeInPages(t *testing.T) {
	l := newLocal(t)
	for _, name := range []string{"c", "a", "b"} {
		l.create(name)
	}
	var names []string
	pages := awslambda.NewListFunctionsPaginator(l.client, &awslambda.ListFunctionsInput{MaxItems: aws.Int32(2)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		require.NoError(t, err)
		for _, f := range page.Functions {
			names = append(names, *f.FunctionName)
		}
	}
	assert.Equal(t, []string{"a", "b", "c"}, names)
}

func TestReservedConcurrencyLeavesAHundredToOthers(t *testing.T) {
	l := newLocal(t)
	l.create("worker")
	_, err := l.client.PutFunctionConcurrency(t.Context(), &awslambda.PutFunctionConcurrencyInput{
		FunctionName: aws.String("worker"), ReservedConcurrentExecutions: aws.Int32(901),
	})
	require.ErrorContains(t, err, "below its minimum value of [100]")
	l.reserve("worker", 900)
	out, err := l.client.GetFunctionConcurrency(t.Context(), &awslambda.GetFunctionConcurrencyInput{FunctionName: aws.String("worker")})
	require.NoError(t, err)
	assert.Equal(t, int32(900), *out.ReservedConcurrentExecutions)
}

// bucket is an S3 with one object.
type bucket struct {
	as       wire.Principal
	contents []byte
}

func (b *bucket) getObject(c *wire.Call, in *s3.GetObjectInput) (*s3.GetObjectOutput, error) {
	b.as = c.Principal
	if *in.Bucket+"/"+*in.Key != "assets/worker.zip" {
		return nil, &s3types.NoSuchKey{Message: aws.String("The specified key does not exist.")}
	}
	return &s3.GetObjectOutput{Body: io.NopCloser(bytes.NewReader(b.contents))}, nil
}

func TestCodeComesFromS3WithTheRightsOfTheCaller(t *testing.T) {
	code, err := packaged()
	require.NoError(t, err)
	w := world.New(world.Options{})
	mux := wire.NewMux(w)
	assets := &bucket{contents: code}
	svc := lambda.New(w, mux, lambda.Options{})
	t.Cleanup(func() { require.NoError(t, svc.Close()) })
	mux.Handle(svc.Wire())
	mux.Handle(wire.Service{Name: "s3", Operations: []wire.Operation{wire.Op("GetObject", assets.getObject)}})
	me := wire.Principal{ARN: "arn:aws:iam::123456789012:role/deployer"}
	create := func(key string) (*awslambda.CreateFunctionOutput, error) {
		w.Lock()
		defer w.Unlock()
		return wire.Do[awslambda.CreateFunctionOutput](t.Context(), mux, me, "lambda", "CreateFunction", &awslambda.CreateFunctionInput{
			FunctionName: aws.String("worker"), Role: aws.String(role), Handler: aws.String("h"), Runtime: lambdatypes.RuntimeProvidedal2023,
			Code: &lambdatypes.FunctionCode{S3Bucket: aws.String("assets"), S3Key: &key},
		})
	}
	_, err = create("none.zip")
	require.ErrorContains(t, err, "Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message: The specified key does not exist.")
	out, err := create("worker.zip")
	require.NoError(t, err)
	assert.Equal(t, int64(len(code)), out.CodeSize)
	assert.Equal(t, me, assets.as)
	result := make(chan lambda.Result, 1)
	w.Lock()
	svc.Start("worker", "", nil, func(r lambda.Result) { result <- r })
	w.Unlock()
	r := <-result
	require.False(t, r.Failed(), string(r.Payload))
	assert.True(t, json.Valid(r.Payload))
}
