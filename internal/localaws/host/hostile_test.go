package host_test

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/smithy-go/encoding/cbor"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/host"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// module is the SDK module of a service, by its name in a signature.
func module(service string) string {
	names := map[string]string{
		"monitoring": "cloudwatch", "events": "eventbridge", "logs": "cloudwatchlogs", "elasticloadbalancing": "elasticloadbalancingv2",
	}
	if name, ok := names[service]; ok {
		service = name
	}
	return "github.com/aws/aws-sdk-go-v2/service/" + service
}

// sample is a request that the SDK's authors wrote down.
type sample struct {
	name, method, path string
	header             http.Header
	body               []byte
}

// samples reads the request snapshots of a service's SDK module, for the
// operations that are implemented. Some modules ship none.
func samples(t *testing.T, s wire.Service) []sample {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", module(s.Name)).Output()
	require.NoError(t, err, module(s.Name))
	var all []sample
	for _, op := range s.Operations {
		for _, folder := range []string{"request_snapshot", "serde_snapshot"} { // some modules keep them elsewhere
			b, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(out)), folder, op.Name+".request.snap"))
			if err == nil {
				all = append(all, parse(op.Name, b))
			}
		}
	}
	return all
}

func parse(name string, b []byte) sample {
	first, rest, _ := bytes.Cut(b, []byte("\n"))
	method, path, _ := strings.Cut(string(first), " ")
	x := sample{name: name, method: method, path: path, header: http.Header{}}
	head, body, _ := bytes.Cut(bytes.TrimPrefix(rest, []byte("\n")), []byte("\n\n"))
	for line := range strings.Lines(string(head)) {
		k, v, _ := strings.Cut(strings.TrimSpace(line), ": ")
		x.header.Add(k, v)
	}
	x.body = body
	return x
}

// sign says who calls which service, as a signature does.
func sign(r *http.Request, service string) {
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20260105/us-east-1/"+service+"/aws4_request, SignedHeaders=host, Signature=0")
	r.Header.Set("X-Amz-Date", "20260105T090000Z")
}

// ask sends a request and waits no longer than a hang.
func ask(t *testing.T, h http.Handler, service string, x sample) *httptest.ResponseRecorder {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	r := httptest.NewRequestWithContext(ctx, x.method, "/", bytes.NewReader(x.body))
	r.URL.Path, r.URL.RawQuery, _ = strings.Cut(x.path, "?")
	r.Header = x.header.Clone()
	sign(r, service)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	require.NoError(t, ctx.Err(), "%s %s hangs", service, x.name)
	return w
}

// shaped wants an error in the shape that a service's clients read.
func shaped(t *testing.T, s wire.Service, w *httptest.ResponseRecorder, about string) {
	t.Helper()
	assert.GreaterOrEqual(t, w.Code, 400, about)
	assert.Less(t, w.Code, 500, "%s: %s", about, w.Body)
	switch kind := w.Header().Get("Content-Type"); {
	case strings.Contains(kind, "json"):
		var e struct {
			Type string `json:"__type"`
		}
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &e), about)
		assert.NotEmpty(t, e.Type, about)
	case strings.Contains(kind, "cbor"):
		v, err := cbor.Decode(w.Body.Bytes())
		require.NoError(t, err, about)
		m, _ := v.(cbor.Map)
		assert.Contains(t, m, "__type", about)
	case strings.Contains(kind, "xml"):
		assert.NotEmpty(t, codeOf(t, w.Body.Bytes()), about)
	default:
		assert.Fail(t, "no error that a client reads", "%s: %s answers %q", about, s.Name, kind)
	}
}

// codeOf finds the <Code> of any of the XML errors.
func codeOf(t *testing.T, b []byte) string {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(b))
	for {
		token, err := d.Token()
		require.NoError(t, err, "%s", b)
		if e, ok := token.(xml.StartElement); ok && e.Name.Local == "Code" {
			var code string
			require.NoError(t, d.DecodeElement(&code, &e))
			return code
		}
	}
}

// request makes a request of a service's protocol out of a body.
func request(s wire.Service, operation, body string) sample {
	x := sample{name: operation, method: http.MethodPost, path: "/", header: http.Header{}, body: []byte(body)}
	switch s.Protocol {
	case wire.JSON10, wire.JSON11:
		x.header.Set("Content-Type", "application/x-amz-json-"+map[wire.Protocol]string{wire.JSON10: "1.0", wire.JSON11: "1.1"}[s.Protocol])
		x.header.Set("X-Amz-Target", s.Target+"."+operation)
	case wire.RESTJSON, wire.RESTXML:
		x.path = "/no/such/path/" + operation
		x.method = http.MethodPatch
	default: // query, and EC2's
		x.header.Set("Content-Type", "application/x-www-form-urlencoded")
		x.body = []byte("Action=" + operation + "&Version=" + s.Version + body)
	}
	return x
}

func TestAnUnknownOperationIsTheServicesOwnErrorThatNamesIt(t *testing.T) {
	local := open(t, host.Options{})
	for _, s := range local.Mux.Services() {
		w := ask(t, local.Mux, s.Name, request(s, "MakeCoffee", ""))
		shaped(t, s, w, s.Name)
		if s.Protocol != wire.RESTXML {
			assert.Contains(t, w.Body.String(), "MakeCoffee", s.Name)
		}
	}
}

