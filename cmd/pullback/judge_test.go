package main_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// run runs a command with something on stdin.
func run(t *testing.T, stdin string, given ...string) (stdout, stderr string, code int) {
	t.Helper()
	if built == "" {
		t.Skip("builds and starts programs; run without -short")
	}
	cmd := exec.CommandContext(t.Context(), filepath.Join(built, "pullback"), given...)
	var out, errOut bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &errOut
	if err := cmd.Run(); err != nil {
		exit := &exec.ExitError{}
		require.ErrorAs(t, err, &exit)
	}
	return out.String(), errOut.String(), cmd.ProcessState.ExitCode()
}

type judgedRow struct {
	T       float64 `json:"t"`
	LnE     float64 `json:"lnE"`
	LnVeto  float64 `json:"lnVeto"`
	Verdict string  `json:"verdict"`
}

func judged(t *testing.T, stdout string) []judgedRow {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(stdout))
	d.DisallowUnknownFields()
	var rows []judgedRow
	require.NoError(t, d.Decode(&rows))
	return rows
}

const pointsHeader = "t,dt,n0,x0,n1,x1\n"

func TestJudgePrintsWhatIsKnownAfterEachLine(t *testing.T) {
	t.Parallel()
	stdout, stderr, code := run(t, pointsHeader+"0,60,540,1,60,0\n60,60,540,272,60,31\n120,60,541,266,57,27\n", "judge")
	assert.Equal(t, ""+
		"             t            lnE         lnVeto  verdict\n"+
		"             0      -0.330653       0.095310  INCONCLUSIVE\n"+
		"            60      -0.702127       2.805657  INCONCLUSIVE\n"+
		"           120      -0.810729       6.515908  PASS\n", stdout)
	assert.Equal(t, "PASS: 58 of 177 requests to the new version failed (32.8 %), 539 of 1621 to the old one (33.3 %): 676 to 1 that it is not twice as bad\n"+
		"at 10 requests/s and 9.84 % you would see a doubling of a 33.3 % error rate after 47 s; within 3 min a rate of 52.7 %\n", stderr)
	assert.Equal(t, 0, code)
}

func TestJudgeAsDataIsTheReferenceToTheLastDigit(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../shared/evalue/testdata/golden.json")
	require.NoError(t, err)
	var golden struct {
		Sequences []struct {
			Points [][5]float64 `json:"points"`
			Rho    float64      `json:"rho"`
			Phi    float64      `json:"phi"`
			Cap    float64      `json:"cap"`
			Boost  bool         `json:"boost"`
			LnE    []float64    `json:"log_e"`
		} `json:"sequences"`
	}
	require.NoError(t, json.Unmarshal(text, &golden))
	for i, s := range golden.Sequences {
		points, begin := pointsHeader, 0.0
		for _, p := range s.Points {
			points += fmt.Sprintf("%v,%v,%v,%v,%v,%v\n", begin, p[4], p[0], p[1], p[2], p[3])
			begin += p[4]
		}
		given := []string{"judge", "-o", "json", fmt.Sprintf("--rho=%v", s.Rho), fmt.Sprintf("--boost=%v", s.Boost)}
		if s.Phi > 1 {
			given = append(given, "--mode=sticky", fmt.Sprintf("--phi=%v", s.Phi))
			assert.InDelta(t, math.Log(100)/2, s.Cap, 1e-12, "the default")
		}
		stdout, _, code := run(t, points, given...)
		require.Equal(t, 0, code)
		rows := judged(t, stdout)
		require.Len(t, rows, len(s.LnE))
		for j, want := range s.LnE {
			assert.InDelta(t, want, rows[j].LnE, 1e-9, "sequence %d, point %d", i, j)
		}
	}
}

// TestJudgeTakesItsRuleFromFlags tells rules apart by what they make of the
// same points.
func TestJudgeTakesItsRuleFromFlags(t *testing.T) {
	t.Parallel()
	points := pointsHeader + "0,60,540,5,60,6\n60,60,540,4,60,5\n"
	end := func(given ...string) (lnE, lnVeto float64) {
		stdout, _, code := run(t, points, append([]string{"judge", "-o", "json"}, given...)...)
		require.Equal(t, 0, code, given)
		rows := judged(t, stdout)
		return rows[len(rows)-1].LnE, rows[len(rows)-1].LnVeto
	}
	usual, veto := end()
	same, sameVeto := end("--rho", "1.25", "--alpha", "0.01", "--mode", "request", "--phi", "1", "--cap", "0", "--boost=true", "--guard", "0", "--share", "0.1")
	assert.InDelta(t, usual, same, 0)
	assert.InDelta(t, veto, sameVeto, 0)

	history, noVeto := end("--history")
	two, _ := end("--rho", "2")
	assert.InDelta(t, two, history, 0)
	assert.Zero(t, noVeto)
	kept, _ := end("--history", "--rho", "1.25")
	assert.InDelta(t, usual, kept, 0)

	sticky, _ := end("--mode", "sticky", "--phi", "3")
	explicit, _ := end("--mode", "sticky", "--phi", "3", "--cap", "2.302585092994046", "--boost=false")
	assert.InDelta(t, sticky, explicit, 1e-12)
	tempered, _ := end("--phi", "3", "--cap", "2.302585092994046")
	assert.InDelta(t, sticky, tempered, 1e-12)

	points += "120,3600,540,4,60,5\n3720,60,540,4,60,5\n"
	usual, _ = end()
	for _, other := range [][]string{{"--patient"}, {"--boost=false"}, {"--guard", "1"}, {"--alpha", "0.001"}, {"--phi", "1.5"}, {"--cap", "1"}} {
		lnE, _ := end(other...)
		assert.Greater(t, math.Abs(usual-lnE), 1e-6, other)
	}
}

