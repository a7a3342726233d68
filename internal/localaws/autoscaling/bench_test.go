package autoscaling_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	localas "github.com/pullback-dev/pullback/internal/localaws/autoscaling"
	localec2 "github.com/pullback-dev/pullback/internal/localaws/ec2"
	"github.com/pullback-dev/pullback/internal/localaws/elbv2"
	"github.com/pullback-dev/pullback/internal/localaws/sdkhttp"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

const ami = "ami-0123456789abcdef0"

// bench is an Auto Scaling behind the SDK's client, with a real EC2 and load
// balancing behind it, alarms that are set by hand and a bus that remembers.
type bench struct {
	*autoscaling.Client
	t       *testing.T
	ctx     context.Context //nolint:containedctx // that of the test
	w       *world.World
	mux     *wire.Mux
	service *localas.Service
	ec2     *localec2.Service
	start   time.Time
	alarms  map[string]cwtypes.StateValue
	events  []string // "1m30s detail-type"
	details []map[string]any
	states  []string // "1m30s i-… state"
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t, ctx: t.Context(), w: world.New(world.Options{}), alarms: map[string]cwtypes.StateValue{}}
	b.start = b.w.Now()
	b.mux = wire.NewMux(b.w)
	b.service = localas.New(b.w, b.mux)
	b.service.Watch(func(group, id string, to astypes.LifecycleState) {
		b.states = append(b.states, fmt.Sprint(b.elapsed(), " ", group, " ", id, " ", to))
	})
	b.ec2 = localec2.New(b.w, b.mux)
	balancers := elbv2.New(b.w, b.mux)
	balancers.Watch(func(_ string, d elbtypes.TargetDescription) elbv2.Fault {
		if _, serves := b.ec2.Answers(*d.Id); !serves {
			return elbv2.Fault{Reason: elbtypes.TargetHealthReasonEnumTimeout}
		}
		return elbv2.Fault{}
	})
	for _, svc := range []wire.Service{b.service.Wire(), b.ec2.Wire(), balancers.Wire(), b.monitoring(), b.bus()} {
		b.mux.Handle(svc)
	}
	server := httptest.NewServer(b.mux)
	t.Cleanup(server.Close)
	b.Client = autoscaling.New(autoscaling.Options{
		Region: "us-east-1", HTTPClient: sdkhttp.Client(), BaseEndpoint: aws.String(server.URL), Retryer: aws.NopRetryer{},
		Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", ""),
	})
	return b
}

func (b *bench) monitoring() wire.Service {
	return wire.Service{Name: "monitoring", Protocol: wire.JSON10, Style: wire.Pascal, Operations: []wire.Operation{
		wire.Op("PutMetricData", func(*wire.Call, *cloudwatch.PutMetricDataInput) (*cloudwatch.PutMetricDataOutput, error) {
			return &cloudwatch.PutMetricDataOutput{}, nil
		}),
		wire.Op("DescribeAlarms", func(_ *wire.Call, in *cloudwatch.DescribeAlarmsInput) (*cloudwatch.DescribeAlarmsOutput, error) {
			out := &cloudwatch.DescribeAlarmsOutput{}
			for _, name := range in.AlarmNames {
				if b.alarms[name] != "" {
					out.MetricAlarms = append(out.MetricAlarms, cwtypes.MetricAlarm{AlarmName: &name, StateValue: b.alarms[name]})
				}
			}
			return out, nil
		}),
	}}
}

