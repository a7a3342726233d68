package elbv2

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestGlob(t *testing.T) {
	t.Parallel()
	for pattern, want := range map[string]map[string]bool{
		"":          {"": true, "a": false},
		"*":         {"": true, "abc": true},
		"/img/*":    {"/img/": true, "/img/a/b": true, "/img": false},
		"*.example": {"a.example": true, ".example": true, "a.example.com": false},
		"a?c*e":     {"abce": true, "abcdde": true, "ace": false, "abcd": false},
		"*ab*ab":    {"abab": true, "xabyab": true, "ab": false, "ababx": false},
		"**":        {"": true, "x": true},
		"?":         {"": false, "x": true},
	} {
		for s, matches := range want {
			assert.Equal(t, matches, glob(pattern, s), "%q %q", pattern, s)
		}
	}
	assert.True(t, glob(strings.Repeat("*a", 60)+"*", strings.Repeat("a", 10000)), "in no time")
	assert.False(t, glob(strings.Repeat("*a", 60)+"b", strings.Repeat("a", 10000)), "in no time")
}
