package restorepoints

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
	"github.com/pullback-dev/pullback/shared/restorepoint"
)

func chunks(ids []string) iter.Seq[[]string] { return slices.Chunk(ids, most) }

// Find returns what there is to keep by a policy before a deployment:
// deploy.ErrNotReady if CodeDeploy does not say yet what the deployment changes.
func (k *Keeper) Find(ctx context.Context, d deploy.Deployment, p restorepoint.Policy) ([]ledger.Kept, error) {
	var kept []ledger.Kept
	if p.Instances {
		ids, err := k.instancesOf(ctx, d)
		if err != nil {
			return nil, err
		}
		if kept, err = k.volumesOf(ctx, ids); err != nil {
			return nil, err
		}
	}
	named, err := k.named(ctx, p.Resources)
	if err != nil {
		return nil, err
	}
	for _, one := range named {
		if one.Volume == "" || !slices.ContainsFunc(kept, func(o ledger.Kept) bool { return o.Volume == one.Volume }) {
			kept = append(kept, one)
		}
	}
	if p.Kind == ledger.Backup {
		for n := range kept {
			k.asBackup(&kept[n], p)
		}
	}
	return kept, nil
}

// asBackup lets AWS Backup keep it: volume by volume.
func (k *Keeper) asBackup(one *ledger.Kept, p restorepoint.Policy) {
	one.Vault, one.Role = p.Vault, p.Role
	if one.Volume != "" {
		one.Resource = "arn:" + k.partition() + ":ec2:" + k.region + ":" + k.account + ":volume/" + one.Volume
	}
}

// partition is the first part of ARNs in the region (AWS general reference,
// "Amazon Resource Names").
func (k *Keeper) partition() string {
	switch {
	case strings.HasPrefix(k.region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(k.region, "us-gov-"):
		return "aws-us-gov"
	default:
		return "aws"
	}
}

// named returns what the policy names: volumes with where they are attached.
func (k *Keeper) named(ctx context.Context, arns []string) ([]ledger.Kept, error) {
	var ids []string
	for _, arn := range arns {
		if volume, ok := restorepoint.VolumeIn(arn); ok {
			ids = append(ids, volume)
		}
	}
	found, err := described(ctx, k.ec2, "volume-id", ids)
	if err != nil {
		return nil, err
	}
	var on []string
	for _, v := range found {
		for _, a := range v.Attachments {
			on = append(on, aws.ToString(a.InstanceId))
		}
	}
	known, err := instances(ctx, k.ec2, on)
	if err != nil {
		return nil, err
	}
	var kept []ledger.Kept
	for _, arn := range arns {
		kept = append(kept, one(arn, found, known))
	}
	return kept, nil
}

// one is what is kept of a resource that a policy names.
func one(arn string, found []ec2types.Volume, known map[string]ec2types.Instance) ledger.Kept {
	id, ok := restorepoint.VolumeIn(arn)
	if !ok {
		return ledger.Kept{Resource: arn, State: ledger.PointPending}
	}
	for _, v := range found {
		if aws.ToString(v.VolumeId) != id {
			continue
		}
		kept := volumeAlone(v)
		if len(v.Attachments) > 0 {
			instance := aws.ToString(v.Attachments[0].InstanceId)
			kept, _ = volumeOf(instance, aws.ToString(known[instance].RootDeviceName), v)
		}
		kept.Resource = arn
		return kept
	}
	return ledger.Kept{Resource: arn, State: ledger.PointFailed, Because: "there is no such volume"}
}

// elsewhere reports whether an id is not one of EC2's: CodeDeploy's targets can be
// machines on premises, which have names.
func elsewhere(id string) bool { return !strings.HasPrefix(id, "i-") }

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

// volumesOf returns the volumes of instances: of each the root volume first.
func (k *Keeper) volumesOf(ctx context.Context, ids []string) ([]ledger.Kept, error) {
	known, err := instances(ctx, k.ec2, slices.DeleteFunc(slices.Clone(ids), elsewhere))
	if err != nil {
		return nil, err
	}
	volumes, err := described(ctx, k.ec2, "attachment.instance-id", slices.Sorted(maps.Keys(known)))
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
			one := volumeAlone(v)
			one.Resource, one.Instance, one.Device = instance, instance, aws.ToString(a.Device)
			one.Root = one.Device == rootDevice
			return one, true
		}
	}
	return ledger.Kept{}, false
}

func volumeAlone(v ec2types.Volume) ledger.Kept {
	return ledger.Kept{
		State: ledger.PointPending, Volume: aws.ToString(v.VolumeId), Zone: aws.ToString(v.AvailabilityZone), Type: string(v.VolumeType),
		IOPS: aws.ToInt32(v.Iops), Throughput: aws.ToInt32(v.Throughput),
	}
}
