package operate_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/backup"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	localec2 "github.com/pullback-dev/pullback/internal/localaws/ec2"
	"github.com/pullback-dev/pullback/internal/localaws/fault"
	"github.com/pullback-dev/pullback/internal/localaws/host"
	"github.com/pullback-dev/pullback/internal/localaws/sdkhttp"
	"github.com/pullback-dev/pullback/internal/localaws/world"
	"github.com/pullback-dev/pullback/internal/operate"
	"github.com/pullback-dev/pullback/shared/amazon/restorepoints"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
	"github.com/pullback-dev/pullback/shared/ledger/ledgertest"
	"github.com/pullback-dev/pullback/shared/restorepoint"
	"github.com/pullback-dev/pullback/shared/restorepoint/taker"
)

var (
	fleet   = deploy.Target{Kind: deploy.KindScaling, Group: "fleet"}
	refresh = deploy.Deployment{ID: "refresh-1", Target: fleet, Status: deploy.InProgress}
)

const backupRole = "arn:aws:iam::123456789012:role/backup"

// site is a local AWS with an Auto Scaling group of two instances, which have
// two volumes each.
type site struct {
	t         *testing.T
	local     *host.AWS
	config    aws.Config
	ec2       *ec2.Client
	store     *ledgertest.Memory
	keeper    *restorepoints.Keeper
	instances []string
	said      []string
}

func must[O any](t *testing.T) func(O, error) O {
	t.Helper()
	return func(out O, err error) O {
		t.Helper()
		require.NoError(t, err)
		return out
	}
}

func newSite(t *testing.T) *site {
	t.Helper()
	local, err := host.Start(t.Context(), host.Options{World: world.Options{Mode: world.Manual, Seed: 7}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, local.Close()) })
	s := &site{t: t, local: local, store: new(ledgertest.Memory), config: aws.Config{
		Region: "us-east-1", HTTPClient: sdkhttp.Client(), BaseEndpoint: aws.String(local.URL()), Retryer: func() aws.Retryer { return aws.NopRetryer{} },
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	}}
	s.ec2 = ec2.NewFromConfig(s.config)
	groups := autoscaling.NewFromConfig(s.config)
	s.keeper = restorepoints.NewKeeper(codedeploy.NewFromConfig(s.config), groups, s.ec2, backup.NewFromConfig(s.config), "123456789012", "us-east-1")
	template := must[*ec2.CreateLaunchTemplateOutput](t)(s.ec2.CreateLaunchTemplate(t.Context(), &ec2.CreateLaunchTemplateInput{
		LaunchTemplateName: aws.String("fleet"), LaunchTemplateData: &ec2types.RequestLaunchTemplateData{
			ImageId: aws.String("ami-0123456789abcdef0"), InstanceType: ec2types.InstanceTypeT3Micro, BlockDeviceMappings: []ec2types.LaunchTemplateBlockDeviceMappingRequest{{
				DeviceName: aws.String("/dev/sdf"), Ebs: &ec2types.LaunchTemplateEbsBlockDeviceRequest{VolumeSize: aws.Int32(20), VolumeType: ec2types.VolumeTypeGp3},
			}},
		},
	}))
	must[*autoscaling.CreateAutoScalingGroupOutput](t)(groups.CreateAutoScalingGroup(t.Context(), &autoscaling.CreateAutoScalingGroupInput{
		AutoScalingGroupName: aws.String("fleet"), MinSize: aws.Int32(2), MaxSize: aws.Int32(2), AvailabilityZones: []string{"us-east-1a"},
		LaunchTemplate: &astypes.LaunchTemplateSpecification{LaunchTemplateId: template.LaunchTemplate.LaunchTemplateId, Version: aws.String("1")},
	}))
	s.pass(3 * time.Minute)
	for _, i := range must[*autoscaling.DescribeAutoScalingGroupsOutput](t)(groups.DescribeAutoScalingGroups(t.Context(), &autoscaling.DescribeAutoScalingGroupsInput{})).AutoScalingGroups[0].Instances {
		s.instances = append(s.instances, *i.InstanceId)
	}
	return s
}

func (s *site) now() time.Time {
	s.local.World.Lock()
	defer s.local.World.Unlock()
	return s.local.World.Now()
}

func (s *site) pass(d time.Duration) {
	s.t.Helper()
	require.NoError(s.t, s.local.World.Advance(s.t.Context(), d))
}

