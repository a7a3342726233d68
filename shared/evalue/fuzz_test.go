package evalue

import (
	"encoding/json"
	"math"
	"testing"
)

// FuzzAdd looks for counts that are taken in and make no sense of the capital.
func FuzzAdd(f *testing.F) {
	f.Add(540.0, 5.0, 60.0, 6.0, 60.0, uint8(0))
	f.Add(0.5, 0.25, 1e15, 1.0, 1e-6, uint8(1))
	f.Add(1e8, 1e8, 1.0, 0.0, 1e9, uint8(2))
	f.Add(1e9, 1e9-1e-7, 1e9, 1e9, 10.0, uint8(3))
	f.Add(5e-324, 5e-324, 1.0, 1e-300, 10.0, uint8(4))
	f.Fuzz(func(t *testing.T, n0, x0, n1, x1, seconds float64, how uint8) {
		c := Default()
		c.Rho, c.Guard, c.Patient = []float64{1, 1.25, 100}[how%3], int(how/3%3), how/9%2 == 1
		if how >= 128 {
			c = Sticky(0.01, float64(how-126))
		}
		test, err := New(c)
		if err != nil {
			t.Fatal(err)
		}
		if n0+n1 <= maxExact && n0+n1 > 1e6 { // exact, but for seconds
			n0, x0, n1, x1 = n0/100, x0/100, n1/100, x1/100
		}
		for _, counts := range []Counts{{n0, x0, n1, x1}, {N0: 9, N1: 1, X1: 1}, {n1, x1, n0, x0}, {n0, x0, n1, x1}} {
			if err := test.Add(counts, seconds); err != nil {
				return
			}
			if _, err := json.Marshal(test.State()); err != nil {
				t.Fatalf("%v after %+v", err, counts)
			}
			for name, v := range map[string]float64{"lnE": test.LnE(), "lnVeto": test.LnVeto()} {
				if math.IsNaN(v) || math.IsInf(v, 0) {
					t.Fatalf("%s is %v after %+v", name, v, counts)
				}
			}
		}
	})
}
