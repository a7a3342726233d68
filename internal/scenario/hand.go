package scenario

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
)

// lacks is the error about a word that a team cannot follow.
func (s *Story) lacks(what string) error {
	return fmt.Errorf("the team %s has no %s", s.crew.name, what)
}

// remove takes away what a release was published as, delete v1, or something that
// it needs: delete v1 image, role, secret, token or key.
func (s *Story) remove(ctx context.Context, args []string) error {
	if len(args) == 0 || len(args) > 2 {
		return errors.New("want: delete RELEASE [image|role|secret|token|key]")
	}
	release, err := s.crew.is(args[:1])
	if err != nil {
		return err
	}
	remove := s.crew.remover(append(args, "")[1])
	if remove == nil {
		return s.lacks("such thing of a release: " + strings.Join(args, " "))
	}
	return remove(ctx, release)
}

// remover is what deletes something of a release; nil if the team has no such thing.
func (c *crew) remover(what string) func(ctx context.Context, release string) error {
	switch what {
	case "":
		if t, ok := c.team.(interface {
			Withdraw(ctx context.Context, release string) error
		}); ok {
			return t.Withdraw
		}
	case "image":
		if t, ok := c.team.(interface {
			DeleteImage(ctx context.Context, release string) error
		}); ok {
			return t.DeleteImage
		}
	case "role":
		if t, ok := c.team.(interface {
			DeleteRole(ctx context.Context, release string) error
		}); ok {
			return t.DeleteRole
		}
	case "secret":
		if t, ok := c.team.(interface {
			DeleteSecret(ctx context.Context, release string) error
		}); ok {
			return t.DeleteSecret
		}
	default:
		remove, _ := c.waits(what)
		return remove
	}
	return nil
}

// waits is what deletes something of a release that can be kept after all, and what
// keeps it: a token is a secret of Secrets Manager that containers are given, a key
// the one of KMS that a function has. Both are nil if the team has no such thing.
func (c *crew) waits(what string) (remove, keep func(ctx context.Context, release string) error) {
	if t, ok := c.team.(interface {
		DeleteToken(ctx context.Context, release string) error
		KeepToken(ctx context.Context, release string) error
	}); ok && what == "token" {
		return t.DeleteToken, t.KeepToken
	}
	if t, ok := c.team.(interface {
		DeleteKey(ctx context.Context, release string) error
		KeepKey(ctx context.Context, release string) error
	}); ok && what == "key" {
		return t.DeleteKey, t.KeepKey
	}
	return nil, nil
}

// keep keeps what was to be deleted: keep v1 token or key.
func (s *Story) keep(ctx context.Context, args []string) error {
	const words = 2
	if len(args) != words {
		return errors.New("want: keep RELEASE token|key")
	}
	release, err := s.crew.is(args[:1])
	if err != nil {
		return err
	}
	_, keep := s.crew.waits(args[1])
	if keep == nil {
		return s.lacks(args[1])
	}
	return keep(ctx, release)
}

// move changes what serves without a deployment: move v2.
func (s *Story) move(ctx context.Context, args []string) error {
	if len(args) != 1 {
		return errors.New("want: move RELEASE")
	}
	t, ok := s.crew.team.(interface {
		Move(ctx context.Context, release string) error
	})
	if !ok {
		return s.lacks("way to serve something without a deployment")
	}
	return t.Move(ctx, args[0])
}

// before names the release that was published before the one that serves: that
// with the previous number, whatever it was.
func (s *Story) before(ctx context.Context) (string, error) {
	serving, err := s.crew.Live(ctx)
	if err != nil {
		return "", err
	}
	all := s.crew.Releases()
	if len(serving) == 0 {
		return "", errors.New("nothing serves")
	}
	i := slices.Index(all, serving[0])
	if i < 1 {
		return "", fmt.Errorf("nothing was published before %s", serving[0])
	}
	return all[i-1], nil
}

