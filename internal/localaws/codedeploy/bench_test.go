package codedeploy_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	sdk "github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/codedeploy"
	"github.com/pullback-dev/pullback/internal/localaws/codedeploy/appspec"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

const (
	app   = "shop"
	grp   = "checkout"
	role  = "arn:aws:iam::123456789012:role/deployer"
	topic = "arn:aws:sns:us-east-1:123456789012:deployments"
)

// bench is the service with what it calls: one function "checkout" with the
// versions 1 to 9 and the alias live, alarms, hook functions, a bus, a topic
// and an object store. Times are seconds since the start of the world.
type bench struct {
	t     *testing.T
	w     *world.World
	mux   *wire.Mux
	svc   *codedeploy.Service
	epoch time.Time

	version  string             // of the alias
	weights  map[string]float64 // of the alias
	alarms   map[string]cwtypes.StateValue
	blind    error                                   // what DescribeAlarms answers instead
	hooks    map[string]cdtypes.LifecycleEventStatus // what a hook function answers; it is silent otherwise
	objects  map[string]string                       // by bucket/key
	history  []string                                // what happened to aliases, hooks and bus
	events   []map[string]any                        // of the bus, whole
	messages []string                                // of the topic
	payloads []string                                // of the hooks
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{
		t: t, w: world.New(world.Options{Seed: 7}),
		version: "1", weights: map[string]float64{}, alarms: map[string]cwtypes.StateValue{},
		hooks: map[string]cdtypes.LifecycleEventStatus{}, objects: map[string]string{},
	}
	b.epoch = b.w.Now()
	b.mux = wire.NewMux(b.w)
	b.svc = codedeploy.New(b.w, b.mux, codedeploy.Options{Unconfined: true})
	t.Cleanup(func() { require.NoError(t, b.svc.Close()) })
	b.mux.Handle(b.svc.Wire())
	b.mux.Handle(wire.Service{Name: "lambda", Protocol: wire.RESTJSON, Operations: []wire.Operation{
		wire.Op("GetAlias", b.getAlias).Bind(wire.REST{Method: "GET", Path: "/a"}),
		wire.Op("UpdateAlias", b.updateAlias).Bind(wire.REST{Method: "PUT", Path: "/a"}),
		wire.Op("GetFunctionConfiguration", b.getFunctionConfiguration).Bind(wire.REST{Method: "GET", Path: "/f"}),
		wire.Op("Invoke", b.invoke).Bind(wire.REST{Method: "POST", Path: "/f"}),
	}})
	b.mux.Handle(wire.Service{Name: "monitoring", Protocol: wire.JSON10, Operations: []wire.Operation{wire.Op("DescribeAlarms", b.describeAlarms)}})
	b.mux.Handle(wire.Service{Name: "events", Protocol: wire.JSON11, Operations: []wire.Operation{wire.Op("PutEvents", b.putEvents)}})
	b.mux.Handle(wire.Service{Name: "sns", Protocol: wire.Query, Operations: []wire.Operation{wire.Op("Publish", b.publish)}})
	b.mux.Handle(wire.Service{Name: "s3", Protocol: wire.RESTXML, Operations: []wire.Operation{
		wire.Op("GetObject", b.getObject).Bind(wire.REST{Method: "GET", Path: "/o", OutPayload: "Body"}),
	}})
	return b
}

// withGroup is newBench with an application and a deployment group.
func withGroup(t *testing.T, change func(*sdk.CreateDeploymentGroupInput)) *bench {
	t.Helper()
	b := newBench(t)
	do[sdk.CreateApplicationOutput](b, "CreateApplication", &sdk.CreateApplicationInput{
		ApplicationName: aws.String(app), ComputePlatform: cdtypes.ComputePlatformLambda,
	})
	in := &sdk.CreateDeploymentGroupInput{
		ApplicationName: aws.String(app), DeploymentGroupName: aws.String(grp), ServiceRoleArn: aws.String(role),
		DeploymentConfigName: aws.String("CodeDeployDefault.LambdaCanary10Percent5Minutes"),
	}
	if change != nil {
		change(in)
	}
	do[sdk.CreateDeploymentGroupOutput](b, "CreateDeploymentGroup", in)
	return b
}

func (b *bench) log(format string, a ...any) {
	b.history = append(b.history, fmt.Sprintf("%.1f ", b.w.Now().Sub(b.epoch).Seconds())+fmt.Sprintf(format, a...))
}

