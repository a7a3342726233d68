package host_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/host"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

func TestTheClockCanBeReadAndAdvanced(t *testing.T) {
	local := open(t, host.Options{})
	fired := false
	local.World.Lock()
	local.World.After(5*time.Minute, func() { fired = true })
	local.World.Unlock()

	status, body := send(t, local, http.MethodGet, "/_local/clock", "")
	assert.Equal(t, http.StatusOK, status)
	assert.JSONEq(t, `{"mode":"manual","now":"2026-01-05T09:00:00Z"}`, body)

	status, body = send(t, local, http.MethodPost, "/_local/clock", `{"advance":"5m1s"}`)
	assert.Equal(t, http.StatusOK, status)
	assert.JSONEq(t, `{"mode":"manual","now":"2026-01-05T09:05:01Z"}`, body)
	assert.True(t, fired)
}

func TestTheClockSaysItsMode(t *testing.T) {
	local := open(t, host.Options{World: world.Options{Mode: world.Fast}})
	_, body := send(t, local, http.MethodGet, "/_local/clock", "")
	assert.JSONEq(t, `{"mode":"fast","now":"2026-01-05T09:00:00Z"}`, body)
	_, body = send(t, local, http.MethodPost, "/_local/clock", `{"advance":"1h"}`)
	assert.JSONEq(t, `{"mode":"fast","now":"2026-01-05T10:00:00Z"}`, body)
}

func TestBadRequestsToTheClockSayWhy(t *testing.T) {
	local := open(t, host.Options{})
	const noDuration = "advance is not a duration such as 5m, and time does not go backwards\n"
	for _, c := range []struct {
		name, method, path, body string
		status                   int
		answer                   string
	}{
		{"no JSON", "POST", "/_local/clock", "advance", 400, `the body is not {"advance":"5m"}: invalid character 'a' looking for beginning of value` + "\n"},
		{"no body", "POST", "/_local/clock", "", 400, `the body is not {"advance":"5m"}: EOF` + "\n"},
		{"typing error", "POST", "/_local/clock", `{"advnace":"5m"}`, 400, `the body is not {"advance":"5m"}: json: unknown field "advnace"` + "\n"},
		{"too large", "POST", "/_local/clock", `{"advance":"` + strings.Repeat("5", 2000) + `m"}`, 400, `the body is not {"advance":"5m"}: http: request body too large` + "\n"},
		{"nothing", "POST", "/_local/clock", `{}`, 400, noDuration},
		{"no unit", "POST", "/_local/clock", `{"advance":"5"}`, 400, noDuration},
		{"backwards", "POST", "/_local/clock", `{"advance":"-5m"}`, 400, noDuration},
		{"other method", "DELETE", "/_local/clock", "", 404, "DELETE /_local/clock does not exist: there are /_local/clock and /_local/faults\n"},
		{"other page", "GET", "/_local/time", "", 404, "GET /_local/time does not exist: there are /_local/clock and /_local/faults\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, answer := send(t, local, c.method, c.path, c.body)
			assert.Equal(t, c.status, status)
			assert.Equal(t, c.answer, answer)
		})
	}
	_, body := send(t, local, http.MethodGet, "/_local/clock", "")
	require.JSONEq(t, `{"mode":"manual","now":"2026-01-05T09:00:00Z"}`, body, "no time has passed")
}
