package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/pullback-dev/pullback/internal/schema"
	"github.com/pullback-dev/pullback/shared/config"
	"github.com/pullback-dev/pullback/shared/deploy"
)

func configCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "config",
		Short: "Check " + config.FileName + ", and show what it means for a target",
		Args:  args(cobra.NoArgs),
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(configCheckCommand(), configShowCommand())
	return c
}

func configCheckCommand() *cobra.Command {
	var output string
	c := &cobra.Command{
		Use:   "check [FILE]",
		Short: "Say everything that is wrong with " + config.FileName,
		Long: `Say everything that is wrong with a configuration, each with its line and
column. The exit code is 2 if anything is.`,
		Example: "  pullback config check\n  pullback config check prod.yaml -o json",
		Args:    args(cobra.MaximumNArgs(1)),
		RunE: func(c *cobra.Command, given []string) error {
			if err := checkOutput(output); err != nil {
				return err
			}
			name, text, err := configFile(given)
			if err != nil {
				return err
			}
			return runCheck(name, text, output, c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	c.Flags().StringVarP(&output, "output", "o", "table", "table or json")
	return c
}

// configFile reads the file that was named, or the usual one.
func configFile(given []string) (string, []byte, error) {
	name := config.FileName
	if len(given) > 0 {
		name = given[0]
	}
	text, err := os.ReadFile(name) //nolint:gosec // the user names the file
	if errors.Is(err, os.ErrNotExist) {
		return "", nil, usageError{fmt.Errorf("there is no %s here: name the file, or write one (docs/configuration.md says how)", name)}
	}
	return name, text, err
}

// checked is what config check prints as data.
type checked struct {
	File     string           `json:"file"`
	Valid    bool             `json:"valid"`
	Hash     string           `json:"hash,omitempty"`
	Bytes    int              `json:"bytes"`
	Targets  []string         `json:"targets,omitempty"`
	Problems []config.Problem `json:"problems,omitempty"`
}

func runCheck(name string, text []byte, output string, stdout, stderr io.Writer) error {
	found, err := parseConfig(name, text)
	result := checked{File: name, Valid: err == nil, Bytes: len(text)}
	if wrong, ok := errors.AsType[*config.Error](err); ok {
		result.Problems = wrong.Problems
	} else {
		result.Hash = found.Hash()
		for _, t := range found.Targets() {
			result.Targets = append(result.Targets, t.String())
		}
	}
	switch {
	case output == "json":
		if bad := printJSON(stdout, result); bad != nil {
			return bad
		}
	case err != nil:
		_, _ = fmt.Fprintln(stderr, err) // what is wrong is also said by the exit code
	default:
		_, bad := fmt.Fprintf(stdout, "%s is valid; targets: %d, pipelines: %d, bytes: %d, hash: %.12s\n",
			name, len(found.Entries), len(found.Pipelines), len(text), result.Hash)
		return bad
	}
	if err != nil {
		return usageError{fmt.Errorf("%s is not valid; problems: %d", name, len(result.Problems))}
	}
	return nil
}

// parseConfig parses a file; its problems carry its name.
func parseConfig(name string, text []byte) (config.Config, error) {
	c, err := config.Parse(text)
	if wrong, ok := errors.AsType[*config.Error](err); ok {
		wrong.File = name
	}
	return c, err
}

func configShowCommand() *cobra.Command {
	var output string
	var tags []string
	c := &cobra.Command{
		Use:   "show TARGET [FILE]",
		Short: "Show a target's policy, and where each value is from",
		Long: `Show the policy that a configuration gives a target: every value, and whether
it is a default, from the file, or from a tag. It asks nobody: tags are those
that are given with --tag.`,
		Example: `  pullback config show checkout/live
  pullback config show ecs:main/web prod.yaml --tag pullback:bake=1h`,
		Args: args(cobra.RangeArgs(1, 2)),
		RunE: func(c *cobra.Command, given []string) error {
			if err := checkOutput(output); err != nil {
				return err
			}
			t, err := deploy.ParseTarget(given[0])
			if err != nil {
				return usageError{err}
			}
			name, text, err := configFile(given[1:])
			if err != nil {
				return err
			}
			tagged, err := tagsOf(tags)
			if err != nil {
				return usageError{err}
			}
			found, err := parseConfig(name, text)
			if err != nil {
				return usageError{err}
			}
			values, err := found.Explain(t, tagged)
			if err != nil {
				return usageError{err}
			}
			return showConfig(c.OutOrStdout(), values, output)
		},
	}
	c.Flags().StringVarP(&output, "output", "o", "table", "table or json")
	c.Flags().StringArrayVar(&tags, "tag", nil, "a tag of the target, as pullback:NAME=VALUE; may be given several times")
	return c
}

func tagsOf(given []string) (map[string]string, error) {
	tags := make(map[string]string)
	for _, one := range given {
		name, value, ok := strings.Cut(one, "=")
		if !ok || !strings.HasPrefix(name, config.TagPrefix) {
			return nil, fmt.Errorf("--tag %s is not %sNAME=VALUE", one, config.TagPrefix)
		}
		tags[name] = value
	}
	return tags, nil
}

func showConfig(w io.Writer, values []config.Value, output string) error {
	if output == "json" {
		return printJSON(w, values)
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "NAME\tVALUE\tFROM") // a tabwriter keeps its errors until Flush
	for _, v := range values {
		from := string(v.From)
		if v.Line > 0 {
			from = fmt.Sprintf("%s, line %d", from, v.Line)
		}
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\n", v.Name, v.Text, from) // the same
	}
	return table.Flush()
}

func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

func schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "schema",
		Short:   "Print the JSON Schema of " + config.FileName + ", for editors",
		Example: "  pullback schema > pullback.schema.json",
		Args:    args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			text, err := schema.JSON()
			if err != nil {
				return err
			}
			_, err = c.OutOrStdout().Write(text)
			return err
		},
	}
}
