package config

import (
	"fmt"
	"strings"
)

// didYouMean names the word that somebody who wrote wrong most likely meant, or
// all words if there is none.
func didYouMean(wrong string, words []string) string {
	best, least := "", 3
	for _, w := range words {
		d := distance(strings.ToLower(wrong), strings.ToLower(w))
		if d < least && d*2 < max(len(w), len(wrong)) {
			best, least = w, d
		}
	}
	if best != "" {
		return fmt.Sprintf("did you mean %s?", best)
	}
	return "known here: " + strings.Join(words, ", ")
}

// distance counts the letters that were forgotten, added, changed or swapped
// with their neighbour between two words.
func distance(a, b string) int {
	before, last := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range len(a) {
		now := make([]int, len(b)+1)
		now[0] = i + 1
		for j := range len(b) {
			change := last[j]
			if a[i] != b[j] {
				change++
			}
			now[j+1] = min(change, last[j+1]+1, now[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				now[j+1] = min(now[j+1], before[j-1]+1)
			}
		}
		before, last = last, now
	}
	return last[len(b)]
}
