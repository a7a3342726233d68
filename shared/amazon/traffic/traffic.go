// Package traffic reads and moves what a Lambda alias serves, and looks at the
// versions behind it.
//
// It changes nothing but an alias, and that only if nobody else did since it
// was read. It never deletes and never publishes.
package traffic

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/outcome"
)

// api is the part of *lambda.Client that this package uses.
type api interface {
	GetAlias(context.Context, *lambda.GetAliasInput, ...func(*lambda.Options)) (*lambda.GetAliasOutput, error)
	UpdateAlias(context.Context, *lambda.UpdateAliasInput, ...func(*lambda.Options)) (*lambda.UpdateAliasOutput, error)
	GetFunctionConfiguration(context.Context, *lambda.GetFunctionConfigurationInput, ...func(*lambda.Options)) (*lambda.GetFunctionConfigurationOutput, error)
	Invoke(context.Context, *lambda.InvokeInput, ...func(*lambda.Options)) (*lambda.InvokeOutput, error)
}

// Keys knows the state of keys.
type Keys interface {
	// Key says why a key could not be used now, and what mends it; "" if it could. An
	// error says that it is not known.
	Key(ctx context.Context, name string) (lost string, err error)
}

// Client looks after aliases and versions.
type Client struct {
	api  api
	keys Keys // or nil
}

// New returns a client that calls Lambda through client.
func New(client api) *Client { return &Client{api: client} }

// With returns a client that looks at the keys of versions, too.
func (c *Client) With(k Keys) *Client { return &Client{api: c.api, keys: k} }

// Live returns what serves a place's alias now: deploy.ErrUnknown.
func (c *Client) Live(ctx context.Context, p deploy.Place) (deploy.Live, error) {
	a := p.Alias
	if a.Function == "" {
		return deploy.Live{}, fmt.Errorf("what serves %s: no alias is known: %w", p.Target, deploy.ErrUnknown)
	}
	out, err := c.api.GetAlias(ctx, &lambda.GetAliasInput{FunctionName: &a.Function, Name: &a.Name})
	if err != nil {
		return deploy.Live{}, fmt.Errorf("get alias %s: %w", a, classify(err))
	}
	live := deploy.Live{Place: p, Version: deploy.Revision(aws.ToString(out.FunctionVersion)), Token: aws.ToString(out.RevisionId)}
	if out.RoutingConfig != nil && len(out.RoutingConfig.AdditionalVersionWeights) > 0 {
		live.Weights = make(map[deploy.Revision]float64)
		for version, weight := range out.RoutingConfig.AdditionalVersionWeights {
			live.Weights[deploy.Revision(version)] = weight
		}
		// A Lambda deployment that was stopped without rollback leaves the alias on
		// two versions, and every later deployment fails. Source: CodeDeploy user
		// guide, "Troubleshoot AWS Lambda deployment issues".
		live.Stuck = fmt.Sprintf("%s serves two versions", a)
	}
	return live, nil
}

// Digest returns the hash of a version's code: deploy.ErrUnknown.
func (c *Client) Digest(ctx context.Context, p deploy.Place, rev deploy.Revision) (deploy.Digest, error) {
	out, err := c.version(ctx, p.Alias.Function, rev)
	if err != nil {
		return "", err
	}
	return deploy.Digest(aws.ToString(out.CodeSha256)), nil
}

// Source returns where a version's log lines go, and how they look:
// deploy.ErrUnknown.
func (c *Client) Source(ctx context.Context, function string, rev deploy.Revision) (outcome.Source, error) {
	out, err := c.version(ctx, function, rev)
	if err != nil {
		return outcome.Source{}, err
	}
	// What is not said is the default (Lambda API reference, "LoggingConfig").
	s := outcome.Source{Group: "/aws/lambda/" + function, Format: outcome.Text}
	if l := out.LoggingConfig; l != nil {
		s.Group = cmp.Or(aws.ToString(l.LogGroup), s.Group)
		if l.LogFormat == lambdatypes.LogFormatJson {
			s.Format, s.Quiet = outcome.JSON, l.SystemLogLevel == lambdatypes.SystemLogLevelWarn
		}
	}
	return s, nil
}

