package scenario

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/pullback-dev/pullback/internal/teams"
	"github.com/pullback-dev/pullback/internal/teams/pipelines"
)

// A kind of team makes one out of what all teams have and the options that are
// its own.
type kind func(c teams.Common, options []string) (worker, error)

type worker interface {
	team
	memory
}

func (s *Story) kinds() map[string]kind {
	return map[string]kind{
		"alias": s.aliasTeam, "asg": scalingTeam, "codedeploy-ecs": tasksetsTeam, "codedeploy-server": s.serversTeam,
		"codedeploy-server-bluegreen": s.serversTeam, "ecs-native": nativeTeam, "ecs-rolling": rollingTeam, "stack": s.stackTeam, "stack-ecs": stackServiceTeam,
	}
}

// install lets a team set up: install [KIND] [OPTION …] [as NAME].
func (s *Story) install(ctx context.Context, args []string) error {
	name := ""
	if n := len(args); n > 1 && args[n-2] == "as" {
		args, name = args[:n-2], args[n-1]
	}
	all, err := s.hire(name, args)
	if err != nil {
		return err
	}
	for _, c := range slices.Backward(all) { // the words speak of the first
		if err := s.add(c); err != nil {
			return err
		}
	}
	return s.crew.Install(ctx)
}

// hire makes a team that has not installed anything yet. One with a pipeline is
// as many as it has stages.
func (s *Story) hire(name string, args []string) ([]*crew, error) {
	what, words := "lambda", args
	if len(args) > 0 && (s.kinds()[args[0]] != nil || args[0] == "pipeline" || args[0] == "lambda") {
		what, words = args[0], args[1:]
	}
	if what == "lambda" {
		c, locked, err := shopChoices(words)
		return []*crew{s.lambda(cmp.Or(name, "checkout"), c, locked)}, err
	}
	c := teams.Common{Name: cmp.Or(name, "shop"), Account: s.aws.World.Account, Config: s.config, Wait: s.aws.World.Advance}
	words = options(&c, words)
	if c.Errors && !strings.Contains(what, "ecs") {
		return nil, fmt.Errorf("install %s: nobody counts the requests that fail", what)
	}
	if what == "pipeline" {
		return s.stages(c, name, words)
	}
	if what == "codedeploy-server-bluegreen" {
		words = append([]string{"blue-green"}, words...)
	}
	t, err := s.kinds()[what](c, words)
	if err != nil {
		return nil, fmt.Errorf("install %s: %w", what, err)
	}
	return []*crew{{team: t, memory: t, name: c.Name}}, nil
}

// stages are the crews of a pipeline's stages: staging and prod, after the name of
// the pipeline if it has one: pipeline [instances=NUMBER].
func (s *Story) stages(c teams.Common, name string, words []string) ([]*crew, error) {
	o := pipelines.Options{Show: s.aws.File}
	for _, word := range words {
		if err := counted(word, "instances", &o.Instances); err != nil {
			return nil, fmt.Errorf("install pipeline: %w", err)
		}
	}
	p := pipelines.New(c, o)
	var all []*crew
	for i, stage := range pipelines.Names() {
		if name != "" {
			stage = name + "-" + stage
		}
		t := p.Stage(i)
		all = append(all, &crew{team: t, memory: t, name: stage})
	}
	for _, one := range all {
		one.with = all
	}
	return all, nil
}

// options reads the options that every kind knows and returns the others.
func options(c *teams.Common, words []string) []string {
	return slices.DeleteFunc(slices.Clone(words), func(word string) bool {
		switch word {
		case "untagged":
			c.Untagged = true
		case "no-alarm":
			c.NoAlarm = true
		case "errors":
			c.Errors = true
		case "aws-rolls-back":
			c.Alarms = true
		default:
			return false
		}
		return true
	})
}
