// Package aliases looks after Lambda aliases that a team's own scripts move with
// UpdateAlias: it is the driver of kind alias.
//
// AWS keeps no history of an alias and does not say when it was moved. So every
// look is remembered, and a move that somebody has seen is a deployment: from what
// served before to what serves now, since it was first seen. What nobody looked at
// is not known, and the first look is no deployment.
//
// It changes nothing but an alias, and that only if nobody else did since it was
// read. It never deletes and never publishes.
package aliases

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/smithy-go"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
)

// mover is the part of *lambda.Client that reads and moves aliases.
type mover interface {
	GetAlias(context.Context, *lambda.GetAliasInput, ...func(*lambda.Options)) (*lambda.GetAliasOutput, error)
	UpdateAlias(context.Context, *lambda.UpdateAliasInput, ...func(*lambda.Options)) (*lambda.UpdateAliasOutput, error)
}

// looker is the part that knows functions and their versions.
type looker interface {
	GetFunctionConfiguration(context.Context, *lambda.GetFunctionConfigurationInput, ...func(*lambda.Options)) (*lambda.GetFunctionConfigurationOutput, error)
	ListFunctions(context.Context, *lambda.ListFunctionsInput, ...func(*lambda.Options)) (*lambda.ListFunctionsOutput, error)
	ListTags(context.Context, *lambda.ListTagsInput, ...func(*lambda.Options)) (*lambda.ListTagsOutput, error)
}

// api is the part of *lambda.Client that this package uses.
type api interface {
	mover
	looker
}

// Roles is the part of *iam.Client that this package uses.
type Roles interface {
	GetRole(context.Context, *iam.GetRoleInput, ...func(*iam.Options)) (*iam.GetRoleOutput, error)
}

// Keys knows the state of keys.
type Keys interface {
	// Key says why a key could not be used now, and what mends it; "" if it could. An
	// error says that it is not known.
	Key(ctx context.Context, name string) (lost string, err error)
}

// Sightings remember what was seen. The ledger does.
type Sightings interface {
	// Sighting returns what was last seen of a target: ledger.ErrNotFound.
	Sighting(ctx context.Context, t deploy.Target) (ledger.Sighting, error)
	// SaveSighting remembers what is seen now, if nobody has remembered anything
	// since s.Rev was read: ledger.ErrFenced.
	SaveSighting(ctx context.Context, s ledger.Sighting) (ledger.Sighting, error)
}

// Client looks after aliases in one account and region.
type Client struct {
	api   api
	roles Roles
	keys  Keys // or nil
	seen  Sightings
	now   func() time.Time
}

// New returns a client that calls Lambda and IAM, and remembers what it sees. now
// is asked right after Lambda has answered.
func New(client api, roles Roles, seen Sightings, now func() time.Time) *Client {
	return &Client{api: client, roles: roles, seen: seen, now: now}
}

// With returns a client that looks at the keys of versions, too.
func (c *Client) With(k Keys) *Client {
	with := *c
	with.keys = k
	return &with
}

// aliasOf returns the alias that a target is.
func aliasOf(t deploy.Target) deploy.Alias {
	return deploy.Alias{Function: t.Application, Name: t.Group}
}

// classify turns the errors that a caller may branch on into ours, with Lambda's
// words. It goes by code and not by type: the SDK types an error only for the
// operations whose model lists it.
func classify(err error) error {
	failed, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		return err
	}
	switch failed.ErrorCode() {
	case "ResourceNotFoundException":
		return fmt.Errorf("%w: %s", deploy.ErrUnknown, failed.ErrorMessage())
	case "InvalidParameterValueException":
		return fmt.Errorf("%w: %s", deploy.ErrNotReady, failed.ErrorMessage())
	case "PreconditionFailedException":
		return fmt.Errorf("%w: %s", deploy.ErrChanged, failed.ErrorMessage())
	case "ResourceConflictException":
		// "The resource already exists, or another operation is in progress" (API
		// reference, UpdateAlias).
		return fmt.Errorf("%w: %s", deploy.ErrBusy, failed.ErrorMessage())
	default:
		return err
	}
}

// read returns what an alias serves now.
func (c *Client) read(ctx context.Context, p deploy.Place) (deploy.Live, error) {
	a := aliasOf(p.Target)
	out, err := c.api.GetAlias(ctx, &lambda.GetAliasInput{FunctionName: &a.Function, Name: &a.Name})
	if err != nil {
		return deploy.Live{}, fmt.Errorf("get alias %s: %w", a, classify(err))
	}
	live := deploy.Live{Place: p, Version: deploy.Revision(aws.ToString(out.FunctionVersion)), Token: aws.ToString(out.RevisionId)}
	if out.RoutingConfig != nil {
		for version, weight := range out.RoutingConfig.AdditionalVersionWeights {
			if live.Weights == nil {
				live.Weights = make(map[deploy.Revision]float64)
			}
			live.Weights[deploy.Revision(version)] = weight
		}
	}
	return live, nil
}
