package codedeploy_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestOnPremisesInstancesAreRegisteredAndTagged(t *testing.T) {
	t.Parallel()
	b := newServerBench(t)
	user := "arn:aws:iam::123456789012:user/rack-1"
	session := "arn:aws:sts::123456789012:assumed-role/rack/rack-2"
	register := func(name, user, session string) *sdk.RegisterOnPremisesInstanceInput {
		in := &sdk.RegisterOnPremisesInstanceInput{InstanceName: aws.String(name)}
		if user != "" {
			in.IamUserArn = aws.String(user)
		}
		if session != "" {
			in.IamSessionArn = aws.String(session)
		}
		return in
	}
	do[sdk.RegisterOnPremisesInstanceOutput](b.bench, "RegisterOnPremisesInstance", register("rack-1", user, ""))
	do[sdk.RegisterOnPremisesInstanceOutput](b.bench, "RegisterOnPremisesInstance", register("rack-2", "", session))
	for want, in := range map[string]*sdk.RegisterOnPremisesInstanceInput{
		"InstanceNameRequiredException":           register("", user, ""),
		"InvalidInstanceNameException":            register("i-12345678", user, ""),
		"InstanceNameAlreadyRegisteredException":  register("rack-1", user+"x", ""),
		"IamArnRequiredException":                 register("rack-3", "", ""),
		"MultipleIamArnsProvidedException":        register("rack-3", user, session),
		"InvalidIamUserArnException":              register("rack-3", session, ""),
		"InvalidIamSessionArnException":           register("rack-3", "", user),
		"IamUserArnAlreadyRegisteredException":    register("rack-3", user, ""),
		"IamSessionArnAlreadyRegisteredException": register("rack-3", "", session),
	} {
		assert.Contains(t, fails[sdk.RegisterOnPremisesInstanceOutput](b.bench, "RegisterOnPremisesInstance", in), want)
	}
	tags := []cdtypes.Tag{{Key: aws.String("Name"), Value: aws.String("CodeDeployDemo-OnPrem")}}
	add := &sdk.AddTagsToOnPremisesInstancesInput{InstanceNames: []string{"rack-1", "rack-2"}, Tags: tags}
	do[sdk.AddTagsToOnPremisesInstancesOutput](b.bench, "AddTagsToOnPremisesInstances", add)
	get := func(name string) *cdtypes.InstanceInfo {
		return do[sdk.GetOnPremisesInstanceOutput](b.bench, "GetOnPremisesInstance", &sdk.GetOnPremisesInstanceInput{InstanceName: aws.String(name)}).InstanceInfo
	}
	info := get("rack-1")
	assert.Regexp(t, `^arn:aws:codedeploy:us-east-1:123456789012:instance/rack-1_[a-z0-9]{10}$`, *info.InstanceArn)
	assert.Equal(t, &cdtypes.InstanceInfo{
		InstanceName: aws.String("rack-1"), InstanceArn: info.InstanceArn, IamUserArn: aws.String(user), RegisterTime: aws.Time(b.epoch), Tags: tags,
	}, info)
	list := func(in *sdk.ListOnPremisesInstancesInput) []string {
		return do[sdk.ListOnPremisesInstancesOutput](b.bench, "ListOnPremisesInstances", in).InstanceNames
	}
	b.advance(time.Minute)
	do[sdk.DeregisterOnPremisesInstanceOutput](b.bench, "DeregisterOnPremisesInstance", &sdk.DeregisterOnPremisesInstanceInput{InstanceName: aws.String("rack-2")})
	do[sdk.DeregisterOnPremisesInstanceOutput](b.bench, "DeregisterOnPremisesInstance", &sdk.DeregisterOnPremisesInstanceInput{InstanceName: aws.String("nobody")})
	assert.Equal(t, aws.Time(b.epoch.Add(time.Minute)), get("rack-2").DeregisterTime)
	assert.Equal(t, []string{"rack-1", "rack-2"}, list(&sdk.ListOnPremisesInstancesInput{}))
	assert.Equal(t, []string{"rack-1"}, list(&sdk.ListOnPremisesInstancesInput{RegistrationStatus: "Registered"}))
	assert.Equal(t, []string{"rack-2"}, list(&sdk.ListOnPremisesInstancesInput{RegistrationStatus: "Deregistered", TagFilters: []cdtypes.TagFilter{{Key: aws.String("Name")}}}))
	assert.Empty(t, list(&sdk.ListOnPremisesInstancesInput{TagFilters: []cdtypes.TagFilter{{Value: aws.String("other"), Type: "VALUE_ONLY"}}}))
	remove := &sdk.RemoveTagsFromOnPremisesInstancesInput{InstanceNames: []string{"rack-1"}, Tags: []cdtypes.Tag{{Key: aws.String("Name"), Value: aws.String("other")}}}
	do[sdk.RemoveTagsFromOnPremisesInstancesOutput](b.bench, "RemoveTagsFromOnPremisesInstances", remove)
	assert.Len(t, get("rack-1").Tags, 1, "the value must be the same")
	remove.Tags = tags
	do[sdk.RemoveTagsFromOnPremisesInstancesOutput](b.bench, "RemoveTagsFromOnPremisesInstances", remove)
	assert.Empty(t, get("rack-1").Tags)
	both := do[sdk.BatchGetOnPremisesInstancesOutput](b.bench, "BatchGetOnPremisesInstances", &sdk.BatchGetOnPremisesInstancesInput{InstanceNames: []string{"rack-2", "nobody", "rack-1"}})
	assert.Equal(t, []cdtypes.InstanceInfo{*get("rack-2"), *get("rack-1")}, both.InstanceInfos)
	do[sdk.RegisterOnPremisesInstanceOutput](b.bench, "RegisterOnPremisesInstance", register("rack-2", "", session))
}

