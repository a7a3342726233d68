package judge_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/judge"
	"github.com/pullback-dev/pullback/shared/health"
)

const header = "t,dt,n0,x0,n1,x1\n"

func usual() health.Rule {
	return health.Usual(health.PerRequest, health.DefaultAlpha, health.DefaultRho)
}

// replay returns all rows, and what came of it.
func replay(points string, rule health.Rule) ([]judge.Row, health.Finding, error) {
	var rows []judge.Row
	f, err := judge.Replay(strings.NewReader(points), rule, func(r judge.Row) error {
		rows = append(rows, r)
		return nil
	})
	return rows, f, err
}

func TestAFileEndsWhereTheReferenceEnds(t *testing.T) {
	text, err := os.ReadFile("../../shared/evalue/testdata/golden.json")
	require.NoError(t, err)
	var golden struct {
		Sequences []struct {
			Points [][5]float64 `json:"points"`
			Rho    float64      `json:"rho"`
			Boost  bool         `json:"boost"`
			Phi    float64      `json:"phi"`
			Cap    float64      `json:"cap"`
			LnE    []float64    `json:"log_e"`
		} `json:"sequences"`
	}
	require.NoError(t, json.Unmarshal(text, &golden))
	require.NotEmpty(t, golden.Sequences)
	for i, s := range golden.Sequences {
		rule := usual()
		rule.Rho, rule.Boost, rule.Phi, rule.Cap = s.Rho, s.Boost, s.Phi, s.Cap
		points, begin := header, 1.7e9
		for _, p := range s.Points {
			points += fmt.Sprintf("%v,%v,%v,%v,%v,%v\n", strconv.FormatFloat(begin, 'f', -1, 64), p[4], p[0], p[1], p[2], p[3])
			begin += p[4]
		}
		rows, _, err := replay(points, rule)
		require.NoError(t, err)
		require.Len(t, rows, len(s.LnE))
		failed := false
		for j, want := range s.LnE {
			assert.InDelta(t, want, rows[j].LnE, 1e-9, "sequence %d, point %d", i, j)
			failed = failed || want >= 4.605170185988
			assert.Equal(t, failed, rows[j].Verdict == health.Fail, "sequence %d, point %d", i, j)
		}
	}
}

func TestTheSameIsReadHoweverItIsWritten(t *testing.T) {
	want, _, err := replay(header+"0,60,54,0,6,0\n60,60,54,0,6,6\n", usual())
	require.NoError(t, err)
	require.Equal(t, []judge.Row{
		{T: 0, LnE: want[0].LnE, Verdict: health.Inconclusive},
		{T: 60, LnE: want[1].LnE, LnVeto: want[1].LnVeto, Verdict: health.Fail},
	}, want)
	for name, points := range map[string]string{
		"line ends of Windows":     "t,dt,n0,x0,n1,x1\r\n0,60,54,0,6,0\r\n60,60,54,0,6,6\r\n",
		"a byte order mark":        "\ufeff" + header + "0,60,54,0,6,0\n60,60,54,0,6,6\n",
		"both":                     "\ufefft,dt,n0,x0,n1,x1\r\n0,60,54,0,6,0\r\n60,60,54,0,6,6",
		"a mark before a quote":    "\ufeff\"t\",dt,n0,x0,n1,x1\n0,60,54,0,6,0\n60,60,54,0,6,6",
		"blank lines":              "\n" + header + "\n0,60,54,0,6,0\n\n  \n60,60,54,0,6,6\n\n",
		"quoted fields":            `"t","dt","n0","x0","n1","x1"` + "\n" + `"0","60","54","0","6","0"` + "\n60,60,\"54\",0,6,6\n",
		"no line end at the end":   header + "0,60,54,0,6,0\n60,60,54,0,6,6",
		"columns in another order": "x1,n1,t,dt,x0,n0\n0,6,0,60,0,54\n6,6,60,60,0,54\n",
		"spaces":                   "t, dt, n0, x0, n1, x1\n 0, 60, 54, 0, 6, 0\n60 ,60 ,54 ,0 ,6 ,6\n",
		"fractions and exponents":  header + "-0.0,6e1,54.0,0,6.,0\n60.000,60,5.4E1,0,+6,6\n",
	} {
		got, _, err := replay(points, usual())
		require.NoError(t, err, name)
		assert.Equal(t, want, got, name)
	}
}

