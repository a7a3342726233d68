package outcome

import (
	"fmt"
	"slices"
)

// Format is how a function's log lines look.
type Format string

// The formats, as Lambda calls them.
const (
	Text Format = "Text"
	JSON Format = "JSON"
)

// Source is where the lines of one version go.
type Source struct {
	Group  string
	Format Format
	// Quiet says that the system log level leaves out the reports of requests that
	// succeeded (Lambda developer guide, "Log-level filtering").
	Quiet bool
}

// Usable says whether a source shows outcomes: ErrUnavailable.
func (s Source) Usable() error {
	switch {
	case s.Group == "":
		return fmt.Errorf("%w: the function has no log group", ErrUnavailable)
	case s.Quiet:
		return fmt.Errorf("%w: the system log level of %s is WARN, which leaves out what succeeds; INFO shows it", ErrUnavailable, s.Group)
	}
	return nil
}

// The filter patterns: everything that [Read] understands and little else, so
// that neither the function's own lines are paid for nor read.
// Syntax: CloudWatch Logs user guide, "Filter pattern syntax".
const (
	patternJSON = `{ $.type = "platform.report" }`
	patternText = `?"START RequestId: " ?"REPORT RequestId: " ?"platform.report" ?"Task timed out after " ` +
		`?"Error: Runtime exited" ?"Process exited before completing request" ` + // Lambda
		`?"Invoke Error" ?"Uncaught Exception" ?"Unhandled Promise Rejection" ` + // Node.js
		`?"Traceback (most recent call last)" ` + // Python
		`?"\"errorType\""` // Go
)

// Pattern is the filter pattern for log events of these formats in one group.
func Pattern(formats ...Format) string {
	if len(formats) > 0 && !slices.ContainsFunc(formats, func(f Format) bool { return f != JSON }) {
		return patternJSON
	}
	return patternText
}
