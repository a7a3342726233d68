package restorepoints

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
)

func chunks(ids []string) iter.Seq[[]string] { return slices.Chunk(ids, most) }

// Volumes returns the volumes of the instances that a deployment changes; none if
// it changes no instances. deploy.ErrNotReady if CodeDeploy does not say yet.
func (k *Keeper) Volumes(ctx context.Context, d deploy.Deployment) ([]ledger.Kept, error) {
	ids, err := k.instancesOf(ctx, d)
	if err != nil {
		return nil, err
	}
	isEC2 := func(id string) bool { return instanceID().MatchString(id) }
	elsewhere := slices.DeleteFunc(slices.Clone(ids), isEC2)
	ids = slices.DeleteFunc(ids, func(id string) bool { return !isEC2(id) })
	kept, err := k.volumes(ctx, ids)
	for _, id := range elsewhere {
		kept = append(kept, ledger.Kept{Resource: id, State: ledger.PointFailed, Because: "it is not an EC2 instance: it has no EBS volumes"})
	}
	return kept, err
}

// instanceID is the form of an instance's id: CodeDeploy's targets can be
// machines on premises, which have names.
func instanceID() *regexp.Regexp { return regexp.MustCompile(`^i-([0-9a-f]{8}|[0-9a-f]{17})$`) }

// instancesOf returns the instances that a deployment changes or takes away.
func (k *Keeper) instancesOf(ctx context.Context, d deploy.Deployment) ([]string, error) {
	switch {
	case d.Target.Kind == deploy.KindScaling:
		return k.inGroup(ctx, d.Target.Group)
	case d.Target.Kind == deploy.KindGroup && d.Platform == deploy.OnServer:
		return k.inDeployment(ctx, d.ID)
	default:
		return nil, nil
	}
}

// inGroup returns the instances of an Auto Scaling group: a refresh replaces all
// of them.
func (k *Keeper) inGroup(ctx context.Context, name string) ([]string, error) {
	out, err := k.groups.DescribeAutoScalingGroups(ctx, &autoscaling.DescribeAutoScalingGroupsInput{AutoScalingGroupNames: []string{name}})
	if err != nil {
		return nil, fmt.Errorf("instances of Auto Scaling group %s: %w", name, err)
	}
	if len(out.AutoScalingGroups) == 0 {
		return nil, fmt.Errorf("Auto Scaling group %s: %w", name, deploy.ErrUnknown) //nolint:staticcheck // a name of AWS's begins with a capital
	}
	var all []string
	for _, i := range out.AutoScalingGroups[0].Instances {
		if !strings.HasPrefix(string(i.LifecycleState), "Terminat") {
			all = append(all, aws.ToString(i.InstanceId))
		}
	}
	return all, nil
}

// several is how many targets BatchGetDeploymentTargets takes (API reference).
const several = 25

// inDeployment returns the instances that a deployment of CodeDeploy's changes.
// In blue/green deployments those are the old ones, which may be terminated: the
// new ones have no data yet.
func (k *Keeper) inDeployment(ctx context.Context, id deploy.ID) ([]string, error) {
	in := &codedeploy.ListDeploymentTargetsInput{DeploymentId: aws.String(string(id))}
	var ids []string
	err := pages(func() (*string, error) {
		out, err := k.deployments.ListDeploymentTargets(ctx, in)
		if err != nil {
			return nil, err
		}
		ids = append(ids, out.TargetIds...)
		in.NextToken = out.NextToken
		return out.NextToken, nil
	})
	if _, early := errors.AsType[*cdtypes.DeploymentNotStartedException](err); early {
		return nil, fmt.Errorf("instances of deployment %s: %w: it has not started, so CodeDeploy does not say", id, deploy.ErrNotReady)
	}
	if err != nil {
		return nil, fmt.Errorf("instances of deployment %s: %w", id, err)
	}
	var all []string
	for some := range slices.Chunk(ids, several) {
		out, err := k.deployments.BatchGetDeploymentTargets(ctx, &codedeploy.BatchGetDeploymentTargetsInput{DeploymentId: in.DeploymentId, TargetIds: some})
		if err != nil {
			return nil, fmt.Errorf("instances of deployment %s: %w", id, err)
		}
		for _, t := range out.DeploymentTargets {
			if i := t.InstanceTarget; i != nil && i.InstanceLabel != cdtypes.TargetLabelGreen {
				all = append(all, aws.ToString(i.TargetId))
			}
		}
	}
	return all, nil
}

// volumes returns what there is to keep of instances: the root volume first.
func (k *Keeper) volumes(ctx context.Context, ids []string) ([]ledger.Kept, error) {
	known, err := instances(ctx, k.ec2, ids)
	if err != nil {
		return nil, err
	}
	volumes, err := attached(ctx, k.ec2, ids)
	if err != nil {
		return nil, err
	}
	var kept []ledger.Kept
	for _, id := range ids {
		at := len(kept)
		for _, v := range volumes {
			one, ok := volumeOf(id, aws.ToString(known[id].RootDeviceName), v)
			switch {
			case !ok:
			case one.Root:
				kept = slices.Insert(kept, at, one)
			default:
				kept = append(kept, one)
			}
		}
		if len(kept) == at {
			kept = append(kept, ledger.Kept{Resource: id, State: ledger.PointFailed, Because: "it has no EBS volumes"})
		}
	}
	return kept, nil
}

func volumeOf(instance, rootDevice string, v ec2types.Volume) (ledger.Kept, bool) {
	for _, a := range v.Attachments {
		if aws.ToString(a.InstanceId) == instance {
			return ledger.Kept{
				Resource: instance, State: ledger.PointPending, Volume: aws.ToString(v.VolumeId), Device: aws.ToString(a.Device),
				Root: aws.ToString(a.Device) == rootDevice, Zone: aws.ToString(v.AvailabilityZone), Type: string(v.VolumeType),
				IOPS: aws.ToInt32(v.Iops), Throughput: aws.ToInt32(v.Throughput),
			}, true
		}
	}
	return ledger.Kept{}, false
}
