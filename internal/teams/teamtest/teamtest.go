// Package teamtest is what every team can do, whatever it deploys with: install
// the good release, deploy a bad one that its customers complain of, and deploy
// the good one again.
package teamtest

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/host"
	"github.com/pullback-dev/pullback/internal/localaws/sdkhttp"
	"github.com/pullback-dev/pullback/internal/localaws/world"
	"github.com/pullback-dev/pullback/internal/teams"
	"github.com/pullback-dev/pullback/shared/deploy"
)

// Team is a team that is tested.
type Team interface {
	Install(ctx context.Context) error
	Deploy(ctx context.Context, release string) (deploy.ID, error)
	Live(ctx context.Context) ([]string, error)
	Deployments(ctx context.Context) ([]teams.Deployment, error)
}

// Site is a local AWS and a team in it.
type Site struct {
	*host.AWS
	Common teams.Common
	t      *testing.T
	team   Team
}

// Start starts a local AWS.
func Start(t *testing.T) *Site {
	t.Helper()
	local, err := host.Start(t.Context(), host.Options{World: world.Options{Mode: world.Manual, Seed: 1}, Problem: func(err error) { t.Error(err) }})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, local.Close()) })
	return &Site{AWS: local, t: t, Common: teams.Common{Name: "shop", Account: local.World.Account, Wait: local.World.Advance, Config: aws.Config{
		Region: local.World.Region, HTTPClient: sdkhttp.Client(), BaseEndpoint: aws.String(local.URL()), Retryer: func() aws.Retryer { return aws.NopRetryer{} },
		Credentials: credentials.NewStaticCredentialsProvider("team", "team", ""),
	}}}
}

// Run installs a team and lets it do what every team can. The team's alarm must
// not be AWS's, too.
func (s *Site) Run(team Team) {
	s.t.Helper()
	s.Install(team)
	s.Deploy(teams.Bad)
	require.NoError(s.t, s.Common.Complain(s.t.Context(), 3))
	s.Until(5*time.Minute, func() bool { return s.alarm() == "ALARM" })
	s.Deploy(teams.Good)
	require.NoError(s.t, s.Common.Complain(s.t.Context(), 0))
	s.Until(5*time.Minute, func() bool { return s.alarm() == "OK" })
	all, err := team.Deployments(s.t.Context())
	require.NoError(s.t, err)
	require.Len(s.t, all, 2)
	assert.NotEqual(s.t, all[0].ID, all[1].ID)
}

// Install installs a team and waits until its good release serves.
func (s *Site) Install(team Team) {
	s.t.Helper()
	s.team = team
	require.NoError(s.t, team.Install(s.t.Context()))
	s.Serves(20*time.Minute, teams.Good)
	require.NoError(s.t, s.World.Advance(s.t.Context(), 10*time.Minute)) // until what made it is over
}

// Deploy deploys a release and waits until it alone serves and the deployment is
// the newest, and ten minutes longer.
func (s *Site) Deploy(release string) {
	s.t.Helper()
	id, err := s.team.Deploy(s.t.Context(), release)
	require.NoError(s.t, err)
	s.Serves(30*time.Minute, release)
	require.NoError(s.t, s.World.Advance(s.t.Context(), 10*time.Minute))
	all, err := s.team.Deployments(s.t.Context())
	require.NoError(s.t, err)
	require.NotEmpty(s.t, all)
	assert.Equal(s.t, id, all[0].ID)
	s.t.Logf("%s: %+v", release, all[0])
}

// Serves waits until a release serves alone.
func (s *Site) Serves(limit time.Duration, release string) {
	s.t.Helper()
	var live []string
	s.Until(limit, func() bool {
		var err error
		live, err = s.team.Live(s.t.Context())
		require.NoError(s.t, err)
		return len(live) == 1 && live[0] == release
	})
	assert.Equal(s.t, []string{release}, live)
}

// Until lets time pass until something holds.
func (s *Site) Until(limit time.Duration, holds func() bool) {
	s.t.Helper()
	for range int(limit / time.Second / 5) {
		if holds() {
			return
		}
		require.NoError(s.t, s.World.Advance(s.t.Context(), 5*time.Second))
	}
	assert.Fail(s.t, "not within "+limit.String())
}

func (s *Site) alarm() string {
	s.t.Helper()
	out, err := cloudwatch.NewFromConfig(s.Common.Config).DescribeAlarms(s.t.Context(), &cloudwatch.DescribeAlarmsInput{AlarmNames: []string{s.Common.Alarm()}})
	require.NoError(s.t, err)
	require.Len(s.t, out.MetricAlarms, 1)
	return string(out.MetricAlarms[0].StateValue)
}
