package report

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestTablesAlignNumbersToTheRightAndTextToTheLeft(t *testing.T) {
	var w strings.Builder
	table(&w, []string{"rule", "delay", remark}, [][]string{{"a long name", "7", "here"}, {"b", "1800", "nowhere – at all"}})
	assert.Equal(t, ""+
		"rule         delay  where\n"+
		"a long name      7  here\n"+
		"b             1800  nowhere – at all\n", w.String())
}
