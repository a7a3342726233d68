// Package codedeploy is AWS CodeDeploy in the local AWS: applications,
// deployment groups, configurations, revisions and deployments, with lifecycle
// hooks, traffic shifting, alarms, stops and automatic rollbacks on the
// world's clock.
//
// Deployments really run: on the Lambda platform aliases move, on the ECS
// platform task sets are replaced and listeners change their weights, and hook
// functions are invoked and must answer; on the Server platform the agents of
// instances install files and run scripts. A parameter that would change
// behaviour is never ignored. What AWS documents, what was observed and what is
// only assumed is listed in MODEL.md.
package codedeploy

import (
	"maps"
	"slices"

	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// Service is the state of AWS CodeDeploy in one account and region.
type Service struct {
	w            *world.World
	c            wire.Caller
	applications map[string]*application                  // by name
	configs      map[string]*cdtypes.DeploymentConfigInfo // custom and predefined, by name
	deployments  []*deployment                            // oldest first
	byID         map[string]*deployment                   // the same deployments
	tags         map[string]map[string]string             // by ARN
	instances    map[string]*onPremises                   // by name
	hosts        *hosts                                   `state:"-"`
	executors    map[cdtypes.ComputePlatform]executor     `state:"-"` // by the platform that they run
}

// New makes the service with the predefined deployment configurations only.
// Close it in the end.
func New(w *world.World, c wire.Caller, o Options) *Service {
	s := &Service{
		w: w, c: c,
		applications: map[string]*application{},
		configs:      predefined(w.Now()),
		byID:         map[string]*deployment{},
		tags:         map[string]map[string]string{},
		instances:    map[string]*onPremises{},
		hosts:        newHosts(o),
	}
	s.executors = map[cdtypes.ComputePlatform]executor{
		cdtypes.ComputePlatformLambda: &lambdaExecutor{s},
		cdtypes.ComputePlatformEcs:    &ecsExecutor{s},
		cdtypes.ComputePlatformServer: &serverExecutor{s},
	}
	return s
}

// Wire describes the service to the wire.
func (s *Service) Wire() wire.Service {
	return wire.Service{
		Name: "codedeploy", Protocol: wire.JSON11, Target: "CodeDeploy_20141006", Style: wire.Camel,
		Operations: slices.Concat(s.resourceOperations(), s.deploymentOperations(), s.instanceOperations()),
	}
}

func (s *Service) instanceOperations() []wire.Operation {
	return []wire.Operation{
		wire.Op("AddTagsToOnPremisesInstances", s.addTagsToOnPremisesInstances),
		wire.Op("BatchGetDeploymentInstances", s.batchGetDeploymentInstances),
		wire.Op("BatchGetOnPremisesInstances", s.batchGetOnPremisesInstances),
		wire.Op("DeregisterOnPremisesInstance", s.deregisterOnPremisesInstance),
		wire.Op("GetDeploymentInstance", s.getDeploymentInstance),
		wire.Op("GetOnPremisesInstance", s.getOnPremisesInstance),
		wire.Op("ListDeploymentInstances", s.listDeploymentInstances),
		wire.Op("ListOnPremisesInstances", s.listOnPremisesInstances),
		wire.Op("RegisterOnPremisesInstance", s.registerOnPremisesInstance),
		wire.Op("RemoveTagsFromOnPremisesInstances", s.removeTagsFromOnPremisesInstances),
	}
}

func (s *Service) resourceOperations() []wire.Operation {
	return []wire.Operation{
		wire.Op("BatchGetApplicationRevisions", s.batchGetApplicationRevisions),
		wire.Op("BatchGetApplications", s.batchGetApplications),
		wire.Op("BatchGetDeploymentGroups", s.batchGetDeploymentGroups),
		wire.Op("CreateApplication", s.createApplication),
		wire.Op("CreateDeploymentConfig", s.createDeploymentConfig),
		wire.Op("CreateDeploymentGroup", s.createDeploymentGroup),
		wire.Op("DeleteApplication", s.deleteApplication),
		wire.Op("DeleteDeploymentConfig", s.deleteDeploymentConfig),
		wire.Op("DeleteDeploymentGroup", s.deleteDeploymentGroup),
		wire.Op("GetApplication", s.getApplication),
		wire.Op("GetApplicationRevision", s.getApplicationRevision),
		wire.Op("GetDeploymentConfig", s.getDeploymentConfig),
		wire.Op("GetDeploymentGroup", s.getDeploymentGroup),
		wire.Op("ListApplicationRevisions", s.listApplicationRevisions),
		wire.Op("ListApplications", s.listApplications),
		wire.Op("ListDeploymentConfigs", s.listDeploymentConfigs),
		wire.Op("ListDeploymentGroups", s.listDeploymentGroups),
		wire.Op("ListTagsForResource", s.listTagsForResource),
		wire.Op("RegisterApplicationRevision", s.registerApplicationRevision),
		wire.Op("TagResource", s.tagResource),
		wire.Op("UntagResource", s.untagResource),
		wire.Op("UpdateApplication", s.updateApplication),
		wire.Op("UpdateDeploymentGroup", s.updateDeploymentGroup),
	}
}

func (s *Service) deploymentOperations() []wire.Operation {
	return []wire.Operation{
		wire.Op("BatchGetDeploymentTargets", s.batchGetDeploymentTargets),
		wire.Op("BatchGetDeployments", s.batchGetDeployments),
		wire.Op("ContinueDeployment", s.continueDeployment),
		wire.Op("CreateDeployment", s.createDeployment),
		wire.Op("GetDeployment", s.getDeployment),
		wire.Op("GetDeploymentTarget", s.getDeploymentTarget),
		wire.Op("ListDeploymentTargets", s.listDeploymentTargets),
		wire.Op("ListDeployments", s.listDeployments),
		wire.Op("PutLifecycleEventHookExecutionStatus", s.putLifecycleEventHookExecutionStatus),
		wire.Op("SkipWaitTimeForInstanceTermination", s.skipWaitTimeForInstanceTermination),
		wire.Op("StopDeployment", s.stopDeployment),
	}
}

// names lists the keys of a map in order.
func names[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