func TestJudgeWithoutPoints(t *testing.T) {
	t.Parallel()
	stdout, stderr, code := run(t, pointsHeader, "judge", "-o", "json")
	assert.Equal(t, "[]\n", stdout)
	assert.Equal(t, "NO_TRAFFIC: neither version had a request\n", stderr)
	assert.Equal(t, 0, code)

	stdout, stderr, code = run(t, "", "judge")
	assert.Empty(t, stdout)
	assert.Equal(t, "pullback: there are no points: the first line must be the header t,dt,n0,x0,n1,x1\n", stderr)
	assert.Equal(t, 1, code)
}

func TestJudgeMissesTheNewVersion(t *testing.T) {
	t.Parallel()
	points := pointsHeader + "0,60,54,0,0,0\n"
	_, stderr, _ := run(t, points, "judge", "--share", "0.5")
	assert.Equal(t, "NO_DATA: the new version had no request and about 54 were due: traffic does not reach it, or is not counted\n", stderr)
	_, stderr, _ = run(t, points, "judge", "--share", "0.1")
	assert.Equal(t, "INCONCLUSIVE: the new version had no request yet; about 6 were due\n", stderr)
}

func TestJudgeSaysWherePhiShouldComeFrom(t *testing.T) {
	t.Parallel()
	const hint = "phi is taken to be 1; where clients stick to a version it should come from the old version's history, see docs/judging.md\n"
	_, stderr, _ := run(t, pointsHeader, "judge", "--mode", "sticky")
	assert.True(t, strings.HasPrefix(stderr, hint), stderr)
	_, stderr, _ = run(t, pointsHeader, "judge", "--mode", "sticky", "--phi", "1")
	assert.NotContains(t, stderr, hint)
}

func TestJudgeStopsAtALineThatIsNonsense(t *testing.T) {
	t.Parallel()
	points := pointsHeader + "0,60,540,1,60,0\n60,60,540,1,60,61\n120,60,540,1,60,0\n"
	const why = "pullback: line 3: not counts: the new version has 61 events in 60 requests\n"
	stdout, stderr, code := run(t, points, "judge")
	assert.Equal(t, 2, strings.Count(stdout, "\n"), "what was known before it: %s", stdout)
	assert.Equal(t, why, stderr)
	assert.Equal(t, 1, code)

	stdout, stderr, code = run(t, points, "judge", "-o", "json")
	assert.Empty(t, stdout)
	assert.Equal(t, why, stderr)
	assert.Equal(t, 1, code)
}

func TestJudgeRefusesRulesThatMeanNothing(t *testing.T) {
	t.Parallel()
	const alone = "--boost is only valid where routing is per request: without --mode sticky, --phi and --cap"
	for why, given := range map[string][]string{
		"mode is request or sticky, not \"clients\"": {"--mode", "clients"},
		"output is table or json, not \"xml\"":       {"-o", "xml"},
		"alpha is 0, not between 1e-12 and 0.5":      {"--alpha", "0"},
		"rho is 0.9, not between 1 and 100":          {"--rho", "0.9"},
		"rho is NaN, not between 1 and 100":          {"--rho", "NaN"},
		"phi is 0.5, not between 1 and 1e6":          {"--phi", "0.5"},
		"guard is -1, not between 0 and 12 points":   {"--guard", "-1"},
		"share is 1, not from 0 to less than 1":      {"--share", "1"},
		"share is NaN, not from 0 to less than 1":    {"--share", "NaN"},
		alone:                     {"--boost", "--mode", "sticky"},
		"unknown command":         {"points.csv"},
		"unknown flag: --verbose": {"--verbose"},
	} {
		stdout, stderr, code := run(t, pointsHeader, append([]string{"judge"}, given...)...)
		assert.Empty(t, stdout, given)
		assert.True(t, strings.HasPrefix(stderr, "pullback: "+why), "%v: %s", given, stderr)
		assert.Equal(t, 2, code, given)
	}
}
