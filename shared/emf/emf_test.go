package emf_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/shared/emf"
)

var noon = time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)

var options = emf.Options{Namespace: "Shop", Version: "8"}

// lines are what was written, each call one line.
type lines [][]byte

func (l *lines) Write(b []byte) (int, error) {
	*l = append(*l, bytes.Clone(b))
	return len(b), nil
}

// members are those of each line but the format's own, and its time.
func (l *lines) members(t *testing.T) (all []map[string]any) {
	t.Helper()
	for _, line := range *l {
		require.Equal(t, 1, bytes.Count(line, []byte("\n")))
		require.True(t, bytes.HasSuffix(line, []byte("}\n")))
		var members map[string]any
		require.NoError(t, json.Unmarshal(line, &members))
		meta, ok := members["_aws"].(map[string]any)
		require.True(t, ok)
		members["_aws"] = time.UnixMilli(int64(meta["Timestamp"].(float64))).UTC().Format(time.TimeOnly)
		all = append(all, members)
	}
	return all
}

func counter(t *testing.T, o emf.Options) (*emf.Metrics, *lines) {
	t.Helper()
	l := new(lines)
	m, err := emf.New(l, o)
	require.NoError(t, err)
	return m, l
}

func TestEachSecondIsALine(t *testing.T) {
	m, l := counter(t, options)
	require.NoError(t, m.Request(noon, 1500*time.Microsecond, false))
	require.NoError(t, m.Request(noon.Add(999*time.Millisecond), time.Second, true))
	assert.Empty(t, *l, "nothing is written before the second is over")
	require.NoError(t, m.Request(noon.Add(time.Second), time.Millisecond, false))
	require.NoError(t, m.Request(noon, time.Millisecond, false), "one that comes late is of its own second")
	require.NoError(t, m.Flush())
	require.NoError(t, m.Flush(), "there is nothing any more")
	assert.Equal(t, []map[string]any{
		{"_aws": "12:00:00", "Version": "8", "Requests": 2.0, "Errors": 1.0, "Latency": []any{1.5, 1000.0}},
		{"_aws": "12:00:01", "Version": "8", "Requests": 1.0, "Errors": 0.0, "Latency": 1.0},
		{"_aws": "12:00:00", "Version": "8", "Requests": 1.0, "Errors": 0.0, "Latency": 1.0},
	}, l.members(t))
}

func TestALineHasNoMoreThanCloudWatchTakes(t *testing.T) {
	m, l := counter(t, options)
	for range 250 {
		require.NoError(t, m.Request(noon, time.Millisecond, false))
	}
	require.NoError(t, m.Flush())
	var requests []any
	for _, line := range l.members(t) {
		requests = append(requests, line["Requests"])
		assert.Len(t, line["Latency"], int(line["Requests"].(float64)), "a request is in one line")
	}
	assert.Equal(t, []any{100.0, 100.0, 50.0}, requests)

	m, l = counter(t, options)
	for n := range 150 {
		require.NoError(t, m.Count(noon, fmt.Sprintf("Count%d", n), float64(n)))
	}
	require.NoError(t, m.Flush())
	var metrics []int
	for _, line := range l.members(t) {
		metrics = append(metrics, len(line)-2)
	}
	assert.Equal(t, []int{100, 50}, metrics)

	m, l = counter(t, options)
	long := strings.Repeat("x", 250)
	for range 100 {
		for n := range 100 {
			require.NoError(t, m.Value(noon, fmt.Sprint(long, n), emf.Seconds, -math.SmallestNonzeroFloat64*math.Pi*1e16))
		}
	}
	require.NoError(t, m.Flush())
	for _, line := range *l {
		assert.Less(t, len(line), 256<<10)
	}
}

func TestValuesAndNamesComeOutAsTheyWentIn(t *testing.T) {
	o := options
	o.VersionKey = "Release"
	o.Dimensions = []emf.Dimension{{Name: `a "quoted" name`, Value: `back\slash`}}
	m, l := counter(t, o)
	want := map[string]any{"_aws": "12:00:00", "Release": "8", `a "quoted" name`: `back\slash`}
	for n, v := range []float64{0, -1, 0.1, 1e21, 123456789, 5e-324, math.Ldexp(1, 360)} {
		require.NoError(t, m.Value(noon, fmt.Sprint("v", n), "Bytes/Second", v))
		want[fmt.Sprint("v", n)] = v
	}
	require.NoError(t, m.Flush())
	assert.Equal(t, []map[string]any{want}, l.members(t))
}

func TestManyMayCountAtTheSameTime(t *testing.T) {
	m, l := counter(t, options)
	var all sync.WaitGroup
	for worker := range 8 {
		all.Go(func() {
			for n := range 500 {
				assert.NoError(t, m.Request(noon.Add(time.Duration(n)*10*time.Millisecond), time.Duration(worker)*time.Millisecond, worker == 0))
			}
		})
	}
	all.Wait()
	require.NoError(t, m.Flush())
	requests, failed := 0.0, 0.0
	for _, line := range l.members(t) {
		requests += line["Requests"].(float64)
		failed += line["Errors"].(float64)
	}
	assert.Equal(t, []float64{4000, 500}, []float64{requests, failed})
}

