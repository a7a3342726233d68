package codedeploy_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	sdk "github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/wire/wiretest"
)

func TestWireMatchesTheSnapshotsOfTheSDK(t *testing.T) {
	t.Parallel()
	wiretest.Snapshots(t, newBench(t).svc.Wire(), "github.com/aws/aws-sdk-go-v2/service/codedeploy")
}

func TestSameSeedGivesTheSameHistory(t *testing.T) {
	t.Parallel()
	history := func() []string {
		b := withGroup(t, onAlarm)
		quietAlarms(b)
		b.hooks["CodeDeployHook_pre"] = cdtypes.LifecycleEventStatusSucceeded
		b.deploy(input(spec()))
		b.advance(time.Minute)
		b.alarms["errors"] = cwtypes.StateValueAlarm
		b.advance(time.Hour)
		return append(b.history, b.payloads...)
	}
	first := history()
	assert.Equal(t, first, history())
	assert.Regexp(t, `^0\.5 d-[A-Z0-9]{9} QUEUED$`, first[0])
}

func TestOtherPlatformsAreRefusedByName(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	got := fails[sdk.CreateApplicationOutput](b, "CreateApplication", &sdk.CreateApplicationInput{ApplicationName: aws.String("a"), ComputePlatform: "Mainframe"})
	assert.Equal(t, "InvalidComputePlatformException: The computePlatform is invalid. The computePlatform should be Lambda, Server, or ECS.", got)
}

func TestApplicationsAndGroupsLiveAndDie(t *testing.T) {
	t.Parallel()
	b := withGroup(t, nil)
	named := &sdk.GetApplicationInput{ApplicationName: aws.String(app)}
	a := do[sdk.GetApplicationOutput](b, "GetApplication", named).Application
	assert.Equal(t, &cdtypes.ApplicationInfo{
		ApplicationId: a.ApplicationId, ApplicationName: aws.String(app), ComputePlatform: cdtypes.ComputePlatformLambda, CreateTime: aws.Time(b.epoch),
	}, a)
	assert.Equal(t, "ApplicationAlreadyExistsException: Application already exists: shop",
		fails[sdk.CreateApplicationOutput](b, "CreateApplication", &sdk.CreateApplicationInput{ApplicationName: aws.String(app), ComputePlatform: "Lambda"}))
	id := b.deploy(input(bare("1", "2")))
	do[sdk.UpdateApplicationOutput](b, "UpdateApplication", &sdk.UpdateApplicationInput{ApplicationName: aws.String(app), NewApplicationName: aws.String("store")})
	do[sdk.UpdateDeploymentGroupOutput](b, "UpdateDeploymentGroup", &sdk.UpdateDeploymentGroupInput{
		ApplicationName: aws.String("store"), CurrentDeploymentGroupName: aws.String(grp), NewDeploymentGroupName: aws.String("till"),
		AlarmConfiguration: watch("errors"),
	})
	assert.Equal(t, "ApplicationDoesNotExistException: No application found for name: shop", fails[sdk.GetApplicationOutput](b, "GetApplication", named))
	assert.Equal(t, []string{"store"}, do[sdk.ListApplicationsOutput](b, "ListApplications", &sdk.ListApplicationsInput{}).Applications)
	assert.Equal(t, []string{"till"}, do[sdk.ListDeploymentGroupsOutput](b, "ListDeploymentGroups",
		&sdk.ListDeploymentGroupsInput{ApplicationName: aws.String("store")}).DeploymentGroups)
	both := do[sdk.BatchGetDeploymentGroupsOutput](b, "BatchGetDeploymentGroups", &sdk.BatchGetDeploymentGroupsInput{
		ApplicationName: aws.String("store"), DeploymentGroupNames: []string{"till"},
	}).DeploymentGroupsInfo
	require.Len(t, both, 1)
	assert.Equal(t, cdtypes.DeploymentGroupInfo{
		ApplicationName: aws.String("store"), ComputePlatform: "Lambda", AlarmConfiguration: watch("errors"),
		DeploymentConfigName: aws.String("CodeDeployDefault.LambdaCanary10Percent5Minutes"),
		DeploymentGroupId:    both[0].DeploymentGroupId, DeploymentGroupName: aws.String("till"), ServiceRoleArn: aws.String(role),
		DeploymentStyle:         &cdtypes.DeploymentStyle{DeploymentType: "BLUE_GREEN", DeploymentOption: "WITH_TRAFFIC_CONTROL"},
		LastAttemptedDeployment: &cdtypes.LastDeploymentInfo{DeploymentId: aws.String(id), Status: "Created", CreateTime: aws.Time(b.epoch)},
	}, both[0])
	assert.Equal(t, "till", *b.get(id).DeploymentGroupName)
	apps := do[sdk.BatchGetApplicationsOutput](b, "BatchGetApplications", &sdk.BatchGetApplicationsInput{ApplicationNames: []string{"store"}}).ApplicationsInfo
	assert.Equal(t, *a.ApplicationId, *apps[0].ApplicationId)
	do[sdk.DeleteDeploymentGroupOutput](b, "DeleteDeploymentGroup", &sdk.DeleteDeploymentGroupInput{
		ApplicationName: aws.String("store"), DeploymentGroupName: aws.String("till"),
	})
	assert.Equal(t, "DeploymentGroupDoesNotExistException: No Deployment Group found for name: till",
		fails[sdk.GetDeploymentGroupOutput](b, "GetDeploymentGroup", &sdk.GetDeploymentGroupInput{
			ApplicationName: aws.String("store"), DeploymentGroupName: aws.String("till"),
		}))
	do[sdk.DeleteApplicationOutput](b, "DeleteApplication", &sdk.DeleteApplicationInput{ApplicationName: aws.String("store")})
	assert.Empty(t, do[sdk.ListApplicationsOutput](b, "ListApplications", &sdk.ListApplicationsInput{}).Applications)
	b.advance(time.Hour)
	assert.Equal(t, cdtypes.DeploymentStatusSucceeded, b.get(id).Status, "a deployment outlives its group")
}

