// Package host puts the services of the local AWS together behind one address
// on this machine.
//
// It listens where it is told to and nowhere else, and it is a model: nothing
// here is checked against an AWS account. MODEL.md lists what it assumes.
package host

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"

	"github.com/pullback-dev/pullback/internal/localaws/autoscaling"
	"github.com/pullback-dev/pullback/internal/localaws/backup"
	"github.com/pullback-dev/pullback/internal/localaws/cloudformation"
	"github.com/pullback-dev/pullback/internal/localaws/cloudwatch"
	"github.com/pullback-dev/pullback/internal/localaws/codedeploy"
	"github.com/pullback-dev/pullback/internal/localaws/codepipeline"
	"github.com/pullback-dev/pullback/internal/localaws/dynamodb"
	"github.com/pullback-dev/pullback/internal/localaws/ec2"
	"github.com/pullback-dev/pullback/internal/localaws/ecr"
	"github.com/pullback-dev/pullback/internal/localaws/ecs"
	"github.com/pullback-dev/pullback/internal/localaws/elbv2"
	"github.com/pullback-dev/pullback/internal/localaws/eventbridge"
	"github.com/pullback-dev/pullback/internal/localaws/fault"
	"github.com/pullback-dev/pullback/internal/localaws/iam"
	"github.com/pullback-dev/pullback/internal/localaws/iam/access"
	"github.com/pullback-dev/pullback/internal/localaws/kms"
	"github.com/pullback-dev/pullback/internal/localaws/lambda"
	"github.com/pullback-dev/pullback/internal/localaws/logs"
	"github.com/pullback-dev/pullback/internal/localaws/s3"
	"github.com/pullback-dev/pullback/internal/localaws/scheduler"
	"github.com/pullback-dev/pullback/internal/localaws/secretsmanager"
	"github.com/pullback-dev/pullback/internal/localaws/sns"
	"github.com/pullback-dev/pullback/internal/localaws/sqs"
	"github.com/pullback-dev/pullback/internal/localaws/ssm"
	"github.com/pullback-dev/pullback/internal/localaws/state"
	"github.com/pullback-dev/pullback/internal/localaws/sts"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// Options are the choices for a host.
type Options struct {
	Listen  string // HOST:PORT; port 0 picks one; empty is 127.0.0.1:0
	World   world.Options
	State   string                               // folder in which the state is kept over a restart; empty keeps nothing
	Hosts   string                               // folder with the file systems of instances; empty: below State, or a temporary one
	Faults  []fault.Rule                         // in force from the start; see /_local/faults
	IAM     access.Options                       // whether policies are enforced, which they are unless it says otherwise, and who hears of decisions
	Log     func(function, version, line string) // receives what functions write; optional
	Problem func(error)                          // receives what went wrong where nobody waits; optional

	// Unconfined lets the scripts of instances run on this machine as they are.
	Unconfined bool
}

// AWS is a running local AWS. Its services may be used directly with the
// world's lock held, which is how traffic is made and notices are read.
type AWS struct {
	World      *world.World
	Mux        *wire.Mux
	Lambda     *lambda.Service
	CodeDeploy *codedeploy.Service
	Events     *eventbridge.Service
	SNS        *sns.Service
	Stacks     *cloudformation.Service
	Faults     *fault.Injector // with the world's lock held
	ECS        *ecs.Service
	ELB        *elbv2.Service
	EC2        *ec2.Service
	Fleet      *autoscaling.Service
	Access     *access.Guard

	keepers []keeper // in the order of the services
	store   *state.Store
	saved   uint64 // the world's steps when the state was written last

	*front
	cloud *Cloud // that it is a part of; nil if it is alone
	iam   *iam.Service
	local http.Handler // AWS's protocols, and what is beside them
}

// service is one of the services.
type service interface{ Wire() wire.Service }

// keeper is a service whose state is kept, by its name.
type keeper struct {
	state.Keeper
	name string
}

// Start listens and lets time pass, until Close is called. If ctx ends it
// closes by itself; Close then waits until it has.
func Start(ctx context.Context, o Options) (*AWS, error) {
	listener, err := listen(ctx, o.Listen)
	if err != nil {
		return nil, err
	}
	a := assemble(o, place{front: &front{url: "http://" + listener.Addr().String()}, world: world.New(o.World)})
	if err := a.begin(ctx, o); err != nil {
		_ = listener.Close() // the first error is the one to tell
		return nil, err
	}
	var aside []func(context.Context)
	if a.store != nil {
		aside = append(aside, func(ctx context.Context) { a.saveUntil(ctx, o.Problem) })
	}
	a.serve(ctx, listener, a.local, a.close, append(aside, a.World.Run)...)
	return a, nil
}

// begin is how things are before time passes.
func (a *AWS) begin(ctx context.Context, o Options) error {
	if err := a.Faults.Add(o.Faults...); err != nil {
		return fmt.Errorf("plan of faults: %w", err)
	}
	return a.keep(ctx, o.State)
}

