package cloudformation

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// The sizes of pages. Own choice: AWS says up to 1 MB.
const (
	stacksPage = 100
	eventsPage = 100
)

func (s *Service) describeStacks(_ *wire.Call, in *cloudformation.DescribeStacksInput) (*cloudformation.DescribeStacksOutput, error) {
	if in.StackName != nil {
		st, err := s.get(in.StackName)
		if err != nil {
			return nil, err
		}
		return &cloudformation.DescribeStacksOutput{Stacks: []cfntypes.Stack{st.describe()}}, nil
	}
	var all []cfntypes.Stack
	for _, st := range slices.Backward(s.stacks) {
		if st.status != cfntypes.StackStatusDeleteComplete {
			all = append(all, st.describe())
		}
	}
	out, next, err := page(all, in.NextToken, stacksPage)
	return &cloudformation.DescribeStacksOutput{Stacks: out, NextToken: next}, err
}

func (st *stack) describe() cfntypes.Stack {
	return cfntypes.Stack{
		StackId: &st.id, StackName: &st.name, CreationTime: &st.created, LastUpdatedTime: optionalTime(st.updated),
		DeletionTime: optionalTime(st.deleted), StackStatus: st.status, StackStatusReason: optional(st.reason),
		Description: optional(st.revision.Description), Parameters: st.revision.parameters(), Tags: listed(st.revision.Tags),
		Capabilities: st.revision.Capabilities, NotificationARNs: listed(st.revision.Notify), RoleARN: optional(st.revision.RoleARN),
		Outputs: st.outputs, ChangeSetId: optional(st.changeSet), DisableRollback: &st.disableRollback,
		EnableTerminationProtection: &st.protected, RetainExceptOnCreate: optionalBool(st.retainOnCreate),
		RollbackConfiguration: &cfntypes.RollbackConfiguration{},
		DriftInformation:      &cfntypes.StackDriftInformation{StackDriftStatus: cfntypes.StackDriftStatusNotChecked},
	}
}

// listed is a list that travels even if it is empty, as AWS sends these.
func listed[T any](all []T) []T {
	if all == nil {
		return []T{}
	}
	return all
}

func optionalBool(b bool) *bool {
	if !b {
		return nil
	}
	return &b
}

// parameters lists the parameters as they are shown: those with NoEcho as
// asterisks (CloudFormation template reference, "Parameters section").
func (r *revision) parameters() []cfntypes.Parameter {
	var out []cfntypes.Parameter
	for _, name := range keys(r.Parameters) {
		p := cfntypes.Parameter{ParameterKey: &name, ParameterValue: aws.String(r.Parameters[name])}
		if v, ok := r.Resolved[name]; ok {
			p.ResolvedValue = &v
		}
		if r.Hidden[name] {
			p.ParameterValue = aws.String("****")
		}
		out = append(out, p)
	}
	return out
}

func (s *Service) listStacks(_ *wire.Call, in *cloudformation.ListStacksInput) (*cloudformation.ListStacksOutput, error) {
	var all []cfntypes.StackSummary
	for _, st := range slices.Backward(s.stacks) {
		if len(in.StackStatusFilter) > 0 && !slices.Contains(in.StackStatusFilter, st.status) {
			continue
		}
		all = append(all, cfntypes.StackSummary{
			StackId: &st.id, StackName: &st.name, CreationTime: &st.created, LastUpdatedTime: optionalTime(st.updated),
			DeletionTime: optionalTime(st.deleted), StackStatus: st.status, StackStatusReason: optional(st.reason),
			TemplateDescription: optional(st.revision.Description),
			DriftInformation:    &cfntypes.StackDriftInformationSummary{StackDriftStatus: cfntypes.StackDriftStatusNotChecked},
		})
	}
	out, next, err := page(all, in.NextToken, stacksPage)
	return &cloudformation.ListStacksOutput{StackSummaries: out, NextToken: next}, err
}

func (s *Service) describeEvents(_ *wire.Call, in *cloudformation.DescribeStackEventsInput) (*cloudformation.DescribeStackEventsOutput, error) {
	st := s.find(aws.ToString(in.StackName))
	if st == nil {
		return nil, invalid("Stack [%s] does not exist", aws.ToString(in.StackName))
	}
	newest := slices.Clone(st.events)
	slices.Reverse(newest)
	out, next, err := page(newest, in.NextToken, eventsPage)
	return &cloudformation.DescribeStackEventsOutput{StackEvents: out, NextToken: next}, err
}

// shown returns a stack's resources by logical id.
func (st *stack) shown() []*member {
	out := slices.Clone(st.resources)
	slices.SortFunc(out, func(a, b *member) int {
		if a.LogicalID < b.LogicalID {
			return -1
		}
		return 1
	})
	return out
}

