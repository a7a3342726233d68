package rollbacker_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
)

// pipeline is a stage that deploys to a deployment group.
type pipeline struct {
	*codeDeploy
	group deploy.Deployment // the newest one there
}

func (p pipeline) Behind(context.Context, deploy.Target) ([]deploy.Target, error) {
	return []deploy.Target{target}, nil
}

func (p pipeline) Recent(ctx context.Context, t deploy.Target, since time.Time) ([]deploy.Deployment, error) {
	if t == target {
		return []deploy.Deployment{p.group}, nil
	}
	return p.codeDeploy.Recent(ctx, t, since)
}

func TestAStageIsRolledBackOnceWhatItDeploysToIsFree(t *testing.T) {
	stage := deploy.Target{Kind: deploy.KindStage, Application: "shop", Group: "prod"}
	for name, tt := range map[string]struct {
		group deploy.Deployment
		want  bool
	}{
		"CodeDeploy takes back what was stopped":   {deploy.Deployment{ID: "d-5", Target: target, Status: deploy.InProgress, RollsBack: "d-4"}, false},
		"CodeDeploy has not said yet what does so": {deploy.Deployment{ID: "d-4", Target: target, Status: deploy.Stopped, Ended: noon.Add(-time.Second)}, false},
		"and will not":                                {deploy.Deployment{ID: "d-4", Target: target, Status: deploy.Stopped, Ended: noon.Add(-time.Minute)}, true},
		"what was stopped is taken back":              {deploy.Deployment{ID: "d-5", Target: target, Status: deploy.Succeeded, RollsBack: "d-4"}, true},
		"what was stopped could not be taken back":    {deploy.Deployment{ID: "d-5", Target: target, Status: deploy.Failed, RollsBack: "d-4"}, true},
		"it was stopped, and what took it back ended": {deploy.Deployment{ID: "d-4", Target: target, Status: deploy.Stopped, Ended: noon.Add(-time.Second), RolledBack: "d-5"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, looked(ledger.Stopping), ended(deploy.Stopped, time.Minute), func(s *scene) {
				s.incident.Target, s.incident.Platform, s.incident.Alias = stage, "", deploy.Alias{}
				s.lambda.live = deploy.Live{Place: deploy.Place{Target: stage}, Version: "2"}
				p := pipeline{s.codeDeploy, tt.group}
				s.Deployments, s.Stages = p, p
			})
			assert.Empty(t, s.order(2))
			restored := slices.ContainsFunc(s.journal.lines, func(line string) bool { return strings.HasPrefix(line, "CreateDeployment pipeline:shop/prod") })
			assert.Equal(t, tt.want, restored, s.journal.lines)
		})
	}
}