// take takes the restore point of the refresh, and lets it complete.
func (s *site) take(p restorepoint.Policy) ledger.RestorePoint {
	s.t.Helper()
	k := taker.New(s.store, s.keeper, s.now)
	_, _, err := k.Take(s.t.Context(), refresh, p)
	require.NoError(s.t, err)
	s.pass(10 * time.Minute)
	point, _, err := k.Take(s.t.Context(), refresh, p)
	require.NoError(s.t, err)
	return point
}

func (s *site) restorer() operate.Restorer {
	return operate.Restorer{
		Ledger: s.store, Looker: s.keeper, AWS: restorepoints.NewRestorer(s.ec2, backup.NewFromConfig(s.config)), Now: s.now,
		Pause: func(ctx context.Context) error { return s.local.World.Advance(ctx, 5*time.Second) },
		Say:   func(text string) { s.said = append(s.said, text) },
	}
}

func order(p ledger.PointID) operate.Order {
	return operate.Order{Target: fleet, Point: p, By: "ana", Reason: "the prices are wrong"}
}

// all are all volumes.
func (s *site) all() []ec2types.Volume {
	s.t.Helper()
	return must[*ec2.DescribeVolumesOutput](s.t)(s.ec2.DescribeVolumes(s.t.Context(), &ec2.DescribeVolumesInput{})).Volumes
}

// contents are what is on all volumes: INSTANCE DEVICE CONTENT.
func (s *site) contents() []string {
	s.t.Helper()
	var lines []string
	for _, v := range s.all() {
		where := "nowhere"
		if len(v.Attachments) > 0 {
			where = fmt.Sprintf("%d %s", slices.Index(s.instances, *v.Attachments[0].InstanceId), *v.Attachments[0].Device)
		}
		for _, tag := range v.Tags {
			if *tag.Key == localec2.ContentTag {
				lines = append(lines, where+" "+*tag.Value)
			}
		}
	}
	slices.Sort(lines)
	return lines
}

// write writes on all volumes.
func (s *site) write(text string) {
	s.t.Helper()
	for _, v := range s.all() {
		must[*ec2.CreateTagsOutput](s.t)(s.ec2.CreateTags(s.t.Context(), &ec2.CreateTagsInput{
			Resources: []string{*v.VolumeId}, Tags: []ec2types.Tag{{Key: aws.String(localec2.ContentTag), Value: aws.String(text)}},
		}))
	}
}

func (s *site) faults(rules ...fault.Rule) {
	s.t.Helper()
	s.local.World.Lock()
	defer s.local.World.Unlock()
	require.NoError(s.t, s.local.Faults.Add(rules...))
}

func (s *site) chain() []string {
	s.t.Helper()
	chain, err := s.store.Records(s.t.Context(), fleet)
	require.NoError(s.t, err)
	require.NoError(s.t, ledger.Verify(chain))
	var lines []string
	for _, r := range chain {
		line := fmt.Sprintf("%s %s %s %s", r.Function, r.Verb, r.Rule, r.Because)
		for _, c := range r.Calls {
			line = fmt.Sprintf("%s %s %s %s", r.Function, r.Verb, r.Rule, c.API)
			require.Equal(s.t, r.Rule == "effect", c.Answer != "")
		}
		require.Equal(s.t, refresh.ID, r.Deployment)
		lines = append(lines, line)
	}
	return lines
}

var snapshots = restorepoint.Policy{Kind: ledger.Snapshots, Instances: true, Wait: true}

// restored is what is on the volumes after a restoration.
var restored = []string{
	"0 /dev/sdf before", "0 /dev/xvda before", "1 /dev/sdf before", "1 /dev/xvda before", "nowhere after", "nowhere after", "nowhere after", "nowhere after",
}

