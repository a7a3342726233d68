package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/pullback-dev/pullback/events"
	"github.com/pullback-dev/pullback/internal/localaws/host"
	"github.com/pullback-dev/pullback/internal/localaws/iam/access"
	"github.com/pullback-dev/pullback/internal/localaws/sdkhttp"
	"github.com/pullback-dev/pullback/internal/localaws/world"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/settings"
)

// headerTime bounds a request's header, as every server should.
const headerTime = 10 * time.Second

// scene is the local AWS with what the candidates work on. Its time stands
// still, so that every invocation finds the same.
type scene struct {
	options  Options
	local    *host.AWS
	server   *http.Server
	url      string
	settings settings.Settings
	canary   deploy.ID    // is shifting traffic, for the hooks and the router
	calls    atomic.Int64 // to the endpoint
	failed   atomic.Bool  // a hook has told CodeDeploy that it failed
}

// open starts the local AWS and lets a canary begin.
func open(ctx context.Context, o Options) (*scene, error) {
	local, err := host.Start(ctx, host.Options{
		World: world.Options{Mode: world.Manual}, IAM: access.Options{Mode: access.Off}, // the scene has no roles
	})
	if err != nil {
		return nil, fmt.Errorf("start: %w", err)
	}
	s := &scene{options: o, local: local}
	if err := s.serve(ctx); err != nil {
		return nil, errors.Join(err, local.Close())
	}
	if err := s.set(ctx); err != nil {
		return nil, errors.Join(err, s.close())
	}
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

// ServeHTTP passes requests on to the local AWS. It answers hooks' reports
// itself: the real CodeDeploy takes one per hook, and here one hook is invoked
// again and again.
func (s *scene) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.calls.Add(1)
	if !strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".PutLifecycleEventHookExecutionStatus") {
		s.local.Mux.ServeHTTP(w, r)
		return
	}
	var report struct {
		Execution string `json:"lifecycleEventHookExecutionId"`
		Status    string `json:"status"`
	}
	if err := json.NewDecoder(r.Body).Decode(&report); err != nil || report.Status != "Succeeded" {
		s.failed.Store(true)
	}
	// The functions take their time from this header.
	w.Header().Set("Date", s.now().Format(http.TimeFormat))
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	_ = json.NewEncoder(w).Encode(map[string]string{"lifecycleEventHookExecutionId": report.Execution}) // a process that has gone is noticed elsewhere
}

// now is the time in the local AWS.
func (s *scene) now() time.Time {
	s.local.World.Lock()
	defer s.local.World.Unlock()
	return s.local.World.Now()
}

func (s *scene) close() error { return errors.Join(s.server.Close(), s.local.Close()) }

// environment is what a function finds on AWS and in the stack.
func (s *scene) environment(role string) []string {
	env := []string{
		"AWS_ENDPOINT_URL=" + s.url, "AWS_REGION=us-east-1", "AWS_DEFAULT_REGION=us-east-1",
		"AWS_ACCESS_KEY_ID=bench", "AWS_SECRET_ACCESS_KEY=bench", "AWS_SESSION_TOKEN=bench",
		"AWS_LAMBDA_FUNCTION_NAME=" + role, "AWS_LAMBDA_FUNCTION_VERSION=$LATEST", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=128",
		"_HANDLER=bootstrap", "TZ=:UTC", "LANG=en_US.UTF-8", "PATH=/usr/local/bin:/usr/bin:/bin",
		"TARGET_FUNCTION=" + hooked.function + ":2",
	}
	variables := s.settings.Env()
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		env = append(env, name+"="+variables[name])
	}
	return env
}

// work returns the event of an invocation, and the answer that says that it
// was handled.
func (s *scene) work(role string, start, nth int) (event []byte, want string, err error) {
	switch role {
	case "pretraffic", "posttraffic":
		event, err = json.Marshal(map[string]string{"DeploymentId": string(s.canary), "LifecycleEventHookExecutionId": "bench"})
		return event, "null", err
	case "alarmrouter":
		return batch(fmt.Sprintf(`{"version":"0","id":"c4c1c1c9-6542-e61b-6ef0-8c4d36933a92","detail-type":"CloudWatch Alarm State Change","source":"aws.cloudwatch",`+
			`"account":%q,"time":"2026-01-05T09:05:00Z","region":"us-east-1","resources":[],"detail":{"alarmName":%q,`+
			`"state":{"value":"ALARM","reason":"bench","timestamp":"2026-01-05T09:05:00.000+0000"},"previousState":{"value":"OK"}}}`, s.settings.Account, alarm))
	default:
		body, err := events.NewOrder(events.Order{Incident: incident(start), Look: nth + 1})
		if err != nil {
			return nil, "", fmt.Errorf("order: %w", err)
		}
		return batch(body)
	}
}

// batch is one message as Lambda hands it over (Lambda developer guide, "Using
// Lambda with Amazon SQS").
func batch(body string) (event []byte, want string, err error) {
	type message struct {
		ID         string            `json:"messageId"`
		Receipt    string            `json:"receiptHandle"`
		Body       string            `json:"body"`
		Attributes map[string]string `json:"attributes"`
		Source     string            `json:"eventSource"`
	}
	event, err = json.Marshal(map[string][]message{"Records": {{
		ID: "059f36b4-87a3-44ab-83d2-661975830a7d", Receipt: "bench", Body: body, Source: "aws:sqs",
		Attributes: map[string]string{"ApproximateReceiveCount": "1", "MessageGroupId": "bench"},
	}}})
	if err != nil {
		return nil, "", fmt.Errorf("batch: %w", err)
	}
	return event, `{"batchItemFailures":[]}`, nil
}

// incident is what the rollbacker works on in one of its starts.
func incident(start int) deploy.Incident { return deploy.Incident(fmt.Sprintf("i-%012x", start)) }

// config is for the clients that set the scene.
func (s *scene) config() aws.Config {
	return aws.Config{
		Region: s.local.World.Region, HTTPClient: sdkhttp.Client(), BaseEndpoint: aws.String(s.local.URL()),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "bench", SecretAccessKey: "bench"}, nil
		}),
	}
}
