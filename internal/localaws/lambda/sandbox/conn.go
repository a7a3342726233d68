package sandbox

import (
	"bufio"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

const (
	// MaxResponse is the largest answer of a function: 6 MiB and the 100 bytes
	// that the Runtime API adds (Lambda developer guide, "Lambda quotas"; the
	// number is the one in AWS's own error message).
	MaxResponse = 6291556

	// direct is the size up to which an invocation is written by whoever
	// starts it. The kernel buffers that much for a process that is waiting to
	// read, so the write cannot block; it saves the warm path a switch between
	// goroutines.
	direct = 32 << 10

	invocations = "/2018-06-01/runtime/invocation/"
	initPath    = "/2018-06-01/runtime/init/error"

	errorTypeTrailer = "Lambda-Runtime-Function-Error-Type"
	errorBodyTrailer = "Lambda-Runtime-Function-Error-Body"
)

// conn is one connection of the process to its Runtime API. It is served by
// hand rather than by net/http, because the answer to "next" is written long
// after the request was read, by another goroutine.
type conn struct {
	box *Sandbox
	net net.Conn
	in  *bufio.Reader
	out []byte
}

// newConn returns a connection to be served.
func newConn(s *Sandbox, n net.Conn) *conn {
	return &conn{box: s, net: n, in: bufio.NewReader(n)}
}

// serve answers requests until the connection ends.
func (c *conn) serve() {
	defer c.box.drop(c)
	defer c.net.Close() //nolint:errcheck // nothing was buffered
	for {
		r, err := http.ReadRequest(c.in)
		if err != nil {
			return
		}
		if r.Method == http.MethodGet && r.URL.Path == invocations+"next" {
			c.box.next(c)
			continue
		}
		if err := c.post(r); err != nil {
			return
		}
	}
}

// post takes an answer or an error. It returns an error if the connection
// cannot be used any more.
func (c *conn) post(r *http.Request) error {
	body, err := c.body(r)
	if err != nil {
		return err
	}
	if r.Method == http.MethodPost && r.URL.Path == initPath {
		c.box.failInit(body)
		return c.answer("202 Accepted", `{"status":"OK"}`)
	}
	id, what, ok := strings.Cut(strings.TrimPrefix(r.URL.Path, invocations), "/")
	if r.Method != http.MethodPost || !ok || what != "response" && what != "error" {
		return c.answer("404 Not Found", `{"errorType":"NotFound","errorMessage":"no such operation of the Runtime API"}`)
	}
	return c.finish(r, id, body, what == "error")
}

// body reads the body of a request, as far as it may be used.
func (c *conn) body(r *http.Request) ([]byte, error) {
	if strings.EqualFold(r.Header.Get("Expect"), "100-continue") {
		if _, err := io.WriteString(c.net, "HTTP/1.1 100 Continue\r\n\r\n"); err != nil {
			return nil, err
		}
	}
	return io.ReadAll(io.LimitReader(r.Body, MaxResponse+1))
}

// finish passes on the answer to an invocation.
func (c *conn) finish(r *http.Request, id string, body []byte, failed bool) error {
	large := len(body) > MaxResponse
	out := Outcome{Payload: body, Failed: failed}
	switch kind := r.Trailer.Get(errorTypeTrailer); {
	case large:
		out = Outcome{Failed: true, Payload: sizeError()}
	case kind != "":
		out = Outcome{Failed: true, Payload: trailerError(kind, r.Trailer.Get(errorBodyTrailer))}
	}
	switch {
	case !c.box.reply(id, out):
		return c.answer("400 Bad Request", `{"errorType":"InvalidRequestID","errorMessage":"Invalid request ID"}`)
	case large:
		// The rest of the body is still on its way.
		return errors.Join(c.answer("413 Request Entity Too Large", string(sizeError())), io.EOF)
	default:
		return c.answer("202 Accepted", `{"status":"OK"}`)
	}
}

// trailerError is the error of a function that began to answer before it
// failed: it arrives in the trailers of the chunked body (Lambda developer
// guide, "Using the Lambda runtime API for custom runtimes").
func trailerError(kind, body string) []byte {
	if b, err := base64.StdEncoding.DecodeString(body); err == nil && len(b) > 0 {
		return b
	}
	return failure(kind, "")
}

// answer writes a whole response.
func (c *conn) answer(status, body string) error {
	_, err := fmt.Fprintf(c.net, "HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", status, len(body), body)
	return err
}

// invocation answers a request for the next invocation. A write that fails
// means that the process is going, which [Sandbox.wait] notices.
func (c *conn) invocation(r *Request, end time.Time) {
	b := append(c.out[:0], "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nLambda-Runtime-Aws-Request-Id: "...)
	b = append(append(b, r.ID...), "\r\nLambda-Runtime-Deadline-Ms: "...)
	b = append(append(b, deadline(end)...), "\r\nLambda-Runtime-Invoked-Function-Arn: "...)
	b = append(append(b, r.FunctionARN...), "\r\nLambda-Runtime-Trace-Id: "...)
	b = append(b, r.Trace...)
	if r.ClientContext != "" {
		b = append(append(b, "\r\nLambda-Runtime-Client-Context: "...), r.ClientContext...)
	}
	b = fmt.Appendf(b, "\r\nContent-Length: %d\r\n\r\n", len(r.Payload))
	b = append(b, r.Payload...)
	if len(b) > direct {
		go c.net.Write(b) //nolint:errcheck // see above
		return
	}
	c.out = b
	_, _ = c.net.Write(b)
}
