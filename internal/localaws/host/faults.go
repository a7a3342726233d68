package host

import (
	"encoding/json"
	"io"
	"net/http"

	"github.com/pullback-dev/pullback/internal/localaws/fault"
)

// maxPlan is more than any plan of faults needs.
const maxPlan = 1 << 20

// faultState is what GET /_local/faults answers.
type faultState struct {
	Rules []fault.State `json:"rules"`
	Fired []fault.Fired `json:"fired"`
}

// faults serves the plan of faults:
//
//	GET    /_local/faults         {"rules":[…],"fired":[…]}
//	POST   /_local/faults         a list of rules, which are added; answers as GET
//	DELETE /_local/faults         removes all rules; answers as GET
//	DELETE /_local/faults/NAME    removes one
func (a *AWS) faults(mux *http.ServeMux) {
	mux.HandleFunc("GET /_local/faults", func(w http.ResponseWriter, _ *http.Request) { a.answerFaults(w) })
	mux.HandleFunc("POST /_local/faults", a.addFaults)
	remove := func(w http.ResponseWriter, r *http.Request) {
		name := r.PathValue("name")
		a.World.Lock()
		removed := a.Faults.Remove(name)
		a.World.Unlock()
		if !removed && name != "" {
			http.Error(w, "there is no rule "+name+": GET /_local/faults lists them", http.StatusNotFound)
			return
		}
		a.answerFaults(w)
	}
	mux.HandleFunc("DELETE /_local/faults", remove)
	mux.HandleFunc("DELETE /_local/faults/{name}", remove)
}

func (a *AWS) answerFaults(w http.ResponseWriter) {
	a.World.Lock()
	state := faultState{Rules: a.Faults.Rules(), Fired: a.Faults.Log()}
	a.World.Unlock()
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(state) // the client has gone; nobody is left to tell
}

func (a *AWS) addFaults(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxPlan))
	if err != nil {
		http.Error(w, "read the plan of faults: "+err.Error(), http.StatusBadRequest)
		return
	}
	rules, err := fault.Parse(body)
	if err == nil {
		a.World.Lock()
		err = a.Faults.Add(rules...)
		a.World.Unlock()
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	a.answerFaults(w)
}