func TestOnPremisesRequestsAreChecked(t *testing.T) {
	t.Parallel()
	b := newServerBench(t)
	b.rack("rack-1", "cellar")
	many := make([]cdtypes.Tag, 10)
	for i := range many {
		many[i] = cdtypes.Tag{Key: aws.String(string(rune('a' + i)))}
	}
	tag := []cdtypes.Tag{{Key: aws.String("a")}}
	for want, in := range map[string]*sdk.AddTagsToOnPremisesInstancesInput{
		"InstanceNameRequiredException":  {Tags: tag},
		"InstanceLimitExceededException": {InstanceNames: slices.Repeat([]string{"rack-1"}, 101), Tags: tag},
		"TagRequiredException":           {InstanceNames: []string{"rack-1"}},
		"InvalidTagException":            {InstanceNames: []string{"rack-1"}, Tags: []cdtypes.Tag{{}}},
		"InstanceNotRegisteredException": {InstanceNames: []string{"rack-1", "nobody"}, Tags: tag},
		"TagLimitExceededException":      {InstanceNames: []string{"rack-1"}, Tags: many},
		"InvalidInstanceNameException":   {InstanceNames: []string{strings.Repeat("x", 101)}, Tags: tag},
	} {
		assert.Contains(t, fails[sdk.AddTagsToOnPremisesInstancesOutput](b.bench, "AddTagsToOnPremisesInstances", in), want)
	}
	assert.Contains(t, fails[sdk.GetOnPremisesInstanceOutput](b.bench, "GetOnPremisesInstance", &sdk.GetOnPremisesInstanceInput{InstanceName: aws.String("x")}), "InstanceNotRegisteredException")
	assert.Contains(t, fails[sdk.BatchGetOnPremisesInstancesOutput](b.bench, "BatchGetOnPremisesInstances",
		&sdk.BatchGetOnPremisesInstancesInput{InstanceNames: make([]string, 26)}), "BatchLimitExceededException")
	assert.Contains(t, fails[sdk.ListOnPremisesInstancesOutput](b.bench, "ListOnPremisesInstances", &sdk.ListOnPremisesInstancesInput{RegistrationStatus: "Lost"}), "InvalidRegistrationStatusException")
	assert.Contains(t, fails[sdk.ListOnPremisesInstancesOutput](b.bench, "ListOnPremisesInstances",
		&sdk.ListOnPremisesInstancesInput{TagFilters: []cdtypes.TagFilter{{Type: "KEY_ONLY"}}}), "InvalidTagFilterException")
}

