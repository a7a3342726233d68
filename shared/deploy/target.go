package deploy

import (
	"fmt"
	"strings"
)

// Kind says what a target is. Stored, must not change.
type Kind string

// The kinds of targets.
const (
	KindGroup   Kind = ""         // a CodeDeploy deployment group: APPLICATION/GROUP
	KindAlias   Kind = "alias"    // a Lambda alias that no deployment group moves: FUNCTION/ALIAS
	KindService Kind = "ecs"      // an ECS service that ECS itself deploys: CLUSTER/SERVICE
	KindScaling Kind = "asg"      // an Auto Scaling group whose instances are refreshed: NAME
	KindStage   Kind = "pipeline" // a stage of a CodePipeline pipeline: PIPELINE/STAGE
)

// Kinds returns all kinds of targets.
func Kinds() []Kind { return []Kind{KindGroup, KindAlias, KindService, KindScaling, KindStage} }

// Target is what is rolled back, by its kind and its two names on AWS.
type Target struct {
	Kind        Kind   `json:"kind,omitempty"`
	Application string `json:"application"` // or the function, cluster or pipeline; empty for an Auto Scaling group
	Group       string `json:"group"`       // or the alias, service, Auto Scaling group or stage
}

// String returns "application/group", after "KIND:" unless it is a deployment
// group; CodeDeploy's names have no colon. It is a key of the ledger: stored,
// must not change.
func (t Target) String() string {
	switch t.Kind {
	case KindGroup:
		return t.Application + "/" + t.Group
	case KindScaling:
		return string(t.Kind) + ":" + t.Group
	default:
		return string(t.Kind) + ":" + t.Application + "/" + t.Group
	}
}

// ParseTarget reads what String writes.
func ParseTarget(s string) (Target, error) {
	kind, rest, named := strings.Cut(s, ":")
	if !named {
		kind, rest = "", s
	}
	t := Target{Kind: Kind(kind)}
	switch t.Kind {
	case KindScaling:
		t.Group = rest
		if rest == "" {
			return Target{}, fmt.Errorf("target %q is not asg:NAME", s)
		}
		return t, nil
	case KindGroup, KindAlias, KindService, KindStage:
		app, group, ok := strings.Cut(rest, "/")
		if !ok || app == "" || group == "" || strings.Contains(group, "/") || named && kind == "" {
			return Target{}, fmt.Errorf("target %q is not %s", s, shapes)
		}
		t.Application, t.Group = app, group
		return t, nil
	default:
		return Target{}, fmt.Errorf("target %q is not %s", s, shapes)
	}
}

// shapes is what a target may look like.
const shapes = "APPLICATION/GROUP, alias:FUNCTION/ALIAS, ecs:CLUSTER/SERVICE, asg:NAME or pipeline:PIPELINE/STAGE"

// Platform is the compute platform of a deployment group, in CodeDeploy's words.
type Platform string

// The platforms.
const (
	OnLambda Platform = "Lambda"
	OnECS    Platform = "ECS"
	OnServer Platform = "Server"
)

// Place is a target together with what it takes to look at what serves there.
type Place struct {
	Target   Target   `json:"target"`
	Platform Platform `json:"platform,omitempty"` // of a deployment group
	Alias    Alias    `json:"alias,omitzero"`     // that a deployment group on Lambda moves
}

// String names the place for people.
func (p Place) String() string {
	if p.Alias.Function != "" {
		return p.Alias.String()
	}
	return p.Target.String()
}

// Name names a revision for people: a Lambda version is a bare number.
func (p Place) Name(r Revision) string {
	if p.Target.Kind == KindAlias || p.Alias.Function != "" || p.Platform == OnLambda {
		return "version " + string(r)
	}
	return string(r)
}
