package examples_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/demo"
	"github.com/pullback-dev/pullback/internal/localaws/cloudformation"
	"github.com/pullback-dev/pullback/internal/localaws/elbv2"
	"github.com/pullback-dev/pullback/internal/localaws/host"
	"github.com/pullback-dev/pullback/internal/localaws/sdkhttp"
	"github.com/pullback-dev/pullback/internal/localaws/traffic"
	"github.com/pullback-dev/pullback/internal/localaws/world"
	"github.com/pullback-dev/pullback/internal/teams"
	"github.com/pullback-dev/pullback/shared/amazon/table"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
)

var (
	synthesized = flag.String("synthesized", "../../cdk.out", "what make synth wrote")
	dist        = flag.String("dist", "../../dist/local", "the functions and the sample, built for this machine")
)

// site is an account with a control plane and one of the examples in it.
type site struct {
	*host.AWS
	t      *testing.T
	config aws.Config
	ledger *table.Table
	in     cloudformation.Input
	stack  cloudformation.Stack
}

// start deploys the control plane and an example.
func start(t *testing.T, example string) *site {
	t.Helper()
	if testing.Short() {
		t.Skip("the examples run the compiled functions, which takes many seconds")
	}
	t.Parallel()
	plane, err := cloudformation.ReadTemplate(filepath.Join(*synthesized, "pullback.template.json"))
	if err != nil {
		t.Skipf("%v (make synth writes it)", err)
	}
	if _, err := os.Stat(filepath.Join(*dist, "rollbacker", "bootstrap")); err != nil {
		t.Skipf("%v (make build makes it)", err)
	}
	in, err := cloudformation.ReadAssembly(filepath.Join(*synthesized, "examples", example), "")
	require.NoError(t, err)
	local, err := host.Start(t.Context(), host.Options{World: world.Options{Mode: world.Manual, Seed: 1}, Problem: func(err error) { t.Error(err) }})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, local.Close()) })
	s := &site{AWS: local, t: t, in: in, config: aws.Config{
		Region: local.World.Region, HTTPClient: sdkhttp.Client(), BaseEndpoint: aws.String(local.URL()), Retryer: func() aws.Retryer { return aws.NopRetryer{} },
		Credentials: credentials.NewStaticCredentialsProvider("team", "team", ""),
	}}
	plane.Options.Replace = demo.LocalCode(*dist)
	made, err := s.Deploy(t.Context(), plane)
	require.NoError(t, err)
	s.ledger = table.New(dynamodb.NewFromConfig(s.config), physical(t, made, "AWS::DynamoDB::Table"))
	return s
}

// update deploys the example as it is now.
func (s *site) update() error {
	stack, err := s.Deploy(s.t.Context(), s.in)
	if err == nil {
		s.stack = stack
	}
	return err
}

// of is the name of the example's resource of a type.
func (s *site) of(kind string) string { s.t.Helper(); return physical(s.t, s.stack, kind) }

func physical(t *testing.T, stack cloudformation.Stack, kind string) string {
	t.Helper()
	for _, r := range stack.Resources {
		if r.Type == kind {
			return r.PhysicalID
		}
	}
	require.Fail(t, "the stack has no "+kind)
	return ""
}

// until lets time pass until something holds.
func (s *site) until(limit time.Duration, what string, holds func() bool) {
	s.t.Helper()
	const step = 5 * time.Second
	for range int(limit / step) {
		if holds() {
			return
		}
		require.NoError(s.t, s.World.Advance(s.t.Context(), step))
	}
	require.Fail(s.t, "not within "+limit.String()+": "+what)
}

// proves waits until what serves is known good.
func (s *site) proves(target deploy.Target) deploy.Revision {
	s.t.Helper()
	var marks []ledger.KnownGood
	s.until(time.Hour, "known good", func() bool {
		var err error
		marks, err = s.ledger.KnownGood(s.t.Context(), target)
		require.NoError(s.t, err)
		return len(marks) > 0
	})
	require.Len(s.t, marks, 1)
	return marks[0].Revision
}

// restored waits until the target's incident is over, and returns it.
func (s *site) restored(target deploy.Target) ledger.Incident {
	s.t.Helper()
	var last ledger.Incident
	s.until(time.Hour, "restored", func() bool {
		all, err := s.ledger.IncidentsSince(s.t.Context(), target, time.Time{})
		require.NoError(s.t, err)
		for _, i := range all {
			last = i
		}
		return len(all) > 0 && last.Phase.Final()
	})
	assert.Equal(s.t, ledger.Restored, last.Phase, last.Because)
	return last
}

// alarmed are the alarms that have gone off so far.
func (s *site) alarmed() []string {
	s.t.Helper()
	out, err := cloudwatch.NewFromConfig(s.config).DescribeAlarmHistory(s.t.Context(), &cloudwatch.DescribeAlarmHistoryInput{HistoryItemType: cwtypes.HistoryItemTypeStateUpdate})
	require.NoError(s.t, err)
	var all []string
	for _, i := range out.AlarmHistoryItems {
		if *i.HistorySummary == "Alarm updated from OK to ALARM" {
			all = append(all, *i.AlarmName)
		}
	}
	return all
}

// customers send requests to the load balancer. Releases that fail do so every third
// time; which release a target runs is what label says.
func (s *site) customers(label func(target string) string) {
	failing := map[string]traffic.Behaviour{}
	for _, release := range []string{teams.Bad, teams.AlsoBad} {
		failing[release] = traffic.Behaviour{Failures: 1.0 / 3}
	}
	s.World.Lock()
	defer s.World.Unlock()
	traffic.Start(s.World, &traffic.Listener{World: s.World, Balancer: s.ELB, Behaviours: failing, Label: func(r elbv2.Route) string {
		return label(aws.ToString(r.Target.Id))
	}}, traffic.Options{Function: s.of("AWS::ElasticLoadBalancingV2::Listener"), PerSecond: 10})
}
