package scenario

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/pullback-dev/pullback/internal/localaws/fault"
	"github.com/pullback-dev/pullback/shared/deploy"
)

// key is where testscript keeps the story of a script.
type key struct{}

// A check compares one thing with what the script says. "! check" wants it to
// be otherwise, and "until 20m check" waits for it.
type check func(s *Story, ctx context.Context, args []string) error

func checks() map[string]check {
	return map[string]check{
		"alarm": (*Story).alarm, "because": (*Story).because, "closed": (*Story).closed, "dead": (*Story).dead, "decided": (*Story).decided, "deployment": (*Story).deployment, "fired": (*Story).fired, "held": (*Story).held,
		"incident": (*Story).incident, "incidents": (*Story).incidents, "known-good": (*Story).good, "live": (*Story).live, "logged": (*Story).logged,
		"mutations": (*Story).mutations, "quarantined": (*Story).quarantined, "queued": (*Story).queued, "recorded": (*Story).recorded,
		"rollbacks": (*Story).rollbacks, "served": (*Story).served, "shows": (*Story).shows, "silent": (*Story).silent, "subscribed": (*Story).subscribed, "told": (*Story).told,
		"verdict": (*Story).verdict, "watch": (*Story).watch,
	}
}

// acts are what somebody does. "! act" wants AWS to refuse it.
func acts() map[string]check {
	return map[string]check{
		"advance": (*Story).advance, "archive": (*Story).archive, "audit": (*Story).audit, "close": (*Story).shutStage, "code": (*Story).code, "complain": (*Story).complain, "control-plane": (*Story).controlPlane,
		"crowd": (*Story).crowd, "delete": (*Story).remove, "every": (*Story).every, "forbid": (*Story).forbid, "install": (*Story).install, "keep": (*Story).keep, "leave": (*Story).leave,
		"lose": (*Story).lose, "mark": (*Story).mark, "move": (*Story).move, "open": (*Story).openStage, "outage": (*Story).outage, "override": (*Story).override, "pause": (*Story).pause, "permit": (*Story).permit,
		"prove": (*Story).prove, "region": (*Story).region, "repeat": (*Story).repeat, "replay": (*Story).replay, "resume": (*Story).resume, "shut": (*Story).shut, "speaks": (*Story).speaks,
		"stop-deployment": (*Story).stop, "tag": (*Story).tag, "target": (*Story).target, "traffic": (*Story).traffic, "unhold": (*Story).unhold,
		"until": (*Story).until, "update-pipeline": (*Story).restructure,
	}
}

// until lets time pass until a check holds: until 20m live v1.
func (s *Story) until(ctx context.Context, args []string) error {
	if len(args) < 2 {
		return errors.New("want: until DURATION CHECK …")
	}
	limit, err := time.ParseDuration(args[0])
	if err != nil {
		return fmt.Errorf("want a duration: %w", err)
	}
	c, ok := checks()[args[1]]
	if args[1] == "every" {
		c, ok = (*Story).every, true
	}
	if !ok {
		return fmt.Errorf("%q is not a check", args[1])
	}
	return s.wait(ctx, limit, time.Second, func() error { return c(s, ctx, args[2:]) })
}

// Setup gives a script its story. It is testscript's Params.Setup.
func Setup(ctx context.Context, o Options) func(*testscript.Env) error {
	return func(env *testscript.Env) error {
		s, err := Start(ctx, o)
		if err != nil {
			return err
		}
		env.Values[key{}] = s
		env.Defer(func() {
			if t, ok := env.T().(interface{ Failed() bool }); ok && t.Failed() {
				env.T().Log(s.aftermath(ctx))
			}
			if err := s.Close(); err != nil {
				env.T().Fatal(err)
			}
		})
		return nil
	}
}

// Commands are the words of a script. They are testscript's Params.Cmds.
func Commands(ctx context.Context) map[string]func(*testscript.TestScript, bool, []string) {
	words := map[string]func(*testscript.TestScript, bool, []string){}
	for name, c := range checks() {
		words[name] = func(ts *testscript.TestScript, neg bool, args []string) {
			err := c(story(ts), ctx, args)
			_, differs := errors.AsType[differenceError](err)
			conclude(ctx, ts, neg, err, differs)
		}
	}
	for name, do := range acts() {
		words[name] = func(ts *testscript.TestScript, neg bool, args []string) {
			conclude(ctx, ts, neg, do(story(ts), ctx, args), true)
		}
	}
	for name, do := range map[string]func(context.Context, *testscript.TestScript, []string) error{
		"call": call, "configure": configureWord, "data": dataWord, "deploy": deployWord, "event": eventWord, "explain": explainWord, "faults": faultsWord, "forge": forgeWord, "notices": noticesWord, "previous": previousWord, "pullback": pullbackWord, "release": releaseWord, "send": send, "show": showWord, "template": templateWord,
	} {
		words[name] = func(ts *testscript.TestScript, neg bool, args []string) {
			conclude(ctx, ts, neg, do(ctx, ts, args), true)
		}
	}
	return words
}

func story(ts *testscript.TestScript) *Story {
	s, ok := ts.Value(key{}).(*Story)
	if !ok {
		ts.Fatalf("the script has no story: scenario.Setup is missing")
	}
	return s
}

