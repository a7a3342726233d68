package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/pullback-dev/pullback/internal/localaws/agent/cases"
)

type agentCaseOptions struct {
	output     string
	unconfined bool
}

func agentCaseCommand() *cobra.Command {
	var o agentCaseOptions
	c := &cobra.Command{
		Use:   "agent-case FILE",
		Short: "Play what a real CodeDeploy agent was seen to do, and print what differs",
		Long: `Play what a real CodeDeploy agent was seen to do, and print what differs.

FILE holds recorded cases in the form of internal/localaws/agent/testdata/cases.json,
which describes itself. Each case is played on an instance in a folder of its own.
The exit code is 0 if everything came out the same, 1 if something differs, and 2
if FILE cannot be read.`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, given []string) error {
			return agentCase(c.Context(), given[0], o, c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	c.Flags().StringVarP(&o.output, "output", "o", "text", "text or json")
	c.Flags().BoolVar(&o.unconfined, "unconfined", false,
		"let the cases' scripts run on this machine as they are; read them first")
	return c
}

// agentCaseReport is what agent-case found, as data.
type agentCaseReport struct {
	Cases       int                `json:"cases"`
	Deployments int                `json:"deployments"`
	Differences []cases.Difference `json:"differences"`
}

func agentCase(ctx context.Context, file string, o agentCaseOptions, stdout, stderr io.Writer) error {
	if o.output != "text" && o.output != "json" {
		return usageError{fmt.Errorf("output is text or json, not %q", o.output)}
	}
	recorded, err := readCases(file)
	if err != nil {
		return usageError{err}
	}
	report := agentCaseReport{Cases: len(recorded), Differences: []cases.Difference{}}
	for _, c := range recorded {
		report.Deployments += len(c.Deployments)
		found, err := playCase(ctx, c, o.unconfined)
		if errors.Is(err, cases.ErrRefused) {
			err = fmt.Errorf("%w; --unconfined plays it all the same", err)
		}
		if err != nil {
			return err
		}
		report.Differences = append(report.Differences, found...)
		_, _ = fmt.Fprintf(stderr, "%s: %s\n", c.Name, same(len(found))) // only for show
	}
	if err := report.print(stdout, o.output); err != nil {
		return err
	}
	if n := len(report.Differences); n > 0 {
		return errors.New(same(n))
	}
	return nil
}

func same(differences int) string {
	switch differences {
	case 0:
		return "same"
	case 1:
		return "1 difference"
	default:
		return strconv.Itoa(differences) + " differences"
	}
}

func readCases(file string) (_ []cases.Case, err error) {
	f, err := os.Open(filepath.Clean(file))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return cases.Read(f)
}

// playCase plays a case in a folder that is gone afterwards.
func playCase(ctx context.Context, c cases.Case, unconfined bool) (_ []cases.Difference, err error) {
	dir, err := os.MkdirTemp("", "pullback-case-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	return cases.Play(ctx, c, cases.Options{Dir: dir, Unconfined: unconfined})
}

func (r agentCaseReport) print(w io.Writer, output string) error {
	if output == "json" {
		e := json.NewEncoder(w)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		return e.Encode(r)
	}
	for _, d := range r.Differences {
		if _, err := fmt.Fprintln(w, d); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "%d cases, %d deployments: %s\n", r.Cases, r.Deployments, same(len(r.Differences)))
	return err
}