func TestWhatWasWrittenSinceIsGoneAfterARestoration(t *testing.T) {
	s := newSite(t)
	s.write("before")
	point := s.take(snapshots)
	require.Equal(t, ledger.PointReady, point.State)
	s.write("after")
	begun := s.now()
	require.NoError(t, s.restorer().Restore(t.Context(), order(point.ID)))
	assert.Equal(t, restored, s.contents(), "the old volumes are kept")

	id := string(point.ID)
	want := []string{"cli restore-data human ana begins restoration 1 of " + id + ": the prices are wrong"}
	for _, api := range []string{"CreateVolume", "CreateVolume", "DetachVolume", "AttachVolume", "DetachVolume", "AttachVolume", "CreateReplaceRootVolumeTask", "CreateReplaceRootVolumeTask"} {
		want = append(want, "cli restore-data intent ec2:"+api, "cli restore-data effect ec2:"+api)
	}
	assert.Equal(t, append(want, "cli restore-data done all steps are done"), s.chain())
	stored, err := s.store.RestorePoint(t.Context(), fleet, point.ID)
	require.NoError(t, err)
	assert.Equal(t, []ledger.Restoration{{By: "ana", Because: "the prices are wrong", Begun: begun, Ended: s.now()}}, stored.Restored)
	assert.Equal(t, "1 of 8: make a volume of "+point.Kept[1].Snapshot+", which is "+restorepoint.Name(point.Kept[1])+" as it was", s.said[0])
}

func TestAPointCanBeRestoredAgainWithNewVolumes(t *testing.T) {
	s := newSite(t)
	s.write("before")
	point := s.take(snapshots)
	require.NoError(t, s.restorer().Restore(t.Context(), order(point.ID)))
	s.write("after")
	require.NoError(t, s.restorer().Restore(t.Context(), order(point.ID)))
	assert.Equal(t, []string{"0 /dev/sdf before", "0 /dev/xvda before", "1 /dev/sdf before", "1 /dev/xvda before"}, s.contents()[:4])
	assert.Len(t, s.all(), 12)
}

// Whatever call is cut, before or after its effect: the same command again comes
// to the same end, without a volume too many.
func TestACrashAtAnyCallIsGoneOnAfter(t *testing.T) {
	for _, kind := range []fault.Kind{fault.Before, fault.After} {
		for nth := 1; ; nth++ {
			s := newSite(t)
			s.write("before")
			point := s.take(snapshots)
			s.write("after")
			s.faults(fault.Rule{Name: "cut", Nth: nth, Do: kind})
			first := s.restorer().Restore(t.Context(), order(point.ID))
			if first == nil { // there are no more calls
				require.Greater(t, nth, 20)
				break
			}
			s.pass(30 * time.Second)
			require.NoError(t, s.restorer().Restore(t.Context(), order(point.ID)), "%s at call %d", kind, nth)
			assert.Equal(t, restored, s.contents(), "%s at call %d", kind, nth)
		}
	}
}

func TestABackupBecomesANewResource(t *testing.T) {
	s := newSite(t)
	must[*iam.CreateRoleOutput](t)(iam.NewFromConfig(s.config).CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String("backup"), AssumeRolePolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"backup.amazonaws.com"},"Action":"sts:AssumeRole"}]}`)}))
	must[*iam.PutRolePolicyOutput](t)(iam.NewFromConfig(s.config).PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: aws.String("backup"), PolicyName: aws.String("all"), PolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ec2:*","Resource":"*"}]}`)}))
	must[*backup.CreateBackupVaultOutput](t)(backup.NewFromConfig(s.config).CreateBackupVault(t.Context(), &backup.CreateBackupVaultInput{BackupVaultName: aws.String("vault")}))
	s.write("before")
	var data string
	for _, v := range s.all() {
		if *v.Attachments[0].Device == "/dev/sdf" {
			data = *v.VolumeId
		}
	}
	point := s.take(restorepoint.Policy{Kind: ledger.Backup, Vault: "vault", Role: backupRole, Resources: []string{"arn:aws:ec2:us-east-1:123456789012:volume/" + data}})
	require.Equal(t, ledger.PointReady, point.State, point.Because)
	s.write("after")
	require.NoError(t, s.restorer().Restore(t.Context(), order(point.ID)))
	assert.Equal(t, []string{"0 /dev/sdf after", "0 /dev/xvda after", "1 /dev/sdf after", "1 /dev/xvda after", "nowhere before"}, s.contents(), "the old one is left alone")
	assert.Contains(t, s.said[len(s.said)-1], "made arn:aws:ec2:us-east-1:123456789012:volume/vol-")
}

