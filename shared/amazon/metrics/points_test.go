package metrics_test

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/shared/amazon/metrics"
	"github.com/pullback-dev/pullback/shared/evalue"
	"github.com/pullback-dev/pullback/shared/health"
	"github.com/pullback-dev/pullback/shared/measure"
)

// canary asks for versions 7 and 8 in the hour before noon, a quarter later.
func canary() measure.Query {
	return measure.Query{
		Old: measure.Lambda(alias, "7"), New: measure.Lambda(alias, "8"), Plane: measure.Minute(),
		From: noon.Add(-time.Hour), To: noon, Now: noon.Add(15 * time.Minute),
	}
}

func minute(m int, counts evalue.Counts) health.Point {
	return health.Point{At: noon.Add(time.Duration(m) * time.Minute), Period: time.Minute, Counts: counts}
}

func (l *local) points(q measure.Query) map[health.Metric][]health.Point {
	l.t.Helper()
	got, err := metrics.New(l.client).Points(l.t.Context(), q)
	require.NoError(l.t, err)
	return got
}

// at publishes requests and errors of a version, m minutes after noon.
func (l *local) at(m int, version string, requests, failures float64) {
	l.t.Helper()
	at := noon.Add(time.Duration(m) * time.Minute)
	l.lambda("Invocations", version, at, requests)
	l.lambda("Errors", version, at, failures)
}

func TestPointsAreWhatBothVersionsDid(t *testing.T) {
	l := serve(t)
	l.at(-5, "7", 90, 1)
	l.at(-5, "8", 10, 2)
	l.at(-4, "7", 80, 0) // the new one has none
	l.at(-2, "8", 5, 5)  // nor has the old one; and in between nobody
	l.lambda("Errors", "7", noon.Add(-time.Minute), 3)
	l.lambda("Errors", "8", noon.Add(-time.Minute), 3) // their requests are not in yet
	l.lambda("Invocations", "7", noon.Add(-time.Minute).Add(-59*time.Minute), 7)
	assert.Equal(t, map[health.Metric][]health.Point{health.Errors: {
		minute(-60, evalue.Counts{N0: 7}),
		minute(-5, evalue.Counts{N0: 90, X0: 1, N1: 10, X1: 2}),
		minute(-4, evalue.Counts{N0: 80}),
		minute(-2, evalue.Counts{N1: 5, X1: 5}),
	}}, l.points(canary()))
}

func TestErrorsOfAVersionWaitForItsRequests(t *testing.T) {
	l := serve(t)
	l.at(-5, "7", 90, 1)
	l.lambda("Errors", "8", noon.Add(-5*time.Minute), 4)
	assert.Equal(t, []health.Point{minute(-5, evalue.Counts{N0: 90, X0: 1})}, l.points(canary())[health.Errors])
	l.lambda("Invocations", "8", noon.Add(-5*time.Minute), 10)
	assert.Equal(t, []health.Point{minute(-5, evalue.Counts{N0: 90, X0: 1, N1: 10, X1: 4})}, l.points(canary())[health.Errors],
		"what came late counts when the period is read again")
}

func TestOnlySettledMinutesInsideAreRead(t *testing.T) {
	l := serve(t)
	for m := -5; m < 5; m++ {
		l.at(m, "7", float64(100+m), 0)
	}
	for name, test := range map[string]struct {
		from, to, now time.Duration
		want          []int
	}{
		"whole minutes":           {-3*time.Minute - time.Second, -time.Second, time.Hour, []int{-3, -2}},
		"the last is not settled": {-3 * time.Minute, time.Hour, 59 * time.Second, []int{-3, -2}},
		"now it is":               {-3 * time.Minute, time.Hour, time.Minute, []int{-3, -2, -1}},
		"nothing is":              {-time.Minute, time.Hour, 30 * time.Second, nil},
		"the wrong way round":     {time.Minute, -time.Minute, time.Hour, nil},
	} {
		t.Run(name, func(t *testing.T) {
			q := canary()
			q.From, q.To, q.Now = noon.Add(test.from), noon.Add(test.to), noon.Add(test.now)
			var want []health.Point
			for _, m := range test.want {
				want = append(want, minute(m, evalue.Counts{N0: float64(100 + m)}))
			}
			assert.Equal(t, want, l.points(q)[health.Errors])
		})
	}
}

