package traffic_test

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	locallambda "github.com/pullback-dev/pullback/internal/localaws/lambda"
	"github.com/pullback-dev/pullback/internal/localaws/sdkhttp"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
	"github.com/pullback-dev/pullback/shared/amazon/traffic"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/outcome"
)

var (
	alias = deploy.Alias{Function: "checkout", Name: "live"}
	place = deploy.Place{Target: deploy.Target{Application: "shop", Group: "live"}, Platform: deploy.OnLambda, Alias: alias}
)

// A server is the local AWS's Lambda with the function checkout, versions 1 and
// 2 of which are published, and the alias live on version 1. Tests may replace
// the door.
type server struct {
	world  *world.World
	door   func(http.ResponseWriter, *http.Request, http.Handler)
	client *lambda.Client
}

func serve(t *testing.T) *server {
	t.Helper()
	s := &server{world: world.New(world.Options{Start: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)})}
	mux := wire.NewMux(s.world)
	service := locallambda.New(s.world, mux, locallambda.Options{})
	mux.Handle(service.Wire())
	endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.door != nil {
			s.door(w, r, mux)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		endpoint.Close()
		require.NoError(t, service.Close())
	})
	s.client = lambda.New(lambda.Options{
		Region: "us-east-1", HTTPClient: sdkhttp.Client(), BaseEndpoint: &endpoint.URL,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKIA", SecretAccessKey: "secret"}, nil
		}),
	})
	s.publish(t)
	return s
}

func (s *server) publish(t *testing.T) {
	t.Helper()
	_, err := s.client.CreateFunction(t.Context(), &lambda.CreateFunctionInput{
		FunctionName: &alias.Function, Role: aws.String("arn:aws:iam::123456789012:role/checkout"),
		Runtime: lambdatypes.RuntimeProvidedal2023, Handler: aws.String("bootstrap"),
		Code: &lambdatypes.FunctionCode{ZipFile: code(t, "one")},
	})
	require.NoError(t, err)
	require.NoError(t, s.world.Advance(t.Context(), time.Minute))
	s.version(t)
	_, err = s.client.UpdateFunctionCode(t.Context(), &lambda.UpdateFunctionCodeInput{FunctionName: &alias.Function, ZipFile: code(t, "two")})
	require.NoError(t, err)
	require.NoError(t, s.world.Advance(t.Context(), time.Minute))
	s.version(t)
	_, err = s.client.CreateAlias(t.Context(), &lambda.CreateAliasInput{FunctionName: &alias.Function, Name: &alias.Name, FunctionVersion: aws.String("1")})
	require.NoError(t, err)
}

func (s *server) version(t *testing.T) {
	t.Helper()
	_, err := s.client.PublishVersion(t.Context(), &lambda.PublishVersionInput{FunctionName: &alias.Function})
	require.NoError(t, err)
	require.NoError(t, s.world.Advance(t.Context(), time.Minute))
}

// split gives version 2 a tenth of the traffic, as a canary does.
func (s *server) split(t *testing.T) {
	t.Helper()
	_, err := s.client.UpdateAlias(t.Context(), &lambda.UpdateAliasInput{
		FunctionName: &alias.Function, Name: &alias.Name,
		RoutingConfig: &lambdatypes.AliasRoutingConfiguration{AdditionalVersionWeights: map[string]float64{"2": 0.1}},
	})
	require.NoError(t, err)
}

// code is a deployment package that is never run.
func code(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	h := &zip.FileHeader{Name: "bootstrap"}
	h.SetMode(0o755)
	f, err := z.CreateHeader(h)
	require.NoError(t, err)
	_, err = f.Write([]byte(text))
	require.NoError(t, err)
	require.NoError(t, z.Close())
	return b.Bytes()
}

func live(t *testing.T, s *server) deploy.Live {
	t.Helper()
	got, err := traffic.New(s.client).Live(t.Context(), place)
	require.NoError(t, err)
	return got
}

func TestLiveIsWhatTheAliasServes(t *testing.T) {
	s := serve(t)
	got := live(t, s)
	assert.NotEmpty(t, got.Token)
	assert.Equal(t, deploy.Live{Place: place, Version: "1", Token: got.Token}, got)
	assert.True(t, got.Only("1"))

	s.split(t)
	split := live(t, s)
	assert.NotEqual(t, got.Token, split.Token)
	assert.Equal(t, deploy.Live{Place: place, Version: "1", Weights: map[deploy.Revision]float64{"2": 0.1}, Token: split.Token, Stuck: "checkout:live serves two versions"}, split)
}

func TestHealMakesOneVersionServeAlone(t *testing.T) {
	for _, to := range []deploy.Revision{"1", "2"} {
		s := serve(t)
		s.split(t)
		require.NoError(t, traffic.New(s.client).Heal(t.Context(), live(t, s), to))
		assert.True(t, live(t, s).Only(to))
	}
}

