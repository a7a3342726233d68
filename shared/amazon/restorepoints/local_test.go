package restorepoints_test

import (
	"archive/zip"
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/backup"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/require"

	localec2 "github.com/pullback-dev/pullback/internal/localaws/ec2"
	"github.com/pullback-dev/pullback/internal/localaws/fault"
	"github.com/pullback-dev/pullback/internal/localaws/host"
	"github.com/pullback-dev/pullback/internal/localaws/sdkhttp"
	"github.com/pullback-dev/pullback/internal/localaws/world"
	"github.com/pullback-dev/pullback/shared/amazon/restorepoints"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger/ledgertest"
	"github.com/pullback-dev/pullback/shared/restorepoint/taker"
)

var servers = deploy.Target{Application: "shop", Group: "servers"}

const backupRole = "arn:aws:iam::123456789012:role/backup"

// site is a local AWS with two instances of two volumes each, on which a
// deployment is under way, and a taker with its ledger.
type site struct {
	t          *testing.T
	local      *host.AWS
	config     aws.Config
	ec2        *ec2.Client
	store      *ledgertest.Memory
	taker      *taker.Taker
	instances  []string // in the order of CodeDeploy
	deployment deploy.Deployment
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
	s.taker = taker.New(s.store, s.keeper(), s.now)
	for range 2 {
		s.instances = append(s.instances, s.run("web"))
	}
	s.pass(time.Minute)
	s.roles()
	s.deploy()
	return s
}

func (s *site) keeper() *restorepoints.Keeper {
	return restorepoints.NewKeeper(codedeploy.NewFromConfig(s.config), autoscaling.NewFromConfig(s.config), s.ec2, backup.NewFromConfig(s.config), "123456789012", "us-east-1")
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

func dataVolume() []ec2types.BlockDeviceMapping {
	return []ec2types.BlockDeviceMapping{{DeviceName: aws.String("/dev/sdf"), Ebs: &ec2types.EbsBlockDevice{
		VolumeSize: aws.Int32(20), VolumeType: ec2types.VolumeTypeGp3, Iops: aws.Int32(4000), Throughput: aws.Int32(200),
	}}}
}

func (s *site) run(name string) string {
	s.t.Helper()
	out := must[*ec2.RunInstancesOutput](s.t)(s.ec2.RunInstances(s.t.Context(), &ec2.RunInstancesInput{
		ImageId: aws.String("ami-0123456789abcdef0"), InstanceType: ec2types.InstanceTypeT3Micro, MinCount: aws.Int32(1), MaxCount: aws.Int32(1),
		BlockDeviceMappings: dataVolume(), TagSpecifications: []ec2types.TagSpecification{{ResourceType: ec2types.ResourceTypeInstance, Tags: []ec2types.Tag{
			{Key: aws.String("Name"), Value: &name},
		}}},
	}))
	return *out.Instances[0].InstanceId
}

func (s *site) roles() {
	s.t.Helper()
	c := iam.NewFromConfig(s.config)
	for name, service := range map[string]string{"backup": "backup", "deployer": "codedeploy"} {
		must[*iam.CreateRoleOutput](s.t)(c.CreateRole(s.t.Context(), &iam.CreateRoleInput{RoleName: aws.String(name), AssumeRolePolicyDocument: aws.String(
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"` + service + `.amazonaws.com"},"Action":"sts:AssumeRole"}]}`)}))
		must[*iam.PutRolePolicyOutput](s.t)(c.PutRolePolicy(s.t.Context(), &iam.PutRolePolicyInput{RoleName: aws.String(name), PolicyName: aws.String("all"), PolicyDocument: aws.String(
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ec2:*","autoscaling:*","s3:*"],"Resource":"*"}]}`)}))
	}
}

