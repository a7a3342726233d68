// Package scaling is a team with an Auto Scaling group, whose releases are versions
// of a launch template and whose deployments are instance refreshes.
package scaling

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/pullback-dev/pullback/internal/teams"
	"github.com/pullback-dev/pullback/shared/deploy"
)

// Options are how the team deploys.
type Options struct {
	Latest bool // the group launches whatever version is the newest, so that Auto Scaling cannot roll a refresh back
}

// Size is how many instances the group has.
const Size = 2

// Team is the team at work.
type Team struct {
	teams.Common
	options  Options
	template string            // its id
	versions map[string]string // of the template, by release
	order    []string          // of publication
	scaling  *autoscaling.Client
	ec2      *ec2.Client
}

// New returns a team.
func New(c teams.Common, o Options) *Team {
	return &Team{Common: c, options: o, versions: map[string]string{}, scaling: autoscaling.NewFromConfig(c.Config), ec2: ec2.NewFromConfig(c.Config)}
}

// Target is the Auto Scaling group.
func (t *Team) Target() deploy.Target { return deploy.Target{Kind: deploy.KindScaling, Group: t.Name} }

// Install makes the group, with the good release, and waits until its instances
// serve.
func (t *Team) Install(ctx context.Context) error {
	if err := t.CreateAlarm(ctx); err != nil {
		return err
	}
	version, err := t.publish(ctx, teams.Good)
	if err != nil {
		return err
	}
	in := &autoscaling.CreateAutoScalingGroupInput{
		AutoScalingGroupName: &t.Name, MinSize: aws.Int32(0), MaxSize: aws.Int32(Size + 1), DesiredCapacity: aws.Int32(Size),
		AvailabilityZones: []string{t.Config.Region + "a"}, LaunchTemplate: t.launches(version),
	}
	for key, value := range t.Tags() {
		in.Tags = append(in.Tags, astypes.Tag{Key: &key, Value: &value, PropagateAtLaunch: aws.Bool(false)})
	}
	if _, err := t.scaling.CreateAutoScalingGroup(ctx, in); err != nil {
		return fmt.Errorf("create Auto Scaling group %s: %w", t.Name, err)
	}
	return t.Wait(ctx, 2*time.Minute)
}

func (t *Team) launches(version string) *astypes.LaunchTemplateSpecification {
	if t.options.Latest {
		version = "$Latest"
	}
	return &astypes.LaunchTemplateSpecification{LaunchTemplateId: &t.template, Version: &version}
}

// publish makes a version of the launch template for a release, unless that has
// been done.
func (t *Team) publish(ctx context.Context, release string) (string, error) {
	if v := t.versions[release]; v != "" {
		return v, nil
	}
	profile := t.profile(release)
	if err := t.Profile(ctx, profile); err != nil {
		return "", err
	}
	data := &ec2types.RequestLaunchTemplateData{
		ImageId: aws.String(t.image(release)), InstanceType: ec2types.InstanceTypeT3Micro,
		IamInstanceProfile: &ec2types.LaunchTemplateIamInstanceProfileSpecificationRequest{Name: &profile},
		TagSpecifications: []ec2types.LaunchTemplateTagSpecificationRequest{{
			ResourceType: ec2types.ResourceTypeInstance, Tags: []ec2types.Tag{{Key: aws.String("release"), Value: &release}},
		}},
	}
	if release == teams.Broken {
		tags := &data.TagSpecifications[0].Tags
		*tags = append(*tags, ec2types.Tag{Key: aws.String("local-aws:health"), Value: aws.String("impaired")})
	}
	if t.template == "" {
		out, err := t.ec2.CreateLaunchTemplate(ctx, &ec2.CreateLaunchTemplateInput{LaunchTemplateName: &t.Name, LaunchTemplateData: data})
		if err != nil {
			return "", fmt.Errorf("create launch template %s: %w", t.Name, err)
		}
		t.template, t.versions[release], t.order = *out.LaunchTemplate.LaunchTemplateId, "1", []string{release}
		return "1", nil
	}
	out, err := t.ec2.CreateLaunchTemplateVersion(ctx, &ec2.CreateLaunchTemplateVersionInput{LaunchTemplateId: &t.template, LaunchTemplateData: data})
	if err != nil {
		return "", fmt.Errorf("create a version of launch template %s: %w", t.Name, err)
	}
	t.order = append(t.order, release)
	t.versions[release] = strconv.FormatInt(*out.LaunchTemplateVersion.VersionNumber, 10)
	return t.versions[release], nil
}

