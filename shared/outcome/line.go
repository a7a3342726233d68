package outcome

import (
	"encoding/json"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// A mark is what a line says about a request.
type mark struct {
	kind    kind
	request string // empty if the line does not say
	failed  bool   // by the report
	took    time.Duration
}

type kind int

const (
	nothing   kind = iota // a line of the function's own
	malformed             // a line that looks like Lambda's and cannot be read
	start
	failure
	report  // a failure may have been a line before
	verdict // a report that tells success and failure itself
)

// readLine says what a line means.
func readLine(text string) mark {
	switch {
	case strings.HasPrefix(text, "REPORT RequestId: "):
		return readReport(text)
	case strings.HasPrefix(text, "START RequestId: "):
		id, _, _ := strings.Cut(strings.TrimPrefix(text, "START RequestId: "), " ")
		return mark{kind: start, request: strings.TrimSpace(id)}
	case strings.HasPrefix(text, `{"time":`) && strings.Contains(text, `"platform.report"`):
		return readVerdict(text)
	default:
		return readFailure(text)
	}
}

// readReport reads the line that ends a request in the log format Text. It has
// a status only if Lambda itself ended the request. Source: Lambda developer
// guide, "Log structure"; with a status, as published logs have it.
func readReport(text string) mark {
	m := mark{kind: report, took: -1}
	for field := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == '\t' || r == '\n' }) {
		name, value, _ := strings.Cut(strings.TrimSpace(field), ": ")
		switch name {
		case "REPORT RequestId":
			m.request = value
		case "Duration":
			m.took = milliseconds(value)
		case "Status":
			m.failed = value != "success"
		}
	}
	if m.request == "" || m.took < 0 {
		return mark{kind: malformed}
	}
	return m
}

// milliseconds reads "46.84 ms"; -1 is what it cannot read.
func milliseconds(text string) time.Duration {
	ms, err := strconv.ParseFloat(strings.TrimSuffix(text, " ms"), 64)
	if err != nil {
		return -1
	}
	return duration(ms)
}

// longest is longer than any request: fifteen minutes is a function's limit.
const longest = 24 * time.Hour

func duration(ms float64) time.Duration {
	if d := ms * float64(time.Millisecond); d >= 0 && d < float64(longest) && !math.IsNaN(d) {
		return time.Duration(d)
	}
	return -1
}

// readVerdict reads the line that ends a request in the log format JSON. Source:
// Lambda developer guide, "Lambda Telemetry API Event schema reference".
func readVerdict(text string) mark {
	var e struct {
		Type   string `json:"type"`
		Record struct {
			RequestID string `json:"requestId"`
			Status    string `json:"status"` // success, failure, error or timeout
			Metrics   struct {
				Duration *float64 `json:"durationMs"`
			} `json:"metrics"`
		} `json:"record"`
	}
	err := json.Unmarshal([]byte(text), &e)
	switch r := e.Record; {
	case err == nil && e.Type != "platform.report":
		return mark{}
	case err != nil || r.RequestID == "" || r.Status == "" || r.Metrics.Duration == nil || duration(*r.Metrics.Duration) < 0:
		return mark{kind: malformed}
	default:
		return mark{kind: verdict, request: r.RequestID, failed: r.Status != "success", took: duration(*r.Metrics.Duration)}
	}
}

// What Lambda and its runtimes write about a request that failed, in the log
// format Text. The runtimes have no common form, and some write nothing.
var (
	// Lambda: a time-out, and a process that has gone.
	timedOut = regexp.MustCompile(`^\S+ ([0-9a-f-]{36}) Task timed out after `)
	exited   = regexp.MustCompile(`^RequestId: ([0-9a-f-]{36}) (?:Error: Runtime exited|Process exited before completing request)`)
	// Node.js: time, request, level and text, between tabs.
	node = regexp.MustCompile(`^\S+\t([0-9a-f-]{36})\tERROR\t(?:Invoke Error|Uncaught Exception|Unhandled Promise Rejection)`)
	// Python: an exception that left the handler. What the function logs itself
	// has a tab after the level. Errors of the initialisation are left out: the
	// report of the request that they fail has a status.
	python = regexp.MustCompile(`^\[ERROR\] ([A-Za-z_][\w.]*)(?:: |[\r\n])(?s:.*)Traceback \(most recent call last\)`)
	// Go: the answer that aws-lambda-go gives Lambda, behind log's time.
	goError = regexp.MustCompile(`^(?:\d{4}/\d\d/\d\d \d\d:\d\d:\d\d(?:\.\d+)? )?(\{"errorMessage":.*\})\s*$`)
)

func readFailure(text string) mark {
	for _, re := range []*regexp.Regexp{timedOut, exited, node} {
		if m := re.FindStringSubmatch(text); m != nil {
			return mark{kind: failure, request: m[1]}
		}
	}
	if m := python.FindStringSubmatch(text); m != nil && !strings.HasPrefix(m[1], "Runtime.") {
		return mark{kind: failure}
	}
	if m := goError.FindStringSubmatch(text); m != nil && isGoError(m[1]) {
		return mark{kind: failure}
	}
	return mark{}
}

// isGoError wants the members of aws-lambda-go's message and no others.
func isGoError(text string) bool {
	var e map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &e); err != nil {
		return false
	}
	_, typed := e["errorType"]
	delete(e, "errorMessage")
	delete(e, "errorType")
	delete(e, "stackTrace")
	return typed && len(e) == 0
}
