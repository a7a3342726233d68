package events

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/pullback-dev/pullback/shared/deploy"
)

// ServiceHook is ECS's call to a lifecycle hook of a service's deployment, which is
// answered by what the function returns. During a rollback hooks are called again,
// with no traffic for the new revision.
// Source: ECS developer guide, "Lifecycle hooks for Amazon ECS service deployments".
type ServiceHook struct {
	Target     deploy.Target
	Deployment deploy.ID
	Stage      string // in ECS's words, such as PRE_SCALE_UP
	Before     bool   // before any production traffic has reached the new revision
}

// before reports whether no production traffic has reached the new revision at a
// stage: the stages are said to be so (API reference, "ServiceDeployment"), but for
// the one that comes before every step of a canary, when the weights tell.
func before(stage string, weight *float64) bool {
	switch stage {
	case "RECONCILE_SERVICE", "PRE_SCALE_UP", "POST_SCALE_UP", "TEST_TRAFFIC_SHIFT", "POST_TEST_TRAFFIC_SHIFT":
		return true
	case "PRE_PRODUCTION_TRAFFIC_SHIFT":
		return weight != nil && *weight == 0
	default:
		return false
	}
}

// ParseServiceHook reads a call of ECS.
func ParseServiceHook(payload []byte) (ServiceHook, error) {
	var h struct {
		LifecycleStage   string `json:"lifecycleStage"`
		ResourceARN      string `json:"resourceArn"`
		ExecutionDetails struct {
			TargetServiceRevisionARN string              `json:"targetServiceRevisionArn"`
			ProductionTrafficWeights map[string]*float64 `json:"productionTrafficWeights"`
		} `json:"executionDetails"`
	}
	if err := json.Unmarshal(payload, &h); err != nil {
		return ServiceHook{}, fmt.Errorf("parse hook call of ECS: %w", err)
	}
	_, name, _ := strings.Cut(h.ResourceARN, ":service-deployment/")
	parts := strings.Split(name, "/")
	if len(parts) != 3 || parts[0] == "" || parts[1] == "" || parts[2] == "" || h.LifecycleStage == "" {
		return ServiceHook{}, fmt.Errorf("parse hook call of ECS: resourceArn %q is not that of a service deployment, or there is no lifecycleStage", h.ResourceARN)
	}
	t := deploy.Target{Kind: deploy.KindService, Application: parts[0], Group: parts[1]}
	weight := h.ExecutionDetails.ProductionTrafficWeights[h.ExecutionDetails.TargetServiceRevisionARN]
	return ServiceHook{Target: t, Deployment: deploy.ID(parts[2]), Stage: h.LifecycleStage, Before: before(h.LifecycleStage, weight)}, nil
}

// ServiceAnswer is what a function returns to ECS. Anything else, and an error, is a
// failure and rolls the deployment back (same page).
type ServiceAnswer struct {
	Status string `json:"hookStatus"`
}

// NewServiceAnswer returns the answer that lets a deployment go on, or not.
func NewServiceAnswer(passed bool) ServiceAnswer {
	if passed {
		return ServiceAnswer{Status: "SUCCEEDED"}
	}
	return ServiceAnswer{Status: "FAILED"}
}

// ServiceWaits returns the answer after which ECS asks again, in 30 seconds.
// Source: ECS developer guide, "Lambda hooks for Amazon ECS service deployments".
func ServiceWaits() ServiceAnswer { return ServiceAnswer{Status: "IN_PROGRESS"} }
