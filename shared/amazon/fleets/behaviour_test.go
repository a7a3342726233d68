package fleets_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/shared/amazon/keys"
	"github.com/pullback-dev/pullback/shared/deploy"
)

func TestARefreshToTheLatestVersionIsCancelledAndThenRestored(t *testing.T) {
	c := newCloud(t)
	good := c.revision(1)
	c.group("$Latest")
	bad := c.version("ami-00000002")
	id := c.refresh("")
	c.advance(time.Minute)
	d := c.get(id)
	assert.Equal(t, []deploy.Revision{good, bad}, []deploy.Revision{d.From, d.To}, "by number, whatever the group says")

	require.NoError(t, c.driver.Stop(t.Context(), d))
	require.ErrorIs(t, c.driver.Stop(t.Context(), d), deploy.ErrEnded)
	d = c.get(id)
	assert.Equal(t, deploy.Stopped, d.Status)
	assert.Empty(t, d.RolledBack, "nobody puts back what was there")
	assert.Contains(t, c.live().Weights, bad)

	again, err := c.driver.Restore(t.Context(), deploy.Restore{Place: place, From: bad, To: good, Attempt: 1})
	require.NoError(t, err)
	c.settle()
	assert.Equal(t, deploy.Live{Place: place, Version: good}, c.live())
	d = c.get(again)
	assert.Equal(t, deploy.Succeeded, d.Status)
	assert.Equal(t, good, d.To)
}

func TestWhatWouldBeLaunchedNextCountsThoughNothingServesIt(t *testing.T) {
	c := newCloud(t)
	good, bad := c.revision(1), c.version("ami-00000002")
	c.group("1")
	c.update("2")
	id := c.refresh("")
	require.NoError(t, c.driver.Stop(t.Context(), c.get(id)), "before it has replaced any")
	c.settle()
	assert.Equal(t, deploy.Live{Place: place, Version: good, Weights: map[deploy.Revision]float64{bad: 0}}, c.live())

	_, err := c.driver.Restore(t.Context(), deploy.Restore{Place: place, From: bad, To: good, Attempt: 1})
	require.NoError(t, err)
	c.settle()
	assert.Equal(t, deploy.Live{Place: place, Version: good}, c.live())
}

func TestARollbackByAutoScalingIsTheRefreshsOwn(t *testing.T) {
	c := newCloud(t)
	good, bad := c.revision(1), c.version("ami-00000002")
	c.group("1")
	id := c.refresh("2")
	c.advance(2 * time.Minute)
	before := c.get(id)
	assert.Equal(t, []deploy.Revision{good, bad}, []deploy.Revision{before.From, before.To})
	require.NoError(t, c.driver.Stop(t.Context(), before))
	d := c.get(id)
	assert.Equal(t, deploy.InProgress, d.Status, "until it has put everything back")
	assert.Equal(t, id, d.RolledBack)
	assert.Equal(t, "Rollback initiated by user request.", d.Cause)
	c.settle()
	d = c.get(id)
	assert.Equal(t, deploy.Deployment{
		ID: id, Target: place.Target, Status: deploy.Stopped, From: good, To: bad, Created: before.Created, Started: before.Created, Shifted: before.Created,
		Ended: d.Ended, Cause: "Rollback initiated by user request.", RolledBack: id,
	}, d)
	require.ErrorIs(t, c.driver.Stop(t.Context(), d), deploy.ErrEnded)
	past, err := c.driver.History(t.Context(), place)
	require.NoError(t, err)
	assert.Empty(t, past, "it has not ended well")
}

func TestARefreshOfSomebodyElseIsNotStopped(t *testing.T) {
	c := newCloud(t)
	c.version("ami-00000002")
	c.group("1")
	first := c.refresh("2")
	c.settle()
	old := c.get(first)
	c.refresh("1")
	c.advance(time.Minute)
	require.ErrorIs(t, c.driver.Stop(t.Context(), old), deploy.ErrEnded)
	recent, err := c.driver.Recent(t.Context(), place.Target, time.Time{})
	require.NoError(t, err)
	assert.Equal(t, deploy.InProgress, recent[0].Status)
	assert.Empty(t, recent[0].RolledBack)
	require.ErrorIs(t, c.driver.Stop(t.Context(), deploy.Deployment{ID: "none", Target: place.Target}), deploy.ErrUnknown)
}

