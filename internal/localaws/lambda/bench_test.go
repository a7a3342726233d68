package lambda_test

import (
	"testing"
	"time"

	"github.com/pullback-dev/pullback/internal/localaws/lambda"
	"github.com/pullback-dev/pullback/internal/localaws/traffic"
)

func BenchmarkWarmInvocation(b *testing.B) {
	l := newLocal(b, func(o *lambda.Options) { o.Log = nil })
	l.create("worker")
	done := make(chan struct{})
	for b.Loop() {
		l.world.Lock()
		l.lambda.Start("worker", "", []byte(`{}`), func(lambda.Result) { done <- struct{}{} })
		l.world.Unlock()
		<-done
	}
}

// BenchmarkTrafficOnVirtualTime is what a demonstration does: requests on the
// world's clock through an alias.
func BenchmarkTrafficOnVirtualTime(b *testing.B) {
	l := newLocal(b, func(o *lambda.Options) { o.Log = nil })
	l.create("worker")
	l.world.Lock()
	stream := traffic.Start(l.world, l.lambda, traffic.Options{Function: "worker", PerSecond: 50})
	l.world.Unlock()
	for b.Loop() {
		if err := l.world.Advance(b.Context(), 20*time.Second); err != nil {
			b.Fatal(err)
		}
	}
	l.world.Lock()
	defer l.world.Unlock()
	b.ReportMetric(float64(stream.Summary().Total)/b.Elapsed().Seconds(), "requests/s")
}

func BenchmarkAnIdleHourWithAMapping(b *testing.B) {
	l := newLocal(b)
	l.create("worker")
	l.read(l.queue("orders", nil))
	for b.Loop() {
		if err := l.world.Advance(b.Context(), time.Hour); err != nil {
			b.Fatal(err)
		}
	}
}