//nolint:staticcheck // deprecated, and still accepted
func TestDeprecatedOperationsOfInstances(t *testing.T) {
	t.Parallel()
	b := newServerBench(t)
	ids := b.fleet(2)
	b.group(func(in *sdk.CreateDeploymentGroupInput) {
		in.DeploymentConfigName = aws.String("CodeDeployDefault.AllAtOnce")
	})
	id := aws.String(b.deploy(of(b.upload("one", site("one", "")))))
	list := func(in *sdk.ListDeploymentInstancesInput) []string {
		in.DeploymentId = id
		return do[sdk.ListDeploymentInstancesOutput](b.bench, "ListDeploymentInstances", in).InstancesList
	}
	assert.Contains(t, fails[sdk.ListDeploymentInstancesOutput](b.bench, "ListDeploymentInstances", &sdk.ListDeploymentInstancesInput{DeploymentId: id}), "DeploymentNotStartedException")
	b.advance(time.Minute)
	assert.Equal(t, ids, list(&sdk.ListDeploymentInstancesInput{}))
	assert.Equal(t, ids, list(&sdk.ListDeploymentInstancesInput{InstanceStatusFilter: []cdtypes.InstanceStatus{"Succeeded"}}))
	assert.Empty(t, list(&sdk.ListDeploymentInstancesInput{InstanceStatusFilter: []cdtypes.InstanceStatus{"Failed"}}))
	get := &sdk.GetDeploymentInstanceInput{DeploymentId: id, InstanceId: aws.String(ids[0])}
	summary := do[sdk.GetDeploymentInstanceOutput](b.bench, "GetDeploymentInstance", get).InstanceSummary
	assert.Equal(t, installed, events(summary.LifecycleEvents))
	target := b.instance(*id, ids[0])
	assert.Equal(t, &cdtypes.InstanceSummary{
		DeploymentId: id, InstanceId: aws.String("arn:aws:ec2:us-east-1:123456789012:instance/i-0000000a"), Status: "Succeeded",
		LastUpdatedAt: target.LastUpdatedAt, LifecycleEvents: target.LifecycleEvents,
	}, summary)
	batch := do[sdk.BatchGetDeploymentInstancesOutput](b.bench, "BatchGetDeploymentInstances", &sdk.BatchGetDeploymentInstancesInput{DeploymentId: id, InstanceIds: []string{*summary.InstanceId, "i-none"}})
	assert.Equal(t, []cdtypes.InstanceSummary{*summary}, batch.InstancesSummary)
	assert.Contains(t, *batch.ErrorMessage, "i-none")
	for want, in := range map[string]*sdk.ListDeploymentInstancesInput{
		"InvalidInstanceStatusException":         {DeploymentId: id, InstanceStatusFilter: []cdtypes.InstanceStatus{"Great"}},
		"InvalidDeploymentInstanceTypeException": {DeploymentId: id, InstanceTypeFilter: []cdtypes.InstanceType{"Blue"}},
	} {
		assert.Contains(t, fails[sdk.ListDeploymentInstancesOutput](b.bench, "ListDeploymentInstances", in), want)
	}
	get.InstanceId = nil
	assert.Contains(t, fails[sdk.GetDeploymentInstanceOutput](b.bench, "GetDeploymentInstance", get), "InstanceIdRequiredException")
	get.InstanceId = aws.String("i-none")
	assert.Contains(t, fails[sdk.GetDeploymentInstanceOutput](b.bench, "GetDeploymentInstance", get), "InstanceDoesNotExistException")
	assert.Contains(t, fails[sdk.BatchGetDeploymentInstancesOutput](b.bench, "BatchGetDeploymentInstances", &sdk.BatchGetDeploymentInstancesInput{DeploymentId: id}), "InstanceIdRequiredException")
}

func TestTargetFiltersAreChecked(t *testing.T) {
	t.Parallel()
	b := newServerBench(t)
	b.fleet(1)
	b.group(nil)
	id := aws.String(b.deploy(of(b.upload("one", site("one", "")))))
	b.advance(time.Minute)
	for want, filters := range map[string]map[string][]string{
		"InvalidInstanceStatusException":         {"TargetStatus": {"Great"}},
		"InvalidDeploymentInstanceTypeException": {"ServerInstanceLabel": {"Blue"}},
		"InvalidTargetFilterNameException":       {"Colour": {"Blue"}},
	} {
		assert.Contains(t, fails[sdk.ListDeploymentTargetsOutput](b.bench, "ListDeploymentTargets",
			&sdk.ListDeploymentTargetsInput{DeploymentId: id, TargetFilters: filters}), want)
	}
}