func TestNothingIsRestoredWhileARefreshRuns(t *testing.T) {
	c := newCloud(t)
	bad := c.version("ami-00000002")
	c.group("1")
	c.refresh("2")
	_, err := c.driver.Restore(t.Context(), deploy.Restore{Place: place, From: bad, To: c.revision(1), Attempt: 1})
	require.ErrorIs(t, err, deploy.ErrBusy)
}

func TestWhatAutoScalingDoesNotHaveIsNotRestored(t *testing.T) {
	c := newCloud(t)
	c.group("1")
	for to, want := range map[deploy.Revision]error{
		c.revision(9): deploy.ErrNotReady, deploy.Revision(c.template + ":$Latest"): deploy.ErrUnknown, "launch-configuration/old": deploy.ErrUnknown,
	} {
		_, err := c.driver.Restore(t.Context(), deploy.Restore{Place: place, To: to, Attempt: 1})
		require.ErrorIs(t, err, want)
		require.ErrorContains(t, err, "restore asg:fleet: ")
	}
	nobody := place
	nobody.Target.Group = "nobody"
	_, err := c.driver.Restore(t.Context(), deploy.Restore{Place: nobody, To: c.revision(1), Attempt: 1})
	require.ErrorIs(t, err, deploy.ErrUnknown)
	require.ErrorContains(t, c.driver.Heal(t.Context(), c.live(), c.revision(1)), "never stuck")
}

func TestAllInstancesAreReplacedAtOnceAndNoneIsTakenAwayBefore(t *testing.T) {
	c := newCloud(t)
	bad := c.version("ami-00000002")
	c.group("1")
	c.refresh("2")
	c.settle()
	_, err := c.driver.Restore(t.Context(), deploy.Restore{Place: place, From: bad, To: c.revision(1), Attempt: 1})
	require.NoError(t, err)
	for range 30 {
		c.advance(10 * time.Second)
		g := ok[*autoscaling.DescribeAutoScalingGroupsOutput](t)(c.scaling.DescribeAutoScalingGroups(t.Context(), &autoscaling.DescribeAutoScalingGroupsInput{})).AutoScalingGroups[0]
		serving := 0
		for _, i := range g.Instances {
			if i.LifecycleState == astypes.LifecycleStateInService {
				serving++
			}
		}
		assert.GreaterOrEqual(t, serving, size)
	}
	assert.Equal(t, deploy.Live{Place: place, Version: c.revision(1)}, c.live())
}

func TestProtectedInstancesAreTreatedAsByTheLastRefresh(t *testing.T) {
	for choice, want := range map[astypes.ScaleInProtectedInstances]astypes.ScaleInProtectedInstances{
		astypes.ScaleInProtectedInstancesRefresh: astypes.ScaleInProtectedInstancesRefresh,
		astypes.ScaleInProtectedInstancesWait:    astypes.ScaleInProtectedInstancesIgnore,
	} {
		c := newCloud(t)
		c.version("ami-00000002")
		c.group("1")
		ok[*autoscaling.StartInstanceRefreshOutput](t)(c.scaling.StartInstanceRefresh(t.Context(), &autoscaling.StartInstanceRefreshInput{
			AutoScalingGroupName: aws.String("fleet"), DesiredConfiguration: &astypes.DesiredConfiguration{LaunchTemplate: c.spec("2")},
			Preferences: &astypes.RefreshPreferences{ScaleInProtectedInstances: choice},
		}))
		c.settle()
		ok[deploy.ID](t)(c.driver.Restore(t.Context(), deploy.Restore{Place: place, From: c.revision(2), To: c.revision(1), Attempt: 1}))
		all := ok[*autoscaling.DescribeInstanceRefreshesOutput](t)(c.scaling.DescribeInstanceRefreshes(t.Context(), &autoscaling.DescribeInstanceRefreshesInput{AutoScalingGroupName: aws.String("fleet")}))
		p := all.InstanceRefreshes[0].Preferences
		assert.Equal(t, want, p.ScaleInProtectedInstances)
		assert.Equal(t, astypes.StandbyInstancesIgnore, p.StandbyInstances)
		assert.Equal(t, []any{false, true, (*astypes.AlarmSpecification)(nil)}, []any{*p.AutoRollback, *p.SkipMatching, p.AlarmSpecification})
	}
}

