package detection

import (
	"context"
	"sync"

	"github.com/pullback-dev/pullback/internal/bench/detection/sim"
)

// job is a piece of work of so many deployments.
type job struct {
	size  int
	phase string
	do    func(w *worker) error
}

// worker has room for one deployment.
type worker struct {
	deployment *sim.Deployment
	source     sim.Source
}

// work does all jobs, in their order as far as there are workers. The first
// error ends it.
func (b *bench) work(ctx context.Context, stage string, jobs []job) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	p := &progress{report: b.options.Progress, now: Progress{Stage: stage}}
	for _, j := range jobs {
		p.now.Total += j.size
	}
	queue := make(chan job)
	var all sync.WaitGroup
	for range b.options.Workers {
		all.Go(func() {
			w := &worker{deployment: sim.NewDeployment()}
			for j := range queue {
				if err := j.do(w); err != nil {
					stop(err)
				}
				p.add(j)
			}
		})
	}
	feed(ctx, queue, jobs)
	all.Wait()
	return context.Cause(ctx)
}

func feed(ctx context.Context, queue chan<- job, jobs []job) {
	defer close(queue)
	for _, j := range jobs {
		select {
		case queue <- j:
		case <-ctx.Done():
			return
		}
	}
}

// progress adds up what the workers have done.
type progress struct {
	mu     sync.Mutex
	report func(Progress)
	now    Progress
}

func (p *progress) add(j job) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now.Done += j.size
	p.now.Phase = j.phase
	if p.report != nil {
		p.report(p.now)
	}
}
