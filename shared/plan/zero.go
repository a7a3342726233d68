package plan

import (
	"fmt"

	"github.com/pullback-dev/pullback/shared/ledger"
)

// zero is for a target that has nothing to go back to and that its policy wants out of
// service. A human is called in any case: what comes next nobody else knows.
func (l Limits) zero(s Situation) Step {
	i := s.Incident
	switch {
	case s.Out && i.Back != "":
		return escalate(fmt.Sprintf("%s is out of service: there was nothing to go back to. When it may serve again: %s", s.place(), i.Back))
	case s.Out:
		return escalate(fmt.Sprintf("%s is out of service already", s.place()))
	case s.Proved:
		return escalate(fmt.Sprintf("%s is not taken out of service: something has been known good here since", s.place()))
	case s.pending():
		return Step{Verb: Wait, Because: fmt.Sprintf("%s was begun after %s and has no traffic yet", s.Newer.ID, s.Bad.ID), Phase: i.Phase}
	case s.Now.Sub(i.Opened) > l.Verify:
		return escalate(fmt.Sprintf("%s is not out of service %s after the decision", s.place(), l.Verify))
	default:
		return Step{Verb: Zero, Because: fmt.Sprintf("%s serves, and there is nothing to go back to", s.serving()), Phase: ledger.Restoring}
	}
}
