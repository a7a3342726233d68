package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/pullback-dev/pullback/internal/drift"
	"github.com/pullback-dev/pullback/internal/drift/template"
	"github.com/pullback-dev/pullback/internal/drift/terraform"
	"github.com/pullback-dev/pullback/shared/deploy"
)

// errDrift says that something bad would be applied again.
var errDrift = errors.New("what was taken back would be applied again: change it as it says above")

func driftCommand() *cobra.Command {
	var output string
	var templates, plans []string
	c := &cobra.Command{
		Use:   "drift [TARGET]",
		Short: "Say what infrastructure as code would bring back that was taken back",
		Long: `After a rollback the code in CloudFormation, the CDK or Terraform still says what was
bad. This says, for a target, or for all that were taken back or are held: what is live,
what the code says, who refuses it when it is applied, and what to change.

What CloudFormation was deployed with last is read from AWS. What is to be deployed is
read from files: a template, or the folder cdk.out; what terraform show -json prints of
a plan or a state. The exit code is 3 if something bad would be applied again.`,
		Example: `  pullback drift
  pullback drift checkout/live --template cdk.out
  terraform plan -out PLAN && terraform show -json PLAN | pullback drift ecs:main/web --terraform -`,
		Args: args(cobra.MaximumNArgs(1)),
		RunE: func(c *cobra.Command, given []string) error {
			if output != "table" && output != "json" {
				return usageError{fmt.Errorf("-o %s: want table or json", output)}
			}
			code, err := readCode(c.InOrStdin(), templates, plans)
			if err != nil {
				return err
			}
			findings, err := findDrift(c.Context(), given, code, c.ErrOrStderr())
			if err != nil {
				return err
			}
			if err := printDrift(c.OutOrStdout(), output, findings); err != nil {
				return err
			}
			if drift.Worst(findings) {
				return unhealthyError{errDrift}
			}
			return nil
		},
	}
	c.Flags().StringArrayVar(&templates, "template", nil, "a CloudFormation template, or a folder such as cdk.out, that is to be deployed")
	c.Flags().StringArrayVar(&plans, "terraform", nil, "what terraform show -json prints of a plan or a state; - is stdin")
	c.Flags().StringVarP(&output, "output", "o", "table", "table or json")
	return c
}

// code is what was given in files.
type code struct {
	templates []codeTemplate
	plans     []codePlan
}

type codeTemplate struct {
	file string
	body *template.Template
}

type codePlan struct {
	file string
	body terraform.File
}

// readCode reads all files, before anything is asked of AWS.
func readCode(stdin io.Reader, templates, plans []string) (c code, err error) {
	for _, name := range templates {
		files, err := templateFiles(name)
		if err != nil {
			return c, err
		}
		for _, file := range files {
			text, err := os.ReadFile(file) //nolint:gosec // the user names the file
			if err != nil {
				return c, usageError{fmt.Errorf("--template: %w", err)}
			}
			t, err := template.Parse(text)
			if err != nil {
				return c, usageError{fmt.Errorf("--template %s: %w", file, err)}
			}
			c.templates = append(c.templates, codeTemplate{file, t})
		}
	}
	for _, name := range plans {
		text, err := readOr(stdin, name)
		if err != nil {
			return c, usageError{fmt.Errorf("--terraform: %w", err)}
		}
		f, err := terraform.Parse(text)
		if err != nil {
			return c, usageError{fmt.Errorf("--terraform %s: %w", name, err)}
		}
		c.plans = append(c.plans, codePlan{name, f})
	}
	return c, nil
}

func readOr(stdin io.Reader, name string) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(stdin)
	}
	return os.ReadFile(name) //nolint:gosec // the user names the file
}

// templateFiles are the templates that a name stands for: itself, or those of a
// folder that the CDK has synthesized, its stages included.
func templateFiles(name string) ([]string, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, usageError{fmt.Errorf("--template: %w", err)}
	}
	if !info.IsDir() {
		return []string{name}, nil
	}
	var all []string
	for _, pattern := range []string{"*.template.json", filepath.Join("assembly-*", "*.template.json")} {
		found, err := filepath.Glob(filepath.Join(name, pattern))
		if err != nil {
			return nil, usageError{fmt.Errorf("--template %s: %w", name, err)}
		}
		all = append(all, found...)
	}
	if len(all) == 0 {
		return nil, usageError{fmt.Errorf("--template %s: there is no *.template.json in it; cdk synth writes them", name)}
	}
	slices.Sort(all)
	return all, nil
}

// findDrift returns what was found of one target, or of all that need it.
func findDrift(ctx context.Context, given []string, c code, talk io.Writer) ([]drift.Finding, error) {
	var named deploy.Target
	if len(given) > 0 {
		t, err := deploy.ParseTarget(given[0])
		if err != nil {
			return nil, usageError{err}
		}
		named = t
	}
	r, err := reach(ctx)
	if err != nil {
		return nil, err
	}
	l := newLook(r, c)
	targets := []deploy.Target{named}
	if len(given) == 0 {
		if targets, err = l.troubled(ctx); err != nil {
			return nil, err
		}
		if len(targets) == 0 {
			_, _ = fmt.Fprintln(talk, "no target was taken back or is held")
		}
	}
	all := []drift.Finding{}
	for _, t := range targets {
		f, err := l.facts(ctx, t)
		if err != nil {
			return nil, err
		}
		if len(f.Wishes) == 0 {
			_, _ = fmt.Fprintf(talk, "%s: no stack of this account and region has it, and no file that was given names it (--template, --terraform)\n", t)
		}
		all = append(all, drift.Find(f)...)
	}
	return all, nil
}

// printDrift writes findings as data or for people.
func printDrift(w io.Writer, output string, all []drift.Finding) error {
	if output == "json" {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(all)
	}
	if len(all) == 0 {
		return nil
	}
	tab := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(tab, "TARGET\tLIVE\tSOURCE\tRESOURCE\tSAYS\tVERDICT\tREFUSED BY") // Flush reports what fails
	for _, x := range all {
		_, _ = fmt.Fprintf(tab, "%s\t%s\t%s\t%s.%s\t%s\t%s\t%s\n", x.Target, x.Live, x.Source, x.Resource, x.Attribute, x.Says, x.Verdict, x.Refused)
	}
	if err := tab.Flush(); err != nil {
		return fmt.Errorf("print findings: %w", err)
	}
	var b strings.Builder
	for _, x := range all {
		if len(x.Because)+len(x.Change) == 0 {
			continue
		}
		fmt.Fprintf(&b, "\n%s, %s of %s:\n", x.Target, x.Resource, x.Source)
		for _, line := range x.Because {
			fmt.Fprintf(&b, "  %s\n", line)
		}
		if len(x.Change) > 0 {
			b.WriteString("  change:\n")
		}
		for _, line := range x.Change {
			fmt.Fprintf(&b, "    %s\n", line)
		}
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("print findings: %w", err)
	}
	return nil
}
