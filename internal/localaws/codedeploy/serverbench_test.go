package codedeploy_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	sdk "github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/elbv2"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// serverBench is a bench with instances, Auto Scaling groups and a real load
// balancer with the target group "web".
type serverBench struct {
	*bench
	instances map[string]*ec2types.Instance
	scaling   map[string]*astypes.AutoScalingGroup
	launched  int
	web       string                 // ARN of the target group
	sick      map[string]elbv2.Fault // instances that fail their health checks
}

func newServerBench(t *testing.T) *serverBench {
	t.Helper()
	b := &serverBench{
		bench: newBench(t), instances: map[string]*ec2types.Instance{}, scaling: map[string]*astypes.AutoScalingGroup{}, sick: map[string]elbv2.Fault{},
	}
	b.mux.Handle(b.ec2())
	b.mux.Handle(b.autoscaling())
	balancer := elbv2.New(b.w, b.mux)
	balancer.Watch(func(_ string, d elbtypes.TargetDescription) elbv2.Fault { return b.sick[*d.Id] })
	b.mux.Handle(balancer.Wire())
	b.balance()
	do[sdk.CreateApplicationOutput](b.bench, "CreateApplication", &sdk.CreateApplicationInput{ApplicationName: aws.String(app)})
	return b
}

// balance makes a load balancer whose listener sends everything to web.
func (b *serverBench) balance() {
	b.w.Lock()
	defer b.w.Unlock()
	who := wire.Principal{}
	group, err := wire.Do[elb.CreateTargetGroupOutput](b.t.Context(), b.mux, who, "elasticloadbalancing", "CreateTargetGroup", &elb.CreateTargetGroupInput{
		Name: aws.String("web"), Port: aws.Int32(80), Protocol: elbtypes.ProtocolEnumHttp, VpcId: aws.String("vpc-12345678"),
	})
	require.NoError(b.t, err)
	b.web = *group.TargetGroups[0].TargetGroupArn
	balancer, err := wire.Do[elb.CreateLoadBalancerOutput](b.t.Context(), b.mux, who, "elasticloadbalancing", "CreateLoadBalancer", &elb.CreateLoadBalancerInput{
		Name: aws.String("front"), Subnets: []string{"subnet-11111111", "subnet-22222222"},
	})
	require.NoError(b.t, err)
	_, err = wire.Do[elb.CreateListenerOutput](b.t.Context(), b.mux, who, "elasticloadbalancing", "CreateListener", &elb.CreateListenerInput{
		LoadBalancerArn: balancer.LoadBalancers[0].LoadBalancerArn, Port: aws.Int32(80), Protocol: elbtypes.ProtocolEnumHttp,
		DefaultActions: []elbtypes.Action{{Type: elbtypes.ActionTypeEnumForward, TargetGroupArn: aws.String(b.web)}},
	})
	require.NoError(b.t, err)
}

// registered lists the targets of web with their state.
func (b *serverBench) registered() []string {
	b.w.Lock()
	defer b.w.Unlock()
	out, err := wire.Do[elb.DescribeTargetHealthOutput](b.t.Context(), b.mux, wire.Principal{}, "elasticloadbalancing", "DescribeTargetHealth",
		&elb.DescribeTargetHealthInput{TargetGroupArn: aws.String(b.web)})
	require.NoError(b.t, err)
	all := []string{}
	for _, h := range out.TargetHealthDescriptions {
		all = append(all, *h.Target.Id+" "+string(h.TargetHealth.State))
	}
	slices.Sort(all)
	return all
}

func (b *serverBench) register(ids ...string) {
	b.w.Lock()
	defer b.w.Unlock()
	in := &elb.RegisterTargetsInput{TargetGroupArn: aws.String(b.web)}
	for _, id := range ids {
		in.Targets = append(in.Targets, elbtypes.TargetDescription{Id: aws.String(id)})
	}
	_, err := wire.Do[elb.RegisterTargetsOutput](b.t.Context(), b.mux, wire.Principal{}, "elasticloadbalancing", "RegisterTargets", in)
	require.NoError(b.t, err)
}

// run starts an instance with tags like "role=web".
func (b *serverBench) run(id string, tags ...string) {
	i := &ec2types.Instance{
		InstanceId: aws.String(id), State: &ec2types.InstanceState{Name: ec2types.InstanceStateNameRunning},
		Placement: &ec2types.Placement{AvailabilityZone: aws.String("us-east-1a")},
	}
	for _, tag := range tags {
		k, v, _ := strings.Cut(tag, "=")
		i.Tags = append(i.Tags, ec2types.Tag{Key: aws.String(k), Value: aws.String(v)})
	}
	b.instances[id] = i
}

// fleet runs n instances with the tag role=web: i-0000000a, …
func (b *serverBench) fleet(n int) []string {
	var ids []string
	for i := range n {
		ids = append(ids, "i-0000000"+string(rune('a'+i)))
		b.run(ids[i], "role=web")
	}
	return ids
}

// group makes a deployment group of the instances with the tag role=web.
func (b *serverBench) group(change func(*sdk.CreateDeploymentGroupInput)) {
	b.t.Helper()
	in := &sdk.CreateDeploymentGroupInput{
		ApplicationName: aws.String(app), DeploymentGroupName: aws.String(grp), ServiceRoleArn: aws.String(role),
		Ec2TagFilters: tagged("role", "web"),
	}
	if change != nil {
		change(in)
	}
	do[sdk.CreateDeploymentGroupOutput](b.bench, "CreateDeploymentGroup", in)
}