func TestWhatIsNonsenseIsRefusedByLineAndReason(t *testing.T) {
	first := header + "0,60,540,1,60,0\n"
	for name, test := range map[string]struct{ points, why string }{
		"nothing":               {"", "there are no points: the first line must be the header t,dt,n0,x0,n1,x1"},
		"only blank lines":      {"\n\r\n\n", "there are no points: the first line must be the header t,dt,n0,x0,n1,x1"},
		"no header":             {"0,60,540,1,60,0\n", `line 1: "0" is no column; the first line must be the header t,dt,n0,x0,n1,x1`},
		"an unknown column":     {"\n\nt,dt,n0,x0,n1,x1,note\n", `line 3: "note" is no column; the first line must be the header t,dt,n0,x0,n1,x1`},
		"a column in capitals":  {"T,dt,n0,x0,n1,x1\n", `line 1: "T" is no column; the first line must be the header t,dt,n0,x0,n1,x1`},
		"a missing column":      {"t,n0,x0,n1,x1\n", "line 1: column dt is missing; the header is t,dt,n0,x0,n1,x1"},
		"a column twice":        {"t,dt,n0,x0,n1,x1,n0\n", "line 1: column n0 is there twice"},
		"semicolons":            {"t;dt;n0;x0;n1;x1\n", `line 1: "t;dt;n0;x0;n1;x1" is no column; the first line must be the header t,dt,n0,x0,n1,x1`},
		"too few fields":        {first + "60,60,540,1,60\n", "line 3: 5 fields, and the header has 6"},
		"too many fields":       {first + "60,60,540,1,60,0,0\n", "line 3: 7 fields, and the header has 6"},
		"a header once more":    {first + header, `line 3: t is "t", not a number`},
		"words":                 {first + "60,60,540,one,60,0\n", `line 3: x0 is "one", not a number`},
		"a comma for a point":   {first + "60,60,540,1,60,\"0,5\"\n", `line 3: x1 is "0,5", not a number`},
		"a number in base 16":   {first + "60,60,0x10,1,60,0\n", `line 3: n0 is "0x10", not a number`},
		"nothing in a field":    {first + "\n60,60,540,1,,0\n", "line 4: n1 is empty"},
		"a quote left open":     {first + "60,60,540,1,60,\"0\n", `line 3: extraneous or missing " in quoted-field`},
		"a bare quote":          {first + "60,60,5\"40,1,60,0\n", `line 3: bare " in non-quoted-field`},
		"a negative count":      {first + "60,60,540,1,-60,0\n", "line 3: not counts: n1 is -60; counts are finite and not negative"},
		"NaN":                   {first + "60,60,540,NaN,60,0\n", "line 3: x0 is NaN, which counts nothing"},
		"infinitely many":       {first + "60,60,+Inf,1,60,0\n", "line 3: n0 is +Inf, which counts nothing"},
		"more than a number is": {first + "60,60,1e999,1,60,0\n", "line 3: n0 is 1e999, which is too large"},
		"more than can be told": {first + "60,60,1e16,1,60,0\n", "line 3: not counts: n0 is 1e+16; more than 1e+15 cannot be told apart"},
		"old events > requests": {first + "60,60,5,6,60,0\n", "line 3: not counts: the old version has 6 events in 5 requests"},
		"new events > requests": {first + "60,60,540,1,60,60.5\n", "line 3: not counts: the new version has 60.5 events in 60 requests"},
		"a period of nothing":   {first + "60,0,540,1,60,0\n", "line 3: dt is 0; a period is longer than nothing"},
		"a negative period":     {first + "60,-60,540,1,60,0\n", "line 3: dt is -60; a period is longer than nothing"},
		"a period of NaN":       {first + "60,nan,540,1,60,0\n", "line 3: dt is nan, which counts nothing"},
		"next to no period":     {first + "60,1e-9,540,1,60,0\n", "line 3: dt is 1e-09; it is a number of seconds, from 1e-6 to 1e9"},
		"milliseconds":          {first + "1767603600000,60,540,1,60,0\n", "line 3: t is 1.7676036e+12; it is a number of seconds, up to 1e+10"},
		"a date":                {first + "2026-01-05T09:00:00Z,60,540,1,60,0\n", `line 3: t is "2026-01-05T09:00:00Z", not a number`},
		"the same time again":   {first + "0,60,540,1,60,0\n", "line 3: t is 0, as in line 2: every period is told once"},
		"an earlier time":       {first + "-60,60,540,1,60,0\n", "line 3: t is -60, and line 2 had 0: periods come in order"},
		"periods that overlap":  {first + "\n59.5,60,540,1,60,0\n", "line 4: t is 59.5, and the period of line 2 lasts until 60: periods do not overlap"},
	} {
		rows, finding, err := replay(test.points, usual())
		require.EqualError(t, err, test.why, name)
		assert.Zero(t, finding, name)
		if strings.HasPrefix(test.points, first) {
			assert.Len(t, rows, 1, "%s: what came before was told", name)
		} else {
			assert.Empty(t, rows, name)
		}
	}
}

