package agent

import "context"

// request is an event for an instance.
type request struct {
	Event      string
	Deployment Deployment
	Stamp      string // the time for the script log
}

// run carries an event out.
func (a *agent) run(ctx context.Context, r request) Outcome {
	noop, err := a.carryOut(ctx, r)
	if err != nil {
		return Outcome{Diagnostics: diagnose(err)}
	}
	return Outcome{Noop: noop}
}

func (a *agent) carryOut(ctx context.Context, r request) (noop bool, err error) {
	if err := check(r.Event, r.Deployment); err != nil {
		return false, err
	}
	if err := a.tree.mkdirAll(a.deploymentDir(r.Deployment)); err != nil {
		return false, err
	}
	switch r.Event {
	case downloadBundle:
		return false, a.download(r.Deployment)
	case install:
		return false, a.install(r.Deployment)
	}
	h, err := a.hook(r.Event, r.Deployment)
	if err != nil || h == nil {
		return err == nil, err
	}
	return false, h.run(ctx, r.Stamp)
}