func TestOneVersionIsSeenAlone(t *testing.T) {
	l := serve(t)
	l.at(-5, "7", 90, 1)
	l.at(-4, "8", 10, 2)
	q := canary()
	q.New = measure.Arm{}
	assert.Equal(t, []health.Point{minute(-5, evalue.Counts{N0: 90, X0: 1})}, l.points(q)[health.Errors])
	q = canary()
	q.Old = measure.Arm{}
	assert.Equal(t, []health.Point{minute(-4, evalue.Counts{N1: 10, X1: 2})}, l.points(q)[health.Errors])
}

// took publishes how long requests of a version took, in milliseconds.
func (l *local) took(m int, version string, took ...float64) {
	l.t.Helper()
	for _, ms := range took {
		l.lambda("Duration", version, noon.Add(time.Duration(m)*time.Minute), ms)
	}
}

func TestRequestsSlowerThanTheOldVersionsPercentilesAreCounted(t *testing.T) {
	l := serve(t)
	for ms := range 100 {
		l.took(-90+ms%5, "7", float64(ms+1)) // 1 to 100 ms, spread over five minutes
	}
	thresholds, err := metrics.New(l.client).Thresholds(t.Context(), measure.Lambda(alias, "7"), noon.Add(-2*time.Hour), noon.Add(-time.Hour))
	require.NoError(t, err)
	assert.Equal(t, map[health.Metric]float64{health.P50: 50, health.P90: 90, health.P99: 99}, thresholds)

	l.at(-5, "7", 4, 0)
	l.took(-5, "7", 10, 50, 51, 100)
	l.at(-5, "8", 3, 1)
	l.took(-5, "8", 99, 99.5, 400)
	l.at(-4, "8", 2, 0)
	l.took(-4, "8", 1, 2)
	l.took(-3, "8", 500) // its request is not in yet
	q := canary()
	q.Thresholds = thresholds
	assert.Equal(t, map[health.Metric][]health.Point{
		health.Errors: {minute(-5, evalue.Counts{N0: 4, N1: 3, X1: 1}), minute(-4, evalue.Counts{N1: 2})},
		health.P50:    {minute(-5, evalue.Counts{N0: 4, X0: 2, N1: 3, X1: 3}), minute(-4, evalue.Counts{N1: 2})},
		health.P90:    {minute(-5, evalue.Counts{N0: 4, X0: 1, N1: 3, X1: 3}), minute(-4, evalue.Counts{N1: 2})},
		health.P99:    {minute(-5, evalue.Counts{N0: 4, X0: 1, N1: 3, X1: 2}), minute(-4, evalue.Counts{N1: 2})},
	}, l.points(q))
}

func TestThresholdsThatAreNotKnownAreAbsent(t *testing.T) {
	l := serve(t)
	client, old := metrics.New(l.client), measure.Lambda(alias, "7")
	for name, test := range map[string]struct {
		arm  measure.Arm
		from time.Duration
	}{
		"nothing was measured": {old, -time.Hour},
		"no minute is whole":   {old, -59 * time.Second},
		"latency has no name":  {measure.Arm{Requests: old.Requests, Errors: old.Errors}, -time.Hour},
	} {
		got, err := client.Thresholds(t.Context(), test.arm, noon.Add(test.from), noon)
		require.NoError(t, err, name)
		assert.Empty(t, got, name)
	}
	_, err := client.Thresholds(t.Context(), old, noon.Add(-25*time.Hour), noon)
	require.ErrorContains(t, err, "24h0m0s at most")
}

func TestThresholdsOfAnHourCutInTwoAreWeighted(t *testing.T) {
	at := []time.Time{noon.Add(-time.Hour), noon}
	s := &script{data: []*cloudwatch.GetMetricDataOutput{{MetricDataResults: []cwtypes.MetricDataResult{
		{Id: aws.String("samples"), Timestamps: at, Values: []float64{30, 10}, StatusCode: cwtypes.StatusCodeComplete},
		{Id: aws.String("p50"), Timestamps: at, Values: []float64{100, 200}, StatusCode: cwtypes.StatusCodeComplete},
		{Id: aws.String("p90"), StatusCode: cwtypes.StatusCodeComplete},
		{Id: aws.String("p99"), Timestamps: at[1:], Values: []float64{500}, StatusCode: cwtypes.StatusCodeComplete},
	}}}}
	got, err := metrics.New(s).Thresholds(t.Context(), measure.Lambda(alias, "7"), noon.Add(-30*time.Minute), noon.Add(30*time.Minute))
	require.NoError(t, err)
	assert.Equal(t, map[health.Metric]float64{health.P50: 125, health.P99: 500}, got)
}

