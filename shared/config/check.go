package config

import (
	"fmt"
	"strings"

	"github.com/pullback-dev/pullback/shared/deploy"
)

// config makes a Config of what was decoded. Where something was wrong, the
// result is as good as it can be and is not used.
func (d *decoder) config(f File) Config {
	c := Default()
	c.Changes, c.Peers = d.changes(f.Defaults, "defaults"), f.Peers
	for i, t := range f.Targets {
		function, name, _ := strings.Cut(t.Alias, ":")
		c.Entries = append(c.Entries, Entry{
			Target: d.target(t.Target), Alias: deploy.Alias{Function: function, Name: name}, Alarms: t.Alarms, OneWay: t.OneWay,
			Changes: d.changes(t.Policy, fmt.Sprintf("targets[%d].policy", i)),
		})
	}
	for _, p := range f.Pipelines {
		made := Pipeline{Name: p.Name, PullBack: p.PullBack}
		for _, s := range p.Stages {
			stage := Stage{Name: s.Name}
			for _, m := range s.Targets {
				stage.Members = append(stage.Members, Member{Home: Home{Account: m.Account, Region: m.Region}, Target: d.target(m.Target)})
			}
			made.Stages = append(made.Stages, stage)
		}
		c.Pipelines = append(c.Pipelines, made)
	}
	return c
}

// target reads a target that the pattern has let through already.
func (*decoder) target(text string) deploy.Target {
	t, err := deploy.ParseTarget(text)
	if err != nil {
		return deploy.Target{} // reported when it was decoded
	}
	return t
}

// check looks at what no value by itself can get wrong.
func (d *decoder) check(c Config, f File) {
	d.needs(c.Defaults().Policy, "defaults")
	targets := d.once()
	for i, e := range c.Entries {
		path := fmt.Sprintf("targets[%d]", i)
		targets(f.Targets[i].Target, path+".target")
		if f.Targets[i].Alias != "" && e.Target.Kind != deploy.KindGroup {
			d.problemAt(d.at[path+".alias"], path+".alias", "only a deployment group (APPLICATION/GROUP) needs to be told its alias; %s is none", e.Target)
		}
		revisions := d.once()
		for j, w := range e.OneWay {
			revisions(w.Revision, fmt.Sprintf("%s.oneWay[%d].revision", path, j))
		}
		if len(e.Changes) > 0 {
			d.needs(c.policy(e.Target), path+".policy")
		}
	}
	pipelines := d.once()
	for i, p := range c.Pipelines {
		path := fmt.Sprintf("pipelines[%d]", i)
		pipelines(p.Name, path+".name")
		d.stages(p, path)
	}
}

func (d *decoder) stages(p Pipeline, path string) {
	names, members := d.once(), d.once()
	for i, s := range p.Stages {
		here := fmt.Sprintf("%s.stages[%d]", path, i)
		names(s.Name, here+".name")
		for j, m := range s.Members {
			members(m.String(), fmt.Sprintf("%s.targets[%d]", here, j))
		}
	}
}

// once returns a function that reports what it is told a second time. What is
// empty was wrong and has been reported.
func (d *decoder) once() func(name, path string) {
	seen := map[string]place{}
	return func(name, path string) {
		at, said := d.at[path]
		if first, twice := seen[name]; twice && said {
			d.problemAt(at, path, "%s is already on line %d", name, first.line)
			return
		}
		if name != "" && said {
			seen[name] = at
		}
	}
}

// needs reports what a policy lacks for what it asks for.
func (d *decoder) needs(p Policy, path string) {
	lacks := p.lacks()
	if lacks == "" {
		return
	}
	for _, key := range []string{join(path, "restorePoint.kind"), join(path, "restorePoint"), path} {
		if at, said := d.at[key]; said {
			d.problemAt(at, key, "%s", lacks)
			return
		}
	}
}

// lacks says what is missing for a restore point of the policy's kind.
func (p Policy) lacks() string {
	r := p.RestorePoint
	switch {
	case r.Kind == Backup && (r.Vault == "" || r.Role == ""):
		return "a backup needs restorePoint.vault and restorePoint.role"
	case r.Kind == Backup && r.Wait:
		return "restorePoint.wait is for snapshots: a backup job may wait for hours before it begins"
	case r.Kind != NoRestorePoint && r.VolumesOf == OfNobody && len(r.Resources) == 0:
		return "there is nothing to keep: set restorePoint.volumesOf to instances, or name restorePoint.resources"
	case r.Kind == Snapshots:
		return r.noVolume()
	default:
		return ""
	}
}

// noVolume says what has no snapshots.
func (r RestorePoint) noVolume() string {
	for _, arn := range r.Resources {
		if !strings.Contains(arn, ":ec2:") || !strings.Contains(arn, ":volume/") {
			return "snapshots are of EBS volumes, which " + arn + " is not: take kind backup"
		}
	}
	return ""
}
