// Package wiretest compares how the local AWS reads requests and writes
// answers with what the SDK itself writes and reads. The authority are the
// request and response snapshots that every SDK module ships; they are read
// from the module cache, nothing is copied.
//
// A snapshot passes through both sides: what the local AWS understood of a
// request snapshot is sent again by the SDK's client and must be the snapshot;
// what the SDK's client understood of a response snapshot is answered by the
// local AWS and must be the snapshot. It does not test what an operation does.
package wiretest

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// snapshot is one file of a module: a request or an answer.
type snapshot struct {
	name   string
	first  string // "POST /path", or the status
	header http.Header
	body   []byte
}

// Snapshots compares every operation of a service with the snapshots of its
// SDK module ("github.com/aws/aws-sdk-go-v2/service/codedeploy"), in both
// directions, and every error of the module. It fails if there was nothing to
// compare. Operations in the module that the service does not implement are
// left out, and so are errors whose names are in unserved: those that only
// operations with an unregistered union can return, for example.
func Snapshots(t *testing.T, svc wire.Service, module string, unserved ...string) {
	t.Helper()
	dir := moduleDir(t, module)
	compared := 0
	for _, op := range svc.Operations {
		if s := written(t, dir, op.Name); s != nil {
			compared++
			if svc.Name == "s3" { // whose snapshots have the bucket in the name of the host
				s.first = strings.Replace(s.first, "/", "/__Bucket__/", 1)
				s.first = strings.Replace(s.first, "/__Bucket__/?", "/__Bucket__?", 1)
			}
			t.Run(op.Name+"/request", func(t *testing.T) { request(t, svc, op, s) })
		} else {
			t.Logf("%s has no request snapshot of %s", module, op.Name)
		}
		if s := read(t, dir, "response_snapshot", op.Name+".response.snap"); s != nil {
			compared++
			t.Run(op.Name+"/response", func(t *testing.T) { response(t, svc, op, s) })
		} else {
			t.Logf("%s has no response snapshot of %s", module, op.Name)
		}
	}
	files, err := filepath.Glob(filepath.Join(dir, "response_snapshot", "*.error.snap"))
	require.NoError(t, err)
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".error.snap")
		if slices.Contains(unserved, name) {
			continue
		}
		compared++
		s := read(t, dir, "response_snapshot", filepath.Base(file))
		t.Run(name, func(t *testing.T) { failure(t, svc, s) })
	}
	require.Positive(t, compared, "no snapshot of %s was compared", module)
}

// moduleDir finds a module in the module cache.
func moduleDir(t *testing.T, module string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", module).Output() //nolint:gosec // the tests name the module
	require.NoError(t, err, "find module %s", module)
	return strings.TrimSpace(string(out))
}

// written reads the snapshot of a request. Some modules keep it elsewhere.
func written(t *testing.T, dir, operation string) *snapshot {
	t.Helper()
	for _, kind := range []string{"request_snapshot", "serde_snapshot"} {
		if s := read(t, dir, kind, operation+".request.snap"); s != nil {
			return s
		}
	}
	return nil
}

// read parses a snapshot file: the first line, for a request an empty line,
// headers, an empty line, the body. It returns nil if there is no such file.
func read(t *testing.T, dir, kind, file string) *snapshot {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, kind, file)) //nolint:gosec // in the module cache
	if os.IsNotExist(err) {
		return nil
	}
	require.NoError(t, err)
	first, rest, _ := bytes.Cut(b, []byte("\n"))
	if kind != "response_snapshot" {
		rest = bytes.TrimPrefix(rest, []byte("\n"))
	}
	s := &snapshot{name: file, first: string(first), header: http.Header{}}
	for {
		line, after, ok := bytes.Cut(rest, []byte("\n"))
		rest = after
		if len(line) == 0 || !ok {
			break
		}
		k, v, _ := strings.Cut(string(line), ": ")
		s.header.Add(k, v)
	}
	s.body = rest
	if strings.HasPrefix(s.header.Get("Content-Type"), "application/cbor") {
		return s
	}
	s.body = bytes.TrimSuffix(s.body, []byte("\n"))
	return s
}

// serve answers a request with a service that has only the one operation.
func serve(svc wire.Service, op wire.Operation, r *http.Request, do func(c *wire.Call, in any) (any, error)) *http.Response {
	svc.Operations = []wire.Operation{op.With(do)}
	mux := wire.NewMux(world.New(world.Options{}))
	mux.Handle(svc)
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, r)
	return w.Result()
}

// toServer makes the request that the SDK's client sent arrive at a server.
func toServer(t *testing.T, r *http.Request) *http.Request {
	t.Helper()
	in := httptest.NewRequestWithContext(t.Context(), r.Method, r.URL.RequestURI(), r.Body)
	in.Header = r.Header
	return in
}

