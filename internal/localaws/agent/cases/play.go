package cases

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/pullback-dev/pullback/internal/localaws/agent"
)

// Where things are on the instance that a case is played on.
const (
	target       = "/srv/target"
	defaultGroup = "dg1"
)

// Options say where a case is played.
type Options struct {
	Dir        string // an empty folder for the instance
	Unconfined bool   // see agent.Options
}

// ErrRefused is a case with scripts that could not be played confined.
var ErrRefused = errors.New("it cannot be played here")

// player is a case being played.
type player struct {
	c     Case
	host  *agent.Host
	in    *strings.Replacer // TARGET and ROOT become paths of the instance
	out   *strings.Replacer // and the other way round
	base  string            // in front of the instance's paths on this machine
	agent string            // the agent's folder on the instance
	to    string            // TARGET on the instance
}

// Play plays a case on an instance of its own and returns what differs from
// the recording.
func Play(ctx context.Context, c Case, o Options) ([]Difference, error) {
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, err
	}
	p := &player{c: c, base: dir, agent: agent.DefaultDir, to: target}
	if o.Unconfined {
		// Its scripts know no other paths than those of this machine.
		p.base, p.agent, p.to = "", dir+agent.DefaultDir, dir+target
	}
	root := p.base
	if root == "" {
		root = "/"
	}
	p.host = agent.New(root, agent.Options{MaxRevisions: c.MaxRevisions, Dir: p.agent, Unconfined: o.Unconfined})
	p.in = strings.NewReplacer("TARGET", p.to, "ROOT", p.agent)
	p.out = strings.NewReplacer(p.to, "TARGET", p.agent, "ROOT")
	found, err := p.play(ctx)
	if err := errors.Join(err, p.host.Close()); err != nil {
		return nil, fmt.Errorf("play %s: %w", c.Name, err)
	}
	return found, nil
}

func (p *player) play(ctx context.Context) ([]Difference, error) {
	if err := p.prepare(); err != nil {
		return nil, err
	}
	var found []Difference
	for _, d := range p.c.Deployments {
		if d.Group == "" {
			d.Group = defaultGroup
		}
		for _, o := range d.Before {
			if err := p.operate(o, d.Group); err != nil {
				return nil, fmt.Errorf("before %s: %s: %w", d.ID, o.Op, err)
			}
		}
		got, err := p.deploy(ctx, d)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", d.ID, err)
		}
		differences, err := compare(*d.Observed, got)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", d.ID, err)
		}
		for _, x := range differences {
			x.Case, x.Deployment = p.c.Name, d.ID
			found = append(found, x)
		}
	}
	return found, nil
}

// prepare puts on the host what was there before the first deployment.
func (p *player) prepare() error {
	dir := filepath.Dir(p.base + p.to)
	if p.c.TargetExists || len(p.c.PreExisting) > 0 {
		dir = p.base + p.to
	}
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // folders of the instance
		return err
	}
	for _, f := range p.c.PreExisting {
		if err := p.put(f); err != nil {
			return err
		}
	}
	return nil
}

func (p *player) put(f File) error {
	at := filepath.Join(p.base+p.to, f.Path)
	if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil { //nolint:gosec // folders of the instance
		return err
	}
	switch f.Type {
	case "dir":
		return os.MkdirAll(at, 0o755) //nolint:gosec // the same
	case "symlink":
		return os.Symlink(p.in.Replace(f.Link), at)
	}
	mode, err := octal(f.Mode)
	if err != nil {
		return err
	}
	content := ""
	if f.Content != nil {
		content = p.in.Replace(*f.Content)
	}
	// A new file, as a person's editor makes it: not the bytes of the old one
	// with its times.
	if err := os.RemoveAll(at); err != nil {
		return err
	}
	if err := os.WriteFile(at, []byte(content), mode); err != nil {
		return err
	}
	return os.Chmod(at, mode)
}

func (p *player) operate(o Operation, group string) error {
	switch o.Op {
	case "write":
		return p.put(File{Path: o.Path, Content: &o.Content, Mode: o.Mode})
	case "delete":
		return os.RemoveAll(filepath.Join(p.base+p.to, o.Path))
	case "delete_archive":
		return os.RemoveAll(filepath.Join(p.base+p.agent, group, o.Deployment, "deployment-archive"))
	default:
		f, err := os.OpenFile(p.ofGroup(group, "-cleanup"), os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o644) //nolint:gosec // as the agent's
		if err != nil {
			return err
		}
		_, err = f.WriteString(p.in.Replace(o.Text))
		return errors.Join(err, f.Close())
	}
}

// deploy runs the events of a deployment until one fails, and looks around.
func (p *player) deploy(ctx context.Context, d Deployment) (Observation, error) {
	b, err := bundle(p.revision(d.Revision), p.in)
	if err != nil {
		return Observation{}, err
	}
	spec := agent.Deployment{
		ID: d.ID, ApplicationName: "app", GroupID: d.Group, GroupName: "group", Creator: "user", DeploymentType: "IN_PLACE",
		FileExistsBehavior: d.FileExistsBehavior, Bundle: agent.Bundle{Bytes: b, Type: "tar"},
	}
	events := d.Events
	if events == nil {
		events = []string{"ApplicationStop", "DownloadBundle", "BeforeInstall", "Install", "AfterInstall", "ApplicationStart", "ValidateService"}
	}
	got := Observation{Result: "ok"}
	for _, e := range events {
		got.Started = append(got.Started, e)
		if x := p.host.Run(ctx, e, spec).Diagnostics; x != nil {
			if x.Class == agent.Refused {
				return Observation{}, fmt.Errorf("%w: %s", ErrRefused, x.Message)
			}
			if err := ctx.Err(); err != nil {
				return Observation{}, err
			}
			got.Result, got.FailedEvent = "failed", e
			got.ErrorClass, got.Error = x.Class, p.out.Replace(x.Message)
			if x.Class == "ScriptError" {
				got.ErrorCode = x.Code
			}
			break
		}
	}
	return got, p.observe(&got, d)
}

func (p *player) revision(name string) Revision {
	r := p.c.Revisions[name]
	if r.AppSpec != nil {
		text := p.in.Replace(*r.AppSpec)
		r.AppSpec = &text
	}
	return r
}
