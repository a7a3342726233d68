package scenario

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/pullback-dev/pullback/internal/demo/shop"
	"github.com/pullback-dev/pullback/internal/teams"
	"github.com/pullback-dev/pullback/internal/teams/aliases"
	"github.com/pullback-dev/pullback/internal/teams/scaling"
	"github.com/pullback-dev/pullback/internal/teams/servers"
	"github.com/pullback-dev/pullback/internal/teams/services"
	"github.com/pullback-dev/pullback/internal/teams/tasksets"
)

// unknown is the error about an option.
func unknown(option string) error { return fmt.Errorf("there is no option %q", option) }

// rollingTeam is a service whose tasks ECS replaces: ecs-rolling [circuit-breaker].
func rollingTeam(c teams.Common, options []string) (worker, error) {
	o := services.Options{}
	for _, word := range options {
		if word != "circuit-breaker" {
			return nil, unknown(word)
		}
		o.Breaker = true
	}
	return services.New(c, o), nil
}

// tasksetsTeam is a service that CodeDeploy deploys: codedeploy-ecs [canary] [hooks]
// [wait=MINUTES].
func tasksetsTeam(c teams.Common, options []string) (worker, error) {
	o := tasksets.Options{}
	for _, word := range options {
		minutes, wait := strings.CutPrefix(word, "wait=")
		switch {
		case wait:
			n, err := number([]string{minutes})
			if err != nil {
				return nil, err
			}
			o.Wait = int32(n) //nolint:gosec // CodeDeploy refuses what is too much
		case word == "canary":
			o.Canary = true
		case word == "hooks":
			o.Hooks = true
		default:
			return nil, unknown(word)
		}
	}
	return tasksets.New(c, o), nil
}

// serversTeam are instances that CodeDeploy deploys to: codedeploy-server [empty],
// codedeploy-server-bluegreen [empty] [wait=MINUTES].
func (s *Story) serversTeam(c teams.Common, options []string) (worker, error) {
	o := servers.Options{Show: s.show}
	for _, word := range options {
		minutes, wait := strings.CutPrefix(word, "wait=")
		switch {
		case word == "empty":
			o.Empty = true
		case word == "blue-green":
			o.BlueGreen = true
		case wait && o.BlueGreen:
			n, err := number([]string{minutes})
			if err != nil {
				return nil, err
			}
			o.Linger = int32(n) //nolint:gosec // CodeDeploy refuses what is too much
		default:
			return nil, unknown(word)
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

// scalingTeam is an Auto Scaling group: asg.
func scalingTeam(c teams.Common, options []string) (worker, error) {
	for _, word := range options {
		return nil, unknown(word)
	}
	return scaling.New(c), nil
}

// show reads a file of an instance, which is empty if there is none. It stands for
// a request to the instance's web server.
func (s *Story) show(instance, file string) (string, error) {
	s.aws.World.Lock()
	defer s.aws.World.Unlock()
	root, err := s.aws.CodeDeploy.Root(instance)
	if err != nil {
		return "", fmt.Errorf("look at %s: %w", instance, err)
	}
	text, err := os.ReadFile(filepath.Join(root, file)) //nolint:gosec // of the local AWS's own folder
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return string(text), err
}

// nativeTeam is a service whose traffic ECS shifts: ecs-native [blue-green|canary|linear]
// [hooks] [bake=MINUTES].
func nativeTeam(c teams.Common, options []string) (worker, error) {
	o := services.Options{Strategy: ecstypes.DeploymentStrategyBlueGreen, Bake: 5}
	for _, word := range options {
		minutes, bake := strings.CutPrefix(word, "bake=")
		switch {
		case bake:
			n, err := number([]string{minutes})
			if err != nil {
				return nil, err
			}
			o.Bake = int32(n) //nolint:gosec // ECS refuses what is too much
		case word == "blue-green":
		case word == "canary":
			o.Strategy = ecstypes.DeploymentStrategyCanary
		case word == "linear":
			o.Strategy = ecstypes.DeploymentStrategyLinear
		case word == "hooks":
			o.Hooks = true
		default:
			return nil, unknown(word)
		}
	}
	return services.New(c, o), nil
}
