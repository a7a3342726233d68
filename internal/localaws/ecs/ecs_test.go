package ecs_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/wire/wiretest"
)

func TestWireMatchesTheSnapshotsOfTheSDK(t *testing.T) {
	t.Parallel()
	wiretest.Snapshots(t, newBench(t).svc.Wire(), "github.com/aws/aws-sdk-go-v2/service/ecs")
}

func TestSameSeedGivesTheSameHistory(t *testing.T) {
	t.Parallel()
	history := func() []string {
		b := newBench(t)
		b.functions(map[string]plan{"check": {"POST_TEST_TRAFFIC_SHIFT": {"later"}, "POST_PRODUCTION_TRAFFIC_SHIFT": {"FAILED"}}, "audit": {}})
		b.serveNative(blueGreen(2))
		b.update(&sdk.UpdateServiceInput{TaskDefinition: aws.String(b.register("fails-to-start:1,stops-after:3m")), DeploymentConfiguration: blueGreen(2,
			function("check", "POST_TEST_TRAFFIC_SHIFT", "POST_PRODUCTION_TRAFFIC_SHIFT"), function("audit", "POST_TEST_TRAFFIC_SHIFT", "PRODUCTION_TRAFFIC_SHIFT"))})
		b.watch(8 * time.Minute)
		return append(append(b.history, b.hooks...), b.messages()...)
	}
	first := history()
	require.Greater(t, len(first), 40)
	for range 19 {
		require.Equal(t, first, history())
	}
}

func TestClustersLiveAndDie(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	arn := "arn:aws:ecs:us-east-1:123456789012:cluster/"
	made, err := b.CreateCluster(t.Context(), &sdk.CreateClusterInput{Tags: []ecstypes.Tag{{Key: aws.String("team"), Value: aws.String("shop")}}})
	require.NoError(t, err)
	assert.Equal(t, &ecstypes.Cluster{
		ClusterArn: aws.String(arn + "default"), ClusterName: aws.String("default"), Status: aws.String("ACTIVE"), Statistics: []ecstypes.KeyValuePair{},
		Settings: []ecstypes.ClusterSetting{{Name: "containerInsights", Value: aws.String("disabled")}},
		Tags:     []ecstypes.Tag{{Key: aws.String("team"), Value: aws.String("shop")}},
	}, made.Cluster)
	b.create(b.serviceInput(b.register(""), 2))
	b.advance(2 * time.Second)
	all, err := b.DescribeClusters(t.Context(), &sdk.DescribeClustersInput{Clusters: []string{"shop", "none"}})
	require.NoError(t, err)
	assert.Equal(t, []ecstypes.Failure{{Arn: aws.String(arn + "none"), Reason: aws.String("MISSING")}}, all.Failures)
	assert.Equal(t, []int32{1, 2, 0}, []int32{all.Clusters[0].ActiveServicesCount, all.Clusters[0].PendingTasksCount, all.Clusters[0].RunningTasksCount})
	list, err := b.ListClusters(t.Context(), &sdk.ListClustersInput{MaxResults: aws.Int32(1)})
	require.NoError(t, err)
	assert.Equal(t, []string{arn + "default"}, list.ClusterArns)
	list, err = b.ListClusters(t.Context(), &sdk.ListClustersInput{NextToken: list.NextToken})
	require.NoError(t, err)
	assert.Equal(t, []string{arn + "shop"}, list.ClusterArns)
	shop := &sdk.DeleteClusterInput{Cluster: aws.String("shop")}
	_, err = b.DeleteCluster(t.Context(), shop)
	require.ErrorContains(t, err, "ClusterContainsServicesException: The Cluster cannot be deleted while Services are active.")
	gone := &sdk.DeleteServiceInput{Cluster: aws.String("shop"), Service: aws.String("web")}
	_, err = b.DeleteService(t.Context(), gone)
	require.ErrorContains(t, err, "InvalidParameterException: The service cannot be stopped while it is scaled above 0.")
	b.advance(time.Minute)
	gone.Force = aws.Bool(true)
	_, err = b.DeleteService(t.Context(), gone)
	require.NoError(t, err)
	b.advance(10 * time.Second)
	assert.Equal(t, "DRAINING", *b.web().Status)
	b.advance(time.Minute)
	assert.Equal(t, "INACTIVE", *b.web().Status)
	_, err = b.DeleteCluster(t.Context(), shop)
	require.NoError(t, err)
	_, err = b.ListServices(t.Context(), &sdk.ListServicesInput{Cluster: aws.String("shop")})
	require.ErrorContains(t, err, "ClusterNotFoundException: Cluster not found.")
}

