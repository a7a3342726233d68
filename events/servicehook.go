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
}

// ParseServiceHook reads a call of ECS.
func ParseServiceHook(payload []byte) (ServiceHook, error) {
	var h struct {
		LifecycleStage string `json:"lifecycleStage"`
		ResourceARN    string `json:"resourceArn"`
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
	return ServiceHook{Target: t, Deployment: deploy.ID(parts[2]), Stage: h.LifecycleStage}, nil
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
