package autoscaling_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/stretchr/testify/assert"
)

// timeline notes the state of the refresh and of the group whenever it changes.
func (b *bench) timeline(d time.Duration) []string {
	b.t.Helper()
	var out []string
	last := ""
	for end := b.elapsed() + d; ; b.advance(10 * time.Second) {
		if now := b.state() + " | " + b.counts(); now != last {
			out, last = append(out, b.elapsed().String()+" "+now), now
		}
		if b.elapsed() >= end {
			return out
		}
	}
}

func TestARefreshReplacesInBatches(t *testing.T) {
	b := newBench(t)
	b.template()
	b.version("")
	b.group(4)
	id := b.refresh("3", &astypes.RefreshPreferences{MinHealthyPercentage: aws.Int32(50), InstanceWarmup: aws.Int32(60)})
	assert.Equal(t, []string{
		"0s Pending 0% 0 | 4 v1 InService Healthy",
		"10s InProgress 0% 4 | 2 v1 InService Healthy, 2 v1 Terminating:Proceed Healthy, 2 v3 Pending Healthy",
		"30s InProgress 0% 4 | 2 v1 InService Healthy, 2 v1 Terminating:Proceed Healthy, 2 v3 InService Healthy",
		"40s InProgress 0% 4 | 2 v1 InService Healthy, 2 v3 InService Healthy",
		"1m30s InProgress 50% 2 | 2 v1 Terminating Healthy, 2 v3 InService Healthy, 2 v3 Pending Healthy",
		"1m40s InProgress 50% 2 | 2 v1 Terminating:Proceed Healthy, 2 v3 InService Healthy, 2 v3 Pending Healthy",
		"2m0s InProgress 50% 2 | 2 v1 Terminating:Proceed Healthy, 4 v3 InService Healthy",
		"2m10s InProgress 50% 2 | 4 v3 InService Healthy",
		"3m0s Successful 100% 0 | 4 v3 InService Healthy",
	}, b.timeline(4*time.Minute))
	assert.Equal(t, "3", *b.fleet().LaunchTemplate.Version, "the group has the desired configuration now")
	r := b.last()
	assert.Equal(t, astypes.InstanceRefresh{
		AutoScalingGroupName: aws.String("fleet"), InstanceRefreshId: &id, Status: astypes.InstanceRefreshStatusSuccessful, Strategy: astypes.RefreshStrategyRolling,
		StartTime: aws.Time(b.start), EndTime: aws.Time(b.start.Add(3 * time.Minute)), PercentageComplete: aws.Int32(100), InstancesToUpdate: aws.Int32(0),
		DesiredConfiguration: &astypes.DesiredConfiguration{LaunchTemplate: b.fleet().LaunchTemplate},
		Preferences: &astypes.RefreshPreferences{
			MinHealthyPercentage: aws.Int32(50), InstanceWarmup: aws.Int32(60), AutoRollback: aws.Bool(false), SkipMatching: aws.Bool(false), BakeTime: aws.Int32(0),
			ScaleInProtectedInstances: astypes.ScaleInProtectedInstancesWait, StandbyInstances: astypes.StandbyInstancesWait,
		},
	}, r)
	assert.Equal(t, "0s EC2 Auto Scaling Instance Refresh Started", b.events[0])
	assert.Equal(t, "3m0s EC2 Auto Scaling Instance Refresh Succeeded", b.events[len(b.events)-1])
	assert.Equal(t, map[string]any{"InstanceRefreshId": id, "AutoScalingGroupName": "fleet"}, b.details[0])
}

func TestAllHealthyMeansLaunchBeforeTerminate(t *testing.T) {
	b := newBench(t)
	b.template()
	b.version("")
	b.group(2)
	b.refresh("3", &astypes.RefreshPreferences{MinHealthyPercentage: aws.Int32(100)})
	least, most := 2, 0
	for b.state()[:10] != "Successful" {
		b.advance(10 * time.Second)
		serving, there := 0, 0
		for _, i := range b.fleet().Instances {
			if i.LifecycleState == astypes.LifecycleStateInService {
				serving++
			}
			if i.LifecycleState == astypes.LifecycleStateInService || i.LifecycleState == astypes.LifecycleStatePending {
				there++
			}
		}
		least, most = min(least, serving), max(most, there)
	}
	assert.Equal(t, []int{2, 3}, []int{least, most})
	assert.Equal(t, "2 v3 InService Healthy", b.counts())
}