func TestTaskDefinitionsHaveRevisions(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	arn := "arn:aws:ecs:us-east-1:123456789012:task-definition/web:"
	b.register("")
	b.register("starts-in:1s")
	got, err := b.DescribeTaskDefinition(t.Context(), &sdk.DescribeTaskDefinitionInput{TaskDefinition: aws.String("web")})
	require.NoError(t, err)
	assert.Equal(t, arn+"2", *got.TaskDefinition.TaskDefinitionArn)
	assert.Equal(t, []ecstypes.ContainerDefinition{{
		Name: aws.String("app"), Image: aws.String("shop/web"), Essential: aws.Bool(true), DockerLabels: map[string]string{"local-aws.task": "starts-in:1s"},
		PortMappings: []ecstypes.PortMapping{{ContainerPort: aws.Int32(80), HostPort: aws.Int32(80), Protocol: "tcp"}},
		Environment:  []ecstypes.KeyValuePair{}, MountPoints: []ecstypes.MountPoint{}, VolumesFrom: []ecstypes.VolumeFrom{}, SystemControls: []ecstypes.SystemControl{},
	}}, got.TaskDefinition.ContainerDefinitions)
	_, err = b.DeregisterTaskDefinition(t.Context(), &sdk.DeregisterTaskDefinitionInput{TaskDefinition: aws.String("web:2")})
	require.NoError(t, err)
	got, err = b.DescribeTaskDefinition(t.Context(), &sdk.DescribeTaskDefinitionInput{TaskDefinition: aws.String("web")})
	require.NoError(t, err)
	assert.Equal(t, arn+"1", *got.TaskDefinition.TaskDefinitionArn, "the latest one that is active")
	list, err := b.ListTaskDefinitions(t.Context(), &sdk.ListTaskDefinitionsInput{Status: "INACTIVE"})
	require.NoError(t, err)
	assert.Equal(t, []string{arn + "2"}, list.TaskDefinitionArns)
	b.register("")
	list, err = b.ListTaskDefinitions(t.Context(), &sdk.ListTaskDefinitionsInput{FamilyPrefix: aws.String("web"), Sort: "DESC"})
	require.NoError(t, err)
	assert.Equal(t, []string{arn + "3", arn + "1"}, list.TaskDefinitionArns)
	families, err := b.ListTaskDefinitionFamilies(t.Context(), &sdk.ListTaskDefinitionFamiliesInput{FamilyPrefix: aws.String("w"), Status: "ACTIVE"})
	require.NoError(t, err)
	assert.Equal(t, []string{"web"}, families.Families)
	_, err = b.DescribeTaskDefinition(t.Context(), &sdk.DescribeTaskDefinitionInput{TaskDefinition: aws.String("web:9")})
	require.ErrorContains(t, err, "ClientException: Unable to describe task definition.")
	in := b.serviceInput("web:2", 1)
	_, err = b.CreateService(t.Context(), in)
	require.ErrorContains(t, err, "ClientException: TaskDefinition is inactive")
	in.TaskDefinition = aws.String("web:9")
	_, err = b.CreateService(t.Context(), in)
	require.ErrorContains(t, err, "ClientException: TaskDefinition not found.")
}

func TestTagsStayWithTheirResources(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	in := b.serviceInput(b.register(""), 1)
	in.Tags = []ecstypes.Tag{{Key: aws.String("a"), Value: aws.String("1")}}
	in.PropagateTags = ecstypes.PropagateTagsService
	arn := b.create(in).ServiceArn
	_, err := b.TagResource(t.Context(), &sdk.TagResourceInput{ResourceArn: arn, Tags: []ecstypes.Tag{{Key: aws.String("b")}, {Key: aws.String("a"), Value: aws.String("2")}}})
	require.NoError(t, err)
	_, err = b.UntagResource(t.Context(), &sdk.UntagResourceInput{ResourceArn: arn, TagKeys: []string{"b"}})
	require.NoError(t, err)
	got, err := b.ListTagsForResource(t.Context(), &sdk.ListTagsForResourceInput{ResourceArn: arn})
	require.NoError(t, err)
	assert.Equal(t, []ecstypes.Tag{{Key: aws.String("a"), Value: aws.String("2")}}, got.Tags)
	b.advance(time.Second)
	got, err = b.ListTagsForResource(t.Context(), &sdk.ListTagsForResourceInput{ResourceArn: b.tasks("RUNNING")[0].TaskArn})
	require.NoError(t, err)
	assert.Equal(t, []ecstypes.Tag{{Key: aws.String("a"), Value: aws.String("2")}}, got.Tags)
	_, err = b.TagResource(t.Context(), &sdk.TagResourceInput{ResourceArn: arn, Tags: []ecstypes.Tag{{Key: aws.String("aws:x")}}})
	require.ErrorContains(t, err, "InvalidParameterException")
	_, err = b.ListTagsForResource(t.Context(), &sdk.ListTagsForResourceInput{ResourceArn: aws.String(*arn + "x")})
	require.ErrorContains(t, err, "ResourceNotFoundException")
}