func TestInstancesAreToldOnTheBusAndByTriggers(t *testing.T) {
	t.Parallel()
	b := newServerBench(t)
	b.fleet(1)
	b.group(func(in *sdk.CreateDeploymentGroupInput) {
		in.TriggerConfigurations = []cdtypes.TriggerConfig{{TriggerName: aws.String("instances"), TriggerTargetArn: aws.String(topic), TriggerEvents: []cdtypes.TriggerEventType{
			cdtypes.TriggerEventTypeInstanceStart, cdtypes.TriggerEventTypeInstanceFailure, cdtypes.TriggerEventTypeDeploymentFailure,
		}}}
	})
	id := b.deploy(of(b.upload("one", site("one", hookOf("BeforeInstall", "bad.sh")))))
	b.advance(time.Minute)
	group := do[sdk.GetDeploymentGroupOutput](b.bench, "GetDeploymentGroup", &sdk.GetDeploymentGroupInput{ApplicationName: aws.String(app), DeploymentGroupName: aws.String(grp)}).DeploymentGroupInfo
	assert.Equal(t, map[string]any{
		"source": "aws.codedeploy", "detail-type": "CodeDeploy Instance State-change Notification", "time": "4s", "principal": "codedeploy.amazonaws.com",
		"resources": []string{
			"arn:aws:ec2:us-east-1:123456789012:instance/i-0000000a",
			"arn:aws:codedeploy:us-east-1:123456789012:deploymentgroup:shop/checkout",
			"arn:aws:codedeploy:us-east-1:123456789012:application:shop",
		},
		"detail": map[string]any{
			"instanceId": "i-0000000a", "region": "us-east-1", "state": "FAILURE", "application": "shop", "deploymentId": id,
			"instanceGroupId": *group.DeploymentGroupId, "deploymentGroup": "checkout",
		},
	}, b.events[3])
	require.Len(t, b.messages, 3)
	subject, text, _ := strings.Cut(b.messages[1], "\n")
	assert.Equal(t, "Failed: AWS CodeDeploy "+id+" in us-east-1 to i-0000000a", subject)
	var message map[string]any
	require.NoError(t, json.Unmarshal([]byte(text), &message))
	lifecycle, _ := message["lifecycleEvents"].([]any)
	delete(message, "lifecycleEvents")
	assert.Equal(t, map[string]any{
		"region": "us-east-1", "accountId": "123456789012", "eventTriggerName": "instances", "deploymentId": id,
		"instanceId": "arn:aws:ec2:us-east-1:123456789012:instance/i-0000000a", "lastUpdatedAt": "1767603604.000", "instanceStatus": "Failed",
	}, message)
	require.Len(t, lifecycle, 7)
	assert.Equal(t, map[string]any{
		"LifecycleEvent": "BeforeInstall", "LifecycleEventStatus": "Failed", "StartTime": "1767603603.000", "EndTime": "1767603604.000",
	}, lifecycle[2])
	assert.Contains(t, b.messages[2], `"deploymentOverview":{"Failed":"1","InProgress":"0","Pending":"0","Skipped":"0","Succeeded":"0"}`)
}

func TestSettingsOfServerGroupsAreChecked(t *testing.T) {
	t.Parallel()
	b := newServerBench(t)
	for want, change := range map[string]func(*sdk.CreateDeploymentGroupInput){
		"InvalidEC2TagException": func(in *sdk.CreateDeploymentGroupInput) {
			in.Ec2TagFilters = []cdtypes.EC2TagFilter{{Type: "KEY_ONLY"}}
		},
		"InvalidTagException":               func(in *sdk.CreateDeploymentGroupInput) { in.OnPremisesInstanceTagFilters = []cdtypes.TagFilter{{}} },
		"InvalidEC2TagCombinationException": func(in *sdk.CreateDeploymentGroupInput) { in.Ec2TagSet = &cdtypes.EC2TagSet{} },
		"InvalidOnPremisesTagCombinationException": func(in *sdk.CreateDeploymentGroupInput) {
			in.OnPremisesInstanceTagFilters, in.OnPremisesTagSet = []cdtypes.TagFilter{{Key: aws.String("k")}}, &cdtypes.OnPremisesTagSet{}
		},
		"TagSetListLimitExceededException": func(in *sdk.CreateDeploymentGroupInput) {
			in.Ec2TagFilters, in.Ec2TagSet = nil, &cdtypes.EC2TagSet{Ec2TagSetList: slices.Repeat([][]cdtypes.EC2TagFilter{tagged("a", "b")}, 4)}
		},
		"InvalidAutoScalingGroupException": func(in *sdk.CreateDeploymentGroupInput) { in.AutoScalingGroups = []string{"none"} },
		"InvalidLoadBalancerInfoException": func(in *sdk.CreateDeploymentGroupInput) { in.LoadBalancerInfo = &cdtypes.LoadBalancerInfo{} },
		"has no Classic Load Balancers": func(in *sdk.CreateDeploymentGroupInput) {
			in.LoadBalancerInfo = &cdtypes.LoadBalancerInfo{ElbInfoList: []cdtypes.ELBInfo{{}}}
		},
		"InvalidDeploymentStyleException": func(in *sdk.CreateDeploymentGroupInput) {
			in.DeploymentStyle = &cdtypes.DeploymentStyle{DeploymentType: "ROLLING"}
		},
		"do not have: ecsServices":       func(in *sdk.CreateDeploymentGroupInput) { in.EcsServices = []cdtypes.ECSService{{}} },
		"outdated instances strategy":    func(in *sdk.CreateDeploymentGroupInput) { in.OutdatedInstancesStrategy = "SOMETIMES" },
		"has no termination deployments": func(in *sdk.CreateDeploymentGroupInput) { in.TerminationHookEnabled = aws.Bool(true) },
		"InvalidBlueGreenDeploymentConfigur": func(in *sdk.CreateDeploymentGroupInput) {
			in.BlueGreenDeploymentConfiguration = &cdtypes.BlueGreenDeploymentConfiguration{
				TerminateBlueInstancesOnDeploymentSuccess: &cdtypes.BlueInstanceTerminationOption{TerminationWaitTimeInMinutes: 2881},
			}
		},
		"is for compute platform Lambda": func(in *sdk.CreateDeploymentGroupInput) {
			in.DeploymentConfigName = aws.String("CodeDeployDefault.LambdaAllAtOnce")
		},
	} {
		in := &sdk.CreateDeploymentGroupInput{
			ApplicationName: aws.String(app), DeploymentGroupName: aws.String("new"), ServiceRoleArn: aws.String(role), Ec2TagFilters: tagged("role", "web"),
		}
		change(in)
		assert.Contains(t, fails[sdk.CreateDeploymentGroupOutput](b.bench, "CreateDeploymentGroup", in), want)
	}
}