func TestFractionsOfSecondsDoNotMakePeriodsOverlap(t *testing.T) {
	for _, begin := range []float64{0, 1767603600, -1e9} {
		for _, dt := range []string{"0.1", "0.0333333333", "0.7", "10.01"} {
			step, err := strconv.ParseFloat(dt, 64)
			require.NoError(t, err)
			points := header
			for i := range 100 {
				points += fmt.Sprintf("%.10f,%s,9,0,1,0\n", begin+float64(i)*step, dt)
			}
			rows, _, err := replay(points, usual())
			require.NoError(t, err)
			assert.Len(t, rows, 100)
		}
	}
}

// Money that waits is bet by the seconds that were counted.
func TestInAGapNothingIsKnown(t *testing.T) {
	whole, _, err := replay(header+"0,60,540,1,60,0\n60,60,540,1,60,2\n120,60,540,1,60,2\n", usual())
	require.NoError(t, err)
	gap, _, err := replay(header+"0,60,540,1,60,0\n86400,60,540,1,60,2\n172800,60,540,1,60,2\n", usual())
	require.NoError(t, err)
	for i := range whole {
		whole[i].T = gap[i].T
	}
	assert.Equal(t, whole, gap)
}

func TestWhatFailedOnceHasFailed(t *testing.T) {
	points := header + "0,60,54,0,6,6\n"
	for i := 1; i < 50; i++ {
		points += fmt.Sprintf("%d,60,5400,2700,600,150\n", 60*i)
	}
	rows, finding, err := replay(points, usual())
	require.NoError(t, err)
	assert.Negative(t, rows[49].LnE, "the capital is lost again")
	for _, r := range rows {
		assert.Equal(t, health.Fail, r.Verdict)
	}
	assert.Equal(t, health.Fail, finding.Verdict)
}

func TestWithoutAConcurrentVersionThereIsNoVeto(t *testing.T) {
	rule := usual()
	rule.Rho, rule.History = health.HistoryRho, true
	rows, _, err := replay(header+"0,60,540,270,60,30\n60,60,540,270,60,30\n", rule)
	require.NoError(t, err)
	for _, r := range rows {
		assert.Zero(t, r.LnVeto)
		assert.Equal(t, health.Inconclusive, r.Verdict)
	}
}

