package codedeploy_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/stretchr/testify/assert"
)

func allAtOnce(in *sdk.CreateDeploymentGroupInput) {
	in.DeploymentConfigName = aws.String("CodeDeployDefault.AllAtOnce")
}

func TestInstancesAreMeantByTagsScalingGroupsAndRegistration(t *testing.T) {
	t.Parallel()
	key := func(k string) cdtypes.EC2TagFilter {
		return cdtypes.EC2TagFilter{Key: aws.String(k), Type: cdtypes.EC2TagFilterTypeKeyOnly}
	}
	value := func(v string) cdtypes.EC2TagFilter {
		return cdtypes.EC2TagFilter{Value: aws.String(v), Type: cdtypes.EC2TagFilterTypeValueOnly}
	}
	site := []cdtypes.TagFilter{{Key: aws.String("site"), Value: aws.String("cellar"), Type: cdtypes.TagFilterTypeKeyAndValue}}
	for name, c := range map[string]struct {
		change func(*sdk.CreateDeploymentGroupInput)
		want   string
	}{
		"a tag": {func(in *sdk.CreateDeploymentGroupInput) { in.Ec2TagFilters = tagged("role", "web") }, "i-0000000a i-0000000b"},
		"one of several": {func(in *sdk.CreateDeploymentGroupInput) {
			in.Ec2TagFilters = append(tagged("role", "web"), value("db"))
		}, "i-0000000a i-0000000b i-0000000c"},
		"a key": {func(in *sdk.CreateDeploymentGroupInput) { in.Ec2TagFilters = []cdtypes.EC2TagFilter{key("env")} }, "i-0000000b i-0000000c"},
		"all of some groups": {func(in *sdk.CreateDeploymentGroupInput) {
			in.Ec2TagSet = &cdtypes.EC2TagSet{Ec2TagSetList: [][]cdtypes.EC2TagFilter{{value("web"), value("db")}, {key("env")}, tagged("env", "prod")}}
		}, "i-0000000b"},
		"a scaling group": {func(in *sdk.CreateDeploymentGroupInput) { in.AutoScalingGroups = []string{"asg"} }, "i-000000f1"},
		"both": {func(in *sdk.CreateDeploymentGroupInput) {
			in.AutoScalingGroups, in.Ec2TagFilters = []string{"asg"}, tagged("env", "test")
		}, "i-0000000c i-000000f1"},
		"on premises": {func(in *sdk.CreateDeploymentGroupInput) { in.OnPremisesInstanceTagFilters = site }, "rack-1"},
		"on premises, by groups": {func(in *sdk.CreateDeploymentGroupInput) {
			in.OnPremisesTagSet = &cdtypes.OnPremisesTagSet{OnPremisesTagSetList: [][]cdtypes.TagFilter{site}}
			in.Ec2TagFilters = tagged("env", "prod")
		}, "i-0000000b rack-1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newServerBench(t)
			b.run("i-0000000a", "role=web")
			b.run("i-0000000b", "role=web", "env=prod")
			b.run("i-0000000c", "role=db", "env=test")
			b.run("i-0000000d", "role=web", "env=prod")
			b.instances["i-0000000d"].State.Name = "terminated"
			b.scale("asg", 1)
			b.pending("asg")
			b.rack("rack-1", "cellar")
			b.rack("rack-2", "attic")
			b.group(func(in *sdk.CreateDeploymentGroupInput) {
				in.Ec2TagFilters = nil
				allAtOnce(in)
				c.change(in)
			})
			id := b.deploy(of(b.upload("one", site2("one"))))
			b.advance(time.Minute)
			assert.Equal(t, strings.Fields(c.want), do[sdk.ListDeploymentTargetsOutput](b.bench, "ListDeploymentTargets",
				&sdk.ListDeploymentTargetsInput{DeploymentId: aws.String(id)}).TargetIds)
			assert.Equal(t, cdtypes.DeploymentStatusSucceeded, b.get(id).Status)
			assert.Equal(t, "one", b.page(strings.Fields(c.want)[0]))
		})
	}
}

func site2(page string) files { return site(page, "") }

