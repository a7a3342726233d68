// Package cloudformation is the local CloudFormation: stacks that come from
// templates, are changed, go back to what they were when a change fails, and
// go again. The real "cdk" and "aws" command lines work with it.
//
// It refuses more than CloudFormation does and ignores nothing: a resource
// type, property, attribute or intrinsic function that it does not know is an
// error that names it, before anything is made. [Service.Deploy] does in one
// call what "cdk deploy" does of a synthesized stack.
package cloudformation

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/smithy-go"

	"github.com/pullback-dev/pullback/internal/localaws/cloudformation/resource"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// principal is CloudFormation when it acts by itself.
const principal = "cloudformation.amazonaws.com"

// Service is the local CloudFormation.
type Service struct {
	world    *world.World
	caller   wire.Caller
	provider *resource.Provider `state:"-"`
	stacks   []*stack           // in the order in which they were made, the deleted ones too
}

// Options are what a CloudFormation is given besides the services that it calls.
type Options = resource.Options

// New makes a CloudFormation without stacks, which makes resources through c.
func New(w *world.World, c wire.Caller, o Options) *Service {
	return &Service{world: w, caller: c, provider: resource.New(w, c, o)}
}

// Wire describes the service to the mux.
func (s *Service) Wire() wire.Service {
	return wire.Service{
		Name:     "cloudformation",
		Protocol: wire.Query,
		Version:  "2010-05-15",
		Style:    wire.Pascal,
		Operations: []wire.Operation{
			wire.Op("CancelUpdateStack", s.cancelUpdate),
			wire.Op("ContinueUpdateRollback", s.continueRollback),
			wire.Op("CreateChangeSet", s.createChangeSet),
			wire.Op("CreateStack", s.createStack),
			wire.Op("DeleteChangeSet", s.deleteChangeSet),
			wire.Op("DeleteStack", s.deleteStack),
			wire.Op("DescribeChangeSet", s.describeChangeSet),
			wire.Op("DescribeStackEvents", s.describeEvents),
			wire.Op("DescribeStackResource", s.describeResource),
			wire.Op("DescribeStackResources", s.describeResources),
			wire.Op("DescribeStacks", s.describeStacks),
			wire.Op("ExecuteChangeSet", s.executeChangeSet),
			wire.Op("GetTemplate", s.getTemplate),
			wire.Op("GetTemplateSummary", s.getTemplateSummary),
			wire.Op("ListChangeSets", s.listChangeSets),
			wire.Op("ListExports", s.listExports),
			wire.Op("ListImports", s.listImports),
			wire.Op("ListStackResources", s.listResources),
			wire.Op("ListStacks", s.listStacks),
			wire.Op("RollbackStack", s.rollbackStack),
			wire.Op("UpdateStack", s.updateStack),
			wire.Op("UpdateTerminationProtection", s.updateProtection),
			wire.Op("ValidateTemplate", s.validateTemplate),
		},
	}
}

// invalid is CloudFormation's error for nearly everything.
func invalid(format string, args ...any) error {
	return &smithy.GenericAPIError{Code: "ValidationError", Message: fmt.Sprintf(format, args...), Fault: smithy.FaultClient}
}

// noStack is the error of a stack that is not there. The AWS CLI and the CDK
// look for these words.
func noStack(name string) error { return invalid("Stack with id %s does not exist", name) }

// find returns the stack of that name or id. A name means a stack that has not
// been deleted.
func (s *Service) find(name string) *stack {
	for _, st := range slices.Backward(s.stacks) {
		if st.id == name || st.name == name && st.status != cfntypes.StackStatusDeleteComplete {
			return st
		}
	}
	return nil
}

// get is find for what must be there.
func (s *Service) get(name *string) (*stack, error) {
	st := s.find(aws.ToString(name))
	if st == nil {
		return nil, noStack(aws.ToString(name))
	}
	return st, nil
}

// exports returns what all stacks export, by name.
func (s *Service) exports() map[string]export {
	out := map[string]export{}
	for _, st := range s.stacks {
		if st.status == cfntypes.StackStatusDeleteComplete {
			continue
		}
		for _, o := range st.outputs {
			if name := aws.ToString(o.ExportName); name != "" {
				out[name] = export{value: aws.ToString(o.OutputValue), stack: st}
			}
		}
	}
	return out
}

type export struct {
	value string
	stack *stack
}

// importers returns the names of the stacks that import an export, sorted.
func (s *Service) importers(name string) []string {
	var out []string
	for _, st := range s.stacks {
		if st.status != cfntypes.StackStatusDeleteComplete && slices.Contains(st.imports, name) {
			out = append(out, st.name)
		}
	}
	slices.Sort(out)
	return out
}

// context is what a stack operation's calls run in: the request that began it
// may be over.
func (s *Service) context() context.Context {
	return context.Background() //nolint:forbidigo // a timer has no request whose context it could have
}

// soon lets the next step of a stack's operation happen.
func (s *Service) soon(st *stack, after time.Duration) {
	s.world.After(after, func() { s.step(st) })
}

// keys returns the keys of m in order.
func keys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
