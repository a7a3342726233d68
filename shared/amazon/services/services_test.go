package services_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/host/ecstest"
	"github.com/pullback-dev/pullback/shared/amazon/services"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger/ledgertest"
)

// unasked knows no task definitions, because nobody asks.
type unasked struct{}

func (unasked) Digest(context.Context, deploy.Revision) (deploy.Digest, error) { return "", nil }
func (unasked) Ready(context.Context, deploy.Revision) error                   { return nil }

// counted is an HTTP client that notes which operations are called.
type counted struct {
	aws.HTTPClient
	calls []string
}

func (c *counted) Do(r *http.Request) (*http.Response, error) {
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	c.calls = append(c.calls, operation)
	return c.HTTPClient.Do(r)
}

func counting(s *ecstest.Shop) (*services.Client, *counted) {
	c := &counted{HTTPClient: s.Config.HTTPClient}
	config := s.Config
	config.HTTPClient = c
	return services.New(ecs.NewFromConfig(config), unasked{}, &ledgertest.Memory{}, ecstest.Account, ecstest.Region), c
}

func TestACanaryThatIsStoppedGoesBackAtOnce(t *testing.T) {
	s := serve(t, canary(), nil)
	id := s.deploy("web:2")
	s.Advance(20 * time.Second)
	assert.True(t, s.get(id).Shifted.IsZero(), "its tasks start")
	s.Advance(40 * time.Second)
	assert.Equal(t, deploy.Live{Place: place, Version: "web:1", Weights: map[deploy.Revision]float64{"web:2": 0.05}}, s.live())

	require.NoError(t, s.driver.Stop(t.Context(), s.get(id)))
	d := s.get(id)
	assert.True(t, d.Running())
	assert.Equal(t, id, d.RolledBack)
	s.Advance(20 * time.Second)
	assert.Equal(t, deploy.Live{Place: place, Version: "web:1"}, s.live())
	s.settle()
	d = s.get(id)
	assert.Equal(t, deploy.Stopped, d.Status)
	assert.Equal(t, "Service deployment rolled back because StopServiceDeployment was called.", d.Cause)
}

func TestADeploymentThatWaitsForSomebodyHasNotMovedTraffic(t *testing.T) {
	c := canary()
	c.LifecycleHooks = []ecstypes.DeploymentLifecycleHook{{
		TargetType: ecstypes.DeploymentLifecycleHookTargetTypePause, LifecycleStages: []ecstypes.DeploymentLifecycleHookStage{"POST_SCALE_UP"},
	}}
	s := serve(t, canary(), nil)
	s.update(&ecs.UpdateServiceInput{DeploymentConfiguration: c})
	id := s.deploy("web:2")
	s.Advance(time.Minute)
	assert.True(t, s.get(id).Shifted.IsZero(), "it waits")
	assert.Equal(t, deploy.Live{Place: place, Version: "web:1", Weights: map[deploy.Revision]float64{"web:2": 0}}, s.live())
}

func TestTasksOfBothServeWhileOneReplacesTheOther(t *testing.T) {
	s := serve(t, &ecstypes.DeploymentConfiguration{MaximumPercent: aws.Int32(150)}, func(in *ecs.CreateServiceInput) { in.DesiredCount = aws.Int32(4) })
	s.deploy("web:2")
	s.Advance(10 * time.Second)
	assert.Equal(t, deploy.Live{Place: place, Version: "web:1", Weights: map[deploy.Revision]float64{"web:2": 2.0 / 6}}, s.live())
}

func TestWhatWouldServeAServiceWithoutTasksIsWhatServesIt(t *testing.T) {
	s := serve(t, nil, func(in *ecs.CreateServiceInput) { in.DesiredCount = aws.Int32(0) })
	assert.True(t, s.live().Only("web:1"))
	s.deploy("web:2")
	s.settle()
	assert.True(t, s.live().Only("web:2"))
}

func TestTheSourceOfADeploymentIsWhatEndedWell(t *testing.T) {
	s := serve(t, nil, nil)
	first := s.deploy("web:2")
	s.Advance(15 * time.Second)
	third := deploy.Revision(s.Register(func(in *ecs.RegisterTaskDefinitionInput) { in.Cpu = aws.String("512") }))
	second := s.deploy(string(third))
	s.settle()
	d := s.get(second)
	assert.Equal(t, deploy.Revision("web:1"), d.From)
	assert.Equal(t, third, d.To)
	d = s.get(first)
	assert.Equal(t, deploy.Stopped, d.Status)
	assert.Equal(t, "A newer service deployment was started.", d.Cause)

	recent, err := s.driver.Recent(t.Context(), target, noon)
	require.NoError(t, err)
	require.Len(t, recent, 3)
	assert.Equal(t, []deploy.ID{second, first}, []deploy.ID{recent[0].ID, recent[1].ID})
}

func TestAGroupIsWhatTheServiceAndItsTagsSay(t *testing.T) {
	s := serve(t, &ecstypes.DeploymentConfiguration{Alarms: &ecstypes.DeploymentAlarms{AlarmNames: []string{"slow", "errors"}}}, func(in *ecs.CreateServiceInput) {
		in.Tags = append(in.Tags, ecstypes.Tag{Key: aws.String("pullback:alarms"), Value: aws.String("cpu, errors")},
			ecstypes.Tag{Key: aws.String("team"), Value: aws.String("shop")})
	})
	g, err := s.driver.Group(t.Context(), target)
	require.NoError(t, err)
	assert.Equal(t, deploy.Group{
		Target: target, Enabled: true, Alarms: []string{"cpu", "errors", "slow"},
		Tags: map[string]string{"pullback:enabled": "true", "pullback:alarms": "cpu, errors"},
	}, g)
}

