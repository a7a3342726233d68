// Package access stands between the calls of the local AWS and its operations,
// and refuses those that no policy allows, as AWS does.
//
// For each call it works out who calls, which actions on which resources must
// be allowed (actions.txt), which policies speak about that, and the condition
// keys that they ask for. Of a caller from another account, what limits it there
// is asked, too. The account's root may do everything; an AWS service
// that acts by itself may, too, except where AWS wants the resource's policy to
// allow it: to put messages into queues, to invoke functions, to publish to
// topics. A KMS key's policy is asked for everybody, the root too.
package access

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/pullback-dev/pullback/internal/localaws/iam"
	"github.com/pullback-dev/pullback/internal/localaws/iam/policy"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// Mode says what becomes of what is not allowed.
type Mode string

// The modes.
const (
	Enforce Mode = "enforce" // it is refused
	Record  Mode = "record"  // it happens nevertheless; only observers hear of it
	Off     Mode = "off"     // nothing is looked at
)

// ParseMode reads the name of a mode.
func ParseMode(s string) (Mode, error) {
	switch m := Mode(s); m {
	case Enforce, Record, Off:
		return m, nil
	default:
		return "", fmt.Errorf("iam %q is not one of enforce, record, off", s)
	}
}

// Decision is what was decided about one action on one resource.
type Decision struct {
	policy.Decision
	Time      time.Time
	Principal wire.Principal
	Caller    policy.Caller
	Service   string // in the wire
	Operation string
	Action    string
	Resource  string
}

// Options are the choices for a guard.
type Options struct {
	Mode    Mode
	Observe func(Decision) // hears of every decision, with the world's lock held; optional
	Others  Accounts       // the accounts beside this one; optional
}

// Accounts are those that there are.
type Accounts interface {
	// IAM is what an account knows of its users and roles; nil if there is no such
	// account.
	IAM(account string) *iam.Service
	// Organization is the ID of the organization that an account is in; empty if it
	// is in none.
	Organization(account string) string
}

// Guard decides about calls.
type Guard struct {
	world   *world.World
	mux     *wire.Mux
	iam     *iam.Service
	table   table
	options Options
}

// New puts a guard before the operations of an endpoint.
func New(w *world.World, m *wire.Mux, i *iam.Service, o Options) *Guard {
	g := &Guard{world: w, mux: m, iam: i, table: readTable(), options: o}
	if o.Mode != Off {
		m.Intercept(g.intercept)
	}
	return g
}

func (g *Guard) intercept(c *wire.Call, service, operation string, in any, goOn func() (any, error)) (any, error) {
	if err := g.Check(c.Context, c.Principal, service, operation, in); err != nil && g.options.Mode == Enforce {
		return nil, err
	}
	out, err := goOn()
	if err != nil {
		return out, g.hidden(c, in, err)
	}
	return out, nil
}

// Refuses says what would become of a call, without making it: an error if it
// would be refused. Nobody hears of the decision.
func (g *Guard) Refuses(by wire.Principal, service, operation string, in any) error {
	if g.options.Mode != Enforce {
		return nil
	}
	quiet := *g
	quiet.options.Observe = nil
	ctx := context.Background() //nolint:forbidigo // nothing waits for anything here
	return quiet.Check(ctx, by, service, operation, in)
}

// call is a call that is decided about.
type call struct {
	guard     *Guard
	ctx       context.Context //nolint:containedctx // lives as long as the decision
	by        wire.Principal
	subject   iam.Subject
	service   string
	operation string
	in        any
}

// Check returns why a call is not allowed, as an error of its service; nil if it
// is. The world's lock must be held.
func (g *Guard) Check(ctx context.Context, by wire.Principal, service, operation string, in any) error {
	k := &call{guard: g, ctx: ctx, by: by, subject: g.identities(by.ARN).Subject(by), service: service, operation: operation, in: in}
	if k.trusted() {
		return nil
	}
	if by.ARN != "" && by.Service != "" {
		if err := k.taken(); err != nil {
			return err
		}
	}
	for _, r := range g.rules(service, operation) {
		if r.action == none || r.when != "" && !isSet(k.in, r.when) {
			continue
		}
		if err := k.rule(r); err != nil {
			return err
		}
	}
	return nil
}