func TestABadVersionFailsAfterAnHour(t *testing.T) {
	b := newBench(t)
	b.template()
	b.group(2)
	b.refresh("2", &astypes.RefreshPreferences{InstanceWarmup: aws.Int32(300)})
	b.advance(3 * time.Minute)
	assert.Equal(t, "InProgress 0% 2", b.state())
	b.advance(57 * time.Minute)
	assert.Equal(t, "InProgress 0% 2", b.state())
	assert.Contains(t, *b.last().StatusReason, "failed a health check: it was taken out of service in response to EC2 instance status checks failure.")
	b.advance(4 * time.Minute)
	assert.Equal(t, "Failed 0% 2", b.state())
	assert.Contains(t, *b.last().StatusReason, "The instance refresh failed because replacements did not succeed within one hour.")
	assert.Contains(t, b.events, "1h2m30s EC2 Auto Scaling Instance Refresh Failed")
	assert.Equal(t, "1", *b.fleet().LaunchTemplate.Version)
	b.advance(10 * time.Minute)
	assert.Equal(t, "2 v1 InService Healthy", b.counts(), "what comes now is as before")
}

func TestAutoRollbackGoesBackByItself(t *testing.T) {
	b := newBench(t)
	b.template()
	b.group(2)
	id := b.refresh("2", &astypes.RefreshPreferences{AutoRollback: aws.Bool(true), InstanceWarmup: aws.Int32(300)})
	b.advance(70 * time.Minute)
	r := b.last()
	assert.Equal(t, id, *r.InstanceRefreshId, "the same refresh")
	assert.Equal(t, "RollbackSuccessful 0% 0", b.state())
	assert.Equal(t, []any{int32(0), int32(2), b.start.Add(62*time.Minute + 30*time.Second)},
		[]any{*r.RollbackDetails.PercentageCompleteOnRollback, *r.RollbackDetails.InstancesToUpdateOnRollback, *r.RollbackDetails.RollbackStartTime})
	assert.Contains(t, *r.RollbackDetails.RollbackReason, "did not succeed within one hour")
	assert.Equal(t, "2 v1 InService Healthy", b.counts())
	assert.Equal(t, "1", *b.fleet().LaunchTemplate.Version)
}

func TestAnAlarmFailsTheRefreshAndRollsItBack(t *testing.T) {
	b := newBench(t)
	b.template()
	b.version("")
	b.group(4)
	b.alarms["errors"] = cwtypes.StateValueOk
	b.refresh("3", &astypes.RefreshPreferences{
		MinHealthyPercentage: aws.Int32(50), AutoRollback: aws.Bool(true), AlarmSpecification: &astypes.AlarmSpecification{Alarms: []string{"errors"}},
	})
	b.advance(35 * time.Second)
	assert.Equal(t, "InProgress 50% 2", b.state())
	b.alarms["errors"] = cwtypes.StateValueAlarm
	timeline := b.timeline(3 * time.Minute)
	assert.Contains(t, timeline[1], "RollbackInProgress 50% 2")
	assert.Contains(t, timeline[len(timeline)-1], " RollbackSuccessful 0% 0 | 4 v1 InService Healthy")
	r := b.last()
	assert.Equal(t, "The instance refresh failed because these CloudWatch alarms went into ALARM state: errors.", *r.RollbackDetails.RollbackReason)
	assert.Equal(t, []int32{50, 2}, []int32{*r.RollbackDetails.PercentageCompleteOnRollback, *r.RollbackDetails.InstancesToUpdateOnRollback})
	for _, e := range b.events {
		assert.NotContains(t, e, "Refresh Failed")
	}
}

