package ecs

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// hookChange is the detail of an event of type "ECS Hook State Change".
type hookChange struct {
	EventType            string `json:"eventType"`
	EventName            string `json:"eventName"`
	HookID               string `json:"hookId"`
	HookType             string `json:"hookType"`
	ExpiresAt            string `json:"expiresAt"`
	LifecycleStage       string `json:"lifecycleStage"`
	ClusterARN           string `json:"clusterArn"`
	ServiceARN           string `json:"serviceArn"`
	ServiceDeploymentARN string `json:"serviceDeploymentArn"`
	UpdatedAt            string `json:"updatedAt"`
}

// tellHook tells the event bus about a pause hook.
func (s *Service) tellHook(r *rollout, h *hookRun, name string) {
	kind := infoEvent
	if name == "HOOK_FAILED" || name == "HOOK_TIMED_OUT" {
		kind = errorEvent
	}
	s.announce("ECS Hook State Change", r.arn, hookChange{
		EventType: kind, EventName: name, HookID: h.id, HookType: string(h.hook.TargetType), ExpiresAt: h.expires.Format(time.RFC3339),
		LifecycleStage: r.stage, ClusterARN: *r.service.cluster.info.ClusterArn, ServiceARN: r.service.arn(), ServiceDeploymentARN: r.arn,
		UpdatedAt: s.w.Now().Format(time.RFC3339),
	})
}

// describeHooks shows the hooks of the stage that a rollout is in.
func (r *rollout) describeHooks() []ecstypes.DeploymentLifecycleHookDetail {
	var all []ecstypes.DeploymentLifecycleHookDetail
	for _, h := range r.hooks {
		d := ecstypes.DeploymentLifecycleHookDetail{
			HookId: aws.String(h.id), Status: h.status, ExpiresAt: aws.Time(h.expires), TimeoutAction: h.timeoutAction(),
			TargetType: h.hook.TargetType, TargetArn: h.hook.HookTargetArn,
		}
		if d.TargetType == "" {
			d.TargetType = ecstypes.DeploymentLifecycleHookTargetTypeAwsLambda
		}
		all = append(all, d)
	}
	return all
}
