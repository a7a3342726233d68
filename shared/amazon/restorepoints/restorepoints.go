// Package restorepoints takes EBS snapshots and starts backup jobs, says how far
// they are, and makes the calls by which a human restores what they kept.
//
// It decides nothing, waits for nothing and deletes nothing. [Keeper] keeps and
// cannot restore; [Restorer] restores and is for the command line only.
//
// Keeper takes codedeploy:ListDeploymentTargets, codedeploy:BatchGetDeploymentTargets,
// autoscaling:DescribeAutoScalingGroups, ec2:DescribeInstances,
// ec2:DescribeVolumes, ec2:DescribeSnapshots, and for policies that take
// snapshots ec2:CreateSnapshot and ec2:CreateSnapshots on snapshots, volumes and
// instances and ec2:CreateTags on snapshots, for policies that back up
// backup:StartBackupJob on the vault, backup:TagResource on recovery points,
// backup:DescribeBackupJob, and iam:PassRole for the role that AWS Backup works
// with. Restorer takes what the plan shows, and the calls that describe it.
package restorepoints

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/backup"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/smithy-go"

	"github.com/pullback-dev/pullback/shared/restorepoint"
)

// deployments is the part of *codedeploy.Client that says which instances a
// deployment changes.
type deployments interface {
	ListDeploymentTargets(context.Context, *codedeploy.ListDeploymentTargetsInput, ...func(*codedeploy.Options)) (*codedeploy.ListDeploymentTargetsOutput, error)
	BatchGetDeploymentTargets(context.Context, *codedeploy.BatchGetDeploymentTargetsInput, ...func(*codedeploy.Options)) (*codedeploy.BatchGetDeploymentTargetsOutput, error)
}

// groups is the part of *autoscaling.Client that says which instances are in a
// group.
type groups interface {
	DescribeAutoScalingGroups(context.Context, *autoscaling.DescribeAutoScalingGroupsInput, ...func(*autoscaling.Options)) (*autoscaling.DescribeAutoScalingGroupsOutput, error)
}

// machines is the part of *ec2.Client that looks at instances and their volumes.
type machines interface {
	DescribeInstances(context.Context, *ec2.DescribeInstancesInput, ...func(*ec2.Options)) (*ec2.DescribeInstancesOutput, error)
	DescribeVolumes(context.Context, *ec2.DescribeVolumesInput, ...func(*ec2.Options)) (*ec2.DescribeVolumesOutput, error)
}

// snapshots is the part that keeps.
type snapshots interface {
	machines
	DescribeSnapshots(context.Context, *ec2.DescribeSnapshotsInput, ...func(*ec2.Options)) (*ec2.DescribeSnapshotsOutput, error)
	CreateSnapshot(context.Context, *ec2.CreateSnapshotInput, ...func(*ec2.Options)) (*ec2.CreateSnapshotOutput, error)
	CreateSnapshots(context.Context, *ec2.CreateSnapshotsInput, ...func(*ec2.Options)) (*ec2.CreateSnapshotsOutput, error)
}

// jobs is the part of *backup.Client that backs up.
type jobs interface {
	StartBackupJob(context.Context, *backup.StartBackupJobInput, ...func(*backup.Options)) (*backup.StartBackupJobOutput, error)
	DescribeBackupJob(context.Context, *backup.DescribeBackupJobInput, ...func(*backup.Options)) (*backup.DescribeBackupJobOutput, error)
}

// Keeper keeps data. It implements what the taker needs.
type Keeper struct {
	deployments deployments
	groups      groups
	ec2         snapshots
	backup      jobs

	account, region string
}

// NewKeeper returns a keeper that calls AWS through the clients. Account and
// region name the volumes that AWS Backup keeps.
func NewKeeper(d deployments, g groups, e snapshots, b jobs, account, region string) *Keeper {
	return &Keeper{deployments: d, groups: g, ec2: e, backup: b, account: account, region: region}
}

// most is how many values a filter takes (EC2 API reference, Filter).
const most = 200

// maxPages ends a listing whose tokens never do.
const maxPages = 100

var errEndless = errors.New("the pages do not end")

// instances are the instances of which some exist, by id.
func instances(ctx context.Context, c machines, ids []string) (map[string]ec2types.Instance, error) {
	all := map[string]ec2types.Instance{}
	for some := range chunks(ids) {
		in := &ec2.DescribeInstancesInput{Filters: []ec2types.Filter{filter("instance-id", some...)}}
		err := pages(func() (*string, error) {
			out, err := c.DescribeInstances(ctx, in)
			if err != nil {
				return nil, err
			}
			for _, r := range out.Reservations {
				for _, i := range r.Instances {
					all[aws.ToString(i.InstanceId)] = i
				}
			}
			in.NextToken = out.NextToken
			return out.NextToken, nil
		})
		if err != nil {
			return nil, fmt.Errorf("describe instances: %w", err)
		}
	}
	return all, nil
}

// described are the volumes of which something has one of the values.
func described(ctx context.Context, c machines, what string, ids []string) ([]ec2types.Volume, error) {
	var all []ec2types.Volume
	for some := range chunks(ids) {
		in := &ec2.DescribeVolumesInput{Filters: []ec2types.Filter{filter(what, some...)}}
		err := pages(func() (*string, error) {
			out, err := c.DescribeVolumes(ctx, in)
			if err != nil {
				return nil, err
			}
			all = append(all, out.Volumes...)
			in.NextToken = out.NextToken
			return out.NextToken, nil
		})
		if err != nil {
			return nil, fmt.Errorf("describe volumes: %w", err)
		}
	}
	return all, nil
}

// pages calls next until it returns no token.
func pages(next func() (*string, error)) error {
	for range maxPages {
		token, err := next()
		if err != nil || aws.ToString(token) == "" {
			return err
		}
	}
	return errEndless
}

func filter(name string, values ...string) ec2types.Filter {
	return ec2types.Filter{Name: aws.String(name), Values: values}
}

func tagOf(tags []ec2types.Tag, key string) string {
	for _, t := range tags {
		if aws.ToString(t.Key) == key {
			return aws.ToString(t.Value)
		}
	}
	return ""
}

// refused marks an error after which asking again would change nothing: AWS has
// answered that it will not, and not because it is busy.
func refused(err error) error {
	said, isAPI := errors.AsType[smithy.APIError](err)
	answered, isHTTP := errors.AsType[*awshttp.ResponseError](err)
	if !isAPI || !isHTTP || answered.HTTPStatusCode() < 400 || answered.HTTPStatusCode() >= 500 {
		return err
	}
	if retry.IsErrorThrottles(retry.DefaultThrottles).IsErrorThrottle(err) == aws.TrueTernary ||
		retry.IsErrorRetryables(retry.DefaultRetryables).IsErrorRetryable(err) == aws.TrueTernary {
		return err
	}
	return fmt.Errorf("%w: %s: %s", restorepoint.ErrRefused, said.ErrorCode(), said.ErrorMessage())
}