func TestGroupSettingsAreChecked(t *testing.T) {
	t.Parallel()
	b := withGroup(t, nil)
	long := strings.Repeat("x", 256)
	for want, change := range map[string]func(*sdk.CreateDeploymentGroupInput){
		"ApplicationNameRequiredException":      func(in *sdk.CreateDeploymentGroupInput) { in.ApplicationName = nil },
		"InvalidApplicationNameException":       func(in *sdk.CreateDeploymentGroupInput) { in.ApplicationName = &long },
		"ApplicationDoesNotExistException":      func(in *sdk.CreateDeploymentGroupInput) { in.ApplicationName = aws.String("other") },
		"DeploymentGroupNameRequiredException":  func(in *sdk.CreateDeploymentGroupInput) { in.DeploymentGroupName = nil },
		"InvalidDeploymentGroupNameException":   func(in *sdk.CreateDeploymentGroupInput) { in.DeploymentGroupName = &long },
		"DeploymentGroupAlreadyExistsException": func(in *sdk.CreateDeploymentGroupInput) { in.DeploymentGroupName = aws.String(grp) },
		"RoleRequiredException":                 func(in *sdk.CreateDeploymentGroupInput) { in.ServiceRoleArn = nil },
		"InvalidRoleException":                  func(in *sdk.CreateDeploymentGroupInput) { in.ServiceRoleArn = aws.String("deployer") },
		"InvalidTagsToAddException":             func(in *sdk.CreateDeploymentGroupInput) { in.Tags = []cdtypes.Tag{{}} },
		"DeploymentConfigDoesNotExistException": func(in *sdk.CreateDeploymentGroupInput) { in.DeploymentConfigName = aws.String("none") },
		"InvalidDeploymentConfigNameException: Dep": func(in *sdk.CreateDeploymentGroupInput) {
			in.DeploymentConfigName = aws.String("CodeDeployDefault.OneAtATime")
		},
		"InvalidDeploymentConfigNameException: The": func(in *sdk.CreateDeploymentGroupInput) { in.DeploymentConfigName = &long },
		"InvalidDeploymentStyleException": func(in *sdk.CreateDeploymentGroupInput) {
			in.DeploymentStyle = &cdtypes.DeploymentStyle{DeploymentType: "IN_PLACE"}
		},
		"two alarms with the same name":        func(in *sdk.CreateDeploymentGroupInput) { in.AlarmConfiguration = watch("a", "a") },
		"the alarm name is empty":              func(in *sdk.CreateDeploymentGroupInput) { in.AlarmConfiguration = watch(long) },
		"the alarm list is empty":              func(in *sdk.CreateDeploymentGroupInput) { in.AlarmConfiguration = watch() },
		"has an invalid event type":            func(in *sdk.CreateDeploymentGroupInput) { in.AutoRollbackConfiguration = rollbackOn("SOMETIMES") },
		"no event types were listed":           func(in *sdk.CreateDeploymentGroupInput) { in.AutoRollbackConfiguration = rollbackOn() },
		"InvalidTriggerConfigException":        func(in *sdk.CreateDeploymentGroupInput) { in.TriggerConfigurations = []cdtypes.TriggerConfig{{}} },
		"TriggerTargetsLimitExceededException": func(in *sdk.CreateDeploymentGroupInput) { in.TriggerConfigurations = make([]cdtypes.TriggerConfig, 11) },
		"InvalidInputException: Deployments of compute platform Lambda do not have: autoScalingGroups, ecsServices": func(in *sdk.CreateDeploymentGroupInput) {
			in.AutoScalingGroups, in.EcsServices = []string{"g"}, []cdtypes.ECSService{{}}
		},
	} {
		in := &sdk.CreateDeploymentGroupInput{ApplicationName: aws.String(app), DeploymentGroupName: aws.String("new"), ServiceRoleArn: aws.String(role)}
		change(in)
		assert.Contains(t, fails[sdk.CreateDeploymentGroupOutput](b, "CreateDeploymentGroup", in), want)
	}
	assert.Equal(t, []string{grp}, do[sdk.ListDeploymentGroupsOutput](b, "ListDeploymentGroups",
		&sdk.ListDeploymentGroupsInput{ApplicationName: aws.String(app)}).DeploymentGroups)
}