func TestAPlanChangesNothingAndIsAScript(t *testing.T) {
	s := newSite(t)
	s.write("before")
	point := s.take(snapshots)
	plan, err := s.restorer().Plan(t.Context(), operate.Order{Target: fleet})
	require.NoError(t, err)
	assert.Equal(t, point.ID, plan.Point)
	assert.Len(t, plan.Steps, 8)
	assert.Len(t, s.all(), 4)
	assert.Empty(t, s.chain())
	stored, err := s.store.RestorePoint(t.Context(), fleet, point.ID)
	require.NoError(t, err)
	assert.Equal(t, point, stored)

	var b strings.Builder
	require.NoError(t, operate.PrintPlan(&b, plan))
	script := b.String()
	assert.Contains(t, script, "# Restore point "+string(point.ID)+" of asg:fleet: the data at ")
	assert.Contains(t, script, "\n# 3. take "+point.Kept[1].Volume+" off "+s.instances[0]+" (ec2:DetachVolume)\naws ec2 detach-volume --volume-id "+point.Kept[1].Volume)
	assert.Contains(t, script, "pullback restore asg:fleet --point "+string(point.ID)+" --confirm "+string(point.ID))
	for line := range strings.Lines(script) {
		assert.Regexp(t, `^(#|aws |set -e|[A-Z]+_[0-9]+=\$\(aws |\n)`, line)
	}
	require.ErrorContains(t, operate.PrintPlan(full{}, plan), "no space left")
}

func TestWhatCannotBeRestoredIsRefusedAndNothingIsRecorded(t *testing.T) {
	s := newSite(t)
	_, err := s.restorer().Plan(t.Context(), operate.Order{Target: fleet})
	require.ErrorIs(t, err, operate.ErrNoPoint)
	point := s.take(snapshots)
	require.ErrorContains(t, s.restorer().Restore(t.Context(), order("rp-other")), "there is no such restore point: name one with --point: "+string(point.ID)+" (ready)")

	for _, k := range point.Kept {
		must[*ec2.DeleteSnapshotOutput](t)(s.ec2.DeleteSnapshot(t.Context(), &ec2.DeleteSnapshotInput{SnapshotId: &k.Snapshot}))
	}
	err = s.restorer().Restore(t.Context(), order(point.ID))
	require.ErrorIs(t, err, operate.ErrObstacle)
	plan, err := s.restorer().Plan(t.Context(), order(point.ID))
	require.NoError(t, err)
	assert.Equal(t, restorepoint.Name(point.Kept[0])+" was not kept and stays as it is: snapshot "+point.Kept[0].Snapshot+" is gone, or has lost its tag pullback:restore-point", plan.Warnings[0])
	assert.Empty(t, s.chain())
}

// late is a ledger in which somebody else writes the point meanwhile.
type late struct{ *ledgertest.Memory }

func (l late) SaveRestorePoint(ctx context.Context, p ledger.RestorePoint) (ledger.RestorePoint, error) {
	if _, err := l.Memory.SaveRestorePoint(ctx, p); err != nil {
		return p, err
	}
	return l.Memory.SaveRestorePoint(ctx, p)
}

func TestOfTwoHumansAtOnceOneIsRefused(t *testing.T) {
	s := newSite(t)
	s.write("before")
	point := s.take(snapshots)
	r := s.restorer()
	r.Ledger = late{s.store}
	require.ErrorIs(t, r.Restore(t.Context(), order(point.ID)), ledger.ErrFenced)
	assert.Empty(t, s.chain())
	assert.Len(t, s.all(), 4)
}

func TestARestorationThatNeverEndedIsToldOf(t *testing.T) {
	s := newSite(t)
	s.write("before")
	point := s.take(snapshots)
	s.faults(fault.Rule{Name: "cut", Service: "ec2", Operation: "CreateVolume", Nth: 2, Do: fault.Before})
	began := s.now().UTC().Format(time.RFC3339)
	err := s.restorer().Restore(t.Context(), order(point.ID))
	require.ErrorContains(t, err, "step 2 of 8 (make a volume of ")
	require.ErrorContains(t, err, "what was done stays done: the same command within 1h0m0s goes on")
	last := func() string {
		plan, err := s.restorer().Plan(t.Context(), order(point.ID))
		require.NoError(t, err)
		return plan.Warnings[len(plan.Warnings)-1]
	}
	assert.Equal(t, "ana began to restore at "+began+" and has not come to the end; this goes on with it", last())
	s.pass(time.Hour)
	assert.Equal(t, "ana began to restore at "+began+" and has not come to the end; this is another one: look at what it left", last())
}
