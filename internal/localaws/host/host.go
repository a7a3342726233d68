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
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"syscall"
	"time"

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

	server  *http.Server
	url     string
	end     func() error   // closes, once
	unwatch func() bool    // forgets the context that Start got
	done    sync.WaitGroup // the goroutines that serve, those that answer and the one that lets time pass
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
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", o.Listen)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%s is in use by another program: choose another port with --listen, or port 0 for any free one", o.Listen)
	}
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", o.Listen, err)
	}
	a := assemble(o, "http://"+listener.Addr().String())
	if err := a.Faults.Add(o.Faults...); err != nil {
		_ = listener.Close() // the first error is the one to tell
		return nil, fmt.Errorf("plan of faults: %w", err)
	}
	if err := a.keep(ctx, o.State); err != nil {
		_ = listener.Close() // the first error is the one to tell
		return nil, err
	}
	running, stop := context.WithCancel(ctx)
	a.server.BaseContext = func(net.Listener) context.Context { return running } // ends what requests wait for
	a.end = sync.OnceValue(func() error { stop(); return a.close() })
	a.done.Go(func() { a.World.Run(running) })
	if a.store != nil {
		a.done.Go(func() { a.saveUntil(running, o.Problem) })
	}
	a.done.Go(func() { _ = a.server.Serve(listener) })         // ends with ErrServerClosed
	a.unwatch = context.AfterFunc(ctx, func() { _ = a.end() }) // Close returns the error
	return a, nil
}

func assemble(o Options, url string) *AWS {
	w := world.New(o.World)
	mux := wire.NewMux(w)
	queues := sqs.New(w, mux, sqs.Options{BaseURL: func() string { return url }})
	a := &AWS{World: w, Mux: mux, url: url, Events: eventbridge.New(w, mux), SNS: sns.New(w, mux)}
	a.EC2, a.ECS, a.ELB = ec2.New(w, mux), ecs.New(w, mux), elbv2.New(w, mux)
	a.Fleet = autoscaling.New(w, mux)
	a.Stacks = cloudformation.New(w, mux, cloudformation.Options{ForStack: codedeploy.OrderedBy})
	a.ELB.Watch(a.machine)
	a.ELB.Watch(a.task)
	identities := iam.New(w, mux)
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
		identities,
		sts.New(w, mux, identities),
		ssm.New(w, mux),
		kms.New(w, mux),
		secretsmanager.New(w, mux),
		a.Stacks,
	})
	a.guard(identities, o.IAM)
	a.Faults = fault.New(w, mux, o.World.Seed)
	a.server = &http.Server{Handler: a.handler(), ReadHeaderTimeout: 10 * time.Second, ConnState: a.track}
	return a
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

// guard asks for permission before anything else sees a call. Policies are
// enforced unless the options say otherwise.
func (a *AWS) guard(identities *iam.Service, o access.Options) {
	if o.Mode == "" {
		o.Mode = access.Enforce
	}
	if o.Mode == access.Enforce {
		a.Mux.Authenticate()
	}
	a.Access = access.New(a.World, a.Mux, identities, o)
}

// URL returns the address, for AWS_ENDPOINT_URL.
func (a *AWS) URL() string { return a.url }

// Deploy makes or updates a stack and waits until it is complete.
func (a *AWS) Deploy(ctx context.Context, in cloudformation.Input) (cloudformation.Stack, error) {
	return a.Stacks.Deploy(ctx, in)
}

// Close stops listening, ends all requests and functions and waits until they
// are gone. Call it without the world's lock; calling it again does nothing.
func (a *AWS) Close() error {
	a.unwatch()
	return a.end()
}

func (a *AWS) close() error {
	err := a.server.Close()
	failed := errors.Join(a.Lambda.Close(), a.CodeDeploy.Close())
	a.done.Wait()
	if a.store != nil {
		failed = errors.Join(failed, a.save(), a.store.Close())
	}
	if err := errors.Join(err, failed); err != nil {
		return fmt.Errorf("close the local AWS: %w", err)
	}
	return nil
}

// track counts the connections: http.Server.Close waits for nobody.
func (a *AWS) track(_ net.Conn, now http.ConnState) {
	switch now {
	case http.StateNew:
		a.done.Add(1)
	case http.StateClosed, http.StateHijacked:
		a.done.Done()
	case http.StateActive, http.StateIdle: // neither its beginning nor its end
	}
}
