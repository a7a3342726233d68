package codepipeline

import (
	"context"
	"slices"
	"time"

	cptypes "github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

// hop is the way to a stage; assumed.
const hop = time.Second

// patience is how long a transition may be closed: "Pipeline execution won't
// resume for a transition that has been disabled more than 30 days" (user guide,
// "Working with stage transitions in CodePipeline").
const patience = 30 * 24 * time.Hour

// begin starts an execution.
func (s *Service) begin(ctx context.Context, e *execution) {
	e.p.executions = append(e.p.executions, e)
	s.tellPipeline(ctx, e, stateStarted)
	s.approach(ctx, e, 0)
}

// approach lets an execution wait for a stage.
func (s *Service) approach(ctx context.Context, e *execution, stage int) {
	e.phase, e.stage, e.ready = waiting, stage, false
	s.wakeAt(&e.next, s.w.Now().Add(hop), func() { s.arrive(ctx, e) })
}

func (s *Service) arrive(ctx context.Context, e *execution) {
	e.ready = true
	s.admit(ctx, e.p)
}

// admit lets those who wait enter the stages that are free.
func (s *Service) admit(ctx context.Context, p *pipeline) {
	for i := range slices.Backward(p.current().Stages) {
		s.admitTo(ctx, p, i)
	}
}

// admitTo follows the rules of the user guide, "How pipeline executions work": a
// stage has one execution at a time, others wait in front of it, and in mode
// SUPERSEDED the newest of them overtakes the others. In mode PARALLEL nobody
// waits for anybody.
func (s *Service) admitTo(ctx context.Context, p *pipeline, stage int) {
	queue := p.queue(stage)
	if p.mode() == cptypes.ExecutionModeSuperseded && len(queue) > 1 {
		for _, e := range queue[:len(queue)-1] {
			s.end(ctx, e, cptypes.PipelineExecutionStatusSuperseded)
			s.tellPipeline(ctx, e, stateSuperseded)
		}
		queue = queue[len(queue)-1:]
	}
	if len(queue) == 0 || !p.open(stage) || p.mode() != cptypes.ExecutionModeParallel && p.occupied(stage) {
		return
	}
	if p.mode() != cptypes.ExecutionModeParallel {
		queue = queue[:1]
	}
	for _, e := range queue {
		s.enter(ctx, e)
	}
}

// queue are those who wait in front of a stage, oldest first.
func (p *pipeline) queue(stage int) []*execution {
	var all []*execution
	for _, e := range p.executions {
		if e.phase == waiting && e.stage == stage && e.ready {
			all = append(all, e)
		}
	}
	return all
}

// occupied says whether an execution is in a stage.
func (p *pipeline) occupied(stage int) bool {
	return slices.ContainsFunc(p.executions, func(e *execution) bool { return e.phase == inside && e.stage == stage })
}

// stageRun is how an execution fares in a stage.
type stageRun struct {
	e          *execution
	status     cptypes.StageExecutionStatus
	started    time.Time
	retried    time.Time
	auto       int32 // retries by itself
	manual     int32 // and by somebody
	retry      cptypes.RetryTrigger
	order      int32                 // the run order that is in progress
	actions    map[string]*actionRun // the last one by action
	conditions map[string]*conditionRun
}

// enter lets an execution into its stage.
func (s *Service) enter(ctx context.Context, e *execution) {
	d := e.place()
	s.calm(&e.next)
	e.phase, e.updated = inside, s.now()
	r := &stageRun{
		e: e, status: cptypes.StageExecutionStatusInProgress, started: s.now(), actions: map[string]*actionRun{}, conditions: map[string]*conditionRun{},
	}
	e.stages[*d.Name] = r
	e.p.latest[*d.Name] = e
	s.tellStage(ctx, r, stateStarted)
	if d.BeforeEntry != nil && e.kind == cptypes.ExecutionTypeStandard {
		s.check(ctx, r, beforeEntry, d.BeforeEntry.Conditions[0])
		return
	}
	s.proceed(ctx, r)
}

// proceed starts the actions of the next run order, or ends the stage when there
// are none.
func (s *Service) proceed(ctx context.Context, r *stageRun) {
	d, next := r.e.place(), int32(0)
	for _, a := range d.Actions {
		if o := *a.RunOrder; o > r.order && (next == 0 || o < next) {
			next = o
		}
	}
	if next == 0 {
		s.acted(ctx, r)
		return
	}
	r.order = next
	s.act(ctx, r, func(*actionRun) bool { return true })
}

// act runs the chosen actions of the run order that is in progress; one that has
// not run yet is chosen by nil.
func (s *Service) act(ctx context.Context, r *stageRun, chosen func(last *actionRun) bool) {
	var runs []*actionRun
	for i := range r.e.place().Actions {
		if d := &r.e.place().Actions[i]; *d.RunOrder == r.order && chosen(r.actions[*d.Name]) {
			runs = append(runs, s.newRun(r, d))
		}
	}
	for _, a := range runs { // all of them are in progress before one can fail
		if a.status == cptypes.ActionExecutionStatusInProgress {
			s.start(ctx, a)
		}
	}
}

// settle goes on when the actions of a run order have ended.
func (s *Service) settle(ctx context.Context, r *stageRun) {
	failed := false
	for _, d := range r.e.place().Actions {
		a := r.actions[*d.Name]
		if a == nil || *d.RunOrder != r.order {
			continue
		}
		if a.status == cptypes.ActionExecutionStatusInProgress {
			return
		}
		failed = failed || a.status != cptypes.ActionExecutionStatusSucceeded
	}
	switch {
	case r.e.status == cptypes.PipelineExecutionStatusStopping:
		s.stopped(ctx, r)
	case failed:
		s.unlucky(ctx, r)
	default:
		s.proceed(ctx, r)
	}
}

// acted is called when all actions have succeeded.
func (s *Service) acted(ctx context.Context, r *stageRun) {
	if d := r.e.place(); d.OnSuccess != nil && r.e.kind == cptypes.ExecutionTypeStandard {
		s.check(ctx, r, onSuccess, d.OnSuccess.Conditions[0])
		return
	}
	s.succeed(ctx, r)
}

// succeed ends a stage well. A rollback ends with its stage.
func (s *Service) succeed(ctx context.Context, r *stageRun) {
	r.status = cptypes.StageExecutionStatusSucceeded
	s.tellStage(ctx, r, stateSucceeded)
	s.leave(ctx, r.e)
}

// leave lets an execution go on to the next stage, if there is one for it.
func (s *Service) leave(ctx context.Context, e *execution) {
	e.updated = s.now()
	if last := len(e.declaration().Stages) - 1; e.stage < last && e.kind == cptypes.ExecutionTypeStandard {
		s.approach(ctx, e, e.stage+1)
	} else {
		s.end(ctx, e, cptypes.PipelineExecutionStatusSucceeded)
		s.tellPipeline(ctx, e, stateSucceeded)
	}
	s.admit(ctx, e.p)
}

// end ends an execution.
func (s *Service) end(_ context.Context, e *execution, status cptypes.PipelineExecutionStatus) {
	s.drop(e)
	e.status, e.updated = status, s.now()
}

// drop forgets what an execution waits for.
func (s *Service) drop(e *execution) {
	e.phase = over
	s.calm(&e.next)
	for _, a := range e.actions {
		s.calm(&a.next)
		s.calm(&a.limit)
	}
	for _, d := range e.declaration().Stages {
		if r := e.stages[*d.Name]; r != nil {
			for _, k := range r.conditions {
				s.calm(&k.next)
			}
		}
	}
}

// cancel ends an execution whose pipeline was changed.
func (s *Service) cancel(ctx context.Context, e *execution) {
	in := e.phase == inside
	s.end(ctx, e, cptypes.PipelineExecutionStatusCancelled)
	if in {
		r := e.stages[*e.place().Name]
		s.abandon(ctx, r, stateCanceled)
		r.status = cptypes.StageExecutionStatusCancelled
		s.tellStage(ctx, r, stateCanceled)
	}
	s.tellPipeline(ctx, e, stateCanceled)
}

// abandon gives up what is in progress in a stage, without asking those who do it.
func (s *Service) abandon(ctx context.Context, r *stageRun, state string) {
	for _, d := range r.e.place().Actions {
		if a := r.actions[*d.Name]; a != nil && a.status == cptypes.ActionExecutionStatusInProgress {
			s.calm(&a.next)
			s.calm(&a.limit)
			a.status, a.updated = cptypes.ActionExecutionStatusAbandoned, s.now()
			s.tellAction(ctx, a, state)
		}
	}
	s.giveUp(r)
}
