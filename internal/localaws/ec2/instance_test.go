package ec2_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/stretchr/testify/assert"

	localec2 "github.com/pullback-dev/pullback/internal/localaws/ec2"
)

func TestAnInstanceLivesOnTheWorldsClock(t *testing.T) {
	b := newBench(t)
	id := b.run(1)[0]
	assert.Regexp(t, `^i-0[0-9a-f]{16}$`, id)
	b.advance(30 * time.Second)
	assert.Equal(t, ec2types.InstanceStateNameRunning, b.instance(id).State.Name)

	out := must[*ec2.TerminateInstancesOutput](b)(b.TerminateInstances(b.ctx, &ec2.TerminateInstancesInput{InstanceIds: []string{id}}))
	assert.Equal(t, []ec2types.InstanceStateChange{{
		InstanceId:    &id,
		PreviousState: &ec2types.InstanceState{Code: aws.Int32(16), Name: ec2types.InstanceStateNameRunning},
		CurrentState:  &ec2types.InstanceState{Code: aws.Int32(32), Name: ec2types.InstanceStateNameShuttingDown},
	}}, out.TerminatingInstances)
	b.advance(time.Minute)

	var want []string
	for _, e := range [][2]string{{"0s", "pending"}, {"30s", "running"}, {"30s", "shutting-down"}, {"1m0s", "terminated"}} {
		want = append(want, e[0]+" EC2 Instance State-change Notification [arn:aws:ec2:us-east-1:123456789012:instance/"+id+"] "+
			`{"instance-id":"`+id+`","state":"`+e[1]+`"}`)
	}
	assert.Equal(t, want, b.events)
	assert.Equal(t, []string{"0s " + id + " pending", "30s " + id + " running", "30s " + id + " shutting-down", "1m0s " + id + " terminated"}, b.heard)

	ended := b.instance(id)
	assert.Equal(t, "User initiated (2026-01-05 09:00:30 GMT)", *ended.StateTransitionReason)
	assert.Equal(t, "Client.UserInitiatedShutdown: User initiated shutdown", *ended.StateReason.Message)
	assert.Empty(t, ended.BlockDeviceMappings)

	again := must[*ec2.TerminateInstancesOutput](b)(b.TerminateInstances(b.ctx, &ec2.TerminateInstancesInput{InstanceIds: []string{id}}))
	assert.Equal(t, ec2types.InstanceStateNameTerminated, again.TerminatingInstances[0].CurrentState.Name)
	b.advance(time.Hour)
	_, err := b.DescribeInstances(b.ctx, &ec2.DescribeInstancesInput{InstanceIds: []string{id}})
	assert.Equal(t, "InvalidInstanceID.NotFound: The instance ID '"+id+"' does not exist", code(t, err))
}

func TestAnInstanceStopsAndStarts(t *testing.T) {
	b := newBench(t)
	id := b.run(1)[0]
	_, err := b.StopInstances(b.ctx, &ec2.StopInstancesInput{InstanceIds: []string{id}})
	assert.Equal(t, "IncorrectInstanceState: The instance '"+id+"' is not in a state from which it can be stopped.", code(t, err))
	b.advance(time.Minute)
	must[*ec2.StopInstancesOutput](b)(b.StopInstances(b.ctx, &ec2.StopInstancesInput{InstanceIds: []string{id}}))
	b.advance(time.Minute)
	stopped := b.instance(id)
	assert.Equal(t, ec2types.InstanceStateNameStopped, stopped.State.Name)
	assert.Len(t, stopped.BlockDeviceMappings, 1, "a stopped instance keeps its root volume")
	must[*ec2.StartInstancesOutput](b)(b.StartInstances(b.ctx, &ec2.StartInstancesInput{InstanceIds: []string{id}}))
	b.advance(time.Minute)
	assert.Equal(t, ec2types.InstanceStateNameRunning, b.instance(id).State.Name)
}

func TestOneProtectedInstanceProtectsTheOthersOfARequest(t *testing.T) {
	b := newBench(t)
	kept := b.run(1, func(in *ec2.RunInstancesInput) { in.DisableApiTermination = aws.Bool(true) })[0]
	other := b.run(1)[0]
	_, err := b.TerminateInstances(b.ctx, &ec2.TerminateInstancesInput{InstanceIds: []string{other, kept}})
	assert.Equal(t, "OperationNotPermitted: The instance '"+kept+"' may not be terminated. "+
		"Modify its 'disableApiTermination' instance attribute and try again.", code(t, err))
	assert.Equal(t, ec2types.InstanceStateNamePending, b.instance(other).State.Name)
}

