package route

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/pullback-dev/pullback/internal/bench/process"
	"github.com/pullback-dev/pullback/internal/localaws/host"
	"github.com/pullback-dev/pullback/internal/localaws/iam/access"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
	"github.com/pullback-dev/pullback/shared/amazon/table"
	"github.com/pullback-dev/pullback/shared/settings"
)

// headerTime bounds a request's header, as every server should.
const headerTime = 10 * time.Second

// scene is an account with groups in it. Its time stands still while anything is
// measured, so that nothing happens but what is asked for.
type scene struct {
	options  Options
	local    *host.AWS
	server   *http.Server
	url      string
	config   aws.Config // for the clients that set the scene
	settings settings.Settings
	store    *table.Table
	active   int // of the groups, how many deploy

	pause atomic.Int64 // before every answer to a process, in nanoseconds

	mu    sync.Mutex
	calls []call
	heard chan call // gets what the processes call, while somebody listens
}

// call is one that a process has made.
type call struct {
	wire.Entry
	at time.Time // by the wall clock, when AWS had done it
}

func (c call) name() string { return c.Service + ":" + c.Operation }

// by reports whether a function has made the call.
func (c call) by(function string) bool { return c.Principal.ARN == roleOf(function) }

func roleOf(function string) string {
	return "arn:aws:sts::123456789012:assumed-role/" + function + "/bench"
}

// open makes an account with groups.
func open(ctx context.Context, o Options, groups int) (*scene, error) {
	began := o.Now()
	local, err := host.Start(ctx, host.Options{
		World: world.Options{Mode: world.Manual}, IAM: access.Options{Mode: access.Off}, // the scene has no roles
	})
	if err != nil {
		return nil, fmt.Errorf("start the local AWS: %w", err)
	}
	s := &scene{options: o, local: local}
	s.config = aws.Config{
		Region: local.World.Region, HTTPClient: inside{local.Mux}, BaseEndpoint: aws.String(local.URL()),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "bench", SecretAccessKey: "bench"}, nil
		}),
	}
	local.Mux.Trail(s.note)
	if err := errors.Join(s.serve(ctx), s.control(ctx), s.populate(ctx, groups)); err != nil {
		return nil, errors.Join(fmt.Errorf("set the scene: %w", err), s.close())
	}
	o.say("%d groups are there after %s", groups, o.Now().Sub(began).Round(time.Millisecond))
	return s, nil
}

func (s *scene) serve(ctx context.Context) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	s.url = "http://" + listener.Addr().String()
	s.server = &http.Server{Handler: s, ReadHeaderTimeout: headerTime}
	go func() { _ = s.server.Serve(listener) }() // ends with ErrServerClosed
	return nil
}

// ServeHTTP passes the processes' calls on.
func (s *scene) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if pause := time.Duration(s.pause.Load()); pause > 0 {
		select {
		case <-time.After(pause):
		case <-r.Context().Done():
			return
		}
	}
	s.local.Mux.ServeHTTP(w, r)
}

func (s *scene) close() error { return errors.Join(s.server.Close(), s.local.Close()) }

// now is the time in the local AWS.
func (s *scene) now() time.Time {
	s.local.World.Lock()
	defer s.local.World.Unlock()
	return s.local.World.Now()
}

// note is called with the world's lock held.
func (s *scene) note(e wire.Entry) {
	c := call{e, s.options.Now()}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, c)
	if s.heard != nil {
		s.heard <- c
	}
}

// listen forgets what was called and sends what is called from now on.
func (s *scene) listen() <-chan call {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls, s.heard = nil, make(chan call, 4096) // many times what one event calls
	return s.heard
}

// made returns what was called since somebody began to listen, and listens no more.
func (s *scene) made() []call {
	s.mu.Lock()
	defer s.mu.Unlock()
	made := s.calls
	s.calls, s.heard = nil, nil
	return made
}

// start starts a function that is built in a folder.
func (s *scene) start(ctx context.Context, dist, function string) (*process.Process, error) {
	path, err := filepath.Abs(filepath.Join(dist, function, "bootstrap"))
	if err != nil {
		return nil, fmt.Errorf("find %s: %w", function, err)
	}
	p, err := process.Start(ctx, s.options.Now, []string{path}, s.environment(function))
	if err != nil {
		return nil, fmt.Errorf("start %s (make build builds it): %w", function, err)
	}
	return p, nil
}

// environment is what a function finds on AWS and in the stack.
func (s *scene) environment(function string) []string {
	keys := s.local.Mux.Issue(wire.Principal{ARN: roleOf(function)})
	env := []string{
		"AWS_ENDPOINT_URL=" + s.url, "AWS_REGION=" + s.config.Region, "AWS_DEFAULT_REGION=" + s.config.Region,
		"AWS_ACCESS_KEY_ID=" + keys.AccessKeyID, "AWS_SECRET_ACCESS_KEY=" + keys.SecretAccessKey, "AWS_SESSION_TOKEN=" + keys.SessionToken,
		"AWS_LAMBDA_FUNCTION_NAME=" + function, "AWS_LAMBDA_FUNCTION_VERSION=$LATEST", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=128",
		"_HANDLER=bootstrap", "TZ=:UTC", "LANG=en_US.UTF-8", "PATH=/usr/local/bin:/usr/bin:/bin",
	}
	variables := s.settings.Env()
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		env = append(env, name+"="+variables[name])
	}
	return env
}
