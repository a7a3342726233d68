package traffic

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/pullback-dev/pullback/internal/localaws/elbv2"
	"github.com/pullback-dev/pullback/internal/localaws/lambda"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// Balancer says where the requests of a listener go and counts their answers.
// Its methods are called with the world's lock held.
type Balancer interface {
	Route(listenerARN string, r elbv2.Request) (elbv2.Route, error)
	Answer(r elbv2.Route, status int, took time.Duration)
}

// Behaviour is how what stands behind a listener answers.
type Behaviour struct {
	Failures float64       // the part of the requests that fails, 0 to 1
	Status   int           // of a failed request; 0 is 500
	Took     time.Duration // of every answer, as the metrics say it; no time passes
}

// Listener sends requests through a listener: it is the [Invoker] of
// Options.Function = the listener's ARN. The version of an outcome is its
// label.
type Listener struct {
	World    *world.World
	Balancer Balancer
	// Label tells apart what stands behind the listener, for example by the
	// task revision of a target. Without it, the name of the target group is
	// the label. What the load balancer answers itself has no label.
	Label func(elbv2.Route) string
	// Behaviours are by label; who has none answers well.
	Behaviours map[string]Behaviour
	// Request makes the n-th request; without it, all ask for /.
	Request func(n int) elbv2.Request

	sent int
}

// Start implements [Invoker]. The answer comes at once.
func (l *Listener) Start(listener, _ string, _ []byte, done func(lambda.Result)) {
	var r elbv2.Request
	if l.Request != nil {
		r = l.Request(l.sent)
	}
	l.sent++
	route, err := l.Balancer.Route(listener, r)
	if err != nil {
		done(lambda.Result{Err: err})
		return
	}
	if route.Target == nil {
		l.Balancer.Answer(route, 0, 0)
		done(result("", route.Status, "the load balancer answered"))
		return
	}
	label := groupName(route)
	if l.Label != nil {
		label = l.Label(route)
	}
	b := l.Behaviours[label]
	status := http.StatusOK
	if draw := l.World.Chance().Float64(); draw < b.Failures { // one draw a request: behaviours do not change what happens besides
		if status = b.Status; status == 0 {
			status = http.StatusInternalServerError
		}
	}
	l.Balancer.Answer(route, status, b.Took)
	done(result(label, status, label+" answered"))
}

// result is an answer as a function would have given it.
func result(label string, status int, text string) lambda.Result {
	r := lambda.Result{Version: label, Status: status}
	if status >= http.StatusInternalServerError {
		r.Err = fmt.Errorf("%s %d", text, status)
	}
	return r
}

// groupName is the name in the ARN of a target group.
func groupName(r elbv2.Route) string {
	_, path, _ := strings.Cut(r.TargetGroupARN, ":targetgroup/")
	name, _, _ := strings.Cut(path, "/")
	return name
}
