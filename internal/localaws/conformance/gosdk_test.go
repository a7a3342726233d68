package conformance_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
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
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// goClients makes the Go SDK's client of each service.
func goClients(c aws.Config) map[string]any {
	return map[string]any{
		"autoscaling":          autoscaling.NewFromConfig(c),
		"backup":               backup.NewFromConfig(c),
		"cloudformation":       cloudformation.NewFromConfig(c),
		"codedeploy":           codedeploy.NewFromConfig(c),
		"codepipeline":         codepipeline.NewFromConfig(c),
		"dynamodb":             dynamodb.NewFromConfig(c),
		"ec2":                  ec2.NewFromConfig(c),
		"ecr":                  ecr.NewFromConfig(c),
		"ecs":                  ecs.NewFromConfig(c),
		"elasticloadbalancing": elasticloadbalancingv2.NewFromConfig(c),
		"events":               eventbridge.NewFromConfig(c),
		"iam":                  iam.NewFromConfig(c),
		"kms":                  kms.NewFromConfig(c),
		"lambda":               lambda.NewFromConfig(c),
		"logs":                 cloudwatchlogs.NewFromConfig(c),
		"monitoring":           cloudwatch.NewFromConfig(c),
		"scheduler":            scheduler.NewFromConfig(c),
		"secretsmanager":       secretsmanager.NewFromConfig(c),
		"sns":                  sns.NewFromConfig(c),
		"sqs":                  sqs.NewFromConfig(c),
		"ssm":                  ssm.NewFromConfig(c),
		"sts":                  sts.NewFromConfig(c),
		"s3":                   s3.NewFromConfig(c, func(o *s3.Options) { o.UsePathStyle = true }),
	}
}

// goCall makes one call with the Go SDK.
func goCall(ctx context.Context, clients map[string]any, service, operation string, params map[string]any) (answer, error) {
	client, ok := clients[service]
	if !ok {
		return answer{}, fmt.Errorf("the Go SDK has no client of %s here", service)
	}
	method := reflect.ValueOf(client).MethodByName(operation)
	if !method.IsValid() {
		return answer{}, fmt.Errorf("the Go SDK's client of %s has no operation %s", service, operation)
	}
	in := reflect.New(method.Type().In(1).Elem())
	if err := into(in.Elem(), params); err != nil {
		return answer{}, fmt.Errorf("%s: %w", operation, err)
	}
	result := method.Call([]reflect.Value{reflect.ValueOf(ctx), in})
	if err, _ := reflect.TypeAssert[error](result[1]); err != nil {
		var api smithy.APIError
		if !errors.As(err, &api) {
			return answer{}, err
		}
		a := answer{Code: api.ErrorCode(), Message: api.ErrorMessage()}
		if response, ok := errors.AsType[*smithyhttp.ResponseError](err); ok {
			a.Status = response.HTTPStatusCode()
		}
		return a, nil
	}
	tree, err := tree(result[0])
	if err != nil {
		return answer{}, err
	}
	m, _ := tree.(map[string]any)
	return answer{Out: m}, nil
}

// into fills an SDK value with a script's.
func into(v reflect.Value, x any) error {
	if x == nil {
		return nil
	}
	switch v.Interface().(type) {
	case time.Time:
		at, err := time.Parse(time.RFC3339, fmt.Sprint(x))
		if err != nil {
			return fmt.Errorf("want a time: %w", err)
		}
		v.Set(reflect.ValueOf(at))
		return nil
	case []byte:
		v.SetBytes(bytesOf(x))
		return nil
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		return into(v.Elem(), x)
	case reflect.Struct:
		return intoStruct(v, x)
	case reflect.Slice:
		return intoSlice(v, x)
	case reflect.Map:
		return intoMap(v, x)
	case reflect.Interface:
		return intoInterface(v, x)
	default:
		return intoScalar(v, x)
	}
}

func bytesOf(x any) []byte {
	if b, ok := x.(blob); ok {
		return b
	}
	return []byte(fmt.Sprint(x))
}

