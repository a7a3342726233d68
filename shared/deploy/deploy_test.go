package deploy_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/pullback-dev/pullback/shared/deploy"
)

func TestAStatusIsFinalOrTheDeploymentRuns(t *testing.T) {
	tests := map[deploy.Status]bool{
		deploy.Created: false, deploy.Queued: false, deploy.InProgress: false, deploy.Baking: false, deploy.Ready: false,
		deploy.Succeeded: true, deploy.Failed: true, deploy.Stopped: true,
		"": false, "Pondering": false, // what is not known to have ended may still move traffic
	}
	for status, ended := range tests {
		assert.Equal(t, ended, status.Ended(), status)
		assert.Equal(t, !ended, deploy.Deployment{Status: status}.Running(), status)
	}
}

func TestARollbackIsRecognised(t *testing.T) {
	tests := map[string]struct {
		d    deploy.Deployment
		want bool
	}{
		"a release":                 {deploy.Deployment{Creator: "user", Description: "release 8"}, false},
		"one that was rolled back":  {deploy.Deployment{Creator: "user", RolledBack: "d-2"}, false},
		"CodeDeploy's":              {deploy.Deployment{Creator: "codeDeployRollback"}, true},
		"CodeDeploy's, by its link": {deploy.Deployment{RollsBack: "d-1"}, true},
		"CloudFormation's":          {deploy.Deployment{Creator: "CloudFormationRollback"}, true},
		"CodePipeline's":            {deploy.Deployment{Creator: "AutomatedRollback"}, true},
		"CodePipeline's, by hand":   {deploy.Deployment{Creator: "ManualRollback"}, true},
		"CodePipeline's release":    {deploy.Deployment{Creator: "Webhook"}, false},
		"CloudFormation's release":  {deploy.Deployment{Creator: "CloudFormation"}, false},
		"ours":                      {deploy.Deployment{Creator: "user", Description: "pullback:i-1:1"}, true},
		"about us":                  {deploy.Deployment{Creator: "user", Description: "install pullback:i-1:1"}, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { assert.Equal(t, test.want, test.d.IsRollback()) })
	}
}

func TestWhatIsLiveServesAloneOrShares(t *testing.T) {
	alone := deploy.Live{Version: "7"}
	assert.True(t, alone.Only("7"))
	assert.False(t, alone.Only("8"))

	split := deploy.Live{Version: "7", Weights: map[deploy.Revision]float64{"8": 0.1, "9": 0}}
	assert.False(t, split.Only("7"))
}

func TestAnAliasIsNamedAsCloudWatchNamesIt(t *testing.T) {
	assert.Equal(t, "checkout:live", deploy.Alias{Function: "checkout", Name: "live"}.String())
}
