package codepipeline_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	cptypes "github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/host"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// story lets a pipeline poll, ask, watch an alarm, fail and go back. After each
// step, between is called.
func story(s *site, between func()) []string {
	s.alarm(cwtypes.StateValueOk)
	st := asking("Beta", "Look")
	st.Actions[0].TimeoutInMinutes = aws.Int32(10)
	st.OnSuccess = &cptypes.SuccessConditions{Conditions: watching("FAIL", "2")}
	st.OnFailure = &cptypes.FailureConditions{Result: cptypes.ResultRollback}
	d := structure(st)
	d.Stages[0].Actions[0].Configuration["PollForSourceChanges"] = "true"
	s.create(d)
	for _, step := range []func(){
		func() { s.pass(500 * time.Millisecond) }, // on its way to the first stage
		func() { s.pass(time.Second) },            // reads
		func() { s.pass(10 * time.Second) },       // asks
		func() { s.approve("Beta") },              // watches the alarm
		func() { s.pass(time.Minute) },
		func() { s.upload("second"); s.pass(2 * time.Minute) }, // is seen
		func() { s.pass(9 * time.Minute) },
		func() { s.pass(2 * time.Minute) }, // the approval expires and is rolled back
		func() { s.approve("Beta") },
	} {
		step()
		between()
	}
	return s.events()
}

func TestARestartChangesNothing(t *testing.T) {
	want := story(newSite(t), func() {})
	require.Len(t, want, 26)
	dir := filepath.Join(t.TempDir(), "state")
	o := host.Options{World: world.Options{Seed: 5}, State: dir}
	s := newSiteWith(t, o)
	got := story(s, func() {
		require.NoError(t, s.local.Close())
		s.open(o)
	})
	assert.Equal(t, want, got)
}

func TestOneSeedIsOneHistory(t *testing.T) {
	history := func() []string {
		s := newSite(t)
		story(s, func() {})
		var all []string
		for _, e := range s.raw {
			all = append(all, string(e))
		}
		return all
	}
	want := history()
	for range 19 {
		require.Equal(t, want, history())
	}
}