// rack registers an on-premises instance with a tag.
func (b *serverBench) rack(name, place string) {
	b.t.Helper()
	do[sdk.RegisterOnPremisesInstanceOutput](b.bench, "RegisterOnPremisesInstance", &sdk.RegisterOnPremisesInstanceInput{
		InstanceName: aws.String(name), IamUserArn: aws.String("arn:aws:iam::123456789012:user/" + name),
	})
	do[sdk.AddTagsToOnPremisesInstancesOutput](b.bench, "AddTagsToOnPremisesInstances", &sdk.AddTagsToOnPremisesInstancesInput{
		InstanceNames: []string{name}, Tags: []cdtypes.Tag{{Key: aws.String("site"), Value: aws.String(place)}},
	})
}

func TestStoppedInstanceCountsAsFailed(t *testing.T) {
	t.Parallel()
	b := newServerBench(t)
	ids := b.fleet(3)
	b.instances[ids[1]].State.Name = "stopped"
	b.group(func(in *sdk.CreateDeploymentGroupInput) {
		in.DeploymentConfigName = aws.String("CodeDeployDefault.HalfAtATime")
	})
	id := b.deploy(of(b.upload("one", site("one", ""))))
	b.advance(time.Hour)
	assert.Equal(t, "i-0000000a Succeeded, i-0000000b Failed, i-0000000c Skipped", b.statuses(id))
	assert.Equal(t, cdtypes.DeploymentStatusFailed, b.get(id).Status)
}

func TestHealthIsCarriedOverToTheNextDeployment(t *testing.T) {
	t.Parallel()
	b := newServerBench(t)
	ids := b.fleet(3)
	b.group(nil)
	b.deploy(of(b.upload("one", site("one", ""))))
	b.advance(time.Minute)
	b.instances[ids[1]].State.Name = "stopped"
	failed := b.deploy(of(b.upload("two", site("two", ""))))
	b.advance(10 * time.Minute)
	assert.Equal(t, "i-0000000a Succeeded, i-0000000b Failed, i-0000000c Skipped", b.statuses(failed))
	b.instances[ids[1]].State.Name = "running"
	b.history = nil
	b.deploy(of(b.upload("three", site("three", ""))))
	b.advance(time.Minute)
	assert.Equal(t, []string{
		"660.5 third QUEUED",
		"661.0 third START",
		"661.0 third i-0000000b START", // unhealthy
		"668.0 third i-0000000b SUCCESS",
		"668.0 third i-0000000a START", // healthy, with an old revision: not the group's
		"675.0 third i-0000000a SUCCESS",
		"675.0 third i-0000000c START", // healthy, with the current revision
		"682.0 third i-0000000c SUCCESS",
		"682.0 third SUCCESS",
	}, b.told())
}

func TestOnlyOutdatedInstancesMayBeDeployedTo(t *testing.T) {
	t.Parallel()
	b := newServerBench(t)
	ids := b.fleet(2)
	b.group(allAtOnce)
	one := b.upload("one", site("one", ""))
	b.deploy(of(one))
	b.advance(time.Minute)
	b.run("i-0000000c", "role=web")
	in := of(one)
	in.UpdateOutdatedInstancesOnly = true
	id := b.deploy(in)
	b.advance(time.Minute)
	assert.Equal(t, "i-0000000c Succeeded", b.statuses(id))
	assert.True(t, b.get(id).UpdateOutdatedInstancesOnly)
	assert.Equal(t, "one one one", b.pages(append(ids, "i-0000000c")...))
}

