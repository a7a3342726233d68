package scenario

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/pullback-dev/pullback/internal/teams"
	"github.com/pullback-dev/pullback/internal/teams/servers"
	"github.com/pullback-dev/pullback/internal/teams/services"
	"github.com/pullback-dev/pullback/internal/teams/tasksets"
)

// unknown is the error about an option.
func unknown(option string) error { return fmt.Errorf("there is no option %q", option) }

// rolling is a service whose tasks ECS replaces: ecs-rolling [circuit-breaker].
func rolling(c teams.Common, options []string) (worker, error) {
	o := services.Options{}
	for _, word := range options {
		if word != "circuit-breaker" {
			return nil, unknown(word)
		}
		o.Breaker = true
	}
	return services.New(c, o), nil
}

// tasksetsOf is a service that CodeDeploy deploys: codedeploy-ecs [canary] [hooks]
// [wait=MINUTES].
func tasksetsOf(c teams.Common, options []string) (worker, error) {
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

// servers are instances that CodeDeploy deploys to: codedeploy-server.
func (s *Story) servers(c teams.Common, options []string) (worker, error) {
	for _, word := range options {
		return nil, unknown(word)
	}
	return servers.New(c, servers.Options{Show: s.show}), nil
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

// native is a service whose traffic ECS shifts: ecs-native [blue-green|canary|linear]
// [hooks] [bake=MINUTES].
func native(c teams.Common, options []string) (worker, error) {
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
