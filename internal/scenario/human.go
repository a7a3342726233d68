package scenario

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/pullback-dev/pullback/internal/operate"
	"github.com/pullback-dev/pullback/shared/deploy"
)

// overridden is how long a human lets something through if nothing else is said, as
// pullback release does.
const overridden = time.Hour

func (s *Story) human(reason string) operate.Human {
	return operate.Human{By: "story", Reason: reason, Now: s.now()}
}

// published is what a release of a function was published as.
func (s *Story) published(release string) (deploy.Revision, error) {
	l, err := s.lambdaTeam()
	if err != nil {
		return "", err
	}
	if l.versions[release] == "" {
		return "", fmt.Errorf("%s was not published", release)
	}
	return l.versions[release], nil
}

// override lets a release through, as "pullback release --override" does: override
// v2 REASON.
func (s *Story) override(ctx context.Context, args []string) error {
	if len(args) != 2 {
		return errors.New("want: override RELEASE REASON")
	}
	r, err := s.published(args[0])
	if err != nil {
		return err
	}
	digests, err := s.digests(ctx, args[0])
	if err != nil {
		return err
	}
	h := s.human(args[1])
	return h.LetThrough(ctx, s.ledger, s.crew.Target(), r, digests[0], h.Now.Add(overridden))
}

// mark says how far a release may be rolled back, as "pullback mark" does: mark v2
// never REASON, mark v2 to=v1 REASON.
func (s *Story) mark(ctx context.Context, args []string) error {
	if len(args) != 3 {
		return errors.New("want: mark RELEASE never|to=RELEASE REASON")
	}
	r, err := s.published(args[0])
	if err != nil {
		return err
	}
	var to deploy.Revision
	if release, only := strings.CutPrefix(args[1], "to="); only {
		if to, err = s.published(release); err != nil {
			return err
		}
	} else if args[1] != "never" {
		return errors.New("want: mark RELEASE never|to=RELEASE REASON")
	}
	return s.human(args[2]).OneWay(ctx, s.ledger, s.crew.Target(), r, to)
}

// configureWord puts a file where the stack has put pullback.yaml: configure FILE.
func configureWord(ctx context.Context, ts *testscript.TestScript, args []string) error {
	if len(args) != 1 {
		return errors.New("want: configure FILE")
	}
	s := story(ts)
	for _, r := range s.stack.Resources {
		if r.Type != "AWS::SSM::Parameter" {
			continue
		}
		_, err := ssm.NewFromConfig(s.config).PutParameter(ctx, &ssm.PutParameterInput{
			Name: &r.PhysicalID, Value: aws.String(text(ts, args[0])), Type: ssmtypes.ParameterTypeString, Overwrite: aws.Bool(true),
		})
		if err != nil {
			return fmt.Errorf("configure: %w", err)
		}
		return nil
	}
	return errors.New("the stack has no parameter (is it deployed? control-plane does that)")
}

// pullbackWord runs the command line as a human does: pullback ARGUMENT … What it
// prints is for "stdout" and "stderr", and "! pullback" wants it to fail.
func pullbackWord(ctx context.Context, ts *testscript.TestScript, args []string) error {
	s := story(ts)
	program := filepath.Join(filepath.Dir(s.options.Dist), "pullback")
	if _, err := os.Stat(program); err != nil {
		return fmt.Errorf("%w (make build makes it)", err)
	}
	for i := range args {
		args[i] = os.Expand(args[i], ts.Getenv)
	}
	c := exec.CommandContext(ctx, program, args...) //nolint:gosec // the program that was built, with what the script says
	c.Env = []string{
		"AWS_ENDPOINT_URL=" + s.aws.URL(), "AWS_REGION=" + s.aws.World.Region, "AWS_ACCESS_KEY_ID=human", "AWS_SECRET_ACCESS_KEY=human",
		"PATH=" + ts.Getenv("PATH"), "HOME=" + ts.Getenv("WORK"),
	}
	c.Dir, c.Stdout, c.Stderr = ts.MkAbs("."), ts.Stdout(), ts.Stderr()
	if err := c.Run(); err != nil {
		return fmt.Errorf("pullback %s: %w", strings.Join(args, " "), err)
	}
	return nil
}