func tagged(key, value string) []cdtypes.EC2TagFilter {
	return []cdtypes.EC2TagFilter{{Key: aws.String(key), Value: aws.String(value), Type: cdtypes.EC2TagFilterTypeKeyAndValue}}
}

// files are the files of a revision. Those that end in .sh can be executed.
type files map[string]string

// site is a revision that installs one page, with hooks in the form of an
// AppSpec file's hooks section.
func site(page string, hooks string) files {
	return files{
		"appspec.yml":    "version: 0.0\nos: linux\nfiles:\n  - source: /index.html\n    destination: /var/www/html\n" + hooks,
		"index.html":     page,
		"scripts/ok.sh":  "#!/bin/sh\necho fine\n",
		"scripts/bad.sh": "#!/bin/sh\necho it is broken >&2\nexit 3\n",
	}
}

// hook is a hooks section with one script.
func hookOf(event, script string) string {
	return "hooks:\n  " + event + ":\n    - location: scripts/" + script + "\n      timeout: 60\n"
}

func (f files) zip(t *testing.T) string {
	t.Helper()
	var buffer bytes.Buffer
	w := zip.NewWriter(&buffer)
	for _, name := range slices.Sorted(maps.Keys(f)) {
		h := &zip.FileHeader{Name: name, Method: zip.Deflate}
		h.SetMode(0o644)
		if strings.HasSuffix(name, ".sh") {
			h.SetMode(0o755)
		}
		entry, err := w.CreateHeader(h)
		require.NoError(t, err)
		_, err = entry.Write([]byte(f[name]))
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return buffer.String()
}

// upload stores a revision and returns where.
func (b *serverBench) upload(name string, f files) *cdtypes.RevisionLocation {
	b.objects["revisions/"+name+".zip"] = f.zip(b.t)
	return &cdtypes.RevisionLocation{RevisionType: cdtypes.RevisionLocationTypeS3, S3Location: &cdtypes.S3Location{
		Bucket: aws.String("revisions"), Key: aws.String(name + ".zip"), BundleType: cdtypes.BundleTypeZip,
	}}
}

// of is a request to deploy a revision.
func of(r *cdtypes.RevisionLocation) *sdk.CreateDeploymentInput {
	return &sdk.CreateDeploymentInput{ApplicationName: aws.String(app), DeploymentGroupName: aws.String(grp), Revision: r}
}

// page is what the web server of an instance would show.
func (b *serverBench) page(id string) string {
	b.t.Helper()
	return b.file(id, "var/www/html/index.html")
}

func (b *serverBench) file(id, name string) string {
	b.t.Helper()
	b.w.Lock()
	defer b.w.Unlock()
	root, err := b.svc.Root(id)
	require.NoError(b.t, err)
	text, err := os.ReadFile(filepath.Join(root, name))
	if os.IsNotExist(err) {
		return "-"
	}
	require.NoError(b.t, err)
	return string(text)
}

// pages are the pages of some instances.
func (b *serverBench) pages(ids ...string) string {
	b.t.Helper()
	var all []string
	for _, id := range ids {
		all = append(all, b.page(id))
	}
	return strings.Join(all, " ")
}

// on returns the lifecycle events of an instance: +name if it succeeded, -name
// if it failed, .name if it was skipped, ?name if it is neither yet.
func (b *serverBench) on(deployment, id string) string {
	b.t.Helper()
	return events(b.instance(deployment, id).LifecycleEvents)
}

func events(list []cdtypes.LifecycleEvent) string {
	var all []string
	for _, e := range list {
		sign := map[cdtypes.LifecycleEventStatus]string{"Succeeded": "+", "Failed": "-", "Skipped": "."}[e.Status]
		if sign == "" {
			sign = "?"
		}
		all = append(all, sign+*e.LifecycleEventName)
	}
	return strings.Join(all, " ")
}

func (b *serverBench) instance(deployment, id string) *cdtypes.InstanceTarget {
	b.t.Helper()
	return do[sdk.GetDeploymentTargetOutput](b.bench, "GetDeploymentTarget", &sdk.GetDeploymentTargetInput{
		DeploymentId: aws.String(deployment), TargetId: aws.String(id),
	}).DeploymentTarget.InstanceTarget
}

// statuses are the statuses of all targets.
func (b *serverBench) statuses(deployment string) string {
	b.t.Helper()
	ids := do[sdk.ListDeploymentTargetsOutput](b.bench, "ListDeploymentTargets", &sdk.ListDeploymentTargetsInput{DeploymentId: aws.String(deployment)}).TargetIds
	var all []string
	for _, id := range ids {
		i := b.instance(deployment, id)
		all = append(all, strings.TrimSpace(fmt.Sprintf("%s %s %s", id, i.Status, i.InstanceLabel)))
	}
	return strings.Join(all, ", ")
}

// write puts a file on an instance, as somebody who works on it would.
func (b *serverBench) write(id, name, text string) {
	b.t.Helper()
	b.w.Lock()
	defer b.w.Unlock()
	root, err := b.svc.Root(id)
	require.NoError(b.t, err)
	require.NoError(b.t, os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o750))
	require.NoError(b.t, os.WriteFile(filepath.Join(root, name), []byte(text), 0o600))
}