// place is where the services are.
type place struct {
	*front
	world *world.World
	cloud *Cloud // nil if they are alone
	first *AWS   // of the account, whose users, roles and keys are known; nil if there is none
}

func assemble(o Options, p place) *AWS {
	w, url := p.world, p.url
	mux := wire.NewMux(w)
	queues := sqs.New(w, mux, sqs.Options{BaseURL: func() string { return url }})
	a := &AWS{World: w, Mux: mux, front: p.front, cloud: p.cloud, Events: eventbridge.New(w, mux), SNS: sns.New(w, mux)}
	a.EC2, a.ECS, a.ELB = ec2.New(w, mux), ecs.New(w, mux), elbv2.New(w, mux)
	a.Fleet = autoscaling.New(w, mux)
	a.Stacks = cloudformation.New(w, mux, cloudformation.Options{ForStack: codedeploy.OrderedBy})
	a.ELB.Watch(a.machine)
	a.ELB.Watch(a.task)
	a.identify(p)
	issue := func(p wire.Principal) (id, secret, token string) {
		c := mux.Issue(p)
		return c.AccessKeyID, c.SecretAccessKey, c.SessionToken
	}
	a.Lambda = lambda.New(w, mux, lambda.Options{
		Endpoint: func() string { return url },
		Issue:    issue,
		May: func(as wire.Principal, service, operation string, in any) error {
			return a.Access.Refuses(as, service, operation, in)
		},
		Log:         o.Log,
		Problem:     o.Problem,
		OnAvailable: queues.OnAvailable,
	})
	a.CodeDeploy = codedeploy.New(w, mux, o.instances(w, url))
	a.Fleet.Watch(a.launching)
	a.register([]service{
		backup.New(w, mux),
		a.Lambda,
		a.CodeDeploy,
		codepipeline.New(w, mux, codepipeline.Options{Issue: issue}),
		cloudwatch.New(w, mux),
		a.Events,
		scheduler.New(w, mux),
		logs.New(w, mux),
		queues,
		a.SNS,
		dynamodb.New(w, mux),
		a.EC2,
		a.Fleet,
		ecr.New(w, mux),
		a.ECS,
		a.ELB,
		s3.New(w, mux),
		a.iam,
		sts.New(w, mux, a.iam),
		ssm.New(w, mux),
		kms.New(w, mux),
		secretsmanager.New(w, mux),
		a.Stacks,
	})
	a.guard(o.IAM)
	a.Faults = fault.New(w, mux, o.World.Seed)
	a.local = a.handler()
	return a
}

// identify says whose users, roles and keys are known: an account's own, which are
// one in all of its regions, and to other accounts whose they are.
func (a *AWS) identify(p place) {
	if p.cloud != nil && len(p.cloud.order) > 0 {
		a.Mux.ShareKeys(p.cloud.order[0].Mux)
	}
	if p.first != nil {
		a.iam = p.first.iam
		return
	}
	a.iam = iam.New(a.World, a.Mux)
}

// instances says where instances are and what their scripts find in their
// environment.
func (o *Options) instances(w *world.World, url string) codedeploy.Options {
	folder := o.Hosts
	if folder == "" && o.State != "" {
		folder = filepath.Join(o.State, "hosts")
	}
	return codedeploy.Options{HostsDir: folder, Unconfined: o.Unconfined, Env: func() []string {
		return []string{"AWS_ENDPOINT_URL=" + url, "AWS_REGION=" + w.Region, "AWS_DEFAULT_REGION=" + w.Region}
	}}
}

// register puts the services behind the address, and remembers those whose state
// is kept.
func (a *AWS) register(services []service) {
	for _, s := range services {
		described := s.Wire()
		a.Mux.Handle(described)
		if k, ok := s.(state.Keeper); ok {
			a.keepers = append(a.keepers, keeper{k, described.Name})
		}
	}
}

// guard asks for permission before anything else sees a call that is for here.
// Policies are enforced unless the options say otherwise.
func (a *AWS) guard(o access.Options) {
	if a.cloud != nil {
		a.Mux.Intercept(a.abroad)
		o.Others = accounts{a.cloud}
	}
	if o.Mode == "" {
		o.Mode = access.Enforce
	}
	if o.Mode == access.Enforce {
		a.Mux.Authenticate()
	}
	a.Access = access.New(a.World, a.Mux, a.iam, o)
}

// Deploy makes or updates a stack and waits until it is complete.
func (a *AWS) Deploy(ctx context.Context, in cloudformation.Input) (cloudformation.Stack, error) {
	return a.Stacks.Deploy(ctx, in)
}

func (a *AWS) close() error {
	err := a.server.Close()
	failed := a.halt()
	a.done.Wait()
	if a.store != nil {
		failed = errors.Join(failed, a.save(), a.store.Close())
	}
	if err := errors.Join(err, failed); err != nil {
		return fmt.Errorf("close the local AWS: %w", err)
	}
	return nil
}

// halt ends the programs that run here.
func (a *AWS) halt() error { return errors.Join(a.Lambda.Close(), a.CodeDeploy.Close()) }
