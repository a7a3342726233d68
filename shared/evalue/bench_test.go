package evalue

import (
	"fmt"
	"testing"
)

// BenchmarkGroup judges one group of so many requests to both versions, of
// which 1 % fail.
func BenchmarkGroup(b *testing.B) {
	for _, n := range []float64{100, 10_000, 1_000_000} {
		for _, guard := range []int{0, 3} {
			b.Run(fmt.Sprintf("requests=%.0f/guard=%d", n, guard), func(b *testing.B) {
				c := Default()
				c.Guard = guard
				test, err := New(c)
				if err != nil {
					b.Fatal(err)
				}
				counts := Counts{N0: 0.9 * n, X0: 0.009 * n, N1: 0.1 * n, X1: 0.001 * n}
				if counts.X1 < 1 {
					counts.X0, counts.X1 = 1, 0
				}
				b.ReportAllocs()
				for b.Loop() {
					if err := test.Add(counts, 10); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
