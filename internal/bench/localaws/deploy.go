package main

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/pullback-dev/pullback/internal/localaws/host"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// What is aimed at for a 10-minute linear deployment with two hooks.
const (
	aimWarm = 10 * time.Millisecond
	aimCold = 40 * time.Millisecond
)

const (
	account = "123456789012"
	role    = "arn:aws:iam::" + account + ":role/bench"
	config  = "CodeDeployDefault.LambdaLinear10PercentEvery1Minute"
)

// site is a local AWS with a function of two versions and two hooks.
type site struct {
	aws    *host.AWS
	deploy *codedeploy.Client
	lambda *lambda.Client
}

// deployments measures a 10-minute linear deployment with hooks in virtual time.
func deployments(ctx context.Context, c choices, out *bytes.Buffer) error {
	code, err := hook(ctx)
	if err != nil {
		return err
	}
	var cold, warm []time.Duration
	for range c.repetitions {
		s, err := open(ctx, code)
		if err != nil {
			return err
		}
		for i, to := range []*[]time.Duration{&cold, &warm} {
			d, err := s.timed(ctx, "live", "group", i)
			if err != nil {
				return errors.Join(err, s.aws.Close())
			}
			*to = append(*to, d)
		}
		if err := s.aws.Close(); err != nil {
			return err
		}
	}
	fmt.Fprintf(out, "\n10-minute linear deployment with two hooks, median of %d\n", c.repetitions)
	fmt.Fprintf(out, "  cold functions  %s   (aim %s: %.2fx)\n", ms(middle(cold)), ms(aimCold), float64(middle(cold))/float64(aimCold))
	fmt.Fprintf(out, "  warm functions  %s   (aim %s: %.2fx)\n", ms(middle(warm)), ms(aimWarm), float64(middle(warm))/float64(aimWarm))
	fmt.Fprintln(out, "  moto's server    cannot: its deployments stay Created")
	return nil
}