func (s *Service) listResources(_ *wire.Call, in *cloudformation.ListStackResourcesInput) (*cloudformation.ListStackResourcesOutput, error) {
	st, err := s.get(in.StackName)
	if err != nil {
		return nil, err
	}
	var all []cfntypes.StackResourceSummary
	for _, m := range st.shown() {
		all = append(all, cfntypes.StackResourceSummary{
			LogicalResourceId: &m.LogicalID, PhysicalResourceId: optional(m.PhysicalID), ResourceType: &m.Type,
			LastUpdatedTimestamp: &m.At, ResourceStatus: m.Status, ResourceStatusReason: optional(m.Reason),
			DriftInformation: &cfntypes.StackResourceDriftInformationSummary{StackResourceDriftStatus: cfntypes.StackResourceDriftStatusNotChecked},
		})
	}
	out, next, err := page(all, in.NextToken, eventsPage)
	return &cloudformation.ListStackResourcesOutput{StackResourceSummaries: out, NextToken: next}, err
}

func (s *Service) describeResources(_ *wire.Call, in *cloudformation.DescribeStackResourcesInput) (*cloudformation.DescribeStackResourcesOutput, error) {
	st := s.find(aws.ToString(in.StackName))
	if in.StackName == nil {
		if st = s.having(aws.ToString(in.PhysicalResourceId)); st == nil {
			return nil, invalid("Stack for %s does not exist", aws.ToString(in.PhysicalResourceId))
		}
	}
	if st == nil {
		return nil, noStack(aws.ToString(in.StackName))
	}
	var out []cfntypes.StackResource
	for _, m := range st.shown() {
		if in.LogicalResourceId != nil && *in.LogicalResourceId != m.LogicalID {
			continue
		}
		out = append(out, cfntypes.StackResource{
			StackId: &st.id, StackName: &st.name, LogicalResourceId: &m.LogicalID, PhysicalResourceId: optional(m.PhysicalID),
			ResourceType: &m.Type, Timestamp: &m.At, ResourceStatus: m.Status, ResourceStatusReason: optional(m.Reason),
			DriftInformation: &cfntypes.StackResourceDriftInformation{StackResourceDriftStatus: cfntypes.StackResourceDriftStatusNotChecked},
		})
	}
	return &cloudformation.DescribeStackResourcesOutput{StackResources: out}, nil
}

// having returns the stack that has a resource with that physical id.
func (s *Service) having(physicalID string) *stack {
	for _, st := range s.stacks {
		if slices.ContainsFunc(st.resources, func(m *member) bool { return m.PhysicalID == physicalID && physicalID != "" }) {
			return st
		}
	}
	return nil
}

func (s *Service) describeResource(_ *wire.Call, in *cloudformation.DescribeStackResourceInput) (*cloudformation.DescribeStackResourceOutput, error) {
	st := s.find(aws.ToString(in.StackName))
	if st == nil {
		return nil, invalid("Stack '%s' does not exist", aws.ToString(in.StackName))
	}
	m := st.member(aws.ToString(in.LogicalResourceId))
	if m == nil {
		return nil, invalid("Resource %s does not exist for stack %s", aws.ToString(in.LogicalResourceId), st.name)
	}
	metadata := "{}"
	if text := jsonText(m.Attached.Metadata); text != nil && len(m.Attached.Metadata) > 0 {
		metadata = *text
	}
	return &cloudformation.DescribeStackResourceOutput{StackResourceDetail: &cfntypes.StackResourceDetail{
		StackId: &st.id, StackName: &st.name, LogicalResourceId: &m.LogicalID, PhysicalResourceId: optional(m.PhysicalID),
		ResourceType: &m.Type, LastUpdatedTimestamp: &m.At, ResourceStatus: m.Status, ResourceStatusReason: optional(m.Reason),
		Metadata:         &metadata,
		DriftInformation: &cfntypes.StackResourceDriftInformation{StackResourceDriftStatus: cfntypes.StackResourceDriftStatusNotChecked},
	}}, nil
}

func (s *Service) listExports(_ *wire.Call, in *cloudformation.ListExportsInput) (*cloudformation.ListExportsOutput, error) {
	exports := s.exports()
	var all []cfntypes.Export
	for _, name := range keys(exports) {
		all = append(all, cfntypes.Export{Name: &name, Value: aws.String(exports[name].value), ExportingStackId: &exports[name].stack.id})
	}
	out, next, err := page(all, in.NextToken, stacksPage)
	return &cloudformation.ListExportsOutput{Exports: out, NextToken: next}, err
}

func (s *Service) listImports(_ *wire.Call, in *cloudformation.ListImportsInput) (*cloudformation.ListImportsOutput, error) {
	name := aws.ToString(in.ExportName)
	all := s.importers(name)
	if len(all) == 0 {
		return nil, invalid("Export '%s' is not imported by any stack.", name)
	}
	out, next, err := page(all, in.NextToken, stacksPage)
	return &cloudformation.ListImportsOutput{Imports: out, NextToken: next}, err
}
