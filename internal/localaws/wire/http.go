package wire

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"net/http"
	"strconv"
	"strings"

	"github.com/aws/smithy-go"
)

// maxBody is the largest request that is read. Lambda takes a zip file of up
// to 50 MB in a request ("Lambda quotas"), which base64 makes a third longer.
const maxBody = 70 << 20

// dialect is how one request and its answer are written: a [Protocol], or
// CBOR, which every AWSJSON service speaks too.
type dialect string

const dialectCBOR dialect = "rpcv2Cbor"

// request is an HTTP request on its way to an operation.
type request struct {
	dialect   dialect
	service   *served    // nil if not known
	operation *Operation // nil if not known
	rest      *match     // RESTJSON and RESTXML only
	principal Principal
	signer    signer
	token     string // of the session
	verified  bool   // the signature is right
	in        any
	err       error // why there is no in
}

// reply is an HTTP response before it is sent.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// ServeHTTP implements http.Handler. The request is read without the world's
// lock; the operation runs and its result is written down with the lock held,
// because a result may share memory with a service's state.
func (m *Mux) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := m.read(r)
	a := m.answer(r.Context(), q)
	maps.Copy(w.Header(), a.header)
	w.WriteHeader(a.status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(a.body) // the client is gone: nobody to tell
	}
}

// answer runs the operation of a request.
func (m *Mux) answer(ctx context.Context, q *request) *reply {
	m.world.Lock()
	defer m.world.Unlock()
	m.requests++
	c := &Call{Context: ctx, Principal: q.principal, RequestID: requestID(0, m.requests), Remote: true}
	var out any
	err := q.err
	if refused := m.authenticate(q); refused != nil {
		err = refused
	}
	if err == nil {
		out, err = m.run(c, q.service, q.operation, q.in)
	}
	if q.service != nil && q.operation != nil {
		e := Entry{
			Time: m.world.Now(), RequestID: c.RequestID, Principal: q.principal,
			Service: q.service.Name, Operation: q.operation.Name, Input: q.in, Error: err,
		}
		for _, observe := range m.trail {
			observe(e)
		}
	}
	a := q.write(out, err, c.RequestID)
	a.header.Set("Date", m.world.Now().Format(httpDate))
	a.header.Set("X-Amzn-Requestid", c.RequestID)
	if q.service != nil && q.service.Checksum {
		a.header.Set("X-Amz-Crc32", strconv.FormatUint(uint64(crc32.ChecksumIEEE(a.body)), 10))
	}
	return a
}

// write encodes a result or an error in the dialect of the request.
func (q *request) write(out any, err error, id string) *reply {
	if err == nil {
		a, encodeErr := q.writeOutput(out, id)
		if encodeErr == nil {
			return a
		}
		err = encodeErr
	}
	return q.writeError(err, id)
}

// writeOutput encodes a result.
func (q *request) writeOutput(out any, id string) (*reply, error) {
	c := q.service.codec
	a := &reply{status: http.StatusOK, header: http.Header{}}
	var err error
	switch q.dialect {
	case dialect(Query):
		a.header.Set("Content-Type", "text/xml")
		a.body, err = q.service.writeQuery(q.operation.Name, out, id)
		return a, err
	case dialect(EC2):
		a.header.Set("Content-Type", "text/xml")
		a.body, err = q.service.writeEC2(q.operation.Name, out, id)
		return a, err
	case dialect(RESTJSON), dialect(RESTXML):
		return a, q.writeREST(a, out)
	default: // the others write the same tree, as JSON or CBOR
	}
	tree, err := c.encode(out)
	if err != nil {
		return nil, err
	}
	if q.dialect != dialectCBOR {
		a.header.Set("Content-Type", jsonType(q.dialect))
		a.body, err = writeJSON(tree)
		return a, err
	}
	a.header.Set("Content-Type", "application/cbor")
	a.header.Set("Smithy-Protocol", "rpc-v2-cbor")
	if len(c.planOf(q.operation.out).fields) > 0 {
		a.body = writeCBOR(tree)
	} // else the operation has no output, and the body is empty (Smithy 2.0, "Smithy RPC v2 CBOR protocol")
	return a, nil
}

// jsonType is the content type of a JSON dialect.
func jsonType(d dialect) string {
	switch d {
	case dialect(JSON10):
		return "application/x-amz-json-1.0"
	case dialect(JSON11):
		return "application/x-amz-json-1.1"
	default:
		return "application/json"
	}
}

// read finds out what a request asks for. It always returns a request, if need
// be one that only carries an error.
func (m *Mux) read(r *http.Request) *request {
	q := &request{}
	raw, err := readBody(r)
	m.identify(q, r, raw)
	body := raw
	if err == nil {
		body, err = plain(r.Header, raw)
	}
	if form := q.route(m, r, q.signer.service, body); err == nil && q.err == nil {
		q.decode(r, form, body)
	}
	if err != nil {
		q.err = err
	}
	return q
}

// readBody reads the whole body as it was sent.
func readBody(r *http.Request) ([]byte, error) {
	if r.ContentLength > maxBody {
		return nil, tooLarge()
	}
	b, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		return nil, malformed(fmt.Errorf("read body: %w", err))
	}
	if len(b) > maxBody {
		return nil, tooLarge()
	}
	return b, nil
}

// plain is a body without what the client put around it.
func plain(h http.Header, b []byte) ([]byte, error) {
	b, err := unwrap(h, b)
	if err != nil {
		return nil, malformed(err)
	}
	if len(b) > maxBody {
		return nil, tooLarge()
	}
	return b, nil
}

func tooLarge() error {
	return &smithy.GenericAPIError{
		Code:    "RequestEntityTooLargeException",
		Message: fmt.Sprintf("the request is larger than %d bytes", maxBody), Fault: smithy.FaultClient,
	}
}

// unwrap removes what a client put around the body: the framing of
// aws-chunked, whose trailers become headers, and gzip, which the SDK uses for large PutMetricData requests.
func unwrap(h http.Header, b []byte) ([]byte, error) {
	if strings.HasPrefix(h.Get("X-Amz-Content-Sha256"), "STREAMING-") {
		data, trailers, err := unchunk(b)
		for k, v := range trailers {
			h.Set(k, v)
		}
		return data, err
	}
	if h.Get("Content-Encoding") != "gzip" || h.Get("Smithy-Protocol") == "" && h.Get("X-Amz-Target") == "" {
		return b, nil // an S3 object may well be gzip
	}
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("read gzip: %w", err)
	}
	if b, err = io.ReadAll(io.LimitReader(z, maxBody+1)); err != nil {
		return nil, fmt.Errorf("read gzip: %w", err)
	}
	return b, nil
}

// decode reads the Input of the operation that was found.
func (q *request) decode(r *http.Request, form map[string]any, body []byte) {
	c := q.service.reader
	in := q.operation.Input()
	var tree any
	var err error
	switch q.dialect {
	case dialectCBOR:
		tree, err = readCBOR(body)
	case dialect(Query), dialect(EC2):
		tree, err = c.shapeForm(form, q.operation.in, 0)
	case dialect(RESTJSON), dialect(RESTXML):
		err = q.readREST(r, body, in)
	default:
		tree, err = readJSON(body)
	}
	if err == nil && tree != nil {
		err = c.decode(tree, in)
	}
	if err != nil {
		if _, known := errors.AsType[smithy.APIError](err); !known {
			err = malformed(err)
		}
		q.err = err
		return
	}
	q.in = in
}
