package aliases

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/pullback-dev/pullback/shared/deploy"
)

// Stop gives all requests of a split alias to what served before. Telling it twice
// does no harm. deploy.ErrEnded if the alias is not split between the two any
// more, deploy.ErrChanged if somebody moved it in between, deploy.ErrUnknown.
func (c *Client) Stop(ctx context.Context, d deploy.Deployment) error {
	p := d.Place()
	live, err := c.read(ctx, p)
	if err != nil {
		return err
	}
	if live.Only(d.From) {
		return nil
	}
	serves := shares(live)
	if len(serves) < 2 || !slices.Contains(serves, d.From) || !slices.Contains(serves, d.To) {
		return fmt.Errorf("stop %s of %s: it serves version %s: %w", d.ID, d.Target, live.Version, deploy.ErrEnded)
	}
	if err := c.move(ctx, live, d.From); err != nil {
		return err
	}
	_, _, err = c.look(ctx, p)
	return err
}

// Restore gives all requests to a version at once, and returns the move as it is
// remembered: the next look finds it under the same name. deploy.ErrChanged if
// what is to be replaced does not serve, or somebody moved the alias in between;
// deploy.ErrBusy if a third version has a share of the requests; deploy.ErrUnknown,
// deploy.ErrNotReady.
//
// The alias is moved only if it is still as it was read, so the SDK may repeat it.
func (c *Client) Restore(ctx context.Context, r deploy.Restore) (deploy.ID, error) {
	live, err := c.read(ctx, r.Place)
	if err != nil {
		return "", err
	}
	if !live.Only(r.To) {
		if err := replaceable(live, r); err != nil {
			return "", fmt.Errorf("restore %s: %w", r.Place.Target, err)
		}
		if err := c.move(ctx, live, r.To); err != nil {
			return "", err
		}
	}
	_, stands, err := c.look(ctx, r.Place)
	if err != nil {
		return "", fmt.Errorf("%s serves version %s again: %w", r.Place.Target, r.To, err)
	}
	return idOf(stands.Seen), nil
}

// replaceable says why what serves must not be replaced: somebody else has moved
// the alias, or is about to, since it was decided what to put back.
func replaceable(live deploy.Live, r deploy.Restore) error {
	if r.From == "" {
		return nil
	}
	for _, version := range shares(live) {
		switch {
		case version == r.From || version == r.To:
		case len(live.Weights) > 0:
			return fmt.Errorf("version %s has a share of the requests: %w", version, deploy.ErrBusy)
		default:
			return fmt.Errorf("it serves version %s and not %s: %w", version, r.From, deploy.ErrChanged)
		}
	}
	return nil
}

// move makes one version serve alone, if the alias is still as it was read.
func (c *Client) move(ctx context.Context, was deploy.Live, to deploy.Revision) error {
	a := aliasOf(was.Place.Target)
	_, err := c.api.UpdateAlias(ctx, &lambda.UpdateAliasInput{
		FunctionName: &a.Function, Name: &a.Name, RevisionId: &was.Token,
		FunctionVersion: aws.String(string(to)),
		// Weights that are not mentioned stay; none have to be asked for.
		RoutingConfig: &lambdatypes.AliasRoutingConfiguration{AdditionalVersionWeights: map[string]float64{}},
	})
	if err = classify(err); errors.Is(err, deploy.ErrChanged) {
		// The SDK repeats an update whose answer was lost. Then it is our own that
		// is in the way.
		if now, look := c.read(ctx, was.Place); look == nil && now.Only(to) {
			return nil
		}
	}
	if err != nil {
		return fmt.Errorf("update alias %s: %w", a, err)
	}
	return nil
}

// errNoHeal says why nothing is healed.
var errNoHeal = errors.New("an alias is never stuck: stop what moves it, or restore")

// Heal refuses.
func (*Client) Heal(_ context.Context, was deploy.Live, _ deploy.Revision) error {
	return fmt.Errorf("heal %s: %w", was.Place.Target, errNoHeal)
}
