// Package demo shows one rollback, end to end, on this machine: the functions
// that run on AWS, deployed from the template that is deployed on AWS, take a
// bad canary back on the local AWS.
//
// It asserts on what the endpoint answers afterwards, not on what it believes
// to have done.
package demo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/pullback-dev/pullback/internal/demo/shop"
	"github.com/pullback-dev/pullback/internal/localaws/cloudformation"
	"github.com/pullback-dev/pullback/internal/localaws/host"
	"github.com/pullback-dev/pullback/internal/localaws/sdkhttp"
	localtraffic "github.com/pullback-dev/pullback/internal/localaws/traffic"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
	"github.com/pullback-dev/pullback/internal/operate"
	"github.com/pullback-dev/pullback/shared/amazon/deployments"
	"github.com/pullback-dev/pullback/shared/amazon/table"
	"github.com/pullback-dev/pullback/shared/amazon/traffic"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
)

// Options are the choices for a demo.
type Options struct {
	Template string   // path of the synthesized template
	Dist     string   // folder with the functions and the sample, built for this machine
	CDK      string   // path of the CDK's command line, which then deploys, compares and destroys the stack; empty: the local AWS does it by itself
	Environ  []string // this process's environment, for the CDK's command line
	// Start is when the demo begins. The CDK's command line, which knows the wall clock
	// only, takes the keys that it is given for expired where it is long ago. Zero: nine
	// on a Monday morning.
	Start    time.Time
	Seed     uint64
	Progress func(Progress)                       // hears how it goes on; optional
	Log      func(function, version, line string) // receives what functions write; optional
	Trail    func(wire.Entry)                     // hears of every call over HTTP, with the world's lock held; optional
}

// Progress is how far the demo is.
type Progress struct {
	Phase    string
	Now      time.Time // virtual
	Requests int
	Failed   int
}

// What the demo's application team deploys.
var (
	alias  = shop.Alias()  //nolint:gochecknoglobals // a constant that Go cannot write as one
	target = shop.Target() //nolint:gochecknoglobals // the same
)

// demo is one run.
type demo struct {
	options Options
	aws     *host.AWS
	shop    shop.Shop
	deploys *deployments.Client
	aliases *traffic.Client
	ledger  *table.Table
	chat    chat
	orders  *localtraffic.Traffic
	report  *Report
	seen    seen
	phase   string
}

// Run runs the demo. The report is whole even if the error says that the
// control plane did not do what it promises.
func Run(ctx context.Context, o Options) (*Report, error) {
	in, err := readTemplate(o)
	if err != nil {
		return nil, err
	}
	var problems []error
	local, err := host.Start(ctx, host.Options{
		World: world.Options{Mode: world.Manual, Seed: o.Seed, Start: o.Start}, Log: o.Log,
		Problem: func(err error) { problems = append(problems, err) },
	})
	if err != nil {
		return nil, fmt.Errorf("start the local AWS: %w", err)
	}
	if o.Trail != nil {
		local.Mux.Trail(o.Trail)
	}
	d := &demo{options: o, aws: local, report: &Report{Seed: o.Seed}}
	if o.CDK != "" {
		err = d.byToolkit(ctx)
	} else {
		err = d.on(ctx, func() (cloudformation.Stack, error) { return local.Deploy(ctx, in) })
	}
	if failed := local.Close(); failed != nil {
		err = errors.Join(err, failed)
	}
	return d.report, errors.Join(append([]error{err}, problems...)...)
}

func readTemplate(o Options) (cloudformation.Input, error) {
	in, err := cloudformation.ReadTemplate(o.Template)
	if err != nil {
		return in, fmt.Errorf("read the template (make synth writes it): %w", err)
	}
	in.Options.Replace = LocalCode(o.Dist)
	return in, nil
}

// LocalCode returns a replacement for the code of the template's functions:
// the template ships code for AWS's machines, and dist holds the same built
// for this one.
func LocalCode(dist string) func(string, map[string]any, string) (string, error) {
	return func(logicalID string, metadata map[string]any, dir string) (string, error) {
		name, ok := metadata["pullback:function"].(string)
		if !ok {
			return dir, nil
		}
		local := filepath.Join(dist, name)
		if _, err := os.Stat(filepath.Join(local, "bootstrap")); err != nil {
			return "", fmt.Errorf("code of %s for this machine (make build builds it): %w", logicalID, err)
		}
		return local, nil
	}
}

// on plays the demo on a stack.
func (d *demo) on(ctx context.Context, deployed func() (cloudformation.Stack, error)) error {
	stack, err := deployed()
	if err != nil {
		return err
	}
	if err := d.connect(ctx, stack); err != nil {
		return err
	}
	err = d.play(ctx)
	if d.orders != nil {
		d.count()
	}
	return err
}

// play stops at the first act that does not end as promised.
func (d *demo) play(ctx context.Context) error {
	for _, act := range []struct {
		phase string
		play  func(context.Context) error
	}{
		{"installing checkout 1.0.0", d.install},
		{"letting version 1 prove itself", d.prove},
		{"rolling out 2.0.0, which fails every third order", d.bad},
		{"rolling out 2.0.0 again", d.again},
		{"rolling out the fix, 3.0.0", d.fix},
	} {
		d.phase = act.phase
		if err := act.play(ctx); err != nil {
			return fmt.Errorf("%s: %w", act.phase, err)
		}
	}
	return nil
}