// result answers the n-th query of Points, for the minutes before noon.
func result(id string, values ...float64) cwtypes.MetricDataResult {
	r := cwtypes.MetricDataResult{Id: &id, Values: values, StatusCode: cwtypes.StatusCodeComplete}
	for i := range values {
		r.Timestamps = append(r.Timestamps, noon.Add(-time.Duration(i+1)*time.Minute)) // newest first
	}
	return r
}

func TestWhatIsAskedIsOneCall(t *testing.T) {
	q := canary()
	q.Thresholds = map[health.Metric]float64{health.P99: 250.5, health.P50: 40}
	s := &script{data: []*cloudwatch.GetMetricDataOutput{{MetricDataResults: []cwtypes.MetricDataResult{
		result("m0", 0, 2), result("m1", 1), result("m2", 1.5), result("m3", 2.4), result("m4"), result("m5", 9, 0.6), result("m6", 90, 80), result("m7", 2, 1),
	}}}}
	got, err := metrics.New(s).Points(t.Context(), q)
	require.NoError(t, err)
	assert.Equal(t, map[health.Metric][]health.Point{
		health.Errors: {minute(-2, evalue.Counts{N0: 80, X0: 2, N1: 1}), minute(-1, evalue.Counts{N0: 90, N1: 2, X1: 1})},
		health.P50:    {minute(-2, evalue.Counts{N0: 80, N1: 1}), minute(-1, evalue.Counts{N0: 90, X0: 2, N1: 2, X1: 2})},
		health.P99:    {minute(-2, evalue.Counts{N0: 80, N1: 1, X1: 1}), minute(-1, evalue.Counts{N0: 90, N1: 2, X1: 2})},
	}, got, "oldest first, whole, and never more events than requests")

	require.Len(t, s.questions, 1)
	in := s.questions[0]
	assert.Equal(t, []time.Time{q.From, q.To}, []time.Time{*in.StartTime, *in.EndTime})
	var asked []string
	for _, one := range in.MetricDataQueries {
		assert.EqualValues(t, 60, *one.MetricStat.Period)
		d := one.MetricStat.Metric.Dimensions
		require.Len(t, d, 3)
		asked = append(asked, *one.Id+" "+*one.MetricStat.Stat+" "+*one.MetricStat.Metric.MetricName+" "+*d[2].Name+" "+*d[2].Value)
	}
	assert.Equal(t, []string{
		"m0 Sum Errors ExecutedVersion 7", "m1 Sum Errors ExecutedVersion 8",
		"m2 TC(40:) Duration ExecutedVersion 7", "m3 TC(40:) Duration ExecutedVersion 8",
		"m4 TC(250.5:) Duration ExecutedVersion 7", "m5 TC(250.5:) Duration ExecutedVersion 8",
		"m6 Sum Invocations ExecutedVersion 7", "m7 Sum Invocations ExecutedVersion 8",
	}, asked)

	q.To = q.From
	got, err = metrics.New(s).Points(t.Context(), q)
	require.NoError(t, err)
	assert.Empty(t, got)
	assert.Len(t, s.questions, 1, "without a settled period nothing is asked")
}

func TestPointsOfAllPages(t *testing.T) {
	first := result("m2", 0, 70)
	first.StatusCode = cwtypes.StatusCodePartialData
	first.Values, first.Timestamps = first.Values[1:], first.Timestamps[1:]
	s := &script{data: []*cloudwatch.GetMetricDataOutput{
		{NextToken: aws.String("two"), MetricDataResults: []cwtypes.MetricDataResult{result("m0"), result("m1"), first, result("m3", 5, 6)}},
		{MetricDataResults: []cwtypes.MetricDataResult{result("m2", 60)}},
	}}
	got, err := metrics.New(s).Points(t.Context(), canary())
	require.NoError(t, err)
	assert.Equal(t, []health.Point{minute(-2, evalue.Counts{N0: 70, N1: 6}), minute(-1, evalue.Counts{N0: 60, N1: 5})}, got[health.Errors])
	assert.Equal(t, []string{"", "two"}, s.tokens)
}

