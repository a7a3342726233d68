package cloudformation_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/host"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

func TestAnOperationGoesOnAfterARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	start := func() *account {
		local, err := host.Start(t.Context(), host.Options{World: world.Options{Mode: world.Manual}, State: dir})
		require.NoError(t, err)
		a := &account{AWS: local, config: config(local)}
		a.stacks = cloudformation.NewFromConfig(a.config)
		return a
	}
	const two = `{"Resources": {"A": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "a"}},
		"B": {"Type": "AWS::SQS::Queue", "DependsOn": "A", "Properties": {"QueueName": "b", "DelaySeconds": 3}}}}`
	a := start()
	_, err := a.stacks.CreateStack(t.Context(), &cloudformation.CreateStackInput{StackName: aws.String("shop"), TemplateBody: aws.String(two)})
	require.NoError(t, err)
	a.pass(t, 30*time.Millisecond)
	assert.NotEmpty(t, a.queue(t, "a", sqstypes.QueueAttributeNameQueueArn))
	assert.Empty(t, a.queue(t, "b", sqstypes.QueueAttributeNameQueueArn))
	require.NoError(t, a.Close())

	a = start()
	defer func() { assert.NoError(t, a.Close()) }()
	assert.Equal(t, cfntypes.StackStatusCreateInProgress, a.status(t, "shop"))
	a.pass(t, time.Minute)
	assert.Equal(t, cfntypes.StackStatusCreateComplete, a.status(t, "shop"))
	assert.Equal(t, "3", a.queue(t, "b", sqstypes.QueueAttributeNameDelaySeconds))
	set := a.propose(t, two)
	assert.Contains(t, aws.ToString(set.StatusReason), "didn't contain changes")
}
