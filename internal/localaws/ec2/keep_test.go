package ec2_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/state"
)

func TestWhatIsGoingOnGoesOnAfterARestart(t *testing.T) {
	before := newBench(t)
	instance := before.run(1)[0]
	before.advance(time.Minute)
	point := before.snapshot(before.rootOf(instance))
	late := before.run(1)[0]
	before.advance(10 * time.Second)
	kept, union := before.service.Kept()
	written, err := state.Encode(kept, union)
	require.NoError(t, err)

	after := newBench(t)
	after.advance(before.elapsed())
	again, union := after.service.Kept()
	require.NoError(t, state.Decode(written, again, union))
	after.w.Lock()
	require.NoError(t, after.service.Resume(t.Context()))
	after.w.Unlock()
	assert.Equal(t, before.instance(late), after.instance(late))
	after.advance(time.Minute)
	assert.Equal(t, ec2types.InstanceStateNameRunning, after.instance(late).State.Name)
	assert.Equal(t, ec2types.SnapshotStateCompleted, after.about(point).State)
	task := must[*ec2.CreateReplaceRootVolumeTaskOutput](after)(after.CreateReplaceRootVolumeTask(after.ctx, &ec2.CreateReplaceRootVolumeTaskInput{
		InstanceId: &instance, SnapshotId: aws.String(point),
	}))
	assert.Equal(t, ec2types.ReplaceRootVolumeTaskStatePending, task.ReplaceRootVolumeTask.TaskState)
}