func intoStruct(v reflect.Value, x any) error {
	m, ok := x.(map[string]any)
	if !ok {
		return fmt.Errorf("want a structure for %s, got %T", v.Type(), x)
	}
	for name, value := range m {
		f := v.FieldByNameFunc(func(field string) bool {
			return strings.EqualFold(strings.TrimSuffix(field, "_"), name)
		})
		if !f.IsValid() {
			return fmt.Errorf("%s has no member %s", v.Type(), name)
		}
		if err := into(f, value); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func intoSlice(v reflect.Value, x any) error {
	l, ok := x.([]any)
	if !ok {
		return fmt.Errorf("want a list for %s, got %T", v.Type(), x)
	}
	v.Set(reflect.MakeSlice(v.Type(), len(l), len(l)))
	for i, e := range l {
		if err := into(v.Index(i), e); err != nil {
			return fmt.Errorf("[%d]: %w", i, err)
		}
	}
	return nil
}

func intoMap(v reflect.Value, x any) error {
	m, ok := x.(map[string]any)
	if !ok {
		return fmt.Errorf("want a map for %s, got %T", v.Type(), x)
	}
	v.Set(reflect.MakeMap(v.Type()))
	for k, e := range m {
		value := reflect.New(v.Type().Elem()).Elem()
		if err := into(value, e); err != nil {
			return fmt.Errorf("%s: %w", k, err)
		}
		v.SetMapIndex(reflect.ValueOf(k).Convert(v.Type().Key()), value)
	}
	return nil
}

// intoInterface fills a union, a map with one member, or a body.
func intoInterface(v reflect.Value, x any) error {
	if v.Type() == reflect.TypeFor[io.Reader]() {
		v.Set(reflect.ValueOf(strings.NewReader(string(bytesOf(x)))))
		return nil
	}
	m, ok := x.(map[string]any)
	if !ok || len(m) != 1 {
		return fmt.Errorf("want a union with one member for %s, got %v", v.Type(), x)
	}
	for name, value := range m {
		member := unionMember(v.Type(), name)
		if member == nil {
			return fmt.Errorf("the union %s has no member %s here", v.Type(), name)
		}
		p := reflect.New(member)
		v.Set(p)
		return into(p.Elem().FieldByName("Value"), value)
	}
	return nil
}

func intoScalar(v reflect.Value, x any) error {
	r := reflect.ValueOf(x)
	switch {
	case v.Kind() == reflect.String:
		v.SetString(fmt.Sprint(x))
	case r.CanConvert(v.Type()) && r.Kind() != reflect.String:
		v.Set(r.Convert(v.Type()))
	default:
		return fmt.Errorf("want a %s, got %T %v", v.Type(), x, x)
	}
	return nil
}

// tree makes a tree of an SDK value: names in lower case, times and bytes as
// texts, nothing that is absent or zero.
func tree(v reflect.Value) (any, error) {
	switch x := v.Interface().(type) {
	case time.Time:
		return x.UTC().Format("2006-01-02T15:04:05.000Z"), nil
	case []byte:
		return string(x), nil
	case middleware.Metadata:
		return nil, nil //nolint:nilnil // nothing to see
	case io.ReadCloser:
		b, err := io.ReadAll(x)
		return string(b), err
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return nil, nil //nolint:nilnil // absent is a value
		}
		if isUnion(v) {
			return unionTree(v)
		}
		return tree(v.Elem())
	case reflect.Struct:
		return structTree(v)
	case reflect.Slice:
		l := []any{}
		for i := range v.Len() {
			e, err := tree(v.Index(i))
			if err != nil {
				return nil, err
			}
			l = append(l, e)
		}
		return l, nil
	case reflect.Map:
		m := map[string]any{}
		for _, k := range v.MapKeys() {
			e, err := tree(v.MapIndex(k))
			if err != nil {
				return nil, err
			}
			m[strings.ToLower(k.String())] = e
		}
		return m, nil
	case reflect.String:
		return v.String(), nil
	default:
		return v.Interface(), nil
	}
}

func structTree(v reflect.Value) (any, error) {
	m := map[string]any{}
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if !f.IsExported() || f.Name == "ResultMetadata" {
			continue
		}
		e, err := tree(v.Field(i))
		if err != nil {
			return nil, err
		}
		m[strings.ToLower(strings.TrimSuffix(f.Name, "_"))] = e
	}
	return m, nil
}
