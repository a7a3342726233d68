package route

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
)

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
	line := func(format string, args ...any) { _, _ = fmt.Fprintf(t, format+"\n", args...) } // tabwriter keeps its errors for Flush
	line("An alarm event of one group, until its order is in the rollbacks queue")
	line("groups\tcalls\tms (min)\tcalls after it\tcalls by operation")
	for _, a := range r.Alarms {
		line("%d\t%d\t%.1f (%.1f)\t%d\t%s", a.Groups, a.Total, a.Ms, a.MinMs, a.After, a.Calls)
	}
	line("\nA sweep")
	line("groups\tactive\tcalls (most)\tms\tround, bytes\tcalls by service")
	for _, s := range r.Sweeps {
		line("%d\t%d\t%.0f (%d)\t%.1f\t%d\t%s", s.Groups, s.Active, s.Total, s.Most, s.Ms, s.Round, s.By)
	}
	line("\nFrom an alarm event to StopDeployment")
	line("functions in\t\tms (min)\trouter: start\tevent to order\tcalls\trollbacker: start\torder to stop\tcalls")
	for _, x := range r.Ways {
		line("%s\t%s\t%.1f (%.1f)\t%.1f\t%.1f\t%d\t%.1f\t%.1f\t%d", x.Dist, x.Name, x.Ms, x.MinMs, x.Router.Start, x.Router.Ms, x.Router.Calls, x.Rollback.Start, x.Rollback.Ms, x.Rollback.Calls)
	}
	line("\n%d of each, medians; %s, %s, %d CPUs, load %s.", r.Samples, r.Go, r.System, r.CPUs, r.Load)
	if err := t.Flush(); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}
