package deploy_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/pullback-dev/pullback/shared/deploy"
)

var prod = deploy.Target{Application: "shop", Group: "prod"}

func TestAnIncidentIsNamedAfterItsTargetAndDeployment(t *testing.T) {
	id := deploy.IncidentOf(prod, "d-ABCDEF123")
	assert.Equal(t, deploy.Incident("i-e5d91ccf17c5"), id, "stored, must not change")
	assert.Equal(t, id, deploy.IncidentOf(prod, "d-ABCDEF123"))
	assert.NotEqual(t, id, deploy.IncidentOf(prod, "d-ABCDEF124"))
	assert.NotEqual(t, id, deploy.IncidentOf(deploy.Target{Application: "shop", Group: "staging"}, "d-ABCDEF123"))
	assert.NotEqual(t,
		deploy.IncidentOf(deploy.Target{Application: "a", Group: "b"}, "d"),
		deploy.IncidentOf(deploy.Target{Application: "a", Group: "bd"}, ""), "where one name ends matters")
}

func TestAMarkerIsReadAsItIsWritten(t *testing.T) {
	id := deploy.IncidentOf(prod, "d-1")
	marker := deploy.Marker(id, 12)
	assert.LessOrEqual(t, len(marker), 256, "CodeDeploy's limit for a description")
	for _, description := range []string{marker, marker + " back to version 7"} {
		got, generation, ok := deploy.ParseMarker(description)
		assert.True(t, ok)
		assert.Equal(t, id, got)
		assert.Equal(t, 12, generation)
	}
}

func TestWhatIsNotAMarkerIsNotReadAsOne(t *testing.T) {
	for _, description := range []string{
		"", "release 8", "pullback", "pullback:", "pullback:i-1", "pullback:i-1:", "pullback:i-1:x", "pullback:i-1:0", "pullback:i-1:-1",
		"pullback:i-1:1:2", "pullback:x-1:1", "pullback: i-1:1", " pullback:i-1:1", "Pullback:i-1:1", "see pullback:i-1:1",
	} {
		id, generation, ok := deploy.ParseMarker(description)
		assert.False(t, ok, description)
		assert.Empty(t, id, description)
		assert.Zero(t, generation, description)
	}
}