func TestABrokenBodyIsTheServicesOwnError(t *testing.T) {
	local := open(t, host.Options{})
	for _, s := range local.Mux.Services() {
		for _, x := range samples(t, s) {
			if len(x.body) < 2 || x.header.Get("Content-Type") == "application/octet-stream" {
				continue
			}
			for _, body := range []string{"{", "[1,2", "\x00\xff", `{"a":`, "<a>", "&&=%zz", string(x.body[:len(x.body)/2])} {
				broken := x
				broken.body = []byte(body)
				w := ask(t, local.Mux, s.Name, broken)
				assert.Less(t, w.Code, 500, "%s %s with %q: %s", s.Name, x.name, body, w.Body)
			}
		}
	}
}

func TestNoRequestMakesTheServerFail(t *testing.T) {
	t.Parallel()
	for _, s := range open(t, host.Options{}).Mux.Services() {
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			local := open(t, host.Options{})
			g := rand.New(rand.NewPCG(1, 2))
			for _, x := range samples(t, s) {
				for n := range 12 {
					mutant := x
					if n > 0 {
						mutant.body = mutate(g, x)
						mutant.path = mutatePath(g, x.path)
					}
					w := ask(t, local.Mux, s.Name, mutant)
					require.Less(t, w.Code, 500, "%s %s %s\n%s\n%s", s.Name, x.name, mutant.path, mutant.body, w.Body)
				}
			}
		})
	}
}

// bad are values that callers are known to send.
func bad() []string {
	return []string{"", "0", "-1", "99999999999999999999", "null", "true", strings.Repeat("x", 300), "ä\U0001F600", "arn:aws:x", "../../etc/passwd", "${a}", "*", "{", "1e400"}
}

// mutate changes a few values of a body, in the way of its encoding.
func mutate(g *rand.Rand, x sample) []byte {
	switch kind := x.header.Get("Content-Type"); {
	case strings.Contains(kind, "json"):
		var tree any
		if json.Unmarshal(x.body, &tree) != nil {
			return x.body
		}
		b, _ := json.Marshal(shaken(g, tree)) // it was JSON
		return b
	case strings.Contains(kind, "urlencoded"):
		parts := strings.Split(string(x.body), "&")
		for i, p := range parts {
			k, _, _ := strings.Cut(p, "=")
			if k != "Action" && k != "Version" && g.IntN(4) == 0 {
				parts[i] = k + "=" + strings.NewReplacer("%", "%25", "&", "%26", "{", "%7B").Replace(bad()[g.IntN(len(bad()))])
			}
		}
		return []byte(strings.Join(parts, "&"))
	default:
		b := bytes.Clone(x.body)
		for range min(len(b), 3) {
			b[g.IntN(len(b))] = byte(g.IntN(256))
		}
		return b
	}
}

// shaken replaces values of a JSON tree by others, some of another type.
func shaken(g *rand.Rand, tree any) any {
	if g.IntN(8) == 0 {
		return []any{bad()[g.IntN(len(bad()))], float64(g.IntN(5) - 2), nil, true, []any{}, map[string]any{}, 1e300}[g.IntN(7)]
	}
	switch x := tree.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, v := range x {
			if g.IntN(10) > 0 {
				out[k] = shaken(g, v)
			}
		}
		return out
	case []any:
		out := []any{}
		for _, v := range x {
			out = append(out, shaken(g, v))
		}
		return out
	default:
		return tree
	}
}

func mutatePath(g *rand.Rand, path string) string {
	if path == "/" || g.IntN(2) == 0 {
		return path
	}
	parts := strings.Split(path, "/")
	i := g.IntN(len(parts))
	if strings.HasPrefix(parts[i], "_") {
		parts[i] = []string{"x", "a b", "arn:aws:lambda:us-east-1:123456789012:function:f", "%", "..", fmt.Sprint(g.Uint64())}[g.IntN(6)]
	}
	return strings.Join(parts, "/")
}

// TestAListOfNothingIsEmptyAndNotAbsent calls every list without parameters: tools
// count what is in it.
func TestAListOfNothingIsEmptyAndNotAbsent(t *testing.T) {
	leftOut := []string{
		"monitoring ListMetrics OwningAccounts", // only for linked accounts (API reference)
		"sqs ListQueues QueueUrls",              // the JSON protocol leaves it out (AWS CLI: no output)
	}
	local := open(t, host.Options{})
	local.World.Lock()
	defer local.World.Unlock()
	lists := 0
	for _, s := range local.Mux.Services() {
		for _, op := range s.Operations {
			if !strings.HasPrefix(op.Name, "List") && !strings.HasPrefix(op.Name, "Describe") {
				continue
			}
			out, err := local.Mux.Call(t.Context(), wire.Principal{Service: "test"}, s.Name, op.Name, op.Input())
			if err != nil || out == nil {
				continue // it needs parameters
			}
			v := reflect.ValueOf(out).Elem()
			for i := range v.NumField() {
				name := s.Name + " " + op.Name + " " + v.Type().Field(i).Name
				if v.Field(i).Kind() == reflect.Slice && !slices.Contains(leftOut, name) {
					lists++
					assert.False(t, v.Field(i).IsNil(), name)
				}
			}
		}
	}
	assert.Greater(t, lists, 30)
}
