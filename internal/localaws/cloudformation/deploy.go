package cloudformation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"github.com/pullback-dev/pullback/internal/localaws/cloudformation/template"
)

// Input says what to deploy. [ReadAssembly] and [ReadTemplate] make one.
type Input struct {
	StackName  string
	Template   []byte // JSON or YAML
	Parameters map[string]string
	Assets     Assets
	Imports    map[string]string // what stacks elsewhere export, for Fn::ImportValue
	Options    Choices
}

// Choices are what a deployer may choose.
type Choices struct {
	// Replace may give another directory for the code of a function: the
	// template ships code for another architecture than this machine's. It is
	// called for each function whose code is an asset, with the function's
	// Metadata and the asset's directory, and returns a directory. Nil keeps
	// every directory.
	Replace func(logicalID string, metadata map[string]any, dir string) (string, error)
}

// ValidationError is every reason why a template cannot be deployed.
type ValidationError = template.ValidationError

// errCancelled is why an update is taken back that was cancelled.
var errCancelled = errors.New("the update was cancelled")

// Deploy makes or updates a stack, as "cdk deploy" does: it uploads the assets,
// then lets time pass until the stack is complete. What is ready at once takes
// no time. If something fails, what was made or changed is taken back and the
// error joins a *[ResourceError] for each failure; if the template cannot be
// deployed at all, the error is [ValidationError]. Call it without the world's
// lock.
func (s *Service) Deploy(ctx context.Context, in Input) (Stack, error) {
	t, err := template.Parse(in.Template)
	if err != nil {
		return Stack{}, fmt.Errorf("deploy %s: %w", in.StackName, err)
	}
	files, err := pack(t, in)
	if err != nil {
		return Stack{}, fmt.Errorf("deploy %s: %w", in.StackName, err)
	}
	s.world.Lock()
	defer s.world.Unlock()
	st, err := s.launch(ctx, in, files)
	if err == nil {
		err = s.await(ctx, st)
	}
	if err != nil {
		return Stack{}, fmt.Errorf("deploy %s: %w", in.StackName, err)
	}
	return st.public(), nil
}

// launch starts what Deploy waits for.
func (s *Service) launch(ctx context.Context, in Input, files packed) (*stack, error) {
	if err := checkName("stackName", in.StackName); err != nil {
		return nil, err
	}
	r := revision{Template: string(in.Template), Parameters: in.Parameters, Principal: self(), Code: files.replaced, Imports: in.Imports, Bootstrapped: true}
	st := s.find(in.StackName)
	fresh := st == nil || st.status == cfntypes.StackStatusRollbackComplete
	if fresh {
		st = s.blank(in.StackName, r)
	} else if err := st.updatable(); err != nil {
		return nil, err
	}
	p, err := s.plan(ctx, st, &r)
	if err != nil {
		return nil, err
	}
	if err := s.upload(ctx, p, files.uploads); err != nil {
		return nil, err
	}
	st.disableRollback, st.onFailure = false, cfntypes.OnFailureRollback
	switch {
	case fresh:
		s.replaceFailed(in.StackName)
		st.revision = r
		s.stacks = append(s.stacks, st)
		s.startCreate(st, p, &operation{swift: true})
	case st.op != nil || s.differs(st, r, p):
		s.startUpdate(st, r, p, &operation{swift: true})
	}
	return st, nil
}

// replaceFailed forgets a stack that never came to be.
func (s *Service) replaceFailed(name string) {
	if st := s.find(name); st != nil && st.op == nil {
		st.deleted = s.world.Now()
		s.turn(st, cfntypes.StackStatusDeleteComplete, "")
	}
}

// Delete removes a stack, except the resources with a DeletionPolicy that
// retains them. A resource that cannot be removed does not keep the others; the
// error joins a *[ResourceError] for each. Call it without the world's lock.
func (s *Service) Delete(ctx context.Context, name string) error {
	s.world.Lock()
	defer s.world.Unlock()
	st := s.find(name)
	if st == nil {
		return fmt.Errorf("delete %s: %w", name, noStack(name))
	}
	if !st.idle() {
		return fmt.Errorf("delete %s: it is in status %s", name, st.status)
	}
	s.startDelete(st, &operation{swift: true})
	if err := s.await(ctx, st); err != nil {
		return fmt.Errorf("delete %s: %w", name, err)
	}
	return nil
}

// await lets time pass until the stack's operation is over, and returns what
// went wrong in it. Who gives up waiting breaks it off.
func (s *Service) await(ctx context.Context, st *stack) error {
	for !st.idle() {
		err := s.pass(ctx, st)
		switch {
		case ctx.Err() != nil && !st.idle():
			st.op.stop, ctx = ctx.Err(), context.WithoutCancel(ctx) // half a stack helps nobody
		case err != nil:
			return err
		}
	}
	return st.last
}

// pass lets what is due happen, or some time pass if the stack waits for
// something.
func (s *Service) pass(ctx context.Context, st *stack) error {
	d := time.Duration(0)
	if st.op.waiting != "" || st.op.leaving != nil {
		d = pollEvery
	}
	s.world.Unlock()
	defer s.world.Lock()
	return s.world.Advance(ctx, d)
}

// Stacks returns what there is, by name. Call it with the world's lock held.
func (s *Service) Stacks() []Stack {
	var out []Stack
	for _, st := range s.stacks {
		if st.status != cfntypes.StackStatusDeleteComplete {
			out = append(out, st.public())
		}
	}
	slices.SortFunc(out, func(a, b Stack) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
	return out
}
