package scenario

import (
	"context"
	"fmt"
	"slices"

	"github.com/pullback-dev/pullback/internal/teams"
)

// A kind of team makes one out of what all teams have and the options that are
// its own.
type kind func(c teams.Common, options []string) (worker, error)

type worker interface {
	team
	memory
}

func (s *Story) kinds() map[string]kind {
	return map[string]kind{"codedeploy-ecs": tasksetsOf, "codedeploy-server": s.servers, "ecs-native": native, "ecs-rolling": rolling}
}

// install lets a team set up: install [KIND] [OPTION …] [as NAME].
func (s *Story) install(ctx context.Context, args []string) error {
	name := ""
	if n := len(args); n > 1 && args[n-2] == "as" {
		args, name = args[:n-2], args[n-1]
	}
	c, err := s.hire(name, args)
	if err != nil {
		return err
	}
	if err := s.add(c); err != nil {
		return err
	}
	return c.Install(ctx)
}

// hire makes a team that has not installed anything yet.
func (s *Story) hire(name string, args []string) (*crew, error) {
	var of kind
	if len(args) > 0 {
		of = s.kinds()[args[0]]
	}
	if of == nil {
		if len(args) > 0 && args[0] == "lambda" {
			args = args[1:]
		}
		if name == "" {
			name = "checkout"
		}
		c, err := shopChoices(args)
		return s.lambda(name, c), err
	}
	if name == "" {
		name = "shop"
	}
	c := teams.Common{Name: name, Account: s.aws.World.Account, Config: s.config, Wait: s.aws.World.Advance}
	words := options(&c, args[1:])
	t, err := of(c, words)
	if err != nil {
		return nil, fmt.Errorf("install %s: %w", args[0], err)
	}
	return &crew{team: t, memory: t, name: name}, nil
}

// options reads the options that every kind knows and returns the others.
func options(c *teams.Common, words []string) []string {
	return slices.DeleteFunc(slices.Clone(words), func(word string) bool {
		switch word {
		case "untagged":
			c.Untagged = true
		case "no-alarm":
			c.NoAlarm = true
		case "aws-rolls-back":
			c.Alarms = true
		default:
			return false
		}
		return true
	})
}
