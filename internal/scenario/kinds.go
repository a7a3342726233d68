package scenario

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/pullback-dev/pullback/internal/demo/shop"
	"github.com/pullback-dev/pullback/internal/teams"
	"github.com/pullback-dev/pullback/internal/teams/aliases"
	"github.com/pullback-dev/pullback/internal/teams/scaling"
	"github.com/pullback-dev/pullback/internal/teams/servers"
	"github.com/pullback-dev/pullback/internal/teams/services"
	"github.com/pullback-dev/pullback/internal/teams/stacked"
	"github.com/pullback-dev/pullback/internal/teams/tasksets"
)

// unknown is the error about an option.
func unknown(option string) error { return fmt.Errorf("there is no option %q", option) }

// rollingTeam is a service whose tasks ECS replaces: ecs-rolling
// [circuit-breaker] [bake=MINUTES].
func rollingTeam(c teams.Common, options []string) (worker, error) {
	o := services.Options{}
	for _, word := range options {
		if word == "circuit-breaker" {
			o.Breaker = true
		} else if err := counted(word, "bake", &o.Bake); err != nil {
			return nil, err
		}
	}
	return services.New(c, o), nil
}

// counted reads an option such as bake=5.
func counted(word, name string, to *int32) error {
	text, ok := strings.CutPrefix(word, name+"=")
	if !ok {
		return unknown(word)
	}
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil || n < 0 {
		return fmt.Errorf("%s has no number from 0 on", word)
	}
	*to = int32(n)
	return nil
}

// tasksetsTeam is a service that CodeDeploy deploys: codedeploy-ecs [canary] [hooks]
// [rule] [tcp] [wait=MINUTES].
func tasksetsTeam(c teams.Common, options []string) (worker, error) {
	o := tasksets.Options{}
	for _, word := range options {
		switch word {
		case "canary":
			o.Canary = true
		case "hooks":
			o.Hooks = true
		case "rule":
			o.Rule = true
		case "tcp":
			o.Layer4 = true
		default:
			if err := counted(word, "wait", &o.Wait); err != nil {
				return nil, err
			}
		}
	}
	return tasksets.New(c, o), nil
}

// serversTeam are instances that CodeDeploy deploys to: codedeploy-server [empty],
// codedeploy-server-bluegreen [empty] [wait=MINUTES].
func (s *Story) serversTeam(c teams.Common, options []string) (worker, error) {
	o := servers.Options{Show: s.aws.File}
	for _, word := range options {
		switch word {
		case "empty":
			o.Empty = true
		case "blue-green":
			o.BlueGreen = true
		default:
			if err := counted(word, "wait", &o.Linger); err != nil {
				return nil, err
			}
		}
	}
	return servers.New(c, o), nil
}

// aliasTeam is an alias that the team moves itself: alias [weighted].
func (s *Story) aliasTeam(c teams.Common, options []string) (worker, error) {
	o := aliases.Options{Code: shop.New(s.options.Dist, s.config).Code}
	for _, word := range options {
		if word != "weighted" {
			return nil, unknown(word)
		}
		o.Weighted = true
	}
	return aliases.New(c, o), nil
}

// stackTeam is an alias in a CloudFormation stack: stack [without-hooks].
func (s *Story) stackTeam(c teams.Common, options []string) (worker, error) {
	o := stacked.Options{Hooks: true, Code: shop.New(s.options.Dist, s.config).Code}
	for _, word := range options {
		if word != "without-hooks" {
			return nil, unknown(word)
		}
		o.Hooks = false
	}
	return stacked.New(c, o), nil
}

// stackServiceTeam is a service in a CloudFormation stack: stack-ecs.
func stackServiceTeam(c teams.Common, options []string) (worker, error) {
	if len(options) > 0 {
		return nil, unknown(options[0])
	}
	return stacked.NewService(c), nil
}

// templateWord writes what the team would deploy as a release to a file: template
// v2 FILE.
func templateWord(ctx context.Context, ts *testscript.TestScript, args []string) error {
	const words = 2
	t, ok := story(ts).crew.team.(interface {
		Template(ctx context.Context, release string) (string, error)
	})
	if !ok || len(args) != words {
		return errors.New("want: template RELEASE FILE, of a team with a stack")
	}
	text, err := t.Template(ctx, args[0])
	if err != nil {
		return err
	}
	return os.WriteFile(ts.MkAbs(args[1]), []byte(text), 0o600)
}

// scalingTeam is an Auto Scaling group: asg [latest].
func scalingTeam(c teams.Common, options []string) (worker, error) {
	o := scaling.Options{}
	for _, word := range options {
		if word != "latest" {
			return nil, unknown(word)
		}
		o.Latest = true
	}
	return scaling.New(c, o), nil
}

// nativeTeam is a service whose traffic ECS shifts: ecs-native [blue-green|canary|linear]
// [hooks] [bake=MINUTES].
func nativeTeam(c teams.Common, options []string) (worker, error) {
	o := services.Options{Strategy: ecstypes.DeploymentStrategyBlueGreen, Bake: 5}
	for _, word := range options {
		switch word {
		case "blue-green":
		case "canary":
			o.Strategy = ecstypes.DeploymentStrategyCanary
		case "linear":
			o.Strategy = ecstypes.DeploymentStrategyLinear
		case "hooks":
			o.Hooks = true
		default:
			if err := counted(word, "bake", &o.Bake); err != nil {
				return nil, err
			}
		}
	}
	return services.New(c, o), nil
}
