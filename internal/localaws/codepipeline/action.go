package codepipeline

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cptypes "github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// The providers of actions.
const (
	providerS3         = "S3"
	providerManual     = "Manual"
	providerCodeDeploy = "CodeDeploy"
	providerLambda     = "Lambda"
)

// actionRun is one run of an action.
type actionRun struct {
	e       *execution
	id      string
	stage   string
	name    string
	status  cptypes.ActionExecutionStatus
	started time.Time
	updated time.Time
	by      string // who changed it last

	config    map[string]string // with variables filled in
	inputs    []artifact
	outputs   []artifact
	variables map[string]string

	summary      string
	externalID   string
	externalURL  string
	errorCode    string
	errorMessage string
	percent      *int32

	token        string // of an approval
	continuation string // of a job
	job          string // its id
	found        *revision

	next  wake // its next step
	limit wake // when it has taken too long
}

// newRun makes the next run of an action.
func (s *Service) newRun(r *stageRun, d *cptypes.ActionDeclaration) *actionRun {
	a := &actionRun{
		e: r.e, id: s.w.UUID(), stage: *r.e.place().Name, name: *d.Name, status: cptypes.ActionExecutionStatusInProgress,
		started: s.now(), updated: s.now(),
	}
	r.actions[a.name] = a
	r.e.actions = append(r.e.actions, a)
	return a
}

// declaration is what the structure says of the action.
func (a *actionRun) declaration() *cptypes.ActionDeclaration {
	stages := a.e.declaration().Stages
	for i := range stages {
		if *stages[i].Name != a.stage {
			continue
		}
		for j := range stages[i].Actions {
			if *stages[i].Actions[j].Name == a.name {
				return &stages[i].Actions[j]
			}
		}
	}
	panic("action " + a.name + " is not in its own pipeline")
}

// start begins a run: artifacts and variables are there, then the provider acts.
func (s *Service) start(ctx context.Context, a *actionRun) {
	d := a.declaration()
	a.started = s.now()
	for _, in := range d.InputArtifacts {
		a.inputs = append(a.inputs, a.e.artifacts[*in.Name])
	}
	s.tellAction(ctx, a, stateStarted)
	config, err := a.e.resolve(d.Configuration)
	if err != nil {
		s.fault(ctx, a, string(cptypes.FailureTypeConfigurationError), err.Error())
		return
	}
	a.config = config
	for _, out := range d.OutputArtifacts {
		a.outputs = append(a.outputs, s.place(a.e, *out.Name))
	}
	switch *d.ActionTypeId.Provider {
	case providerS3:
		s.wakeAt(&a.next, s.w.Now().Add(reading), func() { s.read(ctx, a) })
	case providerManual:
		s.ask(ctx, a)
	case providerCodeDeploy:
		s.deploy(ctx, a)
	case providerLambda:
		s.invoke(ctx, a)
	}
}

// place is where an artifact goes: the name of the pipeline and of the artifact
// are cut, and followed by seven letters (observed in the keys of artifacts).
func (s *Service) place(e *execution, name string) artifact {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	random := make([]byte, 7)
	for i := range random {
		random[i] = letters[s.w.Rand().IntN(len(letters))]
	}
	key := []string{cut(e.p.name, 20), cut(name, 10), string(random)}
	return artifact{name: name, bucket: *e.store().Location, key: strings.Join(key, "/")}
}

func cut(s string, n int) string { return s[:min(n, len(s))] }

// store is the artifact store.
func (e *execution) store() *cptypes.ArtifactStore {
	d := e.declaration()
	if d.ArtifactStore != nil {
		return d.ArtifactStore
	}
	for _, store := range d.ArtifactStores { // there is one: see checkStores
		return &store
	}
	return nil
}

// done ends a run well.
func (s *Service) done(ctx context.Context, a *actionRun) {
	s.calm(&a.next)
	s.calm(&a.limit)
	a.status, a.updated = cptypes.ActionExecutionStatusSucceeded, s.now()
	for _, out := range a.outputs {
		a.e.artifacts[out.name] = out
	}
	if n := aws.ToString(a.declaration().Namespace); n != "" {
		a.e.outputs[n] = a.variables
	}
	s.tellAction(ctx, a, stateSucceeded)
	s.settle(ctx, a.e.stages[a.stage])
}

// fault ends a run badly.
func (s *Service) fault(ctx context.Context, a *actionRun, code, message string) {
	s.calm(&a.next)
	s.calm(&a.limit)
	a.status, a.updated, a.errorCode, a.errorMessage = cptypes.ActionExecutionStatusFailed, s.now(), code, message
	if a.summary == "" {
		a.summary = message
	}
	s.tellAction(ctx, a, stateFailed)
	s.settle(ctx, a.e.stages[a.stage])
}

// late is the end of a run that has taken too long.
func (s *Service) late(ctx context.Context, a *actionRun) {
	message := "The action failed because it timed out."
	if a.job != "" {
		// The wording is AWS's.
		message = fmt.Sprintf("The AWS Lambda function %s failed to return a result. Check the function to verify that it has permission to call "+
			"the PutJobSuccessResult action and that it made a call to PutJobSuccessResult.", a.config["FunctionName"])
	}
	s.fault(ctx, a, string(cptypes.FailureTypeJobFailed), message)
}

// within sets the time after which a run has taken too long.
func (s *Service) within(ctx context.Context, a *actionRun, d time.Duration) {
	s.wakeAt(&a.limit, s.w.Now().Add(d), func() { s.late(ctx, a) })
}

// agent is who CodePipeline is when it acts for a run.
func (s *Service) agent(ctx context.Context, a *actionRun) (wire.Principal, error) {
	return s.who(ctx, a.e.declaration(), a.declaration().RoleArn)
}

// refused ends a run for which something could not be done.
func (s *Service) refused(ctx context.Context, a *actionRun, err error) {
	code, message := problem(err)
	s.fault(ctx, a, code, message)
}
