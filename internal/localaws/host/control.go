package host

import (
	"encoding/json"
	"net/http"
	"time"
)

// clockState is what GET /_local/clock answers and POST /_local/clock changes.
type clockState struct {
	Mode string    `json:"mode"`
	Now  time.Time `json:"now"`
}

// handler serves AWS's protocols, and the clock and the faults (faults.go) beside
// them:
//
//	GET  /_local/clock                      {"mode":"manual","now":"…"}
//	POST /_local/clock {"advance":"5m"}     lets time pass, answers as GET
//
// All other pages under /_local/ say that they do not exist: a typing error
// must not be answered by S3, which would take it for a bucket.
func (a *AWS) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", a.Mux)
	mux.HandleFunc("GET /_local/clock", func(w http.ResponseWriter, _ *http.Request) { a.answerClock(w) })
	mux.HandleFunc("POST /_local/clock", a.advance)
	a.faults(mux)
	mux.HandleFunc("/_local/", func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, r.Method+" "+r.URL.Path+" does not exist: there are /_local/clock and /_local/faults", http.StatusNotFound)
	})
	return mux
}

func (a *AWS) answerClock(w http.ResponseWriter) {
	a.World.Lock()
	state := clockState{Mode: string(a.World.Mode()), Now: a.World.Now()}
	a.World.Unlock()
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(state) // the client has gone; nobody is left to tell
}

func (a *AWS) advance(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Advance string `json:"advance"`
	}
	body := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<10)) // ample
	body.DisallowUnknownFields()
	if err := body.Decode(&in); err != nil {
		http.Error(w, "the body is not {\"advance\":\"5m\"}: "+err.Error(), http.StatusBadRequest)
		return
	}
	d, err := time.ParseDuration(in.Advance)
	if err != nil || d < 0 {
		http.Error(w, "advance is not a duration such as 5m, and time does not go backwards", http.StatusBadRequest)
		return
	}
	if err := a.World.Advance(r.Context(), d); err != nil {
		http.Error(w, "advance: "+err.Error(), http.StatusServiceUnavailable)
		return
	}
	a.answerClock(w)
}