// Ready says whether a version could serve now. An error says why not:
// deploy.ErrUnknown if there is no such version, deploy.ErrNotReady. A version whose
// key was taken away stays active until it is to start again, so its key is looked
// at, if there is somebody who knows.
func (c *Client) Ready(ctx context.Context, p deploy.Place, rev deploy.Revision) error {
	function := p.Alias.Function
	out, err := c.version(ctx, function, rev)
	if err != nil {
		return err
	}
	// A function that is Pending, Inactive or Failed does not answer its first
	// invocations (Lambda developer guide, "Lambda function states").
	if out.State != lambdatypes.StateActive {
		return fmt.Errorf("version %s of %s is %s: %s: %w", rev, function, out.State, aws.ToString(out.StateReason), deploy.ErrNotReady)
	}
	if s := out.LastUpdateStatus; s != lambdatypes.LastUpdateStatusSuccessful && s != "" {
		return fmt.Errorf("last update of version %s of %s is %s: %s: %w", rev, function, s, aws.ToString(out.LastUpdateStatusReason), deploy.ErrNotReady)
	}
	return c.key(ctx, function, rev, aws.ToString(out.KMSKeyArn))
}

// key says why what a version's environment is encrypted with could not be read.
func (c *Client) key(ctx context.Context, function string, rev deploy.Revision, name string) error {
	if c.keys == nil || name == "" {
		return nil
	}
	lost, err := c.keys.Key(ctx, name)
	if err != nil {
		return fmt.Errorf("is version %s of %s ready: %w", rev, function, err)
	}
	if lost != "" {
		return fmt.Errorf("version %s of %s cannot start: its %s: %w", rev, function, lost, deploy.ErrNotReady)
	}
	return nil
}

func (c *Client) version(ctx context.Context, function string, rev deploy.Revision) (*lambda.GetFunctionConfigurationOutput, error) {
	out, err := c.api.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{
		FunctionName: &function, Qualifier: aws.String(string(rev)),
	})
	if err != nil {
		return nil, fmt.Errorf("get version %s of %s: %w", rev, function, classify(err))
	}
	return out, nil
}

// Heal makes one version serve an alias alone, if the alias is still as it was
// read: deploy.ErrChanged, deploy.ErrUnknown.
//
// It is for aliases that a stopped deployment left split; while a deployment
// runs the alias is CodeDeploy's.
func (c *Client) Heal(ctx context.Context, seen deploy.Live, to deploy.Revision) error {
	a := seen.Place.Alias
	_, err := c.api.UpdateAlias(ctx, &lambda.UpdateAliasInput{
		FunctionName: &a.Function, Name: &a.Name, RevisionId: &seen.Token,
		FunctionVersion: aws.String(string(to)),
		// Weights that are not mentioned stay; none have to be asked for.
		RoutingConfig: &lambdatypes.AliasRoutingConfiguration{AdditionalVersionWeights: map[string]float64{}},
	})
	if _, changed := errors.AsType[*lambdatypes.PreconditionFailedException](err); changed {
		// The SDK repeats an update whose answer was lost. Then it is our own
		// that is in the way.
		if now, look := c.Live(ctx, seen.Place); look == nil && now.Only(to) {
			return nil
		}
		return fmt.Errorf("update alias %s: %w", a, deploy.ErrChanged)
	}
	if err != nil {
		return fmt.Errorf("update alias %s: %w", a, classify(err))
	}
	return nil
}

// quoted is how much of an answer an error repeats: enough to recognise it,
// little enough for a chat message.
const quoted = 200

// Probe invokes a version and waits for its answer. An error says that the
// version failed, or that it answered as a web server in trouble does:
// deploy.ErrUnknown if there is no such version.
func (c *Client) Probe(ctx context.Context, function string, rev deploy.Revision, payload []byte) error {
	out, err := c.api.Invoke(ctx, &lambda.InvokeInput{
		FunctionName: &function, Qualifier: aws.String(string(rev)),
		InvocationType: lambdatypes.InvocationTypeRequestResponse, Payload: payload,
	})
	if err != nil {
		return fmt.Errorf("invoke version %s of %s: %w", rev, function, classify(err))
	}
	// A function that fails still answers 200 (Lambda API reference, "Invoke").
	if out.FunctionError != nil {
		return fmt.Errorf("version %s of %s failed (%s): %s", rev, function, *out.FunctionError, quote(out.Payload))
	}
	// API Gateway's proxy format: an error that the function caught itself.
	var answer struct {
		Status int `json:"statusCode"`
	}
	if json.Unmarshal(out.Payload, &answer) == nil && answer.Status >= http.StatusInternalServerError {
		return fmt.Errorf("version %s of %s answered status %d: %s", rev, function, answer.Status, quote(out.Payload))
	}
	return nil
}

func quote(answer []byte) string {
	if len(answer) > quoted {
		return strings.ToValidUTF8(string(answer[:quoted]), "") + " …"
	}
	return strings.ToValidUTF8(string(answer), "?")
}

// classify turns the errors that a caller may branch on into ours.
func classify(err error) error {
	if missing, ok := errors.AsType[*lambdatypes.ResourceNotFoundException](err); ok {
		return fmt.Errorf("%w: %s", deploy.ErrUnknown, missing.ErrorMessage())
	}
	return err
}
