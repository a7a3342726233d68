package operate

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/pullback-dev/pullback/shared/restorepoint"
)

// PrintPlan writes a plan for people. All lines but the commands are comments, so
// that the whole of it is a script for a shell, which stops where one fails.
func PrintPlan(w io.Writer, p restorepoint.Plan) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# Restore point %s of %s: the data at %s, before deployment %s.\n", p.Point, p.Target, p.At.UTC().Format(time.RFC3339), p.Deployment)
	for _, o := range p.Obstacles {
		fmt.Fprintf(&b, "# CANNOT BE RESTORED NOW: %s\n", o)
	}
	for _, warning := range p.Warnings {
		fmt.Fprintf(&b, "# NOTE: %s.\n", warning)
	}
	if len(p.Steps) > 0 {
		b.WriteString("\nset -e\n")
	}
	for n, s := range p.Steps {
		fmt.Fprintf(&b, "\n# %d. %s (%s)\n%s\n", n+1, s.Does, s.Call.API, strings.Join(s.CLI, "\n"))
	}
	if len(p.Steps) > 0 && len(p.Obstacles) == 0 {
		fmt.Fprintf(&b, "\n# Nothing has been done. To do it: pullback restore %s --point %s --confirm %s --reason TEXT\n", p.Target, p.Point, p.Point)
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("print plan: %w", err)
	}
	return nil
}
