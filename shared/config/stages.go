package config

import (
	"slices"
	"strings"

	"github.com/pullback-dev/pullback/shared/deploy"
)

// Pipeline is an order of stages.
type Pipeline struct {
	Name     string  `json:"name"`
	PullBack bool    `json:"pullBack"` // trouble in one stage also takes back what later stages run already
	Stages   []Stage `json:"stages"`
}

// Stage is targets that are deployed to together.
type Stage struct {
	Name    string   `json:"name"`
	Members []Member `json:"members"`
}

// Member is a target in a stage, and where it is. What Home leaves out is as
// where the file is in force.
type Member struct {
	Home

	Target deploy.Target `json:"target"`
}

// String returns "target", or "target in account/region".
func (m Member) String() string {
	switch {
	case m.Home == Home{}:
		return m.Target.String()
	case m.Account == "":
		return m.Target.String() + " in " + m.Region
	case m.Region == "":
		return m.Target.String() + " in " + m.Account
	default:
		return m.Target.String() + " in " + m.Account + "/" + m.Region
	}
}

// Position is a member's place in a pipeline.
type Position struct {
	Pipeline Pipeline // every member of it says where it is, as far as that is known
	Stage    int
}

// Here returns a target where the file is in force.
func (c Config) Here(t deploy.Target) Member { return Member{Home: c.Home, Target: t} }

// IsHere reports whether a member is where the file is in force.
func (c Config) IsHere(m Member) bool { return c.where(m).Home == c.Home }

// Elsewhere returns the buses of the peers but those where the file is in force: one
// file may name the buses of a whole fleet, and nobody tells himself.
func (c Config) Elsewhere() []string {
	return slices.DeleteFunc(slices.Clone(c.Peers), func(bus string) bool {
		parts := strings.Split(bus, ":")
		return len(parts) > 4 && Home{Account: parts[4], Region: parts[3]} == c.Home
	})
}

// Positions returns where a member is in the pipelines, in the file's order.
func (c Config) Positions(m Member) []Position {
	m = c.where(m)
	var all []Position
	for _, p := range c.Pipelines {
		p = c.located(p)
		for i, s := range p.Stages {
			for _, other := range s.Members {
				if other == m {
					all = append(all, Position{Pipeline: p, Stage: i})
				}
			}
		}
	}
	return all
}

// Next returns the stages that come right after a target of ours, one for each
// pipeline that it is in and in which it is not in the last stage.
func (c Config) Next(t deploy.Target) []Stage {
	var all []Stage
	for _, p := range c.Positions(c.Here(t)) {
		if after := p.After(); len(after) > 0 {
			all = append(all, after[0])
		}
	}
	return all
}

// Before returns the stages that are deployed to earlier, in order.
func (p Position) Before() []Stage { return p.Pipeline.Stages[:p.Stage] }

// After returns the stages that are deployed to later, in order.
func (p Position) After() []Stage { return p.Pipeline.Stages[p.Stage+1:] }

// located returns the pipeline with the place of every member.
func (c Config) located(p Pipeline) Pipeline {
	stages := make([]Stage, 0, len(p.Stages))
	for _, s := range p.Stages {
		members := make([]Member, 0, len(s.Members))
		for _, m := range s.Members {
			members = append(members, c.where(m))
		}
		stages = append(stages, Stage{Name: s.Name, Members: members})
	}
	p.Stages = stages
	return p
}

// where fills in what a member leaves out.
func (c Config) where(m Member) Member {
	if m.Account == "" {
		m.Account = c.Home.Account
	}
	if m.Region == "" {
		m.Region = c.Home.Region
	}
	return m
}