func TestZonesAreDeployedToOneAfterTheOther(t *testing.T) {
	t.Parallel()
	b := newServerBench(t)
	ids := b.fleet(3)
	b.instances[ids[0]].Placement.AvailabilityZone = aws.String("us-east-1c")
	b.instances[ids[1]].Placement.AvailabilityZone = aws.String("us-east-1b")
	do[sdk.CreateDeploymentConfigOutput](b.bench, "CreateDeploymentConfig", &sdk.CreateDeploymentConfigInput{
		DeploymentConfigName: aws.String("zones"), MinimumHealthyHosts: &cdtypes.MinimumHealthyHosts{Type: "HOST_COUNT", Value: 0},
		ZonalConfig: &cdtypes.ZonalConfig{FirstZoneMonitorDurationInSeconds: aws.Int64(600), MonitorDurationInSeconds: aws.Int64(60)},
	})
	b.group(func(in *sdk.CreateDeploymentGroupInput) { in.DeploymentConfigName = aws.String("zones") })
	b.deploy(of(b.upload("one", site("one", ""))))
	b.advance(time.Hour)
	assert.Equal(t, []string{
		"0.5 first QUEUED", "1.0 first START",
		"1.0 first i-0000000c START", "8.0 first i-0000000c SUCCESS",
		"608.0 first i-0000000b START", "615.0 first i-0000000b SUCCESS",
		"675.0 first i-0000000a START", "682.0 first i-0000000a SUCCESS",
		"682.0 first SUCCESS",
	}, b.told())
}

func TestInstancesInParallelHaveOneOrder(t *testing.T) {
	t.Parallel()
	history := func() []string {
		b := newServerBench(t)
		b.fleet(4)
		b.group(allAtOnce)
		b.deploy(of(b.upload("one", site("one", hookOf("BeforeInstall", "ok.sh")))))
		b.advance(time.Minute)
		return b.history
	}
	first := history()
	assert.Len(t, first, 2+8+1)
	for range 5 {
		assert.Equal(t, first, history())
	}
}

func TestNewInstanceOfAScalingGroupGetsTheLastSuccessfulRevision(t *testing.T) {
	t.Parallel()
	b := newServerBench(t)
	b.scale("asg", 2)
	b.group(func(in *sdk.CreateDeploymentGroupInput) {
		in.Ec2TagFilters, in.AutoScalingGroups = nil, []string{"asg"}
	})
	launch := func() string {
		b.w.Lock()
		defer b.w.Unlock()
		id := b.pending("asg")
		b.svc.Waiting("asg", id)
		return id
	}
	early := launch()
	b.advance(time.Minute)
	b.deploy(of(b.upload("one", site("one", ""))))
	b.advance(time.Minute)
	assert.Equal(t, "one", b.page(early), "in service at once, as there was nothing to deploy")
	root := b.deploy(of(b.upload("two", site("two", ""))))
	b.advance(5 * time.Second)
	late := launch()
	b.advance(10 * time.Second)
	assert.Equal(t, "one", b.page(late), "not the revision that is being deployed")
	b.advance(time.Hour)
	assert.Equal(t, "two", b.page(late))
	all := b.list()
	launched, update := b.get(all[2]), b.get(all[3])
	assert.Equal(t, cdtypes.DeploymentCreatorAutoscaling, launched.Creator)
	assert.Equal(t, cdtypes.DeploymentCreatorCodeDeployAutoUpdate, update.Creator)
	assert.True(t, update.UpdateOutdatedInstancesOnly)
	assert.Equal(t, late+" Succeeded", b.statuses(all[3]))
	assert.Equal(t, &cdtypes.RelatedDeployments{AutoUpdateOutdatedInstancesRootDeploymentId: aws.String(root)}, update.RelatedDeployments)
	assert.Equal(t, &cdtypes.RelatedDeployments{AutoUpdateOutdatedInstancesDeploymentIds: []string{all[3]}}, b.get(root).RelatedDeployments)
	assert.Contains(t, strings.Join(b.told(), "\n"), "complete asg "+early+" CONTINUE")
	assert.Contains(t, strings.Join(b.told(), "\n"), "complete asg "+late+" CONTINUE")

	before := len(b.list())
	b.w.Lock()
	b.svc.Waiting("another", late)
	gone := b.pending("asg")
	b.instances[gone].State.Name = "stopped"
	b.svc.Waiting("asg", gone)
	b.w.Unlock()
	b.advance(time.Hour)
	assert.Len(t, b.list(), before+1)
	assert.Contains(t, strings.Join(b.history, "\n"), "heartbeat of "+gone)
	assert.Contains(t, strings.Join(b.history, "\n"), "complete asg "+gone+" ABANDON")
}
