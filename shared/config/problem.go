package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// FileName is what the file is called where nobody says otherwise.
const FileName = "pullback.yaml"

// Problem is one thing that is wrong with a file.
type Problem struct {
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Path    string `json:"path,omitempty"` // of the key, such as defaults.judge.alpha
	Message string `json:"message"`
}

// Error is everything that is wrong with a file.
type Error struct {
	File     string // its name; empty: FileName
	Problems []Problem
}

// Error has one line for each problem.
func (e *Error) Error() string {
	lines := make([]string, 0, len(e.Problems))
	for _, p := range e.Problems {
		path := p.Path
		if path != "" {
			path += ": "
		}
		lines = append(lines, fmt.Sprintf("%s:%d:%d: %s%s", cmp.Or(e.File, FileName), p.Line, p.Column, path, p.Message))
	}
	return strings.Join(lines, "\n")
}

// failed returns the problems in the order of the file.
func failed(problems ...Problem) *Error {
	slices.SortStableFunc(problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return &Error{Problems: problems}
}