func TestInstancesAreFoundByFilters(t *testing.T) {
	b := newBench(t)
	web := b.run(2, tagged("Name", "web-1", "env", "prod"))
	db := b.run(1, tagged("Name", "db", "env", "prod"), func(in *ec2.RunInstancesInput) {
		in.Placement = &ec2types.Placement{AvailabilityZone: aws.String("us-east-1b")}
	})
	bare := b.run(1)
	b.advance(time.Minute)
	must[*ec2.TerminateInstancesOutput](b)(b.TerminateInstances(b.ctx, &ec2.TerminateInstancesInput{InstanceIds: web[:1]}))
	for name, c := range map[string]struct {
		filters []ec2types.Filter
		want    []string
	}{
		"none":          {nil, append(append(append([]string{}, web...), db...), bare...)},
		"a tag":         {[]ec2types.Filter{filter("tag:Name", "web-1")}, web},
		"wildcards":     {[]ec2types.Filter{filter("tag:Name", "w?b*")}, web},
		"an escape":     {[]ec2types.Filter{filter("tag:Name", `w\?b*`)}, nil},
		"either value":  {[]ec2types.Filter{filter("tag:Name", "db", "web-1")}, append(append([]string{}, web...), db...)},
		"both filters":  {[]ec2types.Filter{filter("tag-key", "Name"), filter("instance-state-name", "running")}, []string{web[1], db[0]}},
		"state code":    {[]ec2types.Filter{filter("instance-state-code", "32")}, web[:1]},
		"an id":         {[]ec2types.Filter{filter("instance-id", bare[0])}, bare},
		"a zone":        {[]ec2types.Filter{filter("availability-zone", "us-east-1b")}, db},
		"nothing there": {[]ec2types.Filter{filter("tag:nobody", "*")}, nil},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, c.want, b.found(c.filters...)) })
	}
	_, err := b.DescribeInstances(b.ctx, &ec2.DescribeInstancesInput{Filters: []ec2types.Filter{filter("colour", "red")}})
	assert.Equal(t, "InvalidParameterValue: The filter 'colour' is invalid", code(t, err))
}

func TestInstancesAreListedByPages(t *testing.T) {
	b := newBench(t)
	all := b.run(12)
	var got []string
	for p := ec2.NewDescribeInstancesPaginator(b.Client, &ec2.DescribeInstancesInput{MaxResults: aws.Int32(5)}); p.HasMorePages(); {
		out := must[*ec2.DescribeInstancesOutput](b)(p.NextPage(b.ctx))
		assert.LessOrEqual(t, len(out.Reservations[0].Instances), 5)
		for _, i := range out.Reservations[0].Instances {
			got = append(got, *i.InstanceId)
		}
	}
	assert.Equal(t, all, got)
}

func TestTheSameClientTokenLaunchesOnce(t *testing.T) {
	b := newBench(t)
	token := func(in *ec2.RunInstancesInput) { in.ClientToken = aws.String("once") }
	first := b.run(2, token)
	assert.Equal(t, first, b.run(2, token))
	assert.Len(t, b.found(), 2)
	_, err := b.RunInstances(b.ctx, &ec2.RunInstancesInput{
		ClientToken: aws.String("once"), ImageId: aws.String(ami), MinCount: aws.Int32(1), MaxCount: aws.Int32(1),
	})
	assert.Equal(t, "IdempotentParameterMismatch: Arguments on this idempotent request are inconsistent with arguments used in previous request(s).", code(t, err))
}

func TestStatusChecksSeeWhatIsDeclaredBad(t *testing.T) {
	b := newBench(t)
	id := b.run(1, tagged(localec2.HealthTag, localec2.Impaired))[0]
	status := func() []string {
		out := must[*ec2.DescribeInstanceStatusOutput](b)(b.DescribeInstanceStatus(b.ctx, &ec2.DescribeInstanceStatusInput{InstanceIds: []string{id}}))
		if len(out.InstanceStatuses) == 0 {
			return nil
		}
		one := out.InstanceStatuses[0]
		return []string{string(one.InstanceStatus.Status), string(one.SystemStatus.Status)}
	}
	assert.Empty(t, status(), "only running instances are described unless asked for")
	b.advance(30 * time.Second)
	assert.Equal(t, []string{"initializing", "initializing"}, status())
	b.advance(2 * time.Minute)
	assert.Equal(t, []string{"impaired", "ok"}, status())
	must[*ec2.DeleteTagsOutput](b)(b.DeleteTags(b.ctx, &ec2.DeleteTagsInput{Resources: []string{id}, Tags: []ec2types.Tag{{Key: aws.String(localec2.HealthTag)}}}))
	assert.Equal(t, []string{"ok", "ok"}, status())
}