func TestWhatCloudWatchWouldDropIsRefused(t *testing.T) {
	version := func(more ...emf.Dimension) emf.Options {
		return emf.Options{Namespace: "Shop", Version: "8", Dimensions: more}
	}
	many := make([]emf.Dimension, 30)
	for n := range many {
		many[n] = emf.Dimension{Name: fmt.Sprint("d", n), Value: "v"}
	}
	for want, o := range map[string]emf.Options{
		"Version is empty: without it the metrics mix":                       {Namespace: "Shop"},
		"namespace is empty":                                                 {Version: "8"},
		`"AWS/Lambda" begins with AWS/`:                                      {Namespace: "AWS/Lambda", Version: "8"},
		`has the character 'ö'`:                                              {Namespace: "Höker", Version: "8"},
		"namespace has 256 characters":                                       {Namespace: strings.Repeat("n", 256), Version: "8"},
		`":Shop" begins with a colon`:                                        {Namespace: ":Shop", Version: "8"},
		"there are 31 dimensions":                                            version(many...),
		`dimension "Version" stands there twice`:                             version(emf.Dimension{Name: "Version", Value: "1"}),
		`dimension "Errors" stands there twice, or has the name of a metric`: version(emf.Dimension{Name: "Errors", Value: "1"}),
		`dimension "Stage": value "": it is blank`:                           version(emf.Dimension{Name: "Stage"}),
		"value \"a\\nb\": it has the character '\\n'":                        version(emf.Dimension{Name: "Stage", Value: "a\nb"}),
		"it has 1025 characters, and CloudWatch takes 1024":                  version(emf.Dimension{Name: "Stage", Value: strings.Repeat("v", 1025)}),
		`dimension "_aws": that name is the format's own`:                    version(emf.Dimension{Name: "_aws", Value: "1"}),
	} {
		_, err := emf.New(new(lines), o)
		require.ErrorContains(t, err, want)
	}

	o := version(emf.Dimension{Name: "Stage", Value: "prod"})
	m, l := counter(t, o)
	require.NoError(t, m.Count(noon, "Refunds", 1))
	for want, err := range map[string]error{
		`metric "": it is blank`:                          m.Count(noon, "", 1),
		`metric "Stage": it has the name of a dimension`:  m.Count(noon, "Stage", 1),
		`metric "_aws": that name is the format's own`:    m.Count(noon, "_aws", 1),
		`metric ":n": it begins with a colon`:             m.Count(noon, ":n", 1),
		"it has 256 characters, and CloudWatch takes 255": m.Count(noon, strings.Repeat("n", 256), 1),
		`unit "ms" is none of CloudWatch's`:               m.Value(noon, "Took", "ms", 1),
		`unit "Seconds/Second" is none`:                   m.Value(noon, "Took", "Seconds/Second", 1),
		"it was a count before and is a value in Bytes":   m.Value(noon, "Refunds", emf.Bytes, 1),
		"it is a value in Milliseconds here":              m.Count(noon, "Latency", 1),
		"its value NaN is no number":                      m.Count(noon, "n", math.NaN()),
		"its value -Inf is no number":                     m.Count(noon, "n", math.Inf(-1)),
		"is before 1970":                                  m.Count(time.Time{}, "n", 1),
	} {
		require.ErrorContains(t, err, want)
	}
	require.NoError(t, m.Flush())
	assert.Equal(t, []map[string]any{{"_aws": "12:00:00", "Stage": "prod", "Version": "8", "Refunds": 1.0}}, l.members(t), "what was refused has changed nothing")
}

// broken takes nothing.
type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

func TestWhatCannotBeWrittenIsToldAndForgotten(t *testing.T) {
	m, err := emf.New(broken{}, options)
	require.NoError(t, err)
	require.NoError(t, m.Request(noon, time.Second, false))
	require.ErrorContains(t, m.Request(noon.Add(time.Second), time.Second, false), "what they counted is lost): no space left on device")
	require.ErrorContains(t, m.Flush(), "no space left")
	require.NoError(t, m.Flush(), "memory is bounded")
}

// asMap is the same document for encoding/json.
func asMap(latency []float64) map[string]any {
	metric := func(name, unit string) map[string]any {
		return map[string]any{"Name": name, "Unit": unit, "StorageResolution": 1}
	}
	return map[string]any{
		"_aws": map[string]any{"Timestamp": noon.UnixMilli(), "CloudWatchMetrics": []any{map[string]any{
			"Namespace": "Shop", "Dimensions": [][]string{{"Version"}},
			"Metrics": []any{metric("Latency", "Milliseconds"), metric("Requests", "Count"), metric("Errors", "Count")},
		}}},
		"Version": "8", "Latency": latency, "Requests": len(latency), "Errors": 0,
	}
}

func TestARequestOfASecondThatGoesOnTakesNoMemory(t *testing.T) {
	m, _ := counter(t, options)
	second := func() {
		for n := range 100 {
			_ = m.Request(noon, time.Duration(n)*time.Millisecond, false)
		}
	}
	second()
	require.NoError(t, m.Flush())
	allocations := testing.AllocsPerRun(10, func() {
		second()
		_ = m.Flush()
	})
	assert.LessOrEqual(t, allocations, 2.0, "the two are those of this test's own writer")
}

func BenchmarkASecondOfAHundredRequests(b *testing.B) {
	b.Run("emf", func(b *testing.B) {
		m, err := emf.New(discard{}, options)
		require.NoError(b, err)
		b.ReportAllocs()
		for b.Loop() {
			for n := range 100 {
				_ = m.Request(noon, time.Duration(n)*time.Millisecond, false)
			}
			_ = m.Flush()
		}
	})
	b.Run("a map by encoding json", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var latency []float64
			for n := range 100 {
				latency = append(latency, float64(n))
			}
			line, err := json.Marshal(asMap(latency))
			require.NoError(b, err)
			_, _ = discard{}.Write(append(line, '\n'))
		}
	})
}

// discard takes all.
type discard struct{}

func (discard) Write(b []byte) (int, error) { return len(b), nil }
