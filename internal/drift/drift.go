// Package drift decides what infrastructure as code would do to a target that
// pullback has taken back: the code still says what was bad, and brings it again
// when it is applied the next time. It says whether that is so, who refuses it
// then, and what to change.
//
// It reads nothing and changes nothing: what CloudFormation and Terraform say is
// read by the packages below it, what pullback knows by who asks.
package drift

import (
	"fmt"
	"slices"

	"github.com/pullback-dev/pullback/shared/deploy"
)

// Tool is what applies code.
type Tool string

// The tools.
const (
	Stack    Tool = "CloudFormation stack" // as it was deployed last
	Template Tool = "template"             // that is to be deployed
	Plan     Tool = "Terraform plan"
	State    Tool = "Terraform state" // as it was applied last
)

// Way is how what code says reaches the target.
type Way string

// The ways.
const (
	Deploys  Way = "deploys"  // by a deployment, as the target's kind has them
	Moves    Way = "moves"    // by changing what serves, past the target's deployments
	Launches Way = "launches" // only what is launched from then on runs it
	Fails    Way = "fails"    // AWS does not take it
)

// Object is a function's code in S3.
type Object struct{ Bucket, Key, Version string }

// Wish is what code says that a target shall run.
type Wish struct {
	Tool      Tool
	Origin    string          // the stack, or the file
	Resource  string          // as the code names it
	Type      string          // of the resource, in the tool's words
	Attribute string          // of the resource
	Revision  deploy.Revision // empty: it comes into being when it is applied, or cannot be told
	Digest    deploy.Digest   // of its code; empty: not known
	Code      Object          // where that would be read from; nothing if it is not in S3
	Unknown   string          // what it is, in words, where Revision is empty
	Way       Way
	Gated     bool // the deployment asks pullback before it has traffic
	Idle      bool // as it stands there, applying it again changes nothing: it comes along when the resource changes

	Quarantine string // why that code is kept off every target; empty if it is not
	Overridden string // a human's word that it may run here; empty if there is none
}

// Facts are what a finding depends on.
type Facts struct {
	Place   deploy.Place
	Live    deploy.Revision            // that serves most; empty if nothing does
	Bad     map[deploy.Revision]string // what was taken back here and has not proved itself since, and why
	Held    string                     // why the target takes no deployments; empty if it does
	Enabled bool                       // pullback looks after the target
	Observe bool                       // and changes nothing
	Wishes  []Wish
}

// Verdict is what a wish comes to.
type Verdict string

// The verdicts. They are part of the command's output, must not change.
const (
	Bad     Verdict = "bad"     // it says what was taken back, or is kept off everywhere
	Same    Verdict = "same"    // it says what is live
	Other   Verdict = "other"   // it says something else, against which nothing is known
	Unknown Verdict = "unknown" // what it says cannot be told before it is applied
)

// Refuser is who refuses what is bad.
type Refuser string

// The refusers. They are part of the command's output, must not change.
const (
	Gate   Refuser = "gate"   // before it has traffic
	Watch  Refuser = "watch"  // it is begun, and taken back
	AWS    Refuser = "AWS"    // the tool fails
	Nobody Refuser = "nobody" // it serves
)

// Finding is one wish and what comes of it.
type Finding struct {
	Target    string          `json:"target"`
	Live      deploy.Revision `json:"live,omitempty"`
	Source    string          `json:"source"` // tool and origin
	Resource  string          `json:"resource"`
	Attribute string          `json:"attribute"`
	Says      string          `json:"says"` // a revision, or what it is in words
	Verdict   Verdict         `json:"verdict"`
	Refused   Refuser         `json:"refusedBy,omitempty"` // of what is bad, or held
	Because   []string        `json:"because"`
	Change    []string        `json:"change,omitempty"` // lines and commands
}

// Find returns what comes of each wish, in their order.
func Find(f Facts) []Finding {
	all := make([]Finding, 0, len(f.Wishes))
	for _, w := range f.Wishes {
		x := Finding{
			Target: f.Place.Target.String(), Live: f.Live, Source: string(w.Tool) + " " + w.Origin, Resource: w.Resource, Attribute: w.Attribute,
			Says: w.Unknown, Verdict: verdict(f, w),
		}
		if w.Revision != "" {
			x.Says = f.Place.Name(w.Revision)
		}
		x.Because = append(x.Because, reason(f, w, x.Verdict)...)
		if x.Verdict == Bad || f.Held != "" && x.Verdict != Same {
			var how string
			x.Refused, how = refuser(f, w, x.Verdict)
			x.Because = append(x.Because, how)
		}
		if x.Verdict == Bad {
			x.Change = change(f, w)
		}
		all = append(all, x)
	}
	return all
}

