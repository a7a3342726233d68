package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"testing"
	"testing/fstest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/infra/portable"
	localstacks "github.com/pullback-dev/pullback/internal/localaws/cloudformation"
	"github.com/pullback-dev/pullback/internal/localaws/host"
	"github.com/pullback-dev/pullback/internal/localaws/sdkhttp"
	"github.com/pullback-dev/pullback/internal/localaws/world"
	"github.com/pullback-dev/pullback/internal/scenario"
)

// What make build release-template leaves.
const (
	synth = "../../cdk.out/release"
	local = "../../dist/local"
)

// published is a version of pullback, built for this machine.
type published struct {
	version  string
	template []byte
	zips     map[string][]byte // by their names
}

// publish makes a release as main does, of functions for this machine. Each version's
// code is another one.
func publish(t *testing.T, version, kind string) published {
	t.Helper()
	if testing.Short() {
		t.Skip("runs the compiled functions; not with -short")
	}
	p, names := published{version: version, zips: map[string][]byte{}}, map[string]string{}
	for _, folder := range []string{"pretraffic", "posttraffic", "alarmrouter", "rollbacker"} {
		code, err := os.ReadFile(filepath.Join(local, folder, "bootstrap"))
		if err != nil {
			t.Skipf("%v (make build makes it; make test does)", err)
		}
		zip, err := portable.Zip(fstest.MapFS{"bootstrap": {Data: code}, "version": {Data: []byte(version)}})
		require.NoError(t, err)
		names[folder] = portable.ZipName(folder, zip)
		p.zips[names[folder]] = zip
	}
	text, err := os.ReadFile(filepath.Join(synth, kind+".template.json"))
	if err != nil {
		t.Skipf("%v (make release-template makes it; make test does)", err)
	}
	p.template, err = portable.Template(text, portable.Release{Version: version, Zips: names})
	require.NoError(t, err)
	assert.Less(t, len(p.template), limit)
	return p
}

// account is somebody who deploys by the API of CloudFormation, with a bucket.
type account struct {
	*host.AWS
	config  aws.Config
	stacks  *cloudformation.Client
	objects *s3.Client
}

func open(a *host.AWS) account {
	c := aws.Config{
		Region: "us-east-1", HTTPClient: sdkhttp.Client(), BaseEndpoint: aws.String(a.URL()),
		Credentials: credentials.NewStaticCredentialsProvider("platform", "platform", ""),
	}
	return account{a, c, cloudformation.NewFromConfig(c), s3.NewFromConfig(c, func(o *s3.Options) { o.UsePathStyle = true })}
}

// put puts a version where docs/template.md says, and returns the template's address.
func (a account) put(ctx context.Context, p published) (string, error) {
	prefix := "pullback/" + p.version + "/"
	name := prefix + "pullback-" + p.version + ".template.json"
	files := map[string][]byte{name: p.template}
	for zip, code := range p.zips {
		files[prefix+zip] = code
	}
	_, err := a.objects.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("releases")})
	for key, body := range files {
		_, failed := a.objects.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("releases"), Key: &key, Body: bytes.NewReader(body)})
		err = errors.Join(err, failed)
	}
	return "https://releases.s3.us-east-1.amazonaws.com/" + name, err
}

func parameters(given map[string]string) []cfntypes.Parameter {
	all := []cfntypes.Parameter{{ParameterKey: aws.String("AssetsBucket"), ParameterValue: aws.String("releases")}}
	for name, value := range given {
		all = append(all, cfntypes.Parameter{ParameterKey: &name, ParameterValue: &value})
	}
	return all
}

var named = []cfntypes.Capability{cfntypes.CapabilityCapabilityNamedIam}

// create makes the stack and waits for it.
func (a account) create(ctx context.Context, p published, given map[string]string) (localstacks.Stack, error) {
	at, err := a.put(ctx, p)
	if err != nil {
		return localstacks.Stack{}, err
	}
	_, err = a.stacks.CreateStack(ctx, &cloudformation.CreateStackInput{StackName: aws.String("pullback"), TemplateURL: &at, Parameters: parameters(given), Capabilities: named})
	if err != nil {
		return localstacks.Stack{}, err
	}
	return a.until(ctx, cfntypes.StackStatusCreateComplete)
}

// until waits for the stack to be in a status.
func (a account) until(ctx context.Context, want cfntypes.StackStatus) (localstacks.Stack, error) {
	if err := a.World.Advance(ctx, time.Minute); err != nil {
		return localstacks.Stack{}, err
	}
	a.World.Lock()
	all := a.Stacks.Stacks()
	a.World.Unlock()
	for _, s := range all {
		if s.Name == "pullback" {
			return s, a.check(ctx, want)
		}
	}
	return localstacks.Stack{}, errors.New("there is no stack pullback")
}

