package events

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"time"
)

// Logs is a batch of log events that CloudWatch Logs hands to a function by a
// subscription filter. All of them are of one stream.
// Source: CloudWatch Logs user guide, "Log group-level subscription filters",
// example 2.
type Logs struct {
	Group   string
	Stream  string
	Filters []string // that matched
	Lines   []Line   // none if this is a control message, which only asks whether anybody is there
}

// Line is one log event. A multi-line message is one event where the runtime
// says so.
type Line struct {
	ID   string // grows with time within a stream
	At   time.Time
	Text string
}

// maxLogs is how much a batch may hold. A batch is made of what PutLogEvents
// took, which is 1 MiB at a time (API reference, "PutLogEvents"), and an
// asynchronous invocation takes at most 1 MB compressed (Lambda developer guide,
// "Lambda quotas"): what unpacks to more than this is not from CloudWatch Logs.
const maxLogs = 16 << 20

// ParseLogs reads what CloudWatch Logs sends. The error is always a
// [MalformedError] and does not quote the lines, which may be private.
func ParseLogs(payload []byte) (Logs, error) {
	var e struct {
		Logs struct {
			Data []byte `json:"data"` // base64
		} `json:"awslogs"`
	}
	if err := json.Unmarshal(payload, &e); err != nil {
		return Logs{}, MalformedError{Why: "log batch: " + err.Error()}
	}
	if len(e.Logs.Data) == 0 {
		return Logs{}, MalformedError{Why: "a log batch lacks awslogs.data"}
	}
	text, err := unpack(e.Logs.Data)
	if err != nil {
		return Logs{}, err
	}
	return parseBatch(text)
}

// unpack decompresses a batch, as far as it has the size of one.
func unpack(data []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, MalformedError{Why: "log batch: " + err.Error()}
	}
	text, err := io.ReadAll(io.LimitReader(z, maxLogs+1))
	if err != nil {
		return nil, MalformedError{Why: "log batch: " + err.Error()}
	}
	if len(text) > maxLogs {
		return nil, MalformedError{Why: "log batch: unpacks to more than 16 MiB"}
	}
	return text, nil
}

func parseBatch(text []byte) (Logs, error) {
	var m struct {
		MessageType string   `json:"messageType"`
		LogGroup    string   `json:"logGroup"`
		LogStream   string   `json:"logStream"`
		Filters     []string `json:"subscriptionFilters"`
		LogEvents   []struct {
			ID        string `json:"id"`
			Timestamp int64  `json:"timestamp"` // milliseconds
			Message   string `json:"message"`
		} `json:"logEvents"`
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return Logs{}, MalformedError{Why: "log batch: " + err.Error()}
	}
	switch {
	case m.MessageType == "CONTROL_MESSAGE":
		return Logs{}, nil
	case m.MessageType != "DATA_MESSAGE":
		return Logs{}, MalformedError{Why: "a log batch is neither DATA_MESSAGE nor CONTROL_MESSAGE"}
	case m.LogGroup == "" || m.LogStream == "" || len(m.LogEvents) == 0:
		return Logs{}, MalformedError{Why: "a log batch lacks logGroup, logStream or logEvents"}
	}
	l := Logs{Group: m.LogGroup, Stream: m.LogStream, Filters: m.Filters, Lines: make([]Line, 0, len(m.LogEvents))}
	for _, e := range m.LogEvents {
		l.Lines = append(l.Lines, Line{ID: e.ID, At: time.UnixMilli(e.Timestamp).UTC(), Text: e.Message})
	}
	return l, nil
}