func verdict(f Facts, w Wish) Verdict {
	switch {
	case w.Revision != "" && w.Revision == f.Live && w.Quarantine == "":
		return Same
	case w.Quarantine != "", w.Revision != "" && f.Bad[w.Revision] != "":
		return Bad
	case w.Revision == "":
		return Unknown
	default:
		return Other
	}
}

// reason says why a wish is what it is, and when it is applied.
func reason(f Facts, w Wish, v Verdict) (all []string) {
	switch {
	case v == Bad && w.Quarantine != "":
		all = append(all, "its code is quarantined: "+w.Quarantine)
	case v == Bad:
		all = append(all, "it was taken back: "+f.Bad[w.Revision])
	case v == Unknown && w.Digest != "":
		all = append(all, "nothing is known against its code")
	case v == Unknown:
		all = append(all, "whether its code is known to be bad can be told when it is there")
	}
	if v != Same && w.Idle {
		all = append(all, idle(w))
	}
	if v == Same && w.Idle && len(f.Bad) > 0 {
		all = append(all, "that is what was applied last; what is applied next may say otherwise: give it with --template or --terraform")
	}
	return all
}

// idle says when something that was applied before is applied again.
func idle(w Wish) string {
	if w.Tool == State {
		return "that was applied last: the next plan finds what is live, and changes it back unless the configuration says otherwise by then"
	}
	// CloudFormation compares a template with the one that was deployed last, and not
	// with what is live (CloudFormation user guide, "Detect unmanaged configuration
	// changes to stacks and resources with drift detection").
	return "the same template again changes nothing, since CloudFormation compares templates and not what is live; " +
		"an update that changes " + w.Resource + " in any other way brings it along"
}

// refuser returns who keeps the wish off, and how.
func refuser(f Facts, w Wish, v Verdict) (Refuser, string) {
	if why := unguarded(f, w); why != "" {
		return Nobody, why
	}
	switch {
	case w.Way == Fails:
		return AWS, "AWS refuses it: what runs a service behind CodeDeploy is changed by deployments alone, and the update fails"
	case w.Way == Moves:
		return Nobody, "it changes what serves without a deployment: pullback tells people that it serves again, and takes nothing back"
	case w.Way == Launches:
		return Nobody, "no deployment begins: instances that are launched from then on run it, and an instance refresh that brings it is taken back"
	case f.Place.Target.Kind == deploy.KindStage && f.Held != "":
		return Gate, "the way into the stage is closed: " + f.Held
	case w.Gated && (v == Bad || f.Held != ""):
		return Gate, "pullback's hook refuses the deployment before it has traffic, and the update fails: " + why(f, w)
	case relapses(f, w):
		return Nobody, "no hook asks pullback first: the deployment begins, and is taken back, but the update then fails and CloudFormation goes back to what the stack said before, " +
			"which is bad, too; that is a rollback, and rollbacks are not taken back"
	default:
		return Watch, "no hook asks pullback first: the deployment begins, and is taken back: " + why(f, w)
	}
}

// relapses reports whether CloudFormation brings back what is bad when the update
// that brings the wish has failed: its own deployment to what the stack said before
// is a rollback, which only the gate refuses.
func relapses(f Facts, w Wish) bool {
	return w.Type == lambdaAlias && f.Place.Target.Kind == deploy.KindGroup && slices.ContainsFunc(f.Wishes, func(before Wish) bool {
		return before.Tool == Stack && before.Type == lambdaAlias && verdict(f, before) == Bad
	})
}

// lambdaAlias is CloudFormation's type of an alias.
const lambdaAlias = "AWS::Lambda::Alias"

// unguarded says why pullback, and AWS, would let the wish through; empty if they
// do not.
func unguarded(f Facts, w Wish) string {
	switch {
	case w.Way == Fails:
		return ""
	case !f.Enabled:
		return "pullback does not look after the target: nothing is refused"
	case f.Observe:
		return "pullback only observes the target: nothing is refused"
	case w.Overridden != "":
		return "a human has let it through: " + w.Overridden
	case w.Quarantine == "" && f.Held == "":
		return "its code is not quarantined and the target is not held: nothing is refused"
	default:
		return ""
	}
}

// why is what a refusal will say.
func why(f Facts, w Wish) string {
	if w.Quarantine != "" {
		return "its code is quarantined"
	}
	return fmt.Sprintf("%s is held (%s)", f.Place.Target, f.Held)
}

// Worst reports whether anything that is bad would be applied again.
func Worst(all []Finding) bool {
	for _, x := range all {
		if x.Verdict == Bad {
			return true
		}
	}
	return false
}
