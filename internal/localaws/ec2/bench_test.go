package ec2_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	localec2 "github.com/pullback-dev/pullback/internal/localaws/ec2"
	"github.com/pullback-dev/pullback/internal/localaws/sdkhttp"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

const ami = "ami-0123456789abcdef0"

// bench is an EC2 behind the SDK's client, with a bus that remembers what it
// gets.
type bench struct {
	*ec2.Client
	t       *testing.T
	ctx     context.Context //nolint:containedctx // that of the test
	w       *world.World
	mux     *wire.Mux
	service *localec2.Service
	start   time.Time
	events  []string // "1m30s detail-type resources detail"
	heard   []string // "1m30s i-… state"
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t, ctx: t.Context(), w: world.New(world.Options{})}
	b.start = b.w.Now()
	b.mux = wire.NewMux(b.w)
	b.service = localec2.New(b.w, b.mux)
	b.service.Watch(func(id string, to ec2types.InstanceStateName) {
		b.heard = append(b.heard, fmt.Sprint(b.elapsed(), " ", id, " ", to))
	})
	b.mux.Handle(b.service.Wire())
	b.mux.Handle(wire.Service{Name: "events", Protocol: wire.JSON11, Style: wire.Pascal, Operations: []wire.Operation{
		wire.Op("PutEvents", func(c *wire.Call, in *eventbridge.PutEventsInput) (*eventbridge.PutEventsOutput, error) {
			require.Equal(t, wire.Principal{Service: "ec2.amazonaws.com"}, c.Principal)
			for _, e := range in.Entries {
				require.Equal(t, "aws.ec2", *e.Source)
				b.events = append(b.events, fmt.Sprint(b.elapsed(), " ", *e.DetailType, " ", e.Resources, " ", *e.Detail))
			}
			return &eventbridge.PutEventsOutput{}, nil
		}),
	}})
	server := httptest.NewServer(b.mux)
	t.Cleanup(server.Close)
	b.Client = ec2.New(ec2.Options{
		Region: "us-east-1", HTTPClient: sdkhttp.Client(), BaseEndpoint: aws.String(server.URL), Retryer: aws.NopRetryer{},
		Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", ""),
	})
	return b
}

func (b *bench) elapsed() time.Duration { return b.w.Now().Sub(b.start) }

// must returns the result of a call that has to succeed.
func must[O any](b *bench) func(out O, err error) O {
	return func(out O, err error) O {
		b.t.Helper()
		require.NoError(b.t, err)
		return out
	}
}

// code returns the code and the text of an error.
func code(t *testing.T, err error) string {
	t.Helper()
	known, ok := errors.AsType[smithy.APIError](err)
	require.True(t, ok, "%v", err)
	return known.ErrorCode() + ": " + known.ErrorMessage()
}

func (b *bench) advance(d time.Duration) {
	b.t.Helper()
	require.NoError(b.t, b.w.Advance(b.ctx, d))
}

// run launches instances and returns their ids.
func (b *bench) run(n int32, change ...func(*ec2.RunInstancesInput)) []string {
	b.t.Helper()
	in := &ec2.RunInstancesInput{ImageId: aws.String(ami), InstanceType: ec2types.InstanceTypeT3Micro, MinCount: aws.Int32(n), MaxCount: aws.Int32(n)}
	for _, f := range change {
		f(in)
	}
	out := must[*ec2.RunInstancesOutput](b)(b.RunInstances(b.ctx, in))
	var all []string
	for _, i := range out.Instances {
		all = append(all, *i.InstanceId)
	}
	return all
}

// tagged sets tags of launched instances.
func tagged(tags ...string) func(*ec2.RunInstancesInput) {
	return func(in *ec2.RunInstancesInput) {
		spec := ec2types.TagSpecification{ResourceType: ec2types.ResourceTypeInstance}
		for i := 0; i < len(tags); i += 2 {
			spec.Tags = append(spec.Tags, tag(tags[i], tags[i+1]))
		}
		in.TagSpecifications = append(in.TagSpecifications, spec)
	}
}

func tag(key, value string) ec2types.Tag { return ec2types.Tag{Key: &key, Value: &value} }

func filter(name string, values ...string) ec2types.Filter {
	return ec2types.Filter{Name: &name, Values: values}
}

// instance describes one instance.
func (b *bench) instance(id string) ec2types.Instance {
	b.t.Helper()
	out := must[*ec2.DescribeInstancesOutput](b)(b.DescribeInstances(b.ctx, &ec2.DescribeInstancesInput{InstanceIds: []string{id}}))
	return out.Reservations[0].Instances[0]
}

// found are the ids of the instances for which filters hold.
func (b *bench) found(filters ...ec2types.Filter) []string {
	b.t.Helper()
	out := must[*ec2.DescribeInstancesOutput](b)(b.DescribeInstances(b.ctx, &ec2.DescribeInstancesInput{Filters: filters}))
	var all []string
	for _, r := range out.Reservations {
		for _, i := range r.Instances {
			all = append(all, *i.InstanceId)
		}
	}
	return all
}

func principal() wire.Principal { return wire.Principal{ARN: "arn:aws:iam::123456789012:user/test"} }