func (b *bench) bus() wire.Service {
	return wire.Service{Name: "events", Protocol: wire.JSON11, Style: wire.Pascal, Operations: []wire.Operation{
		wire.Op("PutEvents", func(c *wire.Call, in *eventbridge.PutEventsInput) (*eventbridge.PutEventsOutput, error) {
			for _, e := range in.Entries {
				if *e.Source != "aws.autoscaling" {
					continue
				}
				require.Equal(b.t, wire.Principal{Service: "autoscaling.amazonaws.com"}, c.Principal)
				b.events = append(b.events, fmt.Sprint(b.elapsed(), " ", *e.DetailType))
				detail := map[string]any{}
				require.NoError(b.t, json.Unmarshal([]byte(*e.Detail), &detail))
				b.details = append(b.details, detail)
			}
			return &eventbridge.PutEventsOutput{}, nil
		}),
	}}
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

// aws calls another service directly.
func call[O any](b *bench, service, operation string, in any) *O {
	b.t.Helper()
	b.w.Lock()
	defer b.w.Unlock()
	out, err := wire.Do[O](b.ctx, b.mux, wire.Principal{ARN: "arn:aws:iam::123456789012:user/test"}, service, operation, in)
	require.NoError(b.t, err)
	return out
}

// template makes a launch template with a good version 1 and a version 2 whose
// instances are declared bad.
func (b *bench) template() {
	b.t.Helper()
	call[ec2.CreateLaunchTemplateOutput](b, "ec2", "CreateLaunchTemplate", &ec2.CreateLaunchTemplateInput{
		LaunchTemplateName: aws.String("web"), LaunchTemplateData: &ec2types.RequestLaunchTemplateData{ImageId: aws.String(ami), InstanceType: "t3.micro"},
	})
	b.version(localec2.Impaired)
}

// version adds a version whose instances are declared bad, or good if health is
// empty.
func (b *bench) version(health string) {
	b.t.Helper()
	data := &ec2types.RequestLaunchTemplateData{UserData: aws.String("djI=")}
	if health != "" {
		data.TagSpecifications = []ec2types.LaunchTemplateTagSpecificationRequest{{ResourceType: ec2types.ResourceTypeInstance, Tags: []ec2types.Tag{
			{Key: aws.String(localec2.HealthTag), Value: &health},
		}}}
	}
	call[ec2.CreateLaunchTemplateVersionOutput](b, "ec2", "CreateLaunchTemplateVersion", &ec2.CreateLaunchTemplateVersionInput{
		LaunchTemplateName: aws.String("web"), SourceVersion: aws.String("1"), LaunchTemplateData: data,
	})
}

func web(version string) *astypes.LaunchTemplateSpecification {
	return &astypes.LaunchTemplateSpecification{LaunchTemplateName: aws.String("web"), Version: &version}
}

// group makes a group of n instances of version 1 and waits until they serve.
func (b *bench) group(n int32, change ...func(*autoscaling.CreateAutoScalingGroupInput)) {
	b.t.Helper()
	in := &autoscaling.CreateAutoScalingGroupInput{
		AutoScalingGroupName: aws.String("fleet"), MinSize: aws.Int32(0), MaxSize: aws.Int32(20), DesiredCapacity: &n,
		AvailabilityZones: []string{"us-east-1a", "us-east-1b"}, LaunchTemplate: web("1"),
	}
	for _, f := range change {
		f(in)
	}
	must[*autoscaling.CreateAutoScalingGroupOutput](b)(b.CreateAutoScalingGroup(b.ctx, in))
	b.advance(time.Minute)
	b.start, b.events, b.details, b.states = b.w.Now(), nil, nil, nil
}

// fleet describes the group.
func (b *bench) fleet() astypes.AutoScalingGroup {
	b.t.Helper()
	out := must[*autoscaling.DescribeAutoScalingGroupsOutput](b)(b.DescribeAutoScalingGroups(b.ctx, &autoscaling.DescribeAutoScalingGroupsInput{}))
	require.Len(b.t, out.AutoScalingGroups, 1)
	return out.AutoScalingGroups[0]
}

// counts says how many instances of which version are in which state, sorted.
func (b *bench) counts() string {
	b.t.Helper()
	n := map[string]int{}
	for _, i := range b.fleet().Instances {
		n[fmt.Sprintf("v%s %s %s", *i.LaunchTemplate.Version, i.LifecycleState, *i.HealthStatus)]++
	}
	var out []string
	for what, count := range n {
		out = append(out, fmt.Sprint(count, " ", what))
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

func (b *bench) ids() []string {
	b.t.Helper()
	var out []string
	for _, i := range b.fleet().Instances {
		out = append(out, *i.InstanceId)
	}
	return out
}

// refresh starts a refresh to a version.
func (b *bench) refresh(version string, p *astypes.RefreshPreferences) string {
	b.t.Helper()
	out := must[*autoscaling.StartInstanceRefreshOutput](b)(b.StartInstanceRefresh(b.ctx, &autoscaling.StartInstanceRefreshInput{
		AutoScalingGroupName: aws.String("fleet"), DesiredConfiguration: &astypes.DesiredConfiguration{LaunchTemplate: web(version)}, Preferences: p,
	}))
	return *out.InstanceRefreshId
}

// last describes the last refresh.
func (b *bench) last() astypes.InstanceRefresh {
	b.t.Helper()
	out := must[*autoscaling.DescribeInstanceRefreshesOutput](b)(b.DescribeInstanceRefreshes(b.ctx, &autoscaling.DescribeInstanceRefreshesInput{AutoScalingGroupName: aws.String("fleet")}))
	return out.InstanceRefreshes[0]
}

// state sums up the last refresh: status, percentage, instances to update.
func (b *bench) state() string {
	b.t.Helper()
	r := b.last()
	return fmt.Sprint(r.Status, " ", *r.PercentageComplete, "% ", *r.InstancesToUpdate)
}
