package measure_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/shared/measure"
)

func custom(t *testing.T, n measure.Names, dimensions ...measure.Dimension) measure.Arm {
	t.Helper()
	a, err := measure.Custom("Shop", n, dimensions[1:], dimensions[0])
	require.NoError(t, err)
	return a
}

func TestArmsThatDifferInTheVersionAloneAreCompared(t *testing.T) {
	region := measure.Dimension{Name: "Region", Value: "eu"}
	for name, arms := range map[string][2]measure.Arm{
		"two versions":                 {measure.Lambda(alias, "7"), measure.Lambda(alias, "8")},
		"dimensions in another order":  {custom(t, names, measure.Dimension{Name: "Version", Value: "7"}, region), custom(t, names, region, version)},
		"the old one alone":            {measure.Lambda(alias, "7"), {}},
		"the new one alone":            {{}, measure.Lambda(alias, "8")},
		"more than one value differs":  {custom(t, names, version, region), custom(t, names, measure.Dimension{Name: "Version", Value: "9"}, measure.Dimension{Name: "Region", Value: "us"})},
		"latency that nobody measures": {custom(t, measure.Names{Requests: "R", Errors: []string{"E"}}, version), custom(t, measure.Names{Requests: "R", Errors: []string{"E"}}, measure.Dimension{Name: "Version", Value: "9"})},
	} {
		require.NoError(t, measure.Check(arms[0], arms[1], measure.Minute()), name)
	}
}

func TestArmsThatCannotBeComparedAreRefused(t *testing.T) {
	seven := measure.Dimension{Name: "Version", Value: "7"}
	other := names
	other.Requests = "Calls"
	untimed := names
	untimed.Latency = ""
	target, err := measure.TargetGroup(balancer, group)
	require.NoError(t, err)
	broken := measure.Lambda(alias, "8")
	broken.Errors = nil
	for want, arms := range map[string][2]measure.Arm{
		"no metric counts either version":                    {},
		"does not tell them apart":                           {measure.Lambda(alias, "8"), measure.Lambda(alias, "8")},
		"by different metrics: the old one by Sum of Shop R": {custom(t, names, seven), custom(t, other, version)},
		"counted in different ways":                          {custom(t, names, seven), custom(t, untimed, version)},
		"with different dimensions":                          {custom(t, names, seven), custom(t, names, measure.Dimension{Name: "Release", Value: "8"})},
		"different ways: [AWS/Lambda Invocations":            {measure.Lambda(alias, "8"), target},
		`"ExecutedVersion" has the value ""`:                 {measure.Lambda(alias, ""), measure.Lambda(alias, "8")},
		"no metric counts those that fail":                   {measure.Lambda(alias, "7"), broken},
	} {
		require.ErrorContains(t, measure.Check(arms[0], arms[1], measure.Minute()), want)
	}
}

func TestAWSPublishesByTheMinute(t *testing.T) {
	require.ErrorContains(t, measure.Check(measure.Lambda(alias, "7"), measure.Lambda(alias, "8"), measure.HighResolution()), "AWS services publish by the minute")
	require.NoError(t, measure.Check(custom(t, names, version), measure.Arm{}, measure.HighResolution()))
	require.ErrorContains(t, measure.Check(custom(t, names, version), measure.Arm{}, measure.Plane{Period: 45 * time.Second}), "45s")
	require.ErrorContains(t, measure.Check(custom(t, names, version), measure.Arm{}, measure.Plane{Period: time.Minute, Lag: -time.Second}), "before they end")
}

func TestMetricsThatChangeOnTheWayAreFound(t *testing.T) {
	region := measure.Dimension{Name: "Region", Value: "eu"}
	was := custom(t, names, version, region)
	require.NoError(t, measure.Same(was, custom(t, names, region, version)), "in another order they are the same")
	untimed := names
	untimed.Latency = ""
	for want, now := range map[string]measure.Arm{
		"and now Sum of Shop Requests{Version=8}": custom(t, names, version),
		"Shop Requests{Region=eu,Version=9}":      custom(t, names, region, measure.Dimension{Name: "Version", Value: "9"}),
		"is not counted any more":                 custom(t, untimed, version, region),
	} {
		require.ErrorContains(t, measure.Same(was, now), "changed on the way")
		require.ErrorContains(t, measure.Same(was, now), want)
	}
	require.ErrorContains(t, measure.Same(custom(t, untimed, version), custom(t, names, version)), "was not counted before")
}