func TestWithoutAutoRollbackAnAlarmOnlyFailsTheRefresh(t *testing.T) {
	b := newBench(t)
	b.template()
	b.version("")
	b.group(2)
	b.alarms["errors"] = cwtypes.StateValueOk
	b.refresh("3", &astypes.RefreshPreferences{AlarmSpecification: &astypes.AlarmSpecification{Alarms: []string{"errors"}}})
	b.advance(35 * time.Second)
	b.alarms["errors"] = cwtypes.StateValueAlarm
	b.advance(10 * time.Second)
	assert.Equal(t, astypes.InstanceRefreshStatusFailed, b.last().Status)
	b.advance(5 * time.Minute)
	assert.Equal(t, "1 v1 InService Healthy, 1 v3 InService Healthy", b.counts(), "mixed")
}

func TestAlarmsWithoutDataBlockReplacements(t *testing.T) {
	b := newBench(t)
	b.template()
	b.version("")
	b.group(2)
	b.alarms["errors"] = cwtypes.StateValueOk
	b.refresh("3", &astypes.RefreshPreferences{AlarmSpecification: &astypes.AlarmSpecification{Alarms: []string{"errors"}}})
	b.advance(5 * time.Second)
	b.alarms["errors"] = cwtypes.StateValueInsufficientData
	b.advance(10 * time.Minute)
	assert.Equal(t, "InProgress 50% 1", b.state())
	assert.Equal(t, "1 v1 InService Healthy, 1 v3 InService Healthy", b.counts())
	assert.Equal(t, "Waiting for CloudWatch alarms in INSUFFICIENT_DATA state: errors.", *b.last().StatusReason)
	b.alarms["errors"] = cwtypes.StateValueOk
	b.advance(3 * time.Minute)
	assert.Equal(t, "Successful 100% 0", b.state())
}

func TestRollingBackByHandKeepsTheId(t *testing.T) {
	b := newBench(t)
	b.template()
	b.version("")
	b.group(4)
	id := b.refresh("3", nil)
	b.advance(75 * time.Second)
	assert.Equal(t, "InProgress 50% 2", b.state())
	out := must[*autoscaling.RollbackInstanceRefreshOutput](b)(b.RollbackInstanceRefresh(b.ctx, &autoscaling.RollbackInstanceRefreshInput{AutoScalingGroupName: aws.String("fleet")}))
	assert.Equal(t, id, *out.InstanceRefreshId)
	assert.Equal(t, "RollbackInProgress 50% 2", b.state())
	var percents []int32
	for b.last().Status == astypes.InstanceRefreshStatusRollbackInProgress {
		if p := *b.last().PercentageComplete; len(percents) == 0 || percents[len(percents)-1] != p {
			percents = append(percents, p)
		}
		b.advance(10 * time.Second)
	}
	assert.Equal(t, []int32{50, 25}, percents[:2], "it goes back down")
	assert.Equal(t, "RollbackSuccessful 0% 0", b.state())
	t.Log(b.timeline(5 * time.Minute))
	assert.Equal(t, "4 v1 InService Healthy", b.counts())
	_, err := b.RollbackInstanceRefresh(b.ctx, &autoscaling.RollbackInstanceRefreshInput{AutoScalingGroupName: aws.String("fleet")})
	assert.Equal(t, "ActiveInstanceRefreshNotFound: No in progress or pending Instance Refresh found for Auto Scaling group fleet", code(t, err))
}

func TestCheckpointsPause(t *testing.T) {
	b := newBench(t)
	b.template()
	b.version("")
	b.group(4)
	b.refresh("3", &astypes.RefreshPreferences{MinHealthyPercentage: aws.Int32(0), CheckpointPercentages: []int32{25, 100}, CheckpointDelay: aws.Int32(600)})
	b.advance(5 * time.Minute)
	assert.Equal(t, "InProgress 25% 3", b.state())
	assert.Equal(t, "Checkpoint of 25% was reached. Waiting until 2026-01-05T09:11:30Z before continuing.", *b.last().StatusReason)
	b.advance(5 * time.Minute)
	assert.Equal(t, "3 v1 InService Healthy, 1 v3 InService Healthy", swap(b.counts()))
	b.advance(2 * time.Minute)
	assert.Equal(t, "Successful 100% 0", b.state())
	assert.Contains(t, b.events, "30s EC2 Auto Scaling Instance Refresh Checkpoint Reached")
	for i, e := range b.events {
		if e == "30s EC2 Auto Scaling Instance Refresh Checkpoint Reached" {
			assert.Equal(t, "25", b.details[i]["CheckpointPercentage"])
			assert.Equal(t, "600", b.details[i]["CheckpointDelay"])
		}
	}
}