// image is the machine image of a release. In the local AWS every well-formed id
// is one.
func (t *Team) image(release string) string {
	sum := sha256.Sum256([]byte(release))
	return fmt.Sprintf("ami-%x0", sum[:8])
}

// profile is the instance profile of a release.
func (t *Team) profile(release string) string { return "instance-" + t.Name + "-" + release }

// DeleteRole deletes the role of a release's instances.
func (t *Team) DeleteRole(ctx context.Context, release string) error {
	roles, name := iam.NewFromConfig(t.Config), t.profile(release)
	_, err := roles.RemoveRoleFromInstanceProfile(ctx, &iam.RemoveRoleFromInstanceProfileInput{InstanceProfileName: &name, RoleName: &name})
	if err == nil {
		_, err = roles.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: &name})
	}
	if err != nil {
		return fmt.Errorf("delete role %s: %w", name, err)
	}
	return nil
}

// Deploy publishes a release and refreshes the instances.
func (t *Team) Deploy(ctx context.Context, release string) (deploy.ID, error) {
	version, err := t.publish(ctx, release)
	if err != nil {
		return "", err
	}
	in := &autoscaling.StartInstanceRefreshInput{
		AutoScalingGroupName: &t.Name, Preferences: &astypes.RefreshPreferences{MinHealthyPercentage: aws.Int32(50), InstanceWarmup: aws.Int32(60)},
	}
	if !t.options.Latest { // the group has it already
		in.DesiredConfiguration = &astypes.DesiredConfiguration{LaunchTemplate: t.launches(version)}
	}
	if t.Alarms {
		in.Preferences.AutoRollback = aws.Bool(true)
		in.Preferences.AlarmSpecification = &astypes.AlarmSpecification{Alarms: []string{t.Alarm()}}
	}
	out, err := t.scaling.StartInstanceRefresh(ctx, in)
	if err != nil {
		return "", fmt.Errorf("deploy %s: %w", release, err)
	}
	return deploy.ID(*out.InstanceRefreshId), nil
}

// Live returns the releases of the instances in service, the one that most have
// first.
func (t *Team) Live(ctx context.Context) ([]string, error) {
	out, err := t.scaling.DescribeAutoScalingGroups(ctx, &autoscaling.DescribeAutoScalingGroupsInput{AutoScalingGroupNames: []string{t.Name}})
	if err != nil {
		return nil, fmt.Errorf("look at %s: %w", t.Name, err)
	}
	number := map[string]int{}
	for _, i := range out.AutoScalingGroups[0].Instances {
		if i.LifecycleState != astypes.LifecycleStateInService || i.LaunchTemplate == nil {
			continue
		}
		version := aws.ToString(i.LaunchTemplate.Version)
		release := t.ReleaseOf(deploy.Revision(t.template + ":" + version))
		if release == "" {
			release = "version " + version
		}
		number[release]++
	}
	return slices.SortedFunc(maps.Keys(number), func(a, b string) int { return cmp.Or(number[b]-number[a], strings.Compare(a, b)) }), nil
}