// conclude ends a word of the script. What the ledger says is most of what one
// needs to know when a script fails.
func conclude(ctx context.Context, ts *testscript.TestScript, neg bool, err error, mayBeWanted bool) {
	if neg && err == nil {
		err = errors.New("it is not otherwise")
	} else if neg && mayBeWanted {
		return
	}
	if err == nil {
		return
	}
	var b strings.Builder
	s := story(ts)
	if failed := s.explain(ctx, &b); failed != nil {
		fmt.Fprintf(&b, "no ledger: %v\n", failed)
	}
	s.mu.Lock()
	for _, l := range s.logs {
		if strings.Contains(l.text, `"ERROR"`) {
			fmt.Fprintf(&b, "%s: %s\n", l.function, l.text)
		}
	}
	s.mu.Unlock()
	ts.Fatalf("at %s: %v\n%s", s.now().Format("15:04:05"), err, b.String())
}

// deployWord also lets the script speak of the deployment, as $deployment, and
// of the incident that it may become, as $incident.
func deployWord(ctx context.Context, ts *testscript.TestScript, args []string) error {
	id, err := story(ts).deploy(ctx, args)
	if err == nil {
		speak(ts, id)
	}
	return err
}

// previousWord does, too, unless it goes back by hand.
func previousWord(ctx context.Context, ts *testscript.TestScript, args []string) error {
	s := story(ts)
	had := len(s.crew.rolled)
	if err := s.previous(ctx, args); err != nil {
		return err
	}
	if len(s.crew.rolled) > had {
		speak(ts, s.crew.rolled[had])
	}
	return nil
}

// speak lets the script speak of a deployment.
func speak(ts *testscript.TestScript, id deploy.ID) {
	ts.Setenv("deployment", string(id))
	ts.Setenv("incident", string(deploy.IncidentOf(story(ts).crew.Target(), id)))
}

func releaseWord(ctx context.Context, ts *testscript.TestScript, args []string) error {
	switch len(args) {
	case 1:
		return story(ts).release(ctx, args[0], nil)
	case 2:
		return story(ts).release(ctx, args[0], []byte(ts.ReadFile(args[1])))
	default:
		return errors.New("want: release NAME [FILE]")
	}
}

func explainWord(ctx context.Context, ts *testscript.TestScript, _ []string) error {
	return story(ts).explain(ctx, ts.Stdout())
}

func noticesWord(_ context.Context, ts *testscript.TestScript, _ []string) error {
	return story(ts).notices(ts.Stdout())
}

// show prints a deployment as CodeDeploy describes it: show rollback.
func showWord(ctx context.Context, ts *testscript.TestScript, args []string) error {
	if len(args) != 1 {
		return errors.New("want: show first|last|rollback")
	}
	s := story(ts)
	d, err := s.named(ctx, args[0])
	if err != nil {
		return err
	}
	id := string(d.ID)
	out, err := s.clients.deploy.GetDeployment(ctx, &codedeploy.GetDeploymentInput{DeploymentId: &id})
	if err != nil {
		return fmt.Errorf("show %s: %w", id, err)
	}
	e := json.NewEncoder(ts.Stdout())
	e.SetIndent("", "  ")
	return e.Encode(out.DeploymentInfo)
}

// send puts files into a queue: send signals FILE … A file may speak of the
// script's variables. A number instead of a name is a text of so many bytes.
func send(ctx context.Context, ts *testscript.TestScript, args []string) error {
	if len(args) < 2 {
		return errors.New("want: send QUEUE FILE …")
	}
	texts := make([]string, len(args)-1)
	for i, name := range args[1:] {
		texts[i] = text(ts, name)
	}
	return story(ts).send(ctx, args[0], args[1:], texts)
}

// faultsWord adds the rules of a file to the plan of faults: faults FILE.
func faultsWord(_ context.Context, ts *testscript.TestScript, args []string) error {
	if len(args) != 1 {
		return errors.New("want: faults FILE")
	}
	rules, err := fault.Parse([]byte(text(ts, args[0])))
	if err != nil {
		return err
	}
	s := story(ts)
	s.aws.World.Lock()
	defer s.aws.World.Unlock()
	return s.aws.Faults.Add(rules...)
}

// eventWord puts an event onto the bus, or onto another one: event SOURCE TYPE FILE
// [ARN]. Why it is refused is for stderr.
func eventWord(ctx context.Context, ts *testscript.TestScript, args []string) error {
	const words = 3
	if len(args) != words && len(args) != words+1 {
		return errors.New("want: event SOURCE TYPE FILE [ARN]")
	}
	err := story(ts).event(ctx, args[0], args[1], text(ts, args[2]), append(args, "")[words])
	if err != nil {
		_, _ = fmt.Fprintln(ts.Stderr(), err) // a buffer of the script's
	}
	return err
}

// call invokes a hook's function: call pretraffic FILE.
func call(ctx context.Context, ts *testscript.TestScript, args []string) error {
	if len(args) != 2 {
		return errors.New("want: call FUNCTION FILE")
	}
	return story(ts).call(ctx, args[0], text(ts, args[1]))
}

func text(ts *testscript.TestScript, name string) string {
	if n, err := strconv.Atoi(name); err == nil {
		return strings.Repeat("x", n)
	}
	return os.Expand(ts.ReadFile(name), ts.Getenv)
}
