package lambda

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/pullback-dev/pullback/internal/localaws/lambda/sandbox"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// millisecond is how Lambda writes times into logs.
const millisecond = "2006-01-02T15:04:05.000Z"

// The states in which an invocation can end (Lambda developer guide, "Lambda
// Telemetry API Event schema reference", Status).
const (
	statusSuccess = "success"
	statusError   = "error"
	statusTimeout = "timeout"
)

// The errors that Lambda itself logs: a time-out, and those of the process.
const (
	timeoutErrorType = "Sandbox.Timedout"
	runtimeErrors    = "Runtime."
)

// usage is what an invocation took. All of it is 0 where time is virtual, so
// that one seed gives one history.
type usage struct {
	took   time.Duration
	init   time.Duration // of the sandbox, if the invocation was its first
	cold   bool
	memory int // MB that the process has used at most
	size   int // MB
}

// usage measures an invocation.
func (s *Service) usage(r *run, b *box) usage {
	u := usage{took: s.w.Now().Sub(r.began), size: int(*r.version.config.MemorySize), cold: b == nil || !b.used}
	if b == nil {
		return u
	}
	b.used = true
	if s.w.Mode() == world.Real {
		if u.cold {
			u.init = b.sandbox.Init()
		}
		u.memory = (b.sandbox.Peak() + 1<<20 - 1) >> 20
	}
	return u
}

func (u usage) ms() float64 { return float64(u.took) / float64(time.Millisecond) }

// billed is what an invocation costs, in whole milliseconds. The time of the
// init phase counts (Lambda developer guide, "Understanding the Lambda execution
// environment lifecycle", since 2025-08).
func (u usage) billed() float64 {
	return max(math.Ceil(u.ms()+float64(u.init)/float64(time.Millisecond)), 1)
}

// outcome says how an invocation ended, with the type of its error.
func outcome(out sandbox.Outcome) (status, kind string) {
	if !out.Failed {
		return statusSuccess, ""
	}
	var e struct {
		Type string `json:"errorType"`
	}
	_ = json.Unmarshal(out.Payload, &e) // an error without a type has none
	if e.Type == timeoutErrorType {
		return statusTimeout, e.Type
	}
	return statusError, e.Type
}

// lines are the log of an invocation: what the function wrote between what
// Lambda writes itself.
func (s *Service) lines(r *run, out sandbox.Outcome, u usage) []string {
	if r.version.config.LoggingConfig.LogFormat == lambdatypes.LogFormatJson {
		return s.jsonLines(r, out, u)
	}
	lines := []string{fmt.Sprintf("START RequestId: %s Version: %s\n", r.id, r.version.name())}
	for line := range bytes.Lines(out.Log) {
		lines = append(lines, string(line))
	}
	status, kind := outcome(out)
	end := ""
	switch {
	case status == statusTimeout:
		limit := time.Duration(*r.version.config.Timeout) * time.Second
		lines = append(lines, fmt.Sprintf("%s %s Task timed out after %.2f seconds\n\n", s.w.Now().Format(millisecond), r.id, limit.Seconds()))
		end = "\tStatus: timeout"
	case strings.HasPrefix(kind, runtimeErrors): // Lambda's own: what a handler answers leaves no mark here
		lines = append(lines, message(out.Payload)+"\n"+kind+"\n")
		end = "\tStatus: error\tError Type: " + kind
	}
	report := fmt.Sprintf("REPORT RequestId: %s\tDuration: %.2f ms\tBilled Duration: %.0f ms\tMemory Size: %d MB\tMax Memory Used: %d MB",
		r.id, u.ms(), u.billed(), u.size, u.memory)
	if u.cold {
		report += fmt.Sprintf("\tInit Duration: %.2f ms", float64(u.init)/float64(time.Millisecond))
	}
	return append(lines, "END RequestId: "+r.id+"\n", report+end+"\t\n")
}

// message is the text of an error that Lambda made.
func message(payload []byte) string {
	var e struct {
		Message string `json:"errorMessage"`
	}
	_ = json.Unmarshal(payload, &e) // the sandbox made it
	return e.Message
}

