package sdkhttp_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/sdkhttp"
)

// eager is a body that minds being asked to write itself.
type eager struct {
	*strings.Reader
	t *testing.T
}

func (e eager) WriteTo(io.Writer) (int64, error) {
	e.t.Error("WriteTo was called")
	return 0, io.EOF
}

func (eager) Close() error { return nil }

func TestABodyIsReadAndNotAskedToWriteItself(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		_, err = w.Write(b)
		assert.NoError(t, err)
	}))
	defer server.Close()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, eager{strings.NewReader("hello"), t})
	require.NoError(t, err)
	r.ContentLength = 5
	res, err := sdkhttp.Client().Do(r)
	require.NoError(t, err)
	defer res.Body.Close() //nolint:errcheck // reading tells all
	b, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	assert.Equal(t, "hello", string(b))
}