// deploy begins a deployment to the instances, whose agents never answer.
func (s *site) deploy() {
	s.t.Helper()
	c, store := codedeploy.NewFromConfig(s.config), s3.NewFromConfig(s.config, func(o *s3.Options) { o.UsePathStyle = true })
	must[*s3.CreateBucketOutput](s.t)(store.CreateBucket(s.t.Context(), &s3.CreateBucketInput{Bucket: aws.String("releases")}))
	var b bytes.Buffer
	require.NoError(s.t, zip.NewWriter(&b).Close())
	must[*s3.PutObjectOutput](s.t)(store.PutObject(s.t.Context(), &s3.PutObjectInput{Bucket: aws.String("releases"), Key: aws.String("2.zip"), Body: bytes.NewReader(b.Bytes())}))
	must[*codedeploy.CreateApplicationOutput](s.t)(c.CreateApplication(s.t.Context(), &codedeploy.CreateApplicationInput{
		ApplicationName: &servers.Application, ComputePlatform: cdtypes.ComputePlatformServer,
	}))
	must[*codedeploy.CreateDeploymentGroupOutput](s.t)(c.CreateDeploymentGroup(s.t.Context(), &codedeploy.CreateDeploymentGroupInput{
		ApplicationName: &servers.Application, DeploymentGroupName: &servers.Group, ServiceRoleArn: aws.String("arn:aws:iam::123456789012:role/deployer"),
		Ec2TagFilters: []cdtypes.EC2TagFilter{{Key: aws.String("Name"), Value: aws.String("web"), Type: cdtypes.EC2TagFilterTypeKeyAndValue}},
	}))
	out := must[*codedeploy.CreateDeploymentOutput](s.t)(c.CreateDeployment(s.t.Context(), &codedeploy.CreateDeploymentInput{
		ApplicationName: &servers.Application, DeploymentGroupName: &servers.Group, Revision: &cdtypes.RevisionLocation{
			RevisionType: cdtypes.RevisionLocationTypeS3, S3Location: &cdtypes.S3Location{Bucket: aws.String("releases"), Key: aws.String("2.zip"), BundleType: cdtypes.BundleTypeZip},
		},
	}))
	s.deployment = deploy.Deployment{ID: deploy.ID(*out.DeploymentId), Target: servers, Platform: deploy.OnServer, Status: deploy.InProgress, Creator: "user"}
	s.pass(5 * time.Second)
	listed := must[*codedeploy.ListDeploymentTargetsOutput](s.t)(c.ListDeploymentTargets(s.t.Context(), &codedeploy.ListDeploymentTargetsInput{DeploymentId: out.DeploymentId}))
	require.ElementsMatch(s.t, s.instances, listed.TargetIds)
	s.instances = listed.TargetIds
}

// replace begins a deployment that replaces the instances by those of another name.
func (s *site) replace(name string) deploy.Deployment {
	s.t.Helper()
	c, target := codedeploy.NewFromConfig(s.config), deploy.Target{Application: servers.Application, Group: "green"}
	filter := func(name string) []cdtypes.EC2TagFilter {
		return []cdtypes.EC2TagFilter{{Key: aws.String("Name"), Value: &name, Type: cdtypes.EC2TagFilterTypeKeyAndValue}}
	}
	must[*codedeploy.CreateDeploymentGroupOutput](s.t)(c.CreateDeploymentGroup(s.t.Context(), &codedeploy.CreateDeploymentGroupInput{
		ApplicationName: &target.Application, DeploymentGroupName: &target.Group, ServiceRoleArn: aws.String("arn:aws:iam::123456789012:role/deployer"),
		Ec2TagFilters: filter("web"), DeploymentConfigName: aws.String("CodeDeployDefault.AllAtOnce"),
		DeploymentStyle:  &cdtypes.DeploymentStyle{DeploymentType: cdtypes.DeploymentTypeBlueGreen, DeploymentOption: cdtypes.DeploymentOptionWithTrafficControl},
		LoadBalancerInfo: &cdtypes.LoadBalancerInfo{TargetGroupInfoList: []cdtypes.TargetGroupInfo{{Name: aws.String("web")}}},
		BlueGreenDeploymentConfiguration: &cdtypes.BlueGreenDeploymentConfiguration{
			GreenFleetProvisioningOption: &cdtypes.GreenFleetProvisioningOption{Action: cdtypes.GreenFleetProvisioningActionDiscoverExisting},
		},
	}))
	out := must[*codedeploy.CreateDeploymentOutput](s.t)(c.CreateDeployment(s.t.Context(), &codedeploy.CreateDeploymentInput{
		ApplicationName: &target.Application, DeploymentGroupName: &target.Group, TargetInstances: &cdtypes.TargetInstances{TagFilters: filter(name)},
		Revision: &cdtypes.RevisionLocation{
			RevisionType: cdtypes.RevisionLocationTypeS3, S3Location: &cdtypes.S3Location{Bucket: aws.String("releases"), Key: aws.String("2.zip"), BundleType: cdtypes.BundleTypeZip},
		},
	}))
	s.pass(5 * time.Second)
	return deploy.Deployment{ID: deploy.ID(*out.DeploymentId), Target: target, Platform: deploy.OnServer, Status: deploy.InProgress, Creator: "user"}
}