func TestAServiceThatIsGoneOrAnothersIsUnknown(t *testing.T) {
	s := serve(t, nil, nil)
	s.Create("web:1", func(in *ecs.CreateServiceInput) {
		in.ServiceName = aws.String("theirs")
		in.DeploymentController = &ecstypes.DeploymentController{Type: ecstypes.DeploymentControllerTypeExternal}
		in.TaskDefinition, in.LaunchType, in.NetworkConfiguration = nil, "", nil
	})
	ecstest.Must[*ecs.DeleteServiceOutput](t)(s.Tasks.DeleteService(t.Context(), &ecs.DeleteServiceInput{
		Cluster: aws.String(ecstest.Cluster), Service: aws.String(ecstest.Service), Force: aws.Bool(true),
	}))
	s.Advance(time.Hour)
	theirs := deploy.Target{Kind: deploy.KindService, Application: ecstest.Cluster, Group: "theirs"}
	for _, tt := range []deploy.Target{target, theirs, {Kind: deploy.KindService, Application: "none", Group: "web"}} {
		_, err := s.driver.Group(t.Context(), tt)
		require.ErrorIs(t, err, deploy.ErrUnknown, tt)
		_, err = s.driver.Live(t.Context(), deploy.Place{Target: tt})
		require.ErrorIs(t, err, deploy.ErrUnknown, tt)
	}
	_, err := s.driver.Recent(t.Context(), target, noon)
	require.ErrorIs(t, err, deploy.ErrUnknown)
	_, err = s.driver.Get(t.Context(), target, "TFX5sH9q9XDboDTOv0rIt")
	require.ErrorIs(t, err, deploy.ErrUnknown)
	require.ErrorIs(t, s.driver.Stop(t.Context(), deploy.Deployment{Target: target, ID: "TFX5sH9q9XDboDTOv0rIt"}), deploy.ErrUnknown)
	found, err := s.driver.Active(t.Context(), []deploy.Target{target, theirs, {Kind: deploy.KindService, Application: "none", Group: "web"}}, noon)
	require.NoError(t, err)
	assert.Empty(t, found)
}

// fill makes services in two clusters, every third of which is opted in.
func fill(t *testing.T, s *ecstest.Shop) (want []string) {
	t.Helper()
	ecstest.Must[*ecs.CreateClusterOutput](t)(s.Tasks.CreateCluster(t.Context(), &ecs.CreateClusterInput{ClusterName: aws.String("other")}))
	for n := range 125 {
		cluster := ecstest.Cluster
		if n >= 112 {
			cluster = "other"
		}
		name := fmt.Sprintf("s%03d", n)
		s.Create("web:1", func(in *ecs.CreateServiceInput) {
			in.Cluster, in.ServiceName, in.DesiredCount = &cluster, &name, aws.Int32(0)
			if n%3 != 0 {
				in.Tags = nil
			}
		})
		if n%3 == 0 {
			want = append(want, "ecs:"+cluster+"/"+name)
		}
	}
	s.Advance(time.Minute)
	slices.Sort(want)
	return want
}

func TestASurveyFindsEveryServiceOnceInPartsOfAnySize(t *testing.T) {
	s := ecstest.New(t, noon)
	want := fill(t, s)
	for budget, parts := range map[int]int{1: 14, 4: 5, 1000: 1} {
		c, count := counting(s)
		var found []string
		from, n := "", 0
		for ; n == 0 || from != ""; n++ {
			before := len(count.calls)
			groups, next, err := c.Survey(t.Context(), from, budget)
			require.NoError(t, err)
			assert.LessOrEqual(t, len(count.calls)-before, max(budget, 4), "two lists, and more of one")
			for _, g := range groups {
				found = append(found, g.Target.String())
			}
			from = next
		}
		slices.Sort(found)
		assert.Equal(t, want, found, budget)
		assert.InDelta(t, parts, n, 2, budget)
	}
	c, count := counting(s)
	_, _, err := c.Survey(t.Context(), "", 1000)
	require.NoError(t, err)
	assert.Len(t, count.calls, 1+3+12+2, "the clusters, their services in pages of 100, each ten of them")
	_, _, err = c.Survey(t.Context(), "nonsense", 1)
	require.ErrorContains(t, err, "begin again")
}

func TestLookingForDeploymentsCostsACallForTenServicesAndTwoForEachThatMoves(t *testing.T) {
	s := ecstest.New(t, noon)
	fill(t, s)
	var known []deploy.Target
	for n := range 112 {
		known = append(known, deploy.Target{Kind: deploy.KindService, Application: ecstest.Cluster, Group: fmt.Sprintf("s%03d", n)})
	}
	s.Advance(time.Hour)
	c, count := counting(s)
	found, err := c.Active(t.Context(), known, s.Now().Add(-time.Minute))
	require.NoError(t, err)
	assert.Empty(t, found)
	assert.Len(t, count.calls, 12)

	ecstest.Must[*ecs.UpdateServiceOutput](t)(s.Tasks.UpdateService(t.Context(), &ecs.UpdateServiceInput{
		Cluster: aws.String(ecstest.Cluster), Service: aws.String("s042"), TaskDefinition: aws.String("web:2"), DesiredCount: aws.Int32(1),
	}))
	count.calls = nil
	found, err = c.Active(t.Context(), known, s.Now().Add(-time.Minute))
	require.NoError(t, err)
	require.Len(t, found, 1)
	assert.Equal(t, known[42], found[0].Target)
	assert.Len(t, count.calls, 12+2)
}
