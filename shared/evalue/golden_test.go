package evalue

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// golden are values of an implementation in exact rational arithmetic and of a
// prototype, which agree to 1e-10.
type golden struct {
	Groups []struct {
		Counts

		Rho float64   `json:"rho"`
		LnE []float64 `json:"log_e"`
	} `json:"groups"`
	Sequences []struct {
		Name   string       `json:"name"`
		Points [][5]float64 `json:"points"`
		Rho    float64      `json:"rho"`
		Boost  bool         `json:"boost"`
		Phi    float64      `json:"phi"`
		Cap    float64      `json:"cap"`
		LnE    []float64    `json:"log_e"`
	} `json:"sequences"`
	Veto []struct {
		Counts

		LnE float64 `json:"log_e"`
	} `json:"veto"`
}

func readGolden(t *testing.T) golden {
	t.Helper()
	text, err := os.ReadFile("testdata/golden.json")
	require.NoError(t, err)
	var g golden
	require.NoError(t, json.Unmarshal(text, &g))
	require.Len(t, g.Groups, 22)
	require.Len(t, g.Sequences, 30)
	require.Len(t, g.Veto, 2)
	return g
}

const exactly = 1e-9

func TestOneGroupSaysOfEveryOddsRatioWhatTheReferenceSays(t *testing.T) {
	for _, g := range readGolden(t).Groups {
		p := newProcess(Config{Rho: g.Rho})
		p.likelihood.exact(newGroup(g.Counts), g.Rho, true)
		for i, want := range g.LnE {
			got := p.likelihood.ln(i, g.X1)
			if p.likelihood.low == p.likelihood.high {
				got = 0
			}
			assert.InDelta(t, want, got, exactly, "%+v, odds ratio %v", g, Psi()[i])
		}
	}
}

func TestASequenceEndsWhereTheReferenceEnds(t *testing.T) {
	for _, s := range readGolden(t).Sequences {
		c := Default()
		c.Rho, c.Boost, c.Phi, c.Cap = s.Rho, s.Boost, s.Phi, s.Cap
		test, err := New(c)
		require.NoError(t, err)
		for i, p := range s.Points {
			require.NoError(t, test.Add(Counts{p[0], p[1], p[2], p[3]}, p[4]))
			assert.InDelta(t, s.LnE[i], test.LnE(), exactly, "%s, rho %v, boost %v, phi %v, point %d", s.Name, s.Rho, s.Boost, s.Phi, i)
		}
	}
}

func TestTheVetoIsThatOfTheReference(t *testing.T) {
	for _, v := range readGolden(t).Veto {
		test, err := New(Default())
		require.NoError(t, err)
		require.NoError(t, test.Add(v.Counts, 60))
		assert.InDelta(t, v.LnE, test.LnVeto(), exactly, "%+v", v)
	}
}