// connect makes the clients. They speak to the local AWS as they would to AWS.
func (d *demo) connect(ctx context.Context, stack cloudformation.Stack) error {
	cfg := d.config()
	name, topic := physicalID(stack, "AWS::DynamoDB::Table"), physicalID(stack, "AWS::SNS::Topic")
	if name == "" || topic == "" {
		return errors.New("the template has no table for the ledger or no topic for notices")
	}
	d.shop = shop.New(d.options.Dist, cfg)
	d.deploys = deployments.New(codedeploy.NewFromConfig(cfg), d.aws.World.Account, cfg.Region, deployments.Platforms{deploy.OnLambda: d.aliases})
	d.aliases = traffic.New(lambda.NewFromConfig(cfg))
	d.ledger = table.New(dynamodb.NewFromConfig(cfg), name)
	var err error
	d.chat, err = join(ctx, sqs.NewFromConfig(cfg), sns.NewFromConfig(cfg), topic)
	return err
}

// physicalID returns the name of the stack's first resource of a type, or "".
func (d *demo) config() aws.Config {
	return aws.Config{
		Region: d.aws.World.Region, HTTPClient: sdkhttp.Client(), BaseEndpoint: aws.String(d.aws.URL()),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "demo", SecretAccessKey: "demo"}, nil
		}),
	}
}

func physicalID(stack cloudformation.Stack, kind string) string {
	for _, r := range stack.Resources {
		if r.Type == kind {
			return r.PhysicalID
		}
	}
	return ""
}

// install is the application team's work, and the first orders come in.
func (d *demo) install(ctx context.Context) error {
	if err := d.shop.Install(ctx, shop.Choices{}); err != nil {
		return err
	}
	d.aws.World.Lock()
	d.orders = d.startOrders()
	d.aws.World.Unlock()
	return d.note(ctx, "you", "published checkout 1.0.0 as version 1, alias checkout:live, tagged the deployment group pullback:enabled=true", "")
}

// prove waits until pullback calls version 1 known good.
func (d *demo) prove(ctx context.Context) error {
	return d.until(ctx, 10*time.Second, time.Hour, "version 1 is known good", func() (bool, error) {
		marks, err := d.ledger.KnownGood(ctx, target)
		return len(marks) == 1 && marks[0].Revision == "1", err
	})
}

// bad rolls out the bad release and waits until it has been taken back.
func (d *demo) bad(ctx context.Context) error {
	version, err := d.publish(ctx, "v2")
	if err != nil {
		return err
	}
	d.rate(busy)
	d.report.BadDeployment, err = d.roll(ctx, "1", version, "2.0.0")
	if err != nil {
		return err
	}
	d.report.Incident = deploy.IncidentOf(target, d.report.BadDeployment)
	late := d.until(ctx, time.Second, 20*time.Minute, "the bad canary is taken back", func() (bool, error) {
		i, err := d.ledger.Incident(ctx, d.report.Incident)
		if errors.Is(err, ledger.ErrNotFound) {
			return false, nil
		}
		return i.Phase.Final(), err
	})
	if late != nil && !errors.Is(late, errLate) {
		return late
	}
	return errors.Join(late, d.checkRestored(ctx), d.explain(ctx)) // if it is too late the report says what is not restored
}

// again rolls out the same bad version, which must be refused before it sees
// an order.
func (d *demo) again(ctx context.Context) error {
	before := d.served("2")
	id, err := d.roll(ctx, "1", "2", "2.0.0 again")
	if err != nil {
		return err
	}
	if err := d.untilEnded(ctx, id); err != nil {
		return err
	}
	return d.checkRefused(ctx, id, before)
}

// fix releases the hold and rolls out the release that works.
func (d *demo) fix(ctx context.Context) error {
	version, err := d.publish(ctx, "v3")
	if err != nil {
		return err
	}
	now := d.now()
	if err := operate.Release(ctx, d.ledger, target, "demo", "3.0.0 fixes the currency code", now); err != nil {
		return err
	}
	id, err := d.roll(ctx, "1", version, "3.0.0")
	if err != nil {
		return err
	}
	if err := d.untilEnded(ctx, id); err != nil {
		return err
	}
	return d.checkFixed(ctx, id, version)
}

// publish makes a new version out of a release.
func (d *demo) publish(ctx context.Context, release string) (deploy.Revision, error) {
	code, err := d.shop.Code(release)
	if err != nil {
		return "", err
	}
	return d.shop.Publish(ctx, code)
}

// roll starts a canary.
func (d *demo) roll(ctx context.Context, from, to deploy.Revision, what string) (deploy.ID, error) {
	id, err := d.shop.Canary(ctx, from, to, true)
	if err != nil {
		return "", err
	}
	d.seen.deployments = append(d.seen.deployments, id)
	return id, d.note(ctx, "you", fmt.Sprintf("deploy checkout %s (version %s): 10 %% for 5 minutes, %s", what, to, id), "")
}