func TestTagsOfApplicationsAndGroups(t *testing.T) {
	t.Parallel()
	b := withGroup(t, func(in *sdk.CreateDeploymentGroupInput) {
		in.Tags = []cdtypes.Tag{{Key: aws.String("team"), Value: aws.String("blue")}}
	})
	arn := aws.String("arn:aws:codedeploy:us-east-1:123456789012:deploymentgroup:shop/checkout")
	do[sdk.TagResourceOutput](b, "TagResource", &sdk.TagResourceInput{ResourceArn: arn, Tags: []cdtypes.Tag{
		{Key: aws.String("pullback:enabled"), Value: aws.String("true")}, {Key: aws.String("team"), Value: aws.String("green")},
	}})
	tags := func() []cdtypes.Tag {
		return do[sdk.ListTagsForResourceOutput](b, "ListTagsForResource", &sdk.ListTagsForResourceInput{ResourceArn: arn}).Tags
	}
	assert.Equal(t, []cdtypes.Tag{
		{Key: aws.String("pullback:enabled"), Value: aws.String("true")}, {Key: aws.String("team"), Value: aws.String("green")},
	}, tags())
	do[sdk.UntagResourceOutput](b, "UntagResource", &sdk.UntagResourceInput{ResourceArn: arn, TagKeys: []string{"team"}})
	assert.Len(t, tags(), 1)
	for arn, want := range map[string]string{
		"":    "ResourceArnRequiredException",
		"arn": "InvalidArnException",
		"arn:aws:codedeploy:us-east-1:123456789012:application:other":          "ApplicationDoesNotExistException: No application found for name: other",
		"arn:aws:codedeploy:us-east-1:123456789012:deploymentgroup:shop/other": "DeploymentGroupDoesNotExistException: No Deployment Group found for name: other",
		"arn:aws:codedeploy:us-east-1:123456789012:deploymentconfig:x":         "ArnNotSupportedException",
	} {
		got := fails[sdk.ListTagsForResourceOutput](b, "ListTagsForResource", &sdk.ListTagsForResourceInput{ResourceArn: aws.String(arn)})
		assert.Contains(t, got, want)
	}
}
