// Package bench measures what it costs to start the functions: size on disk,
// time until they ask for their first event, time until the first answer,
// time of a later answer, and memory. Beside them, in the same run, it
// measures a Python hook that does what hooks are usually written to do.
//
// The processes are real and do their ordinary work against the local AWS. It
// says nothing of AWS's own machines: a Lambda function with 128 MB has a
// small share of a processor, and the time in which AWS fetches and unpacks
// the code comes on top.
package bench

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/pullback-dev/pullback/internal/bench/process"
)

// Warm is how often a process is invoked after its first answer.
const Warm = 50

// Options are the choices for a run.
type Options struct {
	Dist   string           // folder with the functions and the sample, built for this machine
	Starts int              // of every candidate
	Python string           // the interpreter's path; empty: no Python hook
	Hook   string           // the Python hook's path
	Now    func() time.Time // the wall clock
}

// Candidate is a program that is measured.
type Candidate struct {
	Name  string
	Argv  []string
	Bytes int64 // of the program; 0 for Python, whose interpreter AWS has
	Zip   int64 // of the program, packed; the same
	Gates Gates
	role  string // the function whose work it does
}

// Gates are what a candidate may cost at most. Zero is no limit.
type Gates struct {
	Bytes  int64         // of the program
	Init   time.Duration // median
	Memory int64         // in bytes, after init and after the last invocation
}

// Sample is one start of one candidate.
type Sample struct {
	Init   time.Duration // from exec to the request for the first event
	First  time.Duration // from exec to the first answer
	Warm   []time.Duration
	Idle   int64 // resident bytes after init; 0 where the system does not say
	Loaded int64 // resident bytes after the last invocation; the same
	Calls  int   // to AWS, in the last invocation
}

// The units: files are counted as disks are, memory as the kernel and Lambda
// count it.
const (
	megabyte = 1_000_000
	mebibyte = 1 << 20
)

// gates are the project's limits. The two functions that CodeDeploy waits for
// are held tighter than the two that only read queues; posttraffic, which reads
// logs and a queue besides, not quite as tight as pretraffic in time. pretraffic
// carries what it takes to look at targets with hooks, alarmrouter and rollbacker at every
// kind, and all three read Parameter Store. pretraffic and alarmrouter take restore
// points, too: the client of AWS Backup and the snapshots of EC2 are a megabyte and a half.
// posttraffic asks ECS and the load balancer which target group counts a release: 1.4 MB.
func gates(function string) Gates {
	switch function {
	case "pretraffic":
		return Gates{Bytes: 17.5 * megabyte, Init: 12 * time.Millisecond, Memory: 16 * mebibyte}
	case "posttraffic":
		return Gates{Bytes: 14.8 * megabyte, Init: 14 * time.Millisecond, Memory: 18 * mebibyte}
	case "alarmrouter":
		return Gates{Bytes: 22.8 * megabyte, Init: 25 * time.Millisecond}
	default:
		return Gates{Bytes: 21.5 * megabyte, Init: 25 * time.Millisecond}
	}
}

// Functions returns the functions' names in the order in which they are shown.
func Functions() []string { return []string{"pretraffic", "posttraffic", "alarmrouter", "rollbacker"} }

// Candidates returns the functions as built in dist, without the Python hook.
func Candidates(dist string) ([]Candidate, error) {
	var all []Candidate
	for _, name := range Functions() {
		path, err := filepath.Abs(filepath.Join(dist, name, "bootstrap"))
		if err != nil {
			return nil, fmt.Errorf("find %s: %w", name, err)
		}
		c := Candidate{Name: name, Argv: []string{path}, Gates: gates(name), role: name}
		if c.Bytes, c.Zip, err = sizes(path); err != nil {
			return nil, fmt.Errorf("measure %s (make build builds it): %w", name, err)
		}
		all = append(all, c)
	}
	return all, nil
}

// python is the Python hook as a candidate. It does pretraffic's work.
func (o Options) python() Candidate {
	return Candidate{Name: pythonHook, Argv: []string{o.Python, o.Hook}, role: "pretraffic"}
}

// Run starts every candidate o.Starts times. The candidates take turns, so
// that whatever else the machine does hits all of them alike.
func Run(ctx context.Context, o Options) (*Report, error) {
	all, err := Candidates(o.Dist)
	if err != nil {
		return nil, err
	}
	if o.Python != "" {
		all = append(all, o.python())
	}
	s, err := open(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("prepare the local AWS: %w", err)
	}
	samples := make([][]Sample, len(all))
	err = func() error {
		for n := range o.Starts {
			for i, c := range all {
				sample, err := s.measure(ctx, c, n)
				if err != nil {
					return fmt.Errorf("start %d of %s: %w", n+1, c.Name, err)
				}
				samples[i] = append(samples[i], sample)
			}
		}
		return nil
	}()
	if err := errors.Join(err, s.close()); err != nil {
		return nil, err
	}
	return newReport(all, samples), nil
}

// measure starts a candidate, invokes it 1 + Warm times and ends it.
func (s *scene) measure(ctx context.Context, c Candidate, n int) (Sample, error) {
	p, err := process.Start(ctx, s.options.Now, c.Argv, s.environment(c.role))
	if err != nil {
		return Sample{}, err
	}
	defer p.End()
	var out Sample
	if out.Init, err = p.Ready(ctx); err != nil {
		return out, err
	}
	out.Idle = resident(p.PID())
	for i := range 1 + Warm {
		took, calls, err := s.invoke(ctx, p, c.role, n, i)
		if err != nil {
			return out, fmt.Errorf("invocation %d: %w", i+1, err)
		}
		if i == 0 {
			out.First = p.Age()
			continue
		}
		out.Warm, out.Calls = append(out.Warm, took), calls
	}
	out.Loaded = resident(p.PID())
	return out, nil
}

// invoke lets a process do one piece of work and makes sure that it was done.
func (s *scene) invoke(ctx context.Context, p *process.Process, role string, start, nth int) (time.Duration, int, error) {
	work, want, err := s.work(role, start, nth)
	if err != nil {
		return 0, 0, err
	}
	before := s.calls.Load()
	answer, took, err := p.Invoke(ctx, work)
	if err != nil {
		return 0, 0, err
	}
	if string(answer) != want || s.failed.Load() {
		return 0, 0, fmt.Errorf("it answered %s and not %s, or told CodeDeploy that the hook failed; it wrote:\n%s", answer, want, p.Log())
	}
	return took, int(s.calls.Load() - before), nil
}
