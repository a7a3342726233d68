package events

import (
	"encoding/json"
	"strings"

	"github.com/pullback-dev/pullback/shared/deploy"
)

// Change says that a target which CodeDeploy does not deploy has begun or ended to
// change. It does not say which deployment that is in a way that fits the APIs: an
// ECS event names ecs-svc/…, where the API names service deployments. So it says
// only where to look.
// Sources: ECS developer guide, "Amazon ECS service deployment state change
// events"; EC2 Auto Scaling user guide, "Instance refresh events"; CodePipeline user
// guide, "Monitoring CodePipeline events".
type Change struct {
	Head

	Target deploy.Target
	State  string // in the service's words
}

const (
	sourceECS      = "aws.ecs"
	sourceScaling  = "aws.autoscaling"
	sourcePipeline = "aws.codepipeline"

	typeService = "ECS Deployment State Change"
	typeRefresh = "EC2 Auto Scaling Instance Refresh"
	typeStage   = "CodePipeline Stage Execution State Change"
)

// parseChange reads an event of one of those three services, or reports that it is
// of another kind.
func parseChange(h Head, resources []string, detail []byte) (Event, error) {
	switch {
	case h.Source == sourceECS && h.Type == typeService:
		return parseService(h, resources, detail)
	case h.Source == sourceScaling && strings.HasPrefix(h.Type, typeRefresh):
		return parseRefresh(h, detail)
	case h.Source == sourcePipeline && h.Type == typeStage:
		return parseStage(h, detail)
	default:
		return Unknown{h}, nil
	}
}

func parseService(h Head, resources []string, detail []byte) (Event, error) {
	var d struct {
		EventName string `json:"eventName"`
	}
	if err := json.Unmarshal(detail, &d); err != nil {
		return nil, MalformedError{Why: "detail: " + err.Error()}
	}
	for _, arn := range resources {
		_, name, is := strings.Cut(arn, ":service/")
		cluster, service, whole := strings.Cut(name, "/")
		if is && whole && d.EventName != "" {
			return Change{Head: h, Target: deploy.Target{Kind: deploy.KindService, Application: cluster, Group: service}, State: d.EventName}, nil
		}
	}
	return nil, MalformedError{Why: "an ECS deployment event lacks eventName, or the ARN of a service with its cluster"}
}

func parseRefresh(h Head, detail []byte) (Event, error) {
	var d struct {
		Group string `json:"AutoScalingGroupName"`
	}
	if err := json.Unmarshal(detail, &d); err != nil {
		return nil, MalformedError{Why: "detail: " + err.Error()}
	}
	if d.Group == "" {
		return nil, MalformedError{Why: "an instance refresh event lacks AutoScalingGroupName"}
	}
	state := strings.TrimSpace(strings.TrimPrefix(h.Type, typeRefresh))
	return Change{Head: h, Target: deploy.Target{Kind: deploy.KindScaling, Group: d.Group}, State: state}, nil
}

func parseStage(h Head, detail []byte) (Event, error) {
	var d struct {
		Pipeline string `json:"pipeline"`
		Stage    string `json:"stage"`
		State    string `json:"state"`
	}
	if err := json.Unmarshal(detail, &d); err != nil {
		return nil, MalformedError{Why: "detail: " + err.Error()}
	}
	if d.Pipeline == "" || d.Stage == "" || d.State == "" {
		return nil, MalformedError{Why: "a stage event lacks pipeline, stage or state"}
	}
	return Change{Head: h, Target: deploy.Target{Kind: deploy.KindStage, Application: d.Pipeline, Group: d.Stage}, State: d.State}, nil
}