func (a account) check(ctx context.Context, want cfntypes.StackStatus) error {
	out, err := a.stacks.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: aws.String("pullback")})
	if err != nil {
		return err
	}
	if got := out.Stacks[0].StackStatus; got != want {
		return fmt.Errorf("the stack is in %s (%s), and not in %s", got, aws.ToString(out.Stacks[0].StackStatusReason), want)
	}
	return nil
}

func (a account) update(ctx context.Context, p published) error {
	at, err := a.put(ctx, p)
	if err != nil {
		return err
	}
	_, err = a.stacks.UpdateStack(ctx, &cloudformation.UpdateStackInput{StackName: aws.String("pullback"), TemplateURL: &at, Parameters: parameters(map[string]string{"AssetsPrefix": "pullback/" + p.version + "/"}), Capabilities: named})
	if err != nil {
		return err
	}
	_, err = a.until(ctx, cfntypes.StackStatusUpdateComplete)
	return err
}

// TestABadCanaryIsTakenBackByARelease deploys a release's template by CloudFormation's
// API, lets it take a canary back, and goes to the next release and back to nothing.
func TestABadCanaryIsTakenBackByARelease(t *testing.T) {
	first, second := publish(t, "v1.0.0", "pullback"), publish(t, "v1.0.1", "pullback")
	dist, err := filepath.Abs(local)
	require.NoError(t, err)
	var at account
	words := scenario.Commands(t.Context())
	act := func(do func() error) func(*testscript.TestScript, bool, []string) {
		return func(ts *testscript.TestScript, _ bool, _ []string) { ts.Check(do()) }
	}
	words["upgrade"] = act(func() error { return at.update(t.Context(), second) })
	words["uninstall"] = act(func() error { return at.uninstall(t.Context()) })
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: scenario.Setup(t.Context(), scenario.Options{Dist: dist, Deploy: func(ctx context.Context, a *host.AWS) (localstacks.Stack, error) {
			at = open(a)
			return at.create(ctx, first, nil)
		}}),
		Cmds: words,
	})
}

// uninstall deletes the stack. What stays is the ledger.
func (a account) uninstall(ctx context.Context) error {
	if _, err := a.stacks.DeleteStack(ctx, &cloudformation.DeleteStackInput{StackName: aws.String("pullback")}); err != nil {
		return err
	}
	if err := a.World.Advance(ctx, 5*time.Minute); err != nil {
		return err
	}
	a.World.Lock()
	defer a.World.Unlock()
	if left := a.Stacks.Stacks(); len(left) != 0 {
		return fmt.Errorf("there are still stacks: %v", left)
	}
	return nil
}

// chosen is what of a deployed stack depends on parameters.
type chosen struct {
	Mode, Hub, Config string // the rollbacker's variables, and the text that its parameter holds
	Table             string
	Ledgers, Reserved int   // tables of the stack, executions that are set aside for the rollbacker
	Kept              int32 // days for which its log is kept
	Bus               any   // who may write to the bus
	Grants            []any // whose buses the router may write to
}

// TestEveryParameterDoesWhatItSays deploys both templates with nothing but defaults, and
// with everything chosen.
func TestEveryParameterDoesWhatItSays(t *testing.T) {
	const own = "arn:aws:events:us-east-1:123456789012:event-bus/pullback"
	const hub, peer = "arn:aws:events:eu-west-1:210987654321:event-bus/pullback", "arn:aws:events:eu-west-2:210987654321:event-bus/pullback"
	all := map[string]string{
		"Mode": "observe", "PullbackYAML": "apiVersion: pullback.dev/v1\n", "ExistingLedger": "ledger", "LogRetentionDays": "30",
		"RouterReserved": "0", "RollbackerReserved": "0", "Accounts": "210987654321,345678901234", "Peers": peer,
	}
	defaults := chosen{Mode: "enforce", Ledgers: 1, Reserved: 10, Kept: 365}
	every := chosen{Mode: "observe", Config: "apiVersion: pullback.dev/v1\n", Table: "ledger", Kept: 30, Bus: []any{"210987654321", "345678901234"}}
	for _, kind := range []string{"pullback", "pullback-hub"} {
		p := publish(t, "v1.0.0", kind)
		t.Run(kind+" with defaults", func(t *testing.T) {
			want := defaults
			if kind == "pullback-hub" { // which collects its own records by its own bus
				want.Hub, want.Grants = own, []any{own}
			}
			assert.Equal(t, want, deployed(t, p, nil))
		})
		t.Run(kind+" with everything", func(t *testing.T) {
			given, want := maps.Clone(all), every
			want.Hub, want.Grants = own, []any{peer, own}
			if kind == "pullback" {
				given["Hub"], want.Hub, want.Grants = hub, hub, []any{hub, peer}
			}
			assert.Equal(t, want, deployed(t, p, given))
		})
	}
}

