package services_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/host/ecstest"
	"github.com/pullback-dev/pullback/shared/amazon/definitions"
	"github.com/pullback-dev/pullback/shared/amazon/services"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger/ledgertest"
	"github.com/pullback-dev/pullback/shared/target/targettest"
)

// target is the service web, place where it serves.
var (
	target = deploy.Target{Kind: deploy.KindService, Application: ecstest.Cluster, Group: ecstest.Service}
	place  = deploy.Place{Target: target}
	noon   = time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)
)

// stage is a service that runs web:1, and its driver.
type stage struct {
	*ecstest.Shop
	t      *testing.T
	driver *services.Client
	memory ledgertest.Memory
}

// serve lets the service web run, with a deployment configuration.
func serve(t *testing.T, c *ecstypes.DeploymentConfiguration, change func(*ecs.CreateServiceInput)) *stage {
	t.Helper()
	s := &stage{Shop: ecstest.New(t, noon), t: t}
	s.driver = services.New(s.Tasks, definitions.New(s.Tasks, s.Images, s.Roles, s.Params, ecstest.Account, ecstest.Region), &s.memory, ecstest.Account, ecstest.Region)
	native := c != nil && c.Strategy != "" && c.Strategy != ecstypes.DeploymentStrategyRolling
	if native {
		s.Build()
	}
	s.Create("web:1", func(in *ecs.CreateServiceInput) {
		in.DeploymentConfiguration = c
		if native {
			in.LoadBalancers = []ecstypes.LoadBalancer{{
				TargetGroupArn: &s.Blue, ContainerName: aws.String("app"), ContainerPort: aws.Int32(80),
				AdvancedConfiguration: &ecstypes.AdvancedConfiguration{
					AlternateTargetGroupArn: &s.Green, ProductionListenerRule: s.Rule(s.Production), TestListenerRule: s.Rule(s.Test),
					RoleArn: aws.String("arn:aws:iam::" + ecstest.Account + ":role/shop/balancer"),
				},
			}}
		}
		if change != nil {
			change(in)
		}
	})
	s.settle()
	return s
}

// deploy deploys a task definition, and returns the service deployment that does
// it.
func (s *stage) deploy(definition string) deploy.ID {
	s.t.Helper()
	ecstest.Must[*ecs.UpdateServiceOutput](s.t)(s.Tasks.UpdateService(s.t.Context(), &ecs.UpdateServiceInput{
		Cluster: aws.String(ecstest.Cluster), Service: aws.String(ecstest.Service), TaskDefinition: &definition,
	}))
	return s.listed()[0]
}

// listed are the IDs of the service deployments, newest first.
func (s *stage) listed(status ...ecstypes.ServiceDeploymentStatus) (all []deploy.ID) {
	s.t.Helper()
	out := ecstest.Must[*ecs.ListServiceDeploymentsOutput](s.t)(s.Tasks.ListServiceDeployments(s.t.Context(), &ecs.ListServiceDeploymentsInput{
		Cluster: aws.String(ecstest.Cluster), Service: aws.String(ecstest.Service), Status: status,
	}))
	for _, d := range out.ServiceDeployments {
		all = append(all, deploy.ID(ecstest.Last(*d.ServiceDeploymentArn)))
	}
	return all
}

// settle lets time pass until no service deployment is under way.
func (s *stage) settle() {
	s.t.Helper()
	for range 100 {
		s.Advance(time.Minute)
		if len(s.listed("PENDING", "IN_PROGRESS", "STOP_REQUESTED", "ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS")) == 0 {
			return
		}
	}
	require.Fail(s.t, "a deployment does not end")
}

func (s *stage) get(id deploy.ID) deploy.Deployment {
	s.t.Helper()
	d, err := s.driver.Get(s.t.Context(), target, id)
	require.NoError(s.t, err)
	return d
}

func (s *stage) live() deploy.Live {
	s.t.Helper()
	live, err := s.driver.Live(s.t.Context(), place)
	require.NoError(s.t, err)
	return live
}

// scene is a stage for the contract. Traffic has moved a while after a
// deployment was begun.
func scene(s *stage, shifts time.Duration) targettest.Scene {
	return targettest.Scene{
		Driver: s.driver, Place: place,
		Revision: func(name string) deploy.Revision {
			return map[string]deploy.Revision{"A": "web:1", "B": "web:2", "C": "web:3", "D": "web:99"}[name]
		},
		Deploy: func(name string) deploy.ID { return s.deploy(map[string]string{"A": "web:1", "B": "web:2"}[name]) },
		Shift:  func() { s.Advance(shifts) },
		Settle: s.settle, Now: s.Now,
	}
}

// canary is five percent for ten minutes, and then a bake of five.
func canary() *ecstypes.DeploymentConfiguration {
	return &ecstypes.DeploymentConfiguration{Strategy: ecstypes.DeploymentStrategyCanary, BakeTimeInMinutes: aws.Int32(5)}
}

func TestAServiceThatIsDeployedInStepsIsATarget(t *testing.T) {
	targettest.Run(t, func(t *testing.T) targettest.Scene {
		t.Helper()
		return scene(serve(t, nil, nil), 15*time.Second)
	})
}

func TestAServiceWithCanariesIsATarget(t *testing.T) {
	targettest.Run(t, func(t *testing.T) targettest.Scene {
		t.Helper()
		return scene(serve(t, canary(), nil), time.Minute)
	})
}