func TestGroupsAreSurveyedAPartAtATime(t *testing.T) {
	c := newCloud(t)
	c.group("1")
	for n := range 3 {
		in := &autoscaling.CreateAutoScalingGroupInput{
			AutoScalingGroupName: aws.String(fmt.Sprint("other-", n)), MinSize: aws.Int32(0), MaxSize: aws.Int32(0), AvailabilityZones: []string{"us-east-1a"},
			LaunchTemplate: c.spec("$Default"),
		}
		if n > 0 {
			in.Tags = []astypes.Tag{{Key: aws.String("pullback:enabled"), Value: aws.String("true")}}
		}
		ok[*autoscaling.CreateAutoScalingGroupOutput](t)(c.scaling.CreateAutoScalingGroup(t.Context(), in))
	}
	var found []string
	from := ""
	for parts := 1; ; parts++ {
		groups, next, err := c.driver.Survey(t.Context(), from, 3)
		require.NoError(t, err)
		for _, g := range groups {
			assert.True(t, g.Enabled)
			found = append(found, g.Target.String())
		}
		if from = next; from == "" {
			assert.Equal(t, 2, parts)
			break
		}
	}
	assert.Equal(t, []string{"asg:fleet", "asg:other-1", "asg:other-2"}, found)
}

func TestAGroupIsItsTagsAndTheAlarmsOfItsLastRefresh(t *testing.T) {
	c := newCloud(t)
	c.group("1")
	tags := map[string]string{"pullback:enabled": "true", "pullback:alarms": "errors, latency"}
	want := deploy.Group{Target: place.Target, Enabled: true, Alarms: []string{"errors", "latency"}, Tags: tags}
	assert.Equal(t, want, ok[deploy.Group](t)(c.driver.Group(t.Context(), place.Target)))

	c.update("$Latest")
	want.Warning = "it launches the version $Latest of its launch template, so Auto Scaling cannot roll a refresh back while it runs: pullback cancels it and starts another. " +
		"Name the version by its number, and refresh with a desired configuration"
	assert.Equal(t, want, ok[deploy.Group](t)(c.driver.Group(t.Context(), place.Target)))
}

func TestActiveForgetsGroupsThatAreGone(t *testing.T) {
	c := newCloud(t)
	c.version("ami-00000002")
	c.group("1")
	id := c.refresh("2")
	gone := deploy.Target{Kind: deploy.KindScaling, Group: "gone"}
	found, err := c.driver.Active(t.Context(), []deploy.Target{gone, place.Target}, c.now())
	require.NoError(t, err)
	require.Len(t, found, 1)
	assert.Equal(t, []any{id, deploy.Queued, c.revision(2)}, []any{found[0].ID, found[0].Status, found[0].To})
	assert.Equal(t, c.now().Truncate(time.Second), found[0].Created, "it is pending: it was asked for just now")
}

