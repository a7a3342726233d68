package events

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/pullback-dev/pullback/shared/deploy"
)

// Hook is CodeDeploy's call to a lifecycle hook. It has these two members only:
// neither the hook's name nor the function or version that is deployed.
// Execution is opaque, and a bearer token of a kind: it is never logged.
// Source: CodeDeploy user guide, "AppSpec 'hooks' section".
type Hook struct {
	Deployment deploy.ID
	Execution  string
}

// ParseHook reads a hook call. A call that lacks an id is an error: CodeDeploy
// waits for an answer that cannot be sent. The error does not quote the
// payload.
func ParseHook(payload []byte) (Hook, error) {
	var h struct {
		DeploymentID                  deploy.ID `json:"DeploymentId"`
		LifecycleEventHookExecutionID string    `json:"LifecycleEventHookExecutionId"`
	}
	if err := json.Unmarshal(payload, &h); err != nil {
		return Hook{}, fmt.Errorf("parse hook call: %w", err)
	}
	if h.DeploymentID == "" || h.LifecycleEventHookExecutionID == "" {
		return Hook{}, errors.New("parse hook call: no DeploymentId or no LifecycleEventHookExecutionId")
	}
	return Hook{Deployment: h.DeploymentID, Execution: h.LifecycleEventHookExecutionID}, nil
}