func TestWhatCannotBeLaunchedIsRefused(t *testing.T) {
	b := newBench(t)
	for want, change := range map[string]func(*ec2.RunInstancesInput){
		"MissingParameter: The request must contain the parameter ImageId":                                              func(in *ec2.RunInstancesInput) { in.ImageId = nil },
		"InvalidAMIID.Malformed: Invalid id: \"debian\" (expecting \"ami-...\")":                                        func(in *ec2.RunInstancesInput) { in.ImageId = aws.String("debian") },
		"InvalidParameterValue: Invalid value 'huge' for InstanceType.":                                                 func(in *ec2.RunInstancesInput) { in.InstanceType = "huge" },
		"InvalidSubnetID.NotFound: The subnet ID 'subnet-1' does not exist":                                             func(in *ec2.RunInstancesInput) { in.SubnetId = aws.String("subnet-1") },
		"InvalidParameterValue: Value (3) for parameter minCount is invalid. Expecting a value between 1 and maxCount.": func(in *ec2.RunInstancesInput) { in.MinCount = aws.Int32(3) },
		"InvalidParameterValue: Invalid BASE64 encoding of user data.":                                                  func(in *ec2.RunInstancesInput) { in.UserData = aws.String("#!") },
		"DryRunOperation: Request would have succeeded, but DryRun flag is set.":                                        func(in *ec2.RunInstancesInput) { in.DryRun = aws.Bool(true) },
		"UnsupportedParameter: the local AWS does not support member KernelId of RunInstancesInput":                     func(in *ec2.RunInstancesInput) { in.KernelId = aws.String("aki-1") },
		"InvalidParameterValue: Tag keys starting with 'aws:' are reserved for internal use":                            tagged("aws:mine", "x"),
		"InvalidParameterValue: The availability zone us-east-1c does not match the subnet subnet-0de4a017c0de4a011": func(in *ec2.RunInstancesInput) {
			in.SubnetId, in.Placement = aws.String("subnet-0de4a017c0de4a011"), &ec2types.Placement{AvailabilityZone: aws.String("us-east-1c")}
		},
	} {
		in := &ec2.RunInstancesInput{ImageId: aws.String(ami), MinCount: aws.Int32(1), MaxCount: aws.Int32(1)}
		change(in)
		_, err := b.RunInstances(b.ctx, in)
		assert.Equal(t, want, code(t, err))
	}
	assert.Empty(t, b.found())
}

func TestTagsAreSetListedAndTakenAway(t *testing.T) {
	b := newBench(t)
	id := b.run(1, tagged("a", "1", "b", "2"))[0]
	must[*ec2.CreateTagsOutput](b)(b.CreateTags(b.ctx, &ec2.CreateTagsInput{Resources: []string{id}, Tags: []ec2types.Tag{tag("b", "3"), tag("c", "")}}))
	assert.Equal(t, []ec2types.Tag{tag("a", "1"), tag("b", "3"), tag("c", "")}, b.instance(id).Tags)
	must[*ec2.DeleteTagsOutput](b)(b.DeleteTags(b.ctx, &ec2.DeleteTagsInput{Resources: []string{id}, Tags: []ec2types.Tag{tag("a", "other"), {Key: aws.String("c")}}}))
	out := must[*ec2.DescribeTagsOutput](b)(b.DescribeTags(b.ctx, &ec2.DescribeTagsInput{Filters: []ec2types.Filter{filter("resource-type", "instance"), filter("key", "?")}}))
	assert.Equal(t, []ec2types.TagDescription{
		{Key: aws.String("a"), Value: aws.String("1"), ResourceId: &id, ResourceType: ec2types.ResourceTypeInstance},
		{Key: aws.String("b"), Value: aws.String("3"), ResourceId: &id, ResourceType: ec2types.ResourceTypeInstance},
	}, out.Tags)
	_, err := b.CreateTags(b.ctx, &ec2.CreateTagsInput{Resources: []string{"i-00000000000000000"}, Tags: []ec2types.Tag{tag("a", "1")}})
	assert.Equal(t, "InvalidInstanceID.NotFound: The instance ID 'i-00000000000000000' does not exist", code(t, err))
}

func TestADeregisteredImageLaunchesNothing(t *testing.T) {
	b := newBench(t)
	running := b.run(1)[0]
	must[*ec2.DeregisterImageOutput](b)(b.DeregisterImage(b.ctx, &ec2.DeregisterImageInput{ImageId: aws.String(ami)}))
	b.advance(time.Minute)
	assert.Equal(t, ec2types.InstanceStateNameRunning, b.instance(running).State.Name)
	_, err := b.DescribeImages(b.ctx, &ec2.DescribeImagesInput{ImageIds: []string{ami}})
	assert.Equal(t, "InvalidAMIID.NotFound: The image id '["+ami+"]' does not exist", code(t, err))
	_, err = b.RunInstances(b.ctx, &ec2.RunInstancesInput{ImageId: aws.String(ami), MinCount: aws.Int32(1), MaxCount: aws.Int32(1)})
	assert.Equal(t, "InvalidAMIID.NotFound: The image id '["+ami+"]' does not exist", code(t, err))
}