// deployed deploys a version in an account of its own and looks at what is there.
func deployed(t *testing.T, p published, given map[string]string) chosen {
	t.Helper()
	local, err := host.Start(t.Context(), host.Options{World: world.Options{Mode: world.Manual}})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, local.Close()) })
	a := open(local)
	s, err := a.create(t.Context(), p, given)
	require.NoError(t, err)
	var c chosen
	f, err := lambda.NewFromConfig(a.config).GetFunction(t.Context(), &lambda.GetFunctionInput{FunctionName: aws.String("pullback_rollbacker")})
	require.NoError(t, err)
	env := f.Configuration.Environment.Variables
	c.Mode, c.Hub = env["PULLBACK_MODE"], env["PULLBACK_HUB"]
	if f.Concurrency != nil {
		c.Reserved = int(aws.ToInt32(f.Concurrency.ReservedConcurrentExecutions))
	}
	if name := env["PULLBACK_CONFIG"]; name != "" {
		out, err := ssm.NewFromConfig(a.config).GetParameter(t.Context(), &ssm.GetParameterInput{Name: &name})
		require.NoError(t, err)
		c.Config = *out.Parameter.Value
	}
	for _, r := range s.Resources {
		if r.Type == "AWS::DynamoDB::Table" {
			c.Ledgers++
			assert.Equal(t, r.PhysicalID, env["PULLBACK_TABLE"])
		}
	}
	if c.Ledgers == 0 {
		c.Table = env["PULLBACK_TABLE"]
	}
	logs, err := cloudwatchlogs.NewFromConfig(a.config).DescribeLogGroups(t.Context(), &cloudwatchlogs.DescribeLogGroupsInput{LogGroupNamePrefix: aws.String("/aws/lambda/pullback_rollbacker")})
	require.NoError(t, err)
	c.Kept = *logs.LogGroups[0].RetentionInDays
	c.Bus, c.Grants = a.lets(t), a.grants(t)
	return c
}

// lets returns whom the policy of the bus lets in.
func (a account) lets(t *testing.T) any {
	t.Helper()
	bus, err := eventbridge.NewFromConfig(a.config).DescribeEventBus(t.Context(), &eventbridge.DescribeEventBusInput{Name: aws.String("pullback")})
	require.NoError(t, err)
	if aws.ToString(bus.Policy) == "" {
		return nil
	}
	var p struct {
		Statement []struct {
			Principal struct {
				AWS any `json:"AWS"`
			} `json:"Principal"`
		} `json:"Statement"`
	}
	require.NoError(t, json.Unmarshal([]byte(*bus.Policy), &p))
	require.Len(t, p.Statement, 1)
	return p.Statement[0].Principal.AWS
}

// grants returns the buses that the router's role may write to.
func (a account) grants(t *testing.T) []any {
	t.Helper()
	f, err := lambda.NewFromConfig(a.config).GetFunction(t.Context(), &lambda.GetFunctionInput{FunctionName: aws.String("pullback_alarmrouter")})
	require.NoError(t, err)
	role := path.Base(*f.Configuration.Role)
	people := iam.NewFromConfig(a.config)
	names, err := people.ListRolePolicies(t.Context(), &iam.ListRolePoliciesInput{RoleName: &role})
	require.NoError(t, err)
	var all []any
	for _, name := range names.PolicyNames {
		out, err := people.GetRolePolicy(t.Context(), &iam.GetRolePolicyInput{RoleName: &role, PolicyName: &name})
		require.NoError(t, err)
		text, err := url.QueryUnescape(*out.PolicyDocument)
		require.NoError(t, err)
		var p struct {
			Statement []struct {
				Action   any `json:"Action"`
				Resource any `json:"Resource"`
			} `json:"Statement"`
		}
		require.NoError(t, json.Unmarshal([]byte(text), &p))
		for _, s := range p.Statement {
			if s.Action == "events:PutEvents" {
				switch on := s.Resource.(type) {
				case []any:
					all = append(all, on...)
				default:
					all = append(all, on)
				}
			}
		}
	}
	return all
}

func decode(t *testing.T, text []byte, into any) {
	t.Helper()
	require.NoError(t, json.Unmarshal(text, into))
}
