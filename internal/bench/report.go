package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"slices"
	"text/tabwriter"
	"time"
)

const pythonHook = "python hook"

// Report is what a run found.
type Report struct {
	Go      string `json:"go"`
	System  string `json:"system"`
	CPUs    int    `json:"cpus"`
	Starts  int    `json:"starts"`
	Warm    int    `json:"warm"`
	Rows    []Row  `json:"candidates"`
	Skipped string `json:"skipped,omitempty"` // why there is no Python hook
}

// Row is one candidate. Files are in units of 1,000,000 bytes, memory in units
// of 1,048,576 bytes, times in milliseconds. What was measured is a median
// where the name does not say otherwise.
type Row struct {
	Name     string          `json:"name"`
	Binary   float64         `json:"binaryMB,omitempty"`
	Zip      float64         `json:"zipMB,omitempty"`
	Init     float64         `json:"initMs"`
	InitMin  float64         `json:"initMinMs"`
	First    float64         `json:"firstMs"`
	Warm     float64         `json:"warmMs"`
	Memory   float64         `json:"memoryMB,omitempty"`
	Loaded   float64         `json:"memoryLoadedMB,omitempty"`
	Calls    int             `json:"callsPerInvocation"`
	Verdicts map[string]bool `json:"gates,omitempty"` // "binary", "init", "memory": within its gate
	Ratios   *Ratios         `json:"pythonTimes,omitempty"`
}

// Ratios is how many times as much the Python hook takes.
type Ratios struct {
	Init   float64 `json:"init"`
	First  float64 `json:"first"`
	Call   float64 `json:"call"` // a warm invocation, divided by its calls to AWS: ours make more of them
	Memory float64 `json:"memory"`
}

func newReport(all []Candidate, samples [][]Sample) *Report {
	r := &Report{Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH, CPUs: runtime.NumCPU(), Starts: len(samples[0]), Warm: Warm}
	for i, c := range all {
		r.Rows = append(r.Rows, newRow(c, samples[i]))
	}
	last := r.Rows[len(r.Rows)-1]
	if last.Name != pythonHook {
		return r
	}
	for i := range r.Rows[:len(r.Rows)-1] {
		row := &r.Rows[i]
		row.Ratios = &Ratios{Init: last.Init / row.Init, First: last.First / row.First, Call: last.call() / row.call()}
		if row.Loaded > 0 {
			row.Ratios.Memory = last.Loaded / row.Loaded
		}
	}
	return r
}

func newRow(c Candidate, samples []Sample) Row {
	var inits, firsts, warms, idle, loaded []float64
	for _, s := range samples {
		inits, firsts = append(inits, ms(s.Init)), append(firsts, ms(s.First))
		idle, loaded = append(idle, mib(s.Idle)), append(loaded, mib(s.Loaded))
		for _, w := range s.Warm {
			warms = append(warms, ms(w))
		}
	}
	row := Row{
		Name: c.Name, Binary: mb(c.Bytes), Zip: mb(c.Zip), Init: median(inits), InitMin: slices.Min(inits), First: median(firsts),
		Warm: median(warms), Memory: median(idle), Loaded: median(loaded), Calls: samples[len(samples)-1].Calls, Verdicts: map[string]bool{},
	}
	if c.Gates.Bytes > 0 {
		row.Verdicts["binary"] = c.Bytes <= c.Gates.Bytes
	}
	if c.Gates.Init > 0 {
		row.Verdicts["init"] = row.Init <= ms(c.Gates.Init)
	}
	if c.Gates.Memory > 0 && row.Loaded > 0 {
		row.Verdicts["memory"] = max(row.Memory, row.Loaded) <= mib(c.Gates.Memory)
	}
	return row
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
func mb(n int64) float64         { return float64(n) / megabyte }
func mib(n int64) float64        { return float64(n) / mebibyte }

// call is what one call to AWS costs in a warm invocation.
func (r Row) call() float64 { return r.Warm / float64(max(r.Calls, 1)) }

// median returns the middle value, the upper one of two.
func median(x []float64) float64 {
	sorted := slices.Sorted(slices.Values(x))
	return sorted[len(sorted)/2]
}

// Broken returns the gates that were broken. What is measured in time or
// memory varies from run to run and counts only if strict.
func (r *Report) Broken(strict bool) []string {
	var broken []string
	for _, row := range r.Rows {
		for _, gate := range []string{"binary", "init", "memory"} {
			if ok, measured := row.Verdicts[gate]; measured && !ok && (strict || gate == "binary") {
				broken = append(broken, row.Name+" "+gate)
			}
		}
	}
	return broken
}

// JSON writes the report as data.
func (r *Report) JSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	if err := e.Encode(r); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

// Print writes the report for people.
func (r *Report) Print(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(t, "\tbinary MB\tzip MB\tinit ms (min)\tfirst answer ms\twarm ms\tAWS calls\tmemory MB (loaded)\tPython takes") // tabwriter keeps its errors for Flush
	for _, row := range r.Rows {
		_, _ = fmt.Fprintf(t, "%s\t%s\t%s\t%.1f (%.1f)%s\t%.1f\t%.2f\t%d\t%s\t%s\n", // the same
			row.Name, amount(row.Binary)+row.mark("binary"), amount(row.Zip), row.Init, row.InitMin, row.mark("init"), row.First, row.Warm, row.Calls,
			row.memory(), row.Ratios)
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	if r.Skipped != "" {
		if _, err := fmt.Fprintf(w, "%s: skipped, %s\n", pythonHook, r.Skipped); err != nil {
			return fmt.Errorf("write the report: %w", err)
		}
	}
	_, err := fmt.Fprintf(w, "\n%d starts of each, taking turns, and %d invocations after the first answer; medians; %s, %s, %d CPUs.\n"+
		"The Python hook makes fewer calls to AWS than ours, so its warm invocations are compared by the call.\n"+
		"Processes on this machine: on AWS, fetching the code and a smaller share of a processor come on top.\n",
		r.Starts, r.Warm, r.Go, r.System, r.CPUs)
	if err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

// mark says whether a gate held, if there is one.
func (r Row) mark(gate string) string {
	ok, measured := r.Verdicts[gate]
	switch {
	case !measured:
		return ""
	case ok:
		return " ok"
	default:
		return " OVER"
	}
}

func (r Row) memory() string {
	if r.Loaded == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f (%.1f)%s", r.Memory, r.Loaded, r.mark("memory"))
}

// String says how many times as much the Python hook takes.
func (r *Ratios) String() string {
	if r == nil {
		return "-"
	}
	return fmt.Sprintf("%.0fx init, %.0fx first, %.1fx a call, %.1fx memory", r.Init, r.First, r.Call, r.Memory)
}

func amount(x float64) string {
	if x == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f", x)
}