// together measures many deployments at once, each in a group and with an alias
// of its own, without hooks.
func together(ctx context.Context, c choices, out *bytes.Buffer) error {
	code, err := hook(ctx)
	if err != nil {
		return err
	}
	s, err := open(ctx, code)
	if err != nil {
		return err
	}
	defer s.aws.Close() //nolint:errcheck // everything is measured by then
	var ids []string
	for i := range c.groups {
		name := fmt.Sprintf("g%d", i)
		if err := s.group(ctx, name, name); err != nil {
			return err
		}
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	began := time.Now() //nolint:forbidigo // it is the wall clock that is measured
	s.aws.World.Lock()
	release := s.aws.World.Hold() // all of them start at one moment
	s.aws.World.Unlock()
	for i := range c.groups {
		name := fmt.Sprintf("g%d", i)
		id, err := s.begin(ctx, name, name, "1", "2", false)
		if err != nil {
			return err
		}
		ids = append(ids, id)
	}
	s.aws.World.Lock()
	release()
	s.aws.World.Unlock()
	for _, id := range ids {
		if err := s.wait(ctx, id); err != nil {
			return err
		}
	}
	took := time.Since(began) //nolint:forbidigo // the same
	runtime.GC()
	runtime.ReadMemStats(&after)
	fmt.Fprintf(out, "\n%d linear deployments at once, in groups of their own: %s, %.2f ms each, %.0f KB each\n", c.groups, took.Round(time.Millisecond),
		float64(took.Microseconds())/1000/float64(c.groups), (float64(after.HeapAlloc)-float64(before.HeapAlloc))/1024/float64(c.groups))
	return nil
}

// hook builds the hook and zips it as Lambda wants it.
func hook(ctx context.Context) ([]byte, error) {
	dir, err := os.MkdirTemp("", "bench-localaws-")
	if err != nil {
		return nil, fmt.Errorf("build the hook: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }() // a small file that the system clears some day
	file := filepath.Join(dir, "bootstrap")
	cmd := exec.CommandContext(ctx, "go", "build", "-tags", "lambda.norpc", "-trimpath", "-ldflags", "-s -w", "-o", file, //nolint:gosec // our own folder
		"github.com/pullback-dev/pullback/internal/bench/localaws/testdata/hook")
	cmd.Env = append(cmd.Environ(), "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build the hook: %w: %s", err, text)
	}
	program, err := os.ReadFile(file) //nolint:gosec // just written
	if err != nil {
		return nil, fmt.Errorf("build the hook: %w", err)
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	h := &zip.FileHeader{Name: "bootstrap", Method: zip.Store}
	h.SetMode(0o755)
	w, err := z.CreateHeader(h)
	if err != nil {
		return nil, fmt.Errorf("zip the hook: %w", err)
	}
	if _, err := w.Write(program); err != nil {
		return nil, fmt.Errorf("zip the hook: %w", err)
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("zip the hook: %w", err)
	}
	return b.Bytes(), nil
}

// open starts a local AWS in mode fast and sets everything up.
func open(ctx context.Context, code []byte) (*site, error) {
	local, err := host.Start(ctx, host.Options{World: world.Options{Mode: world.Fast, Seed: 1}})
	if err != nil {
		return nil, err
	}
	c := configOf(local.URL())
	s := &site{aws: local, deploy: codedeploy.NewFromConfig(c), lambda: lambda.NewFromConfig(c)}
	if err := s.setUp(ctx, iam.NewFromConfig(c), code); err != nil {
		return nil, errors.Join(fmt.Errorf("set up: %w", err), local.Close())
	}
	return s, nil
}

func (s *site) setUp(ctx context.Context, roles *iam.Client, code []byte) error {
	if err := makeRole(ctx, roles); err != nil {
		return err
	}
	for _, name := range []string{"shop", "CodeDeployHook_before", "CodeDeployHook_after"} {
		if _, err := s.lambda.CreateFunction(ctx, &lambda.CreateFunctionInput{
			FunctionName: aws.String(name), Runtime: lambdatypes.RuntimeProvidedal2023, Handler: aws.String("bootstrap"), Role: aws.String(role),
			Code: &lambdatypes.FunctionCode{ZipFile: code}, Timeout: aws.Int32(30), MemorySize: aws.Int32(128), Publish: true,
		}); err != nil {
			return err
		}
	}
	if _, err := s.lambda.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{
		FunctionName: aws.String("shop"), MemorySize: aws.Int32(256), // so that the next version is another one
	}); err != nil {
		return err
	}
	if _, err := s.lambda.PublishVersion(ctx, &lambda.PublishVersionInput{FunctionName: aws.String("shop")}); err != nil {
		return err
	}
	if _, err := s.deploy.CreateApplication(ctx, &codedeploy.CreateApplicationInput{
		ApplicationName: aws.String("shop"), ComputePlatform: cdtypes.ComputePlatformLambda,
	}); err != nil {
		return err
	}
	return s.group(ctx, "live", "group")
}

func makeRole(ctx context.Context, roles *iam.Client) error {
	const trust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":["lambda.amazonaws.com","codedeploy.amazonaws.com"]},"Action":"sts:AssumeRole"}]}`
	const all = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`
	if _, err := roles.CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("bench"), AssumeRolePolicyDocument: aws.String(trust)}); err != nil {
		return err
	}
	_, err := roles.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: aws.String("bench"), PolicyName: aws.String("all"), PolicyDocument: aws.String(all)})
	return err
}

// group makes an alias of version 1 and a group that deploys to it.
func (s *site) group(ctx context.Context, alias, group string) error {
	if _, err := s.lambda.CreateAlias(ctx, &lambda.CreateAliasInput{
		FunctionName: aws.String("shop"), Name: aws.String(alias), FunctionVersion: aws.String("1"),
	}); err != nil {
		return err
	}
	_, err := s.deploy.CreateDeploymentGroup(ctx, &codedeploy.CreateDeploymentGroupInput{
		ApplicationName: aws.String("shop"), DeploymentGroupName: aws.String(group), ServiceRoleArn: aws.String(role), DeploymentConfigName: aws.String(config),
		DeploymentStyle: &cdtypes.DeploymentStyle{DeploymentType: cdtypes.DeploymentTypeBlueGreen, DeploymentOption: cdtypes.DeploymentOptionWithTrafficControl},
	})
	return err
}

// timed measures one deployment, there and back by turns.
func (s *site) timed(ctx context.Context, alias, group string, turn int) (time.Duration, error) {
	from, to := "1", "2"
	if turn%2 == 1 {
		from, to = to, from
	}
	began := time.Now() //nolint:forbidigo // it is the wall clock that is measured
	id, err := s.begin(ctx, alias, group, from, to, true)
	if err != nil {
		return 0, err
	}
	err = s.wait(ctx, id)
	return time.Since(began), err //nolint:forbidigo // the same
}

func (s *site) begin(ctx context.Context, alias, group, from, to string, hooks bool) (string, error) {
	spec := fmt.Sprintf(`{"version":0.0,"Resources":[{"shop":{"Type":"AWS::Lambda::Function","Properties":`+
		`{"Name":"shop","Alias":%q,"CurrentVersion":%q,"TargetVersion":%q}}}]`, alias, from, to)
	if hooks {
		spec += `,"Hooks":[{"BeforeAllowTraffic":"CodeDeployHook_before"},{"AfterAllowTraffic":"CodeDeployHook_after"}]`
	}
	out, err := s.deploy.CreateDeployment(ctx, &codedeploy.CreateDeploymentInput{
		ApplicationName: aws.String("shop"), DeploymentGroupName: aws.String(group),
		Revision: &cdtypes.RevisionLocation{RevisionType: cdtypes.RevisionLocationTypeAppSpecContent, AppSpecContent: &cdtypes.AppSpecContent{Content: aws.String(spec + "}")}},
	})
	if err != nil {
		return "", err
	}
	return *out.DeploymentId, nil
}

// wait asks until the deployment is over.
func (s *site) wait(ctx context.Context, id string) error {
	for {
		out, err := s.deploy.GetDeployment(ctx, &codedeploy.GetDeploymentInput{DeploymentId: &id})
		if err != nil {
			return err
		}
		switch out.DeploymentInfo.Status {
		case cdtypes.DeploymentStatusSucceeded:
			return nil
		case cdtypes.DeploymentStatusFailed, cdtypes.DeploymentStatusStopped:
			return fmt.Errorf("deployment %s: %s", id, aws.ToString(out.DeploymentInfo.ErrorInformation.Message))
		default: // on its way
		}
		if err := pause(ctx, 200*time.Microsecond); err != nil {
			return err
		}
	}
}