func TestAVersionIsReadyWhenItWouldBeWhatItWas(t *testing.T) {
	c := newCloud(t)
	ok[*ec2.DeregisterImageOutput](t)(c.machines.DeregisterImage(t.Context(), &ec2.DeregisterImageInput{ImageId: aws.String("ami-00000009")}))
	for image, want := range map[string]string{
		"ami-00000002":                 "",
		"ami-00000009":                 "needs the image ami-00000009, which has been deregistered",
		"resolve:ssm:/golden/web":      "takes its image from the parameter /golden/web, which may name another image by now",
		"resolve:ssm:/golden/web:prod": "takes its image from the parameter /golden/web:prod, which may name another image by now",
	} {
		r := c.version(image)
		err := c.driver.Ready(t.Context(), place, r)
		if want == "" {
			require.NoError(t, err)
			continue
		}
		require.ErrorIs(t, err, deploy.ErrNotReady)
		require.ErrorContains(t, err, "launch template "+string(r)+" "+want)
	}
	require.ErrorIs(t, c.driver.Ready(t.Context(), place, deploy.Revision(c.template+":$Latest")), deploy.ErrUnknown)
	require.ErrorIs(t, c.driver.Ready(t.Context(), place, "lt-00000000000000000:1"), deploy.ErrUnknown)
}

func TestVersionsThatSayTheSameAreTheSameCode(t *testing.T) {
	c := newCloud(t)
	digest := func(r deploy.Revision) deploy.Digest {
		t.Helper()
		return ok[deploy.Digest](t)(c.driver.Digest(t.Context(), place, r))
	}
	assert.Equal(t, deploy.Digest("sha256:6f731e876a02ff2110cc68485205d0d9a987f3f0aa3112d1f23817ebc30a52a6"), digest(c.revision(1)), "stored, must not change")
	second, third := c.version("ami-00000002"), c.version("ami-00000002")
	assert.Equal(t, digest(second), digest(third))
	changed := ok[*ec2.CreateLaunchTemplateVersionOutput](t)(c.machines.CreateLaunchTemplateVersion(t.Context(), &ec2.CreateLaunchTemplateVersionInput{
		LaunchTemplateId: &c.template, SourceVersion: aws.String("1"), LaunchTemplateData: &ec2types.RequestLaunchTemplateData{UserData: aws.String("djI=")},
	}))
	assert.NotEqual(t, digest(c.revision(1)), digest(c.revision(int(*changed.LaunchTemplateVersion.VersionNumber))))
}

func TestTheKeysOfDisksAreLookedAt(t *testing.T) {
	c := newCloud(t)
	locks := kms.NewFromConfig(c.config)
	driver := c.driver.With(keys.New(locks, nil, "123456789012", "us-east-1"))
	key := ok[*kms.CreateKeyOutput](t)(locks.CreateKey(t.Context(), &kms.CreateKeyInput{})).KeyMetadata
	out := ok[*ec2.CreateLaunchTemplateVersionOutput](t)(c.machines.CreateLaunchTemplateVersion(t.Context(), &ec2.CreateLaunchTemplateVersionInput{
		LaunchTemplateId: &c.template, SourceVersion: aws.String("1"), LaunchTemplateData: &ec2types.RequestLaunchTemplateData{
			BlockDeviceMappings: []ec2types.LaunchTemplateBlockDeviceMappingRequest{
				{DeviceName: aws.String("/dev/xvda"), Ebs: &ec2types.LaunchTemplateEbsBlockDeviceRequest{Encrypted: aws.Bool(true), VolumeSize: aws.Int32(8)}},
				{DeviceName: aws.String("/dev/sdb"), Ebs: &ec2types.LaunchTemplateEbsBlockDeviceRequest{Encrypted: aws.Bool(true), VolumeSize: aws.Int32(8), KmsKeyId: key.Arn}},
			},
		},
	}))
	r := c.revision(int(*out.LaunchTemplateVersion.VersionNumber))
	require.NoError(t, driver.Ready(t.Context(), place, r))
	ok[*kms.DisableKeyOutput](t)(locks.DisableKey(t.Context(), &kms.DisableKeyInput{KeyId: key.KeyId}))
	err := driver.Ready(t.Context(), place, r)
	require.ErrorIs(t, err, deploy.ErrNotReady)
	require.ErrorContains(t, err, "needs the disk /dev/sdb, which could not be read: its key "+*key.Arn+" is disabled: aws kms enable-key --key-id "+*key.KeyId)
	require.NoError(t, driver.Ready(t.Context(), place, c.revision(1)), "it names no key")
}
