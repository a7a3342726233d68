package lambda

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
	"time"
)

// maxLogResult is how much of the log an Invoke answers with (Lambda API
// reference, Invoke: "the last 4 KB of the execution log").
const maxLogResult = 4 << 10

// log passes on what a function wrote.
func (s *Service) log(v *version, text []byte) {
	if s.options.Log == nil || len(text) == 0 {
		return
	}
	for line := range bytes.Lines(text) {
		s.options.Log(v.fn.name, v.name(), strings.TrimRight(string(line), "\r\n"))
	}
}

// logResult is the end of an invocation's log, between the lines that Lambda
// itself writes.
func logResult(f *function, res Result) string {
	ms := float64(res.Duration) / float64(time.Millisecond)
	text := fmt.Sprintf("START RequestId: %s Version: %s\n%sEND RequestId: %s\nREPORT RequestId: %s\tDuration: %.2f ms\t"+
		"Billed Duration: %.0f ms\tMemory Size: %d MB\n",
		res.RequestID, res.Version, res.Log, res.RequestID, res.RequestID, ms, max(ms, 1), *f.latest.config.MemorySize)
	return base64.StdEncoding.EncodeToString([]byte(text[max(0, len(text)-maxLogResult):]))
}