func TestHealAsksForNoWeightsInSoManyWords(t *testing.T) {
	s := serve(t)
	seen := live(t, s)
	var body []byte
	s.door = func(w http.ResponseWriter, r *http.Request, aws http.Handler) {
		body, _ = io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		aws.ServeHTTP(w, r)
	}
	require.NoError(t, traffic.New(s.client).Heal(t.Context(), seen, "2"))
	assert.JSONEq(t, `{"FunctionVersion":"2","RoutingConfig":{"AdditionalVersionWeights":{}},"RevisionId":"`+seen.Token+`"}`, string(body))
}

func TestHealDoesNotOverwriteAnotherHand(t *testing.T) {
	s := serve(t)
	seen := live(t, s)
	s.split(t)
	require.ErrorIs(t, traffic.New(s.client).Heal(t.Context(), seen, "2"), deploy.ErrChanged)
	assert.Equal(t, map[deploy.Revision]float64{"2": 0.1}, live(t, s).Weights)
}

func TestHealKnowsItsOwnUpdateWhoseAnswerWasLost(t *testing.T) {
	s := serve(t)
	s.split(t)
	seen := live(t, s)
	lost := 0
	s.door = func(w http.ResponseWriter, r *http.Request, aws http.Handler) {
		if r.Method == http.MethodPut && lost == 0 {
			lost++
			aws.ServeHTTP(httptest.NewRecorder(), r)
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		aws.ServeHTTP(w, r)
	}
	require.NoError(t, traffic.New(s.client).Heal(t.Context(), seen, "2"))
	assert.Equal(t, 1, lost)
	assert.True(t, live(t, s).Only("2"))
}

func TestADigestIsThatOfTheCode(t *testing.T) {
	s := serve(t)
	c := traffic.New(s.client)
	one, err := c.Digest(t.Context(), place, "1")
	require.NoError(t, err)
	two, err := c.Digest(t.Context(), place, "2")
	require.NoError(t, err)
	assert.NotEmpty(t, one)
	assert.NotEqual(t, one, two)
	require.NoError(t, c.Ready(t.Context(), place, "1"))
}

func TestWhatLambdaDoesNotKnowIsUnknown(t *testing.T) {
	s := serve(t)
	c := traffic.New(s.client)
	_, err := c.Live(t.Context(), deploy.Place{Alias: deploy.Alias{Function: "checkout", Name: "nobody"}})
	require.ErrorIs(t, err, deploy.ErrUnknown)
	_, err = c.Digest(t.Context(), deploy.Place{Alias: deploy.Alias{Function: "nobody", Name: "live"}}, "1")
	require.ErrorIs(t, err, deploy.ErrUnknown)
	require.ErrorIs(t, c.Ready(t.Context(), place, "9"), deploy.ErrUnknown)
	require.ErrorIs(t, c.Probe(t.Context(), "checkout", "9", []byte(`{}`)), deploy.ErrUnknown)
	seen := live(t, s)
	seen.Place.Alias.Name = "nobody"
	require.ErrorIs(t, c.Heal(t.Context(), seen, "1"), deploy.ErrUnknown)
}

// stub is a Lambda with one answer.
type stub struct {
	*lambda.Client

	configuration lambda.GetFunctionConfigurationOutput
	answer        lambda.InvokeOutput
	invoked       []*lambda.InvokeInput
}

func (s *stub) GetFunctionConfiguration(context.Context, *lambda.GetFunctionConfigurationInput, ...func(*lambda.Options)) (*lambda.GetFunctionConfigurationOutput, error) {
	return &s.configuration, nil
}

func (s *stub) Invoke(_ context.Context, in *lambda.InvokeInput, _ ...func(*lambda.Options)) (*lambda.InvokeOutput, error) {
	s.invoked = append(s.invoked, in)
	return &s.answer, nil
}

func TestAVersionIsReadyWhenItCouldServeNow(t *testing.T) {
	tests := map[string]struct {
		state  lambdatypes.State
		update lambdatypes.LastUpdateStatus
		ready  bool
	}{
		"active":                {lambdatypes.StateActive, lambdatypes.LastUpdateStatusSuccessful, true},
		"active, never updated": {lambdatypes.StateActive, "", true},
		"asleep":                {lambdatypes.StateInactive, lambdatypes.LastUpdateStatusSuccessful, false},
		"being made":            {lambdatypes.StatePending, "", false},
		"broken":                {lambdatypes.StateFailed, lambdatypes.LastUpdateStatusSuccessful, false},
		"being updated":         {lambdatypes.StateActive, lambdatypes.LastUpdateStatusInProgress, false},
		"badly updated":         {lambdatypes.StateActive, lambdatypes.LastUpdateStatusFailed, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := &stub{configuration: lambda.GetFunctionConfigurationOutput{State: test.state, LastUpdateStatus: test.update, StateReason: aws.String("idle")}}
			err := traffic.New(s).Ready(t.Context(), place, "7")
			if test.ready {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, "version 7 of checkout")
		})
	}
}

// locked is a KMS that says the same of every key.
type locked struct {
	lost string
	err  error
}