func TestServerConfigurationsAndDeploymentsAreChecked(t *testing.T) {
	t.Parallel()
	b := newServerBench(t)
	b.group(nil)
	config := func(change func(*sdk.CreateDeploymentConfigInput)) *sdk.CreateDeploymentConfigInput {
		in := &sdk.CreateDeploymentConfigInput{DeploymentConfigName: aws.String("mine"), MinimumHealthyHosts: &cdtypes.MinimumHealthyHosts{Type: "FLEET_PERCENT", Value: 75}}
		change(in)
		return in
	}
	for want, change := range map[string]func(*sdk.CreateDeploymentConfigInput){
		"InvalidMinimumHealthyHostValueException":      func(in *sdk.CreateDeploymentConfigInput) { in.MinimumHealthyHosts.Value = 100 },
		"InvalidMinimumHealthyHostValueException: The": func(in *sdk.CreateDeploymentConfigInput) { in.MinimumHealthyHosts.Type = "MOST_CONCURRENCY" },
		"InvalidTrafficRoutingConfigurationException":  func(in *sdk.CreateDeploymentConfigInput) { in.TrafficRoutingConfig = &cdtypes.TrafficRoutingConfig{} },
		"InvalidZonalDeploymentConfigurationException": func(in *sdk.CreateDeploymentConfigInput) {
			in.ZonalConfig = &cdtypes.ZonalConfig{MonitorDurationInSeconds: aws.Int64(-1)}
		},
	} {
		assert.Contains(t, fails[sdk.CreateDeploymentConfigOutput](b.bench, "CreateDeploymentConfig", config(change)), want)
	}
	one := b.upload("one", site("one", ""))
	for want, change := range map[string]func(*sdk.CreateDeploymentInput){
		"entered for an in-place deployment": func(in *sdk.CreateDeploymentInput) { in.TargetInstances = &cdtypes.TargetInstances{} },
		"must be one of [S3 GitHub]":         func(in *sdk.CreateDeploymentInput) { in.Revision = revision("x") },
		"must be one of [tar tgz zip]":       func(in *sdk.CreateDeploymentInput) { in.Revision = stored("x") },
		"account and repository name, as in account/repository": func(in *sdk.CreateDeploymentInput) {
			in.Revision = &cdtypes.RevisionLocation{RevisionType: "GitHub", GitHubLocation: &cdtypes.GitHubLocation{Repository: aws.String("shop"), CommitId: aws.String("c")}}
		},
	} {
		in := of(one)
		change(in)
		assert.Contains(t, fails[sdk.CreateDeploymentOutput](b.bench, "CreateDeployment", in), want)
	}
}

func TestFilesThatWereNotDeployedBefore(t *testing.T) {
	t.Parallel()
	for behaviour, want := range map[cdtypes.FileExistsBehavior]string{"": "old Failed", "DISALLOW": "old Failed", "OVERWRITE": "new Succeeded", "RETAIN": "old Succeeded"} {
		b := newServerBench(t)
		ids := b.fleet(1)
		b.group(nil)
		b.write(ids[0], "var/www/html/index.html", "old")
		in := of(b.upload("one", site("new", "")))
		in.FileExistsBehavior = behaviour
		id := b.deploy(in)
		b.advance(time.Minute)
		assert.Equal(t, want, b.page(ids[0])+" "+string(b.get(id).Status), behaviour)
	}
}