// The platform events of the log format JSON (Lambda developer guide, "Lambda
// Telemetry API Event schema reference"), in the order of its examples.
type (
	platformEvent struct {
		Time   string `json:"time"`
		Type   string `json:"type"`
		Record any    `json:"record"`
	}
	platformStart struct {
		RequestID string `json:"requestId"`
		Version   string `json:"version"`
	}
	platformInit struct {
		Kind  string `json:"initializationType"`
		Phase string `json:"phase"`
	}
	platformReport struct {
		RequestID string          `json:"requestId"`
		Metrics   platformMetrics `json:"metrics"`
		Status    string          `json:"status"`
		ErrorType string          `json:"errorType,omitempty"`
	}
	platformMetrics struct {
		Duration float64  `json:"durationMs"`
		Billed   float64  `json:"billedDurationMs"`
		Size     int      `json:"memorySizeMB"`
		Memory   int      `json:"maxMemoryUsedMB"`
		Init     *float64 `json:"initDurationMs,omitempty"`
	}
	platformDone struct {
		RequestID string `json:"requestId"`
		Status    string `json:"status"`
		ErrorType string `json:"errorType,omitempty"`
		Metrics   struct {
			Duration float64 `json:"durationMs"`
		} `json:"metrics"`
	}
)

// jsonLines is the log in the format JSON. Each platform event has a level, and
// so has each line of the function; what is below the function's levels is left
// out (Lambda developer guide, "Log-level filtering").
func (s *Service) jsonLines(r *run, out sandbox.Outcome, u usage) []string {
	config := r.version.config.LoggingConfig
	var lines []string
	say := func(level lambdatypes.SystemLogLevel, kind string, record any) {
		all := config.SystemLogLevel.Values() // from DEBUG to WARN
		if slices.Index(all, level) >= slices.Index(all, config.SystemLogLevel) {
			line, _ := json.Marshal(platformEvent{s.w.Now().Format(millisecond), kind, record}) // of strings and numbers
			lines = append(lines, string(line)+"\n")
		}
	}
	if u.cold {
		say(lambdatypes.SystemLogLevelInfo, "platform.initStart", platformInit{"on-demand", "init"})
	}
	say(lambdatypes.SystemLogLevelInfo, "platform.start", platformStart{r.id, r.version.name()})
	for line := range bytes.Lines(out.Log) {
		if wanted(string(line), config.ApplicationLogLevel) {
			lines = append(lines, string(line))
		}
	}
	status, kind := outcome(out)
	report, done := lambdatypes.SystemLogLevelInfo, lambdatypes.SystemLogLevelDebug
	if status != statusSuccess {
		report, done = lambdatypes.SystemLogLevelWarn, lambdatypes.SystemLogLevelWarn
	}
	end := platformDone{RequestID: r.id, Status: status, ErrorType: kind}
	end.Metrics.Duration = u.ms()
	say(done, "platform.runtimeDone", end)
	metrics := platformMetrics{Duration: u.ms(), Billed: u.billed(), Size: u.size, Memory: u.memory}
	if u.cold {
		ms := float64(u.init) / float64(time.Millisecond)
		metrics.Init = &ms
	}
	say(report, "platform.report", platformReport{RequestID: r.id, Metrics: metrics, Status: status, ErrorType: kind})
	return lines
}

// wanted reports whether a line of a function is at or above a level. A line
// that is no JSON or has no level counts as INFO.
func wanted(line string, level lambdatypes.ApplicationLogLevel) bool {
	var e struct {
		Level string `json:"level"`
	}
	_ = json.Unmarshal([]byte(line), &e) // then it has no level
	all := level.Values()                // from TRACE to FATAL
	has := slices.Index(all, lambdatypes.ApplicationLogLevel(strings.ToUpper(e.Level)))
	if has < 0 {
		has = slices.Index(all, lambdatypes.ApplicationLogLevelInfo)
	}
	return has >= slices.Index(all, level)
}