func (l locked) Key(context.Context, string) (string, error) { return l.lost, l.err }

func TestAVersionWhoseKeyCouldNotBeUsedIsNotReady(t *testing.T) {
	denied := errors.New("denied")
	active := lambda.GetFunctionConfigurationOutput{State: lambdatypes.StateActive, KMSKeyArn: aws.String("arn:k")}
	c := traffic.New(&stub{configuration: active})
	require.NoError(t, c.With(locked{}).Ready(t.Context(), place, "7"))
	require.NoError(t, c.Ready(t.Context(), place, "7"), "nobody knows of keys")

	err := c.With(locked{lost: "key arn:k is disabled"}).Ready(t.Context(), place, "7")
	require.ErrorIs(t, err, deploy.ErrNotReady)
	require.EqualError(t, err, "version 7 of checkout cannot start: its key arn:k is disabled: not ready")

	err = c.With(locked{err: denied}).Ready(t.Context(), place, "7")
	require.ErrorIs(t, err, denied)
	require.NotErrorIs(t, err, deploy.ErrNotReady, "it is not known")

	active.KMSKeyArn = nil
	require.NoError(t, traffic.New(&stub{configuration: active}).With(locked{err: denied}).Ready(t.Context(), place, "7"), "it has no key")
}

func TestAProbePassesUnlessTheVersionFails(t *testing.T) {
	long := `{"errorMessage":"` + strings.Repeat("é", 1_000) + `"}`
	tests := map[string]struct {
		answer lambda.InvokeOutput
		want   string // part of the error; empty: none
	}{
		"any answer":             {lambda.InvokeOutput{Payload: []byte(`"ok"`)}, ""},
		"no answer":              {lambda.InvokeOutput{}, ""},
		"not JSON":               {lambda.InvokeOutput{Payload: []byte(`<html>`)}, ""},
		"a good web answer":      {lambda.InvokeOutput{Payload: []byte(`{"statusCode":200}`)}, ""},
		"a client's mistake":     {lambda.InvokeOutput{Payload: []byte(`{"statusCode":404}`)}, ""},
		"a web server's failure": {lambda.InvokeOutput{Payload: []byte(`{"statusCode":502,"body":"bad"}`)}, `status 502: {"statusCode":502,"body":"bad"}`},
		"a failure":              {lambda.InvokeOutput{FunctionError: aws.String("Unhandled"), Payload: []byte(`{"errorMessage":"boom"}`)}, `(Unhandled): {"errorMessage":"boom"}`},
		"a long failure":         {lambda.InvokeOutput{FunctionError: aws.String("Handled"), Payload: []byte(long)}, "é …"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := &stub{answer: test.answer}
			err := traffic.New(s).Probe(t.Context(), "checkout", "8", []byte(`{"ping":1}`))
			assert.Equal(t, []*lambda.InvokeInput{{
				FunctionName: aws.String("checkout"), Qualifier: aws.String("8"), Payload: []byte(`{"ping":1}`),
				InvocationType: lambdatypes.InvocationTypeRequestResponse,
			}}, s.invoked)
			if test.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, test.want)
			assert.Less(t, len(err.Error()), 300)
			assert.True(t, utf8.ValidString(err.Error()))
		})
	}
}

func TestSourceIsWhereAVersionLogs(t *testing.T) {
	s := serve(t)
	source := func(rev deploy.Revision) outcome.Source {
		t.Helper()
		got, err := traffic.New(s.client).Source(t.Context(), alias.Function, rev)
		require.NoError(t, err)
		return got
	}
	// log changes how the function logs, and publishes the next version.
	log := func(config lambdatypes.LoggingConfig) {
		t.Helper()
		_, err := s.client.UpdateFunctionConfiguration(t.Context(), &lambda.UpdateFunctionConfigurationInput{FunctionName: &alias.Function, LoggingConfig: &config})
		require.NoError(t, err)
		require.NoError(t, s.world.Advance(t.Context(), time.Minute))
		s.version(t)
	}
	log(lambdatypes.LoggingConfig{LogFormat: lambdatypes.LogFormatJson})
	log(lambdatypes.LoggingConfig{LogFormat: lambdatypes.LogFormatJson, LogGroup: aws.String("/all"), SystemLogLevel: lambdatypes.SystemLogLevelWarn})
	log(lambdatypes.LoggingConfig{LogFormat: lambdatypes.LogFormatText, LogGroup: aws.String("/all")})
	assert.Equal(t, []outcome.Source{
		{Group: "/aws/lambda/checkout", Format: outcome.Text},
		{Group: "/aws/lambda/checkout", Format: outcome.JSON},
		{Group: "/all", Format: outcome.JSON, Quiet: true},
		{Group: "/all", Format: outcome.Text},
	}, []outcome.Source{source("1"), source("3"), source("4"), source("5")})

	_, err := traffic.New(s.client).Source(t.Context(), alias.Function, "9")
	require.ErrorIs(t, err, deploy.ErrUnknown)
}
