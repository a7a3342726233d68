package health

import (
	"time"

	"github.com/pullback-dev/pullback/shared/evalue"
)

// Point is what both versions did in one settled period.
type Point struct {
	At     time.Time     // when the period began
	Period time.Duration // how long it was
	Counts evalue.Counts
}

// End is when the period was over.
func (p Point) End() time.Time { return p.At.Add(p.Period) }