// fleet makes an Auto Scaling group of two instances.
func (s *site) fleet() []string {
	s.t.Helper()
	c := autoscaling.NewFromConfig(s.config)
	template := must[*ec2.CreateLaunchTemplateOutput](s.t)(s.ec2.CreateLaunchTemplate(s.t.Context(), &ec2.CreateLaunchTemplateInput{
		LaunchTemplateName: aws.String("fleet"), LaunchTemplateData: &ec2types.RequestLaunchTemplateData{ImageId: aws.String("ami-0123456789abcdef0"), InstanceType: ec2types.InstanceTypeT3Micro},
	}))
	must[*autoscaling.CreateAutoScalingGroupOutput](s.t)(c.CreateAutoScalingGroup(s.t.Context(), &autoscaling.CreateAutoScalingGroupInput{
		AutoScalingGroupName: aws.String("fleet"), MinSize: aws.Int32(2), MaxSize: aws.Int32(2), AvailabilityZones: []string{"us-east-1a"},
		LaunchTemplate: &astypes.LaunchTemplateSpecification{LaunchTemplateId: template.LaunchTemplate.LaunchTemplateId, Version: aws.String("1")},
	}))
	s.pass(3 * time.Minute)
	out := must[*autoscaling.DescribeAutoScalingGroupsOutput](s.t)(c.DescribeAutoScalingGroups(s.t.Context(), &autoscaling.DescribeAutoScalingGroupsInput{}))
	var ids []string
	for _, i := range out.AutoScalingGroups[0].Instances {
		ids = append(ids, *i.InstanceId)
	}
	return ids
}

// volumesOf are an instance's volumes, the root volume first.
func (s *site) volumesOf(instance string) []ec2types.Volume {
	s.t.Helper()
	out := must[*ec2.DescribeVolumesOutput](s.t)(s.ec2.DescribeVolumes(s.t.Context(), &ec2.DescribeVolumesInput{
		Filters: []ec2types.Filter{{Name: aws.String("attachment.instance-id"), Values: []string{instance}}},
	}))
	isRoot := func(v ec2types.Volume) bool { return *v.Attachments[0].Device == "/dev/xvda" }
	roots := slices.DeleteFunc(slices.Clone(out.Volumes), func(v ec2types.Volume) bool { return !isRoot(v) })
	return append(roots, slices.DeleteFunc(out.Volumes, isRoot)...)
}

// snapshots are all that there are, by volume.
func (s *site) snapshots() map[string][]ec2types.Snapshot {
	s.t.Helper()
	out := must[*ec2.DescribeSnapshotsOutput](s.t)(s.ec2.DescribeSnapshots(s.t.Context(), &ec2.DescribeSnapshotsInput{OwnerIds: []string{"self"}}))
	all := map[string][]ec2types.Snapshot{}
	for _, n := range out.Snapshots {
		all[*n.VolumeId] = append(all[*n.VolumeId], n)
	}
	return all
}

// spoil lets the snapshots of a volume fail.
func (s *site) spoil(volume string) {
	s.t.Helper()
	must[*ec2.CreateTagsOutput](s.t)(s.ec2.CreateTags(s.t.Context(), &ec2.CreateTagsInput{
		Resources: []string{volume}, Tags: []ec2types.Tag{{Key: aws.String(localec2.HealthTag), Value: aws.String(localec2.Failing)}},
	}))
}

// faults puts faults in force.
func (s *site) faults(rules ...fault.Rule) {
	s.t.Helper()
	s.local.World.Lock()
	defer s.local.World.Unlock()
	require.NoError(s.t, s.local.Faults.Add(rules...))
}