// swap puts the two parts of a count into the other order.
func swap(s string) string {
	for i := range len(s) - 1 {
		if s[i:i+2] == ", " {
			return s[i+2:] + ", " + s[:i]
		}
	}
	return s
}

func TestMatchingInstancesAreSkipped(t *testing.T) {
	b := newBench(t)
	b.template()
	b.group(2)
	b.refresh("1", &astypes.RefreshPreferences{SkipMatching: aws.Bool(true)})
	b.advance(0)
	assert.Equal(t, "Successful 100% 0", b.state())
	before := b.ids()
	b.refresh("1", nil)
	b.advance(5 * time.Minute)
	assert.Equal(t, "Successful 100% 0", b.state())
	assert.NotContains(t, b.ids(), before[0], "without it, everything is replaced")
}

func TestABakeTimeCanStillFail(t *testing.T) {
	b := newBench(t)
	b.template()
	b.version("")
	b.group(1)
	b.alarms["errors"] = cwtypes.StateValueOk
	b.refresh("3", &astypes.RefreshPreferences{
		BakeTime: aws.Int32(600), AutoRollback: aws.Bool(true), AlarmSpecification: &astypes.AlarmSpecification{Alarms: []string{"errors"}},
	})
	b.advance(5 * time.Minute)
	assert.Equal(t, "Baking 100% 0", b.state())
	b.alarms["errors"] = cwtypes.StateValueAlarm
	b.advance(5 * time.Minute)
	assert.Equal(t, "RollbackSuccessful 0% 0", b.state())
	assert.Equal(t, "1 v1 InService Healthy", b.counts())
}

func TestTheSameSeedGivesTheSameTimeline(t *testing.T) {
	play := func() ([]string, []string) {
		b := newBench(t)
		b.template()
		b.version("")
		b.group(3)
		b.refresh("3", &astypes.RefreshPreferences{MinHealthyPercentage: aws.Int32(60), AutoRollback: aws.Bool(true)})
		b.advance(90 * time.Second)
		must[*autoscaling.RollbackInstanceRefreshOutput](b)(b.RollbackInstanceRefresh(b.ctx, &autoscaling.RollbackInstanceRefreshInput{AutoScalingGroupName: aws.String("fleet")}))
		b.advance(10 * time.Minute)
		return b.states, b.events
	}
	states, events := play()
	for range 3 {
		again, same := play()
		assert.Equal(t, states, again)
		assert.Equal(t, events, same)
	}
}

func TestWhatIsNotTheTargetOfARefreshIsNotTakenAwayByIt(t *testing.T) {
	b := newBench(t)
	b.template()
	b.version("") // version 3 is good
	b.group(4)
	b.refresh("3", &astypes.RefreshPreferences{MinHealthyPercentage: aws.Int32(50)})
	b.advance(20 * time.Second)
	must[*autoscaling.CancelInstanceRefreshOutput](b)(b.CancelInstanceRefresh(b.ctx, &autoscaling.CancelInstanceRefreshInput{AutoScalingGroupName: aws.String("fleet")}))
	b.advance(2 * time.Minute)
	assert.Equal(t, "2 v1 InService Healthy, 2 v3 InService Healthy", b.counts())
	kept := b.ids()[:2]
	b.refresh("1", &astypes.RefreshPreferences{MinHealthyPercentage: aws.Int32(100), MaxHealthyPercentage: aws.Int32(200), SkipMatching: aws.Bool(true)})
	b.advance(10 * time.Minute)
	assert.Equal(t, "4 v1 InService Healthy", b.counts())
	assert.Equal(t, kept, b.ids()[:2], "those that matched from the beginning")
}
