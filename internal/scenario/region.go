package scenario

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/pullback-dev/pullback/events"
	"github.com/pullback-dev/pullback/internal/demo/shop"
	"github.com/pullback-dev/pullback/internal/localaws/host"
	"github.com/pullback-dev/pullback/internal/localaws/sdkhttp"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/shared/amazon/deployments"
	"github.com/pullback-dev/pullback/shared/amazon/table"
	"github.com/pullback-dev/pullback/shared/amazon/traffic"
	"github.com/pullback-dev/pullback/shared/deploy"
)

// region lets the words that follow speak of another region, and of another account
// if one is named: region eu-west-1 [ACCOUNT]. It is empty at first.
func (s *Story) region(ctx context.Context, args []string) error {
	h := host.Home{Account: s.aws.World.Account}
	switch len(args) {
	case 2:
		h.Account, h.Region = args[1], args[0]
	case 1:
		h.Region = args[0]
	default:
		return errors.New("want: region REGION [ACCOUNT]")
	}
	local, err := s.cloud.Open(ctx, h)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(s.places, func(p *place) bool { return p.aws == local })
	if i >= 0 {
		s.place = s.places[i]
		return nil
	}
	s.settle(local)
	return nil
}

// settle makes a place of an account in a region, which the words that follow speak
// of.
func (s *Story) settle(local *host.AWS) {
	key := "shop"
	if len(s.places) > 0 {
		key = local.World.Account // whose root it is
	}
	cfg := aws.Config{
		Region: local.World.Region, HTTPClient: sdkhttp.Client(), BaseEndpoint: aws.String(local.URL()),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: key, SecretAccessKey: "shop"}, nil
		}),
	}
	c := clients{
		deploy: codedeploy.NewFromConfig(cfg), watch: cloudwatch.NewFromConfig(cfg), events: eventbridge.NewFromConfig(cfg),
		lambda: lambda.NewFromConfig(cfg), logs: cloudwatchlogs.NewFromConfig(cfg), queues: sqs.NewFromConfig(cfg),
	}
	p := &place{aws: local, config: cfg, clients: c, aliases: traffic.New(c.lambda), ledger: table.New(dynamodb.NewFromConfig(cfg), "")}
	p.deploys = deployments.New(c.deploy, local.World.Account, cfg.Region, deployments.Platforms{deploy.OnLambda: p.aliases})
	local.Mux.Trail(s.noteCall)
	s.place, s.places = p, append(s.places, p)
	p.crew = s.lambda("checkout", shop.Choices{}, false) // until somebody is installed
}

// done are the calls of the control plane that the words speak of: of its roles, where
// there are several. The observers' lock must be held.
func (s *Story) done() []wire.Entry {
	if len(s.places) == 1 {
		return s.calls
	}
	var all []wire.Entry
	for _, c := range s.calls {
		for _, r := range s.stack.Resources {
			if r.Type == "AWS::IAM::Role" && strings.Contains(c.Principal.ARN, "role/"+r.PhysicalID+"/") {
				all = append(all, c)
			}
		}
	}
	return all
}

// collects says whether a call does no more than send the hub what is on record.
func collects(c wire.Entry) bool {
	in, ok := c.Input.(*eventbridge.PutEventsInput)
	return ok && !slices.ContainsFunc(in.Entries, func(e ebtypes.PutEventsRequestEntry) bool { return aws.ToString(e.DetailType) != events.TypeRecord })
}

// everywhere lets all teams of all places do something, one after the other.
func (s *Story) everywhere(do func() error) error {
	here := s.place
	defer func() { s.place = here }()
	for _, p := range s.places {
		s.place = p
		now := p.crew
		for _, c := range p.crews {
			p.crew = c
			if err := do(); err != nil {
				p.crew = now
				return fmt.Errorf("%s in %s: %w", c.name, p.aws.World.Region, err)
			}
		}
		p.crew = now
	}
	return nil
}