// previous goes back as people do who go by the number: previous, or, without a
// deployment, previous by-hand.
func (s *Story) previous(ctx context.Context, args []string) error {
	release, err := s.before(ctx)
	if err != nil {
		return err
	}
	switch {
	case slices.Equal(args, []string{"by-hand"}):
		return s.move(ctx, []string{release})
	case len(args) > 0:
		return errors.New("want: previous [by-hand]")
	}
	_, err = s.deploy(ctx, []string{release})
	return err
}

// tag tags the target, or what a release was published as: tag KEY=VALUE …, tag
// v2 KEY=VALUE …
func (s *Story) tag(ctx context.Context, args []string) error {
	release := ""
	if len(args) > 0 && !strings.Contains(args[0], "=") {
		var err error
		if release, err = s.crew.is(args[:1]); err != nil {
			return err
		}
		args = args[1:]
	}
	tags := map[string]string{}
	for _, a := range args {
		key, value, ok := strings.Cut(a, "=")
		if !ok {
			return errors.New("want: tag [RELEASE] KEY=VALUE …")
		}
		tags[key] = value
	}
	if release != "" {
		t, ok := s.crew.team.(interface {
			TagRelease(ctx context.Context, release string, tags map[string]string) error
		})
		if !ok {
			return s.lacks("releases with tags")
		}
		return t.TagRelease(ctx, release, tags)
	}
	t, ok := s.crew.team.(interface {
		Tag(ctx context.Context, tags map[string]string) error
	})
	if !ok {
		return s.lacks("tags")
	}
	return t.Tag(ctx, tags)
}

// forbid takes permissions from a function of the control plane, or from a role by
// its name: forbid pretraffic codedeploy:GetDeployment.
func (s *Story) forbid(ctx context.Context, args []string) error {
	if len(args) < 2 {
		return errors.New("want: forbid FUNCTION|ROLE ACTION …")
	}
	role, err := s.roleOf(ctx, args[0])
	if err != nil {
		return err
	}
	text, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": []any{
		map[string]any{"Effect": "Deny", "Action": args[1:], "Resource": "*"},
	}})
	if err != nil {
		return fmt.Errorf("write a policy: %w", err)
	}
	_, err = iam.NewFromConfig(s.config).PutRolePolicy(ctx, &iam.PutRolePolicyInput{
		RoleName: &role, PolicyName: aws.String(forbidden), PolicyDocument: aws.String(string(text)),
	})
	if err != nil {
		return fmt.Errorf("forbid %s: %w", args[0], err)
	}
	return nil
}

// forbidden is the policy that forbid makes and permit takes away.
const forbidden = "forbidden"

// permit ends what forbid began: permit pretraffic.
func (s *Story) permit(ctx context.Context, args []string) error {
	if len(args) != 1 {
		return errors.New("want: permit FUNCTION|ROLE")
	}
	role, err := s.roleOf(ctx, args[0])
	if err != nil {
		return err
	}
	_, err = iam.NewFromConfig(s.config).DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: &role, PolicyName: aws.String(forbidden)})
	if err != nil {
		return fmt.Errorf("permit %s: %w", args[0], err)
	}
	return nil
}

// roleOf finds the role of a function of the control plane; what is none is a role's
// name.
func (s *Story) roleOf(ctx context.Context, name string) (string, error) {
	function, ok := functions()[name]
	if !ok {
		return name, nil
	}
	out, err := s.clients.lambda.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &function})
	if err != nil {
		return "", fmt.Errorf("role of %s: %w", name, err)
	}
	return (*out.Role)[strings.LastIndexByte(*out.Role, '/')+1:], nil
}

// functions are what the functions of the control plane are called.
func functions() map[string]string {
	return map[string]string{
		"alarmrouter": "pullback_alarmrouter", "rollbacker": "pullback_rollbacker",
		"pretraffic": "CodeDeployHook_pullback_pretraffic", "posttraffic": "CodeDeployHook_pullback_posttraffic",
	}
}