// trusted says who needs no permission: the root, though a role must trust even
// it and a key's policy let it, and services that act by themselves.
func (k *call) trusted() bool {
	itself := k.by.ARN == "" && k.by.Service != ""
	return k.subject.Root && !k.foreign() && k.service != "sts" && k.service != "kms" || itself && !gated(k.by.Service, k.service, k.operation)
}

// foreign says whether somebody of another account calls.
func (k *call) foreign() bool {
	return k.by.ARN != "" && k.subject.Caller.Account != k.guard.world.Account
}

// identities are the users and roles of the account that an ARN names, if there
// is one; else of this account.
func (g *Guard) identities(arn string) *iam.Service {
	if g.options.Others == nil {
		return g.iam
	}
	if other := g.options.Others.IAM(accountOf(arn)); other != nil {
		return other
	}
	return g.iam
}

// accountOf is the account that an ARN names; empty if it names none.
func accountOf(arn string) string {
	const parts, account = 6, 4
	if p := strings.SplitN(arn, ":", parts); len(p) == parts {
		return p[account]
	}
	return ""
}

// rules are an operation's lines in the table. That no operation is without one
// is for a test to see.
func (g *Guard) rules(service, operation string) []rule {
	if found := g.table[service][operation]; len(found) > 0 {
		return found
	}
	return []rule{{action: operation, resource: everything, prefix: service}}
}

// gated are the operations that a service may do by itself only if the
// resource's policy allows it. What a service does to itself is not.
func gated(by, service, operation string) bool {
	if strings.HasPrefix(by, service+".") {
		return false
	}
	if service == "kms" {
		return true
	}
	switch service + " " + operation {
	case "sqs SendMessage", "sqs SendMessageBatch", "lambda Invoke", "sns Publish", "sns PublishBatch":
		return true
	default:
		return false
	}
}

// taken checks that a service may take the role that it acts with.
func (k *call) taken() error {
	role := k.subject.Caller.Role
	if role == "" {
		role = k.by.ARN
	}
	r := &policy.Request{
		Action: "sts:AssumeRole", Resource: role, Caller: policy.Caller{Service: k.by.Service}, Keys: k.keys(rule{}, role),
	}
	var p policy.Policies
	if trust, ok := k.guard.identities(role).Trust(role); ok {
		p.Resource = []policy.Named{trust}
	}
	return k.conclude(r, p.DecideService(r))
}

// rule decides about all that a line of the table wants.
func (k *call) rule(r rule) error {
	for _, action := range k.actions(r) {
		for _, resource := range k.resources(r) {
			req := &policy.Request{Action: action, Resource: resource, Caller: k.subject.Caller, Keys: k.keys(r, resource)}
			if err := k.conclude(req, k.decide(req)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (k *call) decide(r *policy.Request) policy.Decision {
	p := k.subject.Policies
	if service, _, _ := strings.Cut(r.Action, ":"); service == "sts" {
		p.TrustOnly = true
		if trust, ok := k.guard.iam.Trust(r.Resource); ok {
			p.Resource = []policy.Named{trust}
		}
	} else {
		p.Resource = k.guard.policiesOf(k.ctx, r.Resource)
		p.MustAllow = service == "kms" && len(p.Resource) > 0
	}
	switch {
	case k.by.ARN == "":
		return p.DecideService(r)
	case k.foreign():
		return p.DecideAcross(r)
	default:
		return p.Decide(r)
	}
}

// conclude tells observers of a decision and makes an error of a refusal.
func (k *call) conclude(r *policy.Request, d policy.Decision) error {
	full := Decision{
		Decision: d, Time: k.guard.world.Now(), Principal: k.by, Caller: r.Caller,
		Service: k.service, Operation: k.operation, Action: r.Action, Resource: r.Resource,
	}
	if k.guard.options.Observe != nil {
		k.guard.options.Observe(full)
	}
	if d.Allowed {
		return nil
	}
	return refusal(full)
}
