// Package lintcheck holds the linter's dependency law to its word: its test
// plants violations in a copy of the tree and wants every one of them found.
// depguard says nothing when a pattern of its own matches nothing, so a law
// that is not tested this way may well be none.
package lintcheck