func TestAHeaderWithoutPointsIsNoTraffic(t *testing.T) {
	rows, finding, err := replay(header, usual())
	require.NoError(t, err)
	assert.Empty(t, rows)
	assert.Equal(t, health.NoTraffic, finding.Verdict)
}

func TestHugeAndFractionalCountsAreJudged(t *testing.T) {
	rows, _, err := replay(header+"0,60,9e14,4.5e14,1e14,5e13\n60,60,540.5,1.25,60.5,20.75\n", usual())
	require.NoError(t, err)
	assert.Less(t, rows[0].LnE, 0.0)
	assert.Equal(t, health.Fail, rows[1].Verdict)
}

func TestTheEndOfAReplayIsSaidInWords(t *testing.T) {
	_, finding, err := replay(header+"0,60,540,1,60,0\n60,60,540,272,60,31\n120,60,541,266,57,27\n", usual())
	require.NoError(t, err)
	assert.Equal(t, health.Pass, finding.Verdict)
	assert.Equal(t, "58 of 177 requests to the new version failed (32.8 %), 539 of 1621 to the old one (33.3 %): 676 to 1 that it is not twice as bad", finding.Because)
	assert.Equal(t, "at 10 requests/s and 9.84 % you would see a doubling of a 33.3 % error rate after 47 s; within 3 min a rate of 52.7 %", finding.Sees)
}

func TestRowsAsTable(t *testing.T) {
	var b bytes.Buffer
	table := judge.NewTable(&b)
	require.NoError(t, table.Row(judge.Row{T: 0, LnE: -0.3306529918, LnVeto: 0.0953101798, Verdict: health.Inconclusive}))
	require.NoError(t, table.Row(judge.Row{T: 1767603600.5, LnE: 2.5, Verdict: health.Pass}))
	assert.Equal(t, ""+
		"             t            lnE         lnVeto  verdict\n"+
		"             0      -0.330653       0.095310  INCONCLUSIVE\n"+
		"  1767603600.5       2.500000       0.000000  PASS\n", b.String())
}

func TestRowsAsJSONKeepEveryDigit(t *testing.T) {
	var b bytes.Buffer
	rows := []judge.Row{{T: 0.1, LnE: -0.3306529918106963, LnVeto: 1e-300, Verdict: health.Inconclusive}}
	require.NoError(t, judge.JSON(&b, rows))
	assert.JSONEq(t, `[{"t":0.1,"lnE":-0.3306529918106963,"lnVeto":1e-300,"verdict":"INCONCLUSIVE"}]`, b.String())
	var back []judge.Row
	require.NoError(t, json.Unmarshal(b.Bytes(), &back))
	assert.Equal(t, rows, back)

	b.Reset()
	require.NoError(t, judge.JSON(&b, nil))
	assert.Equal(t, "[]\n", b.String())
}

// full takes nothing.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestWhatCannotBeWrittenIsAnError(t *testing.T) {
	require.EqualError(t, judge.NewTable(full{}).Row(judge.Row{}), "print rows: no space left")
	require.EqualError(t, judge.JSON(full{}, nil), "print rows: no space left")
	_, err := judge.Replay(strings.NewReader(header+"0,60,9,0,1,0\n"), usual(), judge.NewTable(full{}).Row)
	require.EqualError(t, err, "print rows: no space left")
}

func FuzzReplay(f *testing.F) {
	f.Add(header + "0,60,540,1,60,0\n60,60,540,272,60,31\n")
	f.Add("\ufeff\"t\",dt,n0,x0,n1,x1\r\n0,60,1e14,1e13,0.5,0.25\r\n")
	f.Fuzz(func(t *testing.T, points string) {
		rows, finding, err := replay(points, usual())
		for _, r := range rows {
			assert.False(t, math.IsNaN(r.LnE) || math.IsNaN(r.LnVeto), "%v", r)
		}
		assert.Equal(t, err == nil, finding.Verdict != "", "a verdict or an error")
	})
}