// understood lets the local AWS read a request snapshot.
func understood(t *testing.T, svc wire.Service, op wire.Operation, s *snapshot) any {
	t.Helper()
	method, uri, _ := strings.Cut(s.first, " ")
	r := httptest.NewRequestWithContext(t.Context(), method, uri, bytes.NewReader(s.body))
	r.Header = s.header.Clone()
	r.Header.Set("Authorization", scope(svc.Name))
	var in any
	res := serve(svc, op, r, func(_ *wire.Call, got any) (any, error) {
		in = got
		return nil, nil //nolint:nilnil // an empty answer
	})
	defer res.Body.Close() //nolint:errcheck // a buffer
	b, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.NotNil(t, in, "%s was answered with %d %s", s.name, res.StatusCode, b)
	return in
}

// scope is the header of a signed request, as far as the local AWS reads it.
func scope(service string) string {
	return "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260105/us-east-1/" + service + "/aws4_request, SignedHeaders=host, Signature=0"
}

// request checks that nothing of a request snapshot gets lost.
func request(t *testing.T, svc wire.Service, op wire.Operation, want *snapshot) {
	t.Helper()
	in := understood(t, svc, op, want)
	var got *snapshot
	_, err := call(t, svc.Name, op.Name, in, func(r *http.Request) (*http.Response, error) {
		got = &snapshot{name: want.name, first: r.Method + " " + r.URL.RequestURI(), header: r.Header}
		if r.Body != nil {
			b, err := io.ReadAll(r.Body)
			if err != nil {
				return nil, fmt.Errorf("read what the client sends: %w", err)
			}
			got.body = b
		}
		return nil, errSent
	})
	require.NotNil(t, got, "the client sent nothing: %v", err)
	require.Equal(t, canonicalURI(t, want.first), canonicalURI(t, got.first))
	sameHeader(t, want.header, got.header)
	sameBody(t, want, got)
}

// response checks that nothing of a response snapshot gets lost.
func response(t *testing.T, svc wire.Service, op wire.Operation, want *snapshot) {
	t.Helper()
	out, err := call(t, svc.Name, op.Name, op.Input(), canned(want))
	require.NoError(t, err)
	got := answer(t, svc, op, func(*wire.Call, any) (any, error) { return out, nil })
	// Every snapshot of a good answer was made with status 200, whatever status
	// the service's model gives the operation.
	require.Equal(t, want.first[0], got.first[0], "status %s", got.first)
	if got.first == strconv.Itoa(http.StatusNoContent) {
		require.Empty(t, got.body)
		return
	}
	sameHeader(t, want.header, got.header)
	sameBody(t, want, got)
}

// failure checks that nothing of an error snapshot gets lost.
func failure(t *testing.T, svc wire.Service, want *snapshot) {
	t.Helper()
	op := svc.Operations[0]
	for _, o := range svc.Operations {
		// The snapshot names the operation that it was made with; the client
		// only knows the errors that an operation may return.
		if strings.HasSuffix(want.header.Get("X-Amz-Target"), "."+o.Name) {
			op = o
		}
	}
	_, err := call(t, svc.Name, op.Name, op.Input(), canned(want))
	modeled := modeledError(err)
	if modeled == nil {
		t.Skipf("no operation here returns the error: %v", err)
	}
	got := answer(t, svc, op, func(*wire.Call, any) (any, error) { return nil, modeled })
	require.Equal(t, want.first, got.first, "status of %s (Service.Status)", want.name)
	sameHeader(t, want.header, got.header)
	sameBody(t, want, got)
}

// canned answers with a snapshot.
func canned(s *snapshot) transport {
	return func(r *http.Request) (*http.Response, error) {
		status, err := strconv.Atoi(s.first)
		if err != nil {
			return nil, fmt.Errorf("read status of %s: %w", s.name, err)
		}
		return &http.Response{
			StatusCode: status, Header: s.header.Clone(), Request: r,
			ContentLength: int64(len(s.body)), Body: io.NopCloser(bytes.NewReader(s.body)),
		}, nil
	}
}

// answer lets the local AWS answer the SDK's client and returns what it wrote.
func answer(t *testing.T, svc wire.Service, op wire.Operation, do func(*wire.Call, any) (any, error)) *snapshot {
	t.Helper()
	var got *snapshot
	_, err := call(t, svc.Name, op.Name, labels(op.Input()), func(r *http.Request) (*http.Response, error) {
		res := serve(svc, op, toServer(t, r), do)
		b, err := io.ReadAll(res.Body)
		if err != nil {
			return nil, fmt.Errorf("read answer: %w", err)
		}
		got = &snapshot{first: strconv.Itoa(res.StatusCode), header: res.Header, body: b}
		return nil, errSent
	})
	require.NotNil(t, got, "the client sent nothing: %v", err)
	return got
}