// Deployments returns the instance refreshes, newest first.
func (t *Team) Deployments(ctx context.Context) ([]teams.Deployment, error) {
	out, err := t.scaling.DescribeInstanceRefreshes(ctx, &autoscaling.DescribeInstanceRefreshesInput{AutoScalingGroupName: &t.Name})
	if err != nil {
		return nil, fmt.Errorf("instance refreshes of %s: %w", t.Name, err)
	}
	var all []teams.Deployment
	for _, r := range out.InstanceRefreshes {
		all = append(all, teams.Deployment{ID: deploy.ID(*r.InstanceRefreshId), Status: string(r.Status), Cause: aws.ToString(r.StatusReason)})
	}
	return all, nil
}

// Releases are those that were published, in their order.
func (t *Team) Releases() []string { return t.order }

// ReleaseOf names the release of a revision, TEMPLATE:VERSION; empty if there is
// none.
func (t *Team) ReleaseOf(r deploy.Revision) string {
	for release, version := range t.versions {
		if t.template+":"+version == string(r) {
			return release
		}
	}
	return ""
}

// Stop cancels an instance refresh and leaves everything where it is.
func (t *Team) Stop(ctx context.Context, id deploy.ID) error {
	_, err := t.scaling.CancelInstanceRefresh(ctx, &autoscaling.CancelInstanceRefreshInput{AutoScalingGroupName: &t.Name})
	if err != nil {
		return fmt.Errorf("cancel %s: %w", id, err)
	}
	return nil
}

// Withdraw deletes the version of the launch template that a release is. The
// newest one becomes the default, which cannot be deleted.
func (t *Team) Withdraw(ctx context.Context, release string) error {
	version, newest := t.versions[release], t.versions[t.order[len(t.order)-1]]
	if _, err := t.ec2.ModifyLaunchTemplate(ctx, &ec2.ModifyLaunchTemplateInput{LaunchTemplateId: &t.template, DefaultVersion: &newest}); err != nil {
		return fmt.Errorf("make version %s the default: %w", newest, err)
	}
	out, err := t.ec2.DeleteLaunchTemplateVersions(ctx, &ec2.DeleteLaunchTemplateVersionsInput{LaunchTemplateId: &t.template, Versions: []string{version}})
	if err != nil {
		return fmt.Errorf("delete version %s: %w", version, err)
	}
	for _, f := range out.UnsuccessfullyDeletedLaunchTemplateVersions {
		return fmt.Errorf("delete version %s: %s", version, aws.ToString(f.ResponseError.Message))
	}
	return nil
}

// DeleteImage deregisters the machine image of a release.
func (t *Team) DeleteImage(ctx context.Context, release string) error {
	id := t.image(release)
	if _, err := t.ec2.DeregisterImage(ctx, &ec2.DeregisterImageInput{ImageId: &id}); err != nil {
		return fmt.Errorf("deregister image %s: %w", id, err)
	}
	return nil
}

// Move lets the group launch a release from now on, without replacing what is
// there.
func (t *Team) Move(ctx context.Context, release string) error {
	version, err := t.publish(ctx, release)
	if err != nil {
		return err
	}
	_, err = t.scaling.UpdateAutoScalingGroup(ctx, &autoscaling.UpdateAutoScalingGroupInput{AutoScalingGroupName: &t.Name, LaunchTemplate: t.launches(version)})
	if err != nil {
		return fmt.Errorf("move %s to %s: %w", t.Name, release, err)
	}
	return nil
}

// Tag tags the group.
func (t *Team) Tag(ctx context.Context, tags map[string]string) error {
	in := &autoscaling.CreateOrUpdateTagsInput{}
	for key, value := range tags {
		in.Tags = append(in.Tags, astypes.Tag{
			ResourceId: &t.Name, ResourceType: aws.String("auto-scaling-group"), Key: &key, Value: &value, PropagateAtLaunch: aws.Bool(false),
		})
	}
	if _, err := t.scaling.CreateOrUpdateTags(ctx, in); err != nil {
		return fmt.Errorf("tag %s: %w", t.Target(), err)
	}
	return nil
}