// call calls an operation of the service.
func call[O any](b *bench, operation string, in any) (*O, error) {
	b.w.Lock()
	defer b.w.Unlock()
	return wire.Do[O](b.t.Context(), b.mux, wire.Principal{}, "codedeploy", operation, in)
}

// do calls an operation that must succeed.
func do[O any](b *bench, operation string, in any) *O {
	b.t.Helper()
	out, err := call[O](b, operation, in)
	require.NoError(b.t, err)
	return out
}

// fails calls an operation that must fail, and returns code and message.
func fails[O any](b *bench, operation string, in any) string {
	b.t.Helper()
	_, err := call[O](b, operation, in)
	require.Error(b.t, err)
	return err.Error()
}

func (b *bench) advance(d time.Duration) {
	b.t.Helper()
	require.NoError(b.t, b.w.Advance(b.t.Context(), d))
}

// spec is the deployment of version 2 over version 1, with both hooks.
func spec() appspec.Lambda {
	return appspec.Lambda{
		Function: "checkout", Alias: "live", CurrentVersion: "1", TargetVersion: "2",
		BeforeAllowTraffic: "CodeDeployHook_pre", AfterAllowTraffic: "CodeDeployHook_post",
	}
}

// bare is spec without hooks.
func bare(from, to string) appspec.Lambda {
	return appspec.Lambda{Function: "checkout", Alias: "live", CurrentVersion: from, TargetVersion: to}
}

func revision(text string) *cdtypes.RevisionLocation {
	return &cdtypes.RevisionLocation{
		RevisionType:   cdtypes.RevisionLocationTypeAppSpecContent,
		AppSpecContent: &cdtypes.AppSpecContent{Content: aws.String(text)},
	}
}

func input(l appspec.Lambda) *sdk.CreateDeploymentInput {
	return &sdk.CreateDeploymentInput{ApplicationName: aws.String(app), DeploymentGroupName: aws.String(grp), Revision: revision(l.Text())}
}

// deploy creates a deployment and returns its ID.
func (b *bench) deploy(in *sdk.CreateDeploymentInput) string {
	b.t.Helper()
	return *do[sdk.CreateDeploymentOutput](b, "CreateDeployment", in).DeploymentId
}

func (b *bench) get(id string) *cdtypes.DeploymentInfo {
	b.t.Helper()
	return do[sdk.GetDeploymentOutput](b, "GetDeployment", &sdk.GetDeploymentInput{DeploymentId: aws.String(id)}).DeploymentInfo
}

// lifecycle returns the lifecycle events of a deployment with their status.
func (b *bench) lifecycle(id string) []string {
	b.t.Helper()
	var all []string
	for _, e := range b.target(id).LifecycleEvents {
		all = append(all, *e.LifecycleEventName+" "+string(e.Status))
	}
	return all
}

func (b *bench) target(id string) *cdtypes.LambdaTarget {
	b.t.Helper()
	return do[sdk.GetDeploymentTargetOutput](b, "GetDeploymentTarget", &sdk.GetDeploymentTargetInput{
		DeploymentId: aws.String(id), TargetId: aws.String("checkout"),
	}).DeploymentTarget.LambdaTarget
}

// list returns the deployments of the group, oldest first.
func (b *bench) list() []string {
	b.t.Helper()
	ids := do[sdk.ListDeploymentsOutput](b, "ListDeployments", &sdk.ListDeploymentsInput{}).Deployments
	slices.Reverse(ids)
	return ids
}

// told is the history with names for the IDs of deployments: first, second, …
func (b *bench) told() []string {
	b.t.Helper()
	var pairs []string
	for i, id := range b.list() {
		pairs = append(pairs, id, []string{"first", "second", "third", "fourth"}[i])
	}
	r := strings.NewReplacer(pairs...)
	var all []string
	for _, h := range b.history {
		all = append(all, r.Replace(h))
	}
	return all
}

func rollbackOn(events ...cdtypes.AutoRollbackEvent) *cdtypes.AutoRollbackConfiguration {
	return &cdtypes.AutoRollbackConfiguration{Enabled: true, Events: events}
}

func watch(names ...string) *cdtypes.AlarmConfiguration {
	c := &cdtypes.AlarmConfiguration{Enabled: true}
	for _, n := range names {
		c.Alarms = append(c.Alarms, cdtypes.Alarm{Name: aws.String(n)})
	}
	return c
}