func TestPointsOfAPartialAnswerAreNotYetKnown(t *testing.T) {
	for status, later := range map[cwtypes.StatusCode]bool{
		cwtypes.StatusCodePartialData: true, cwtypes.StatusCodeInternalError: true, cwtypes.StatusCodeForbidden: false,
	} {
		part := result("m3", 5)
		part.StatusCode = status
		s := &script{data: []*cloudwatch.GetMetricDataOutput{{MetricDataResults: []cwtypes.MetricDataResult{result("m0"), result("m1"), result("m2", 60), part}}}}
		_, err := metrics.New(s).Points(t.Context(), canary())
		require.ErrorContains(t, err, "Invocations is \""+string(status))
		assert.Equal(t, later, errors.Is(err, measure.ErrNotYet), status)
	}
	s := &script{data: []*cloudwatch.GetMetricDataOutput{{MetricDataResults: []cwtypes.MetricDataResult{result("m0"), result("m1"), result("m2", 60)}}}}
	_, err := metrics.New(s).Points(t.Context(), canary())
	require.ErrorContains(t, err, "not Complete", "a metric that is not answered at all")
}

func TestNoPointsAreMadeOfNonsense(t *testing.T) {
	seven, untimed := measure.Lambda(alias, "7"), measure.Lambda(alias, "8")
	untimed.Latency = measure.Metric{}
	for want, change := range map[string]func(q *measure.Query){
		"does not tell them apart": func(q *measure.Query) { q.New = seven },
		"no metric counts either":  func(q *measure.Query) { q.Old, q.New = measure.Arm{}, measure.Arm{} },
		"publish by the minute":    func(q *measure.Query) { q.Plane = measure.HighResolution() },
		"threshold p50 is NaN":     func(q *measure.Query) { q.Thresholds = map[health.Metric]float64{health.P50: math.NaN()} },
		"threshold p50 is -1":      func(q *measure.Query) { q.Thresholds = map[health.Metric]float64{health.P50: -1} },
		"threshold p50 is +Inf":    func(q *measure.Query) { q.Thresholds = map[health.Metric]float64{health.P50: math.Inf(1)} },
		"errors have no threshold": func(q *measure.Query) { q.Thresholds = map[health.Metric]float64{health.Errors: 1} },
		"no metric of it beside": func(q *measure.Query) {
			q.Old, q.New, q.Thresholds = measure.Arm{}, untimed, map[health.Metric]float64{health.P50: 1}
		},
		"CloudWatch keeps data of 1m0s": func(q *measure.Query) { q.From = noon.Add(-16 * 24 * time.Hour) },
		"at once": func(q *measure.Query) {
			for range 300 {
				q.Old.Errors, q.New.Errors = append(q.Old.Errors, q.Old.Errors[0]), append(q.New.Errors, q.New.Errors[0])
			}
		},
	} {
		q, s := canary(), &script{}
		change(&q)
		_, err := metrics.New(s).Points(t.Context(), q)
		require.ErrorContains(t, err, want)
		assert.Empty(t, s.questions, "nothing is asked")
	}
}

func TestCountsThatAreNoneAreAnError(t *testing.T) {
	for _, test := range [][]cwtypes.MetricDataResult{
		{result("m0"), result("m1"), result("m2", -3), result("m3", 5)},
		{result("m0", -1), result("m1"), result("m2", 3), result("m3", 5)},
		{result("m0", math.NaN()), result("m1"), result("m2", 3), result("m3", 5)},
		{result("m0"), result("m1"), result("m2", 3), result("m3", math.Inf(1))},
	} {
		s := &script{data: []*cloudwatch.GetMetricDataOutput{{MetricDataResults: test}}}
		_, err := metrics.New(s).Points(t.Context(), canary())
		require.ErrorContains(t, err, "which counts nothing")
		require.ErrorContains(t, err, "2026-03-01T11:59:00Z")
	}
}
