// Package parameters reads a parameter of Parameter Store. It writes none, and
// does not judge what it reads.
package parameters

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/pullback-dev/pullback/shared/deploy"
)

// api is the part of *ssm.Client that this package uses.
type api interface {
	GetParameter(context.Context, *ssm.GetParameterInput, ...func(*ssm.Options)) (*ssm.GetParameterOutput, error)
}

// Parameter is one parameter.
type Parameter struct {
	api  api
	name string
}

// New returns the parameter of a name, which is read through client.
func New(client api, name string) *Parameter { return &Parameter{api: client, name: name} }

// Read returns the parameter's text and version: deploy.ErrUnknown. The version
// grows with every change (API reference, "PutParameter", Version); it begins
// again at 1 if the parameter is deleted and created.
func (p *Parameter) Read(ctx context.Context) (text string, version int64, err error) {
	out, err := p.api.GetParameter(ctx, &ssm.GetParameterInput{Name: &p.name})
	if _, unknown := errors.AsType[*ssmtypes.ParameterNotFound](err); unknown {
		return "", 0, fmt.Errorf("parameter %s: %w", p.name, deploy.ErrUnknown)
	}
	if err != nil {
		return "", 0, fmt.Errorf("read parameter %s: %w", p.name, err)
	}
	if out.Parameter == nil {
		return "", 0, fmt.Errorf("read parameter %s: the answer has none", p.name)
	}
	return aws.ToString(out.Parameter.Value), out.Parameter.Version, nil
}
