package deploy_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/pullback-dev/pullback/shared/deploy"
)

func TestOnlyScriptsOfTheRevisionBeforeBlockADeployment(t *testing.T) {
	for event, blocked := range map[string]bool{
		"ApplicationStop": true, "BeforeBlockTraffic": true, "AfterBlockTraffic": true,
		"BlockTraffic": false, "DownloadBundle": false, "Install": false, "ApplicationStart": false, "": false,
	} {
		assert.Equal(t, blocked, deploy.Deployment{Status: deploy.Failed, FailedIn: event}.Blocked(), event)
		assert.False(t, deploy.Deployment{Status: deploy.Stopped, FailedIn: event}.Blocked(), "what was stopped in %s has not failed by itself", event)
	}
}

func TestADeploymentToANewInstanceIsAside(t *testing.T) {
	for creator, aside := range map[string]bool{
		"autoscaling": true, "autoscalingTermination": true, "CodeDeployAutoUpdate": false, "user": false, "codeDeployRollback": false,
	} {
		assert.Equal(t, aside, deploy.Deployment{Creator: creator}.Aside(), creator)
	}
}

func TestContentIsLostOnlyWhereOverwriteFollowsRetain(t *testing.T) {
	for _, bad := range []string{"", "DISALLOW", "OVERWRITE", "RETAIN"} {
		for _, good := range []string{"", "DISALLOW", "OVERWRITE", "RETAIN"} {
			b := deploy.Deployment{ID: "d-2", Platform: deploy.OnServer, Content: bad}
			got := deploy.ContentLost(b, good)
			if bad == "OVERWRITE" && good == "RETAIN" {
				assert.Equal(t, "files that were on the instances before, and that the good deployment retained, have been overwritten by d-2"+
					": the rollback removes them and does not bring them back, so restore them from a backup", got)
				b.Platform = deploy.OnLambda
				got = deploy.ContentLost(b, good)
			}
			assert.Empty(t, got, "%s after %s", bad, good)
		}
	}
}
