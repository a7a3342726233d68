package cloudformation

import (
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"github.com/pullback-dev/pullback/internal/localaws/cloudformation/resource"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// changeSet is a change that may be executed.
type changeSet struct {
	id, name    string
	kind        cfntypes.ChangeSetType
	status      cfntypes.ChangeSetStatus
	execution   cfntypes.ExecutionStatus
	reason      string
	description string
	created     time.Time
	revision    revision
	changes     []cfntypes.Change
	nested      bool
	config      *cfntypes.DeploymentConfig
	onFailure   cfntypes.OnStackFailure
	token       string
}

// noChanges is what a change set without changes says. The CDK and the AWS CLI
// look for these words.
const noChanges = "The submitted information didn't contain changes. Submit different information to create a change set."

func (s *Service) createChangeSet(c *wire.Call, in *cloudformation.CreateChangeSetInput) (*cloudformation.CreateChangeSetOutput, error) {
	st, err := s.changeSetStack(in)
	if err != nil {
		return nil, err
	}
	name := aws.ToString(in.ChangeSetName)
	if old := st.changeSetCalled(name); old != nil {
		if old.token != "" && old.token == aws.ToString(in.ClientToken) {
			return &cloudformation.CreateChangeSetOutput{Id: &old.id, StackId: &st.id}, nil
		}
		return nil, &cfntypes.AlreadyExistsException{Message: aws.String("ChangeSet " + name + " already exists for stack " + st.name)}
	}
	var previous *revision
	if st.status != cfntypes.StackStatusReviewInProgress && st.status != "" {
		previous = &st.revision
	}
	r, err := s.revision(c, wanted{
		body: in.TemplateBody, url: in.TemplateURL, usePrevious: in.UsePreviousTemplate, parameters: in.Parameters, tags: in.Tags,
		notify: in.NotificationARNs, roleARN: in.RoleARN, capabilities: in.Capabilities,
	}, previous)
	if err != nil {
		return nil, err
	}
	r.TakeOver = aws.ToBool(in.ImportExistingResources)
	if previous == nil {
		st.revision.Principal, st.revision.RoleARN = r.Principal, r.RoleARN
	}
	if _, err = s.prepare(c, st, &r); err != nil {
		return nil, err
	}
	cs := &changeSet{
		id: resource.ARN(s.world, "cloudformation", "changeSet/"+name+"/"+s.world.UUID()), name: name, kind: in.ChangeSetType,
		status: cfntypes.ChangeSetStatusCreatePending, execution: cfntypes.ExecutionStatusUnavailable,
		description: aws.ToString(in.Description), created: s.world.Now(), revision: r,
		nested: aws.ToBool(in.IncludeNestedStacks), config: in.DeploymentConfig, onFailure: in.OnStackFailure, token: aws.ToString(in.ClientToken),
	}
	if st.status == "" {
		s.stacks = append(s.stacks, st)
		s.turn(st, cfntypes.StackStatusReviewInProgress, byUser)
	}
	st.changeSets = append(st.changeSets, cs)
	s.world.After(0, func() { s.examine(st, cs) })
	return &cloudformation.CreateChangeSetOutput{Id: &cs.id, StackId: &st.id}, nil
}

// changeSetStack checks a request for a change set and returns its stack, a new
// one if the set is to create it.
func (s *Service) changeSetStack(in *cloudformation.CreateChangeSetInput) (*stack, error) {
	err := wire.Only(in, "ChangeSetName", "StackName", "Capabilities", "ChangeSetType", "ClientToken", "DeploymentConfig", "Description",
		"DisableValidation", "IncludeNestedStacks", "NotificationARNs", "OnStackFailure", "Parameters", "RoleARN", "Tags", "TemplateBody",
		"TemplateURL", "UsePreviousTemplate", "ImportExistingResources")
	if err == nil {
		err = checkName("changeSetName", aws.ToString(in.ChangeSetName))
	}
	if err == nil {
		err = standard(in.DeploymentConfig)
	}
	name := aws.ToString(in.StackName)
	st := s.find(name)
	switch {
	case err != nil:
		return nil, err
	case in.ChangeSetType == cfntypes.ChangeSetTypeImport:
		return nil, invalid("ChangeSetType IMPORT is not supported by the local CloudFormation")
	case in.ChangeSetType != cfntypes.ChangeSetTypeCreate && st == nil:
		return nil, invalid("Stack [%s] does not exist", name)
	case in.ChangeSetType != cfntypes.ChangeSetTypeCreate:
		return st, st.updatable()
	case st == nil:
		return s.blank(name, revision{}), checkName("stackName", name)
	case st.status != cfntypes.StackStatusReviewInProgress:
		return nil, invalid("Stack [%s] already exists and cannot be created again with the changeSet [%s].", name, *in.ChangeSetName)
	default:
		return st, nil
	}
}

// changeSetCalled returns the change set of that name or id, or nil.
func (st *stack) changeSetCalled(name string) *changeSet {
	i := slices.IndexFunc(st.changeSets, func(c *changeSet) bool { return c.id == name || c.name == name })
	if i < 0 {
		return nil
	}
	return st.changeSets[i]
}

// examine finds out what a change set changes.
func (s *Service) examine(st *stack, cs *changeSet) {
	if cs.status != cfntypes.ChangeSetStatusCreatePending {
		return
	}
	fail := func(reason string) { cs.status, cs.reason = cfntypes.ChangeSetStatusFailed, reason }
	p, err := s.plan(s.context(), st, &cs.revision)
	if err != nil {
		fail(refusal(err).Error())
		return
	}
	cs.changes = s.changes(st, cs.revision, p)
	if st.status != cfntypes.StackStatusReviewInProgress && st.op == nil && len(cs.changes) == 0 && !s.differs(st, cs.revision, p) {
		fail(noChanges)
		return
	}
	cs.status, cs.execution = cfntypes.ChangeSetStatusCreateComplete, cfntypes.ExecutionStatusAvailable
}

// findChangeSet returns the change set that a request names, by its id or by
// its name and stack.
func (s *Service) findChangeSet(name, stackName *string) (*stack, *changeSet, error) {
	if stackName == nil {
		for _, st := range s.stacks {
			if cs := st.changeSetCalled(aws.ToString(name)); cs != nil && cs.id == *name {
				return st, cs, nil
			}
		}
		return nil, nil, noChangeSet(aws.ToString(name))
	}
	st := s.find(*stackName)
	if st == nil {
		return nil, nil, invalid("Stack [%s] does not exist", *stackName)
	}
	cs := st.changeSetCalled(aws.ToString(name))
	if cs == nil {
		return st, nil, noChangeSet(aws.ToString(name))
	}
	return st, cs, nil
}

func noChangeSet(name string) error {
	return &cfntypes.ChangeSetNotFoundException{Message: aws.String("ChangeSet [" + name + "] does not exist")}
}

// changesPage is how many changes a page has. Own choice: AWS says up to 1 MB.
const changesPage = 100

func (s *Service) describeChangeSet(_ *wire.Call, in *cloudformation.DescribeChangeSetInput) (*cloudformation.DescribeChangeSetOutput, error) {
	st, cs, err := s.findChangeSet(in.ChangeSetName, in.StackName)
	if err != nil {
		return nil, err
	}
	changes, next, err := page(cs.changes, in.NextToken, changesPage)
	if err != nil {
		return nil, err
	}
	if !aws.ToBool(in.IncludePropertyValues) {
		changes = withoutValues(changes)
	}
	return &cloudformation.DescribeChangeSetOutput{
		ChangeSetId: &cs.id, ChangeSetName: &cs.name, StackId: &st.id, StackName: &st.name, Changes: changes, NextToken: next,
		CreationTime: &cs.created, Description: optional(cs.description), ExecutionStatus: cs.execution, Status: cs.status,
		StatusReason: optional(cs.reason), Capabilities: cs.revision.Capabilities, NotificationARNs: cs.revision.Notify,
		Parameters: cs.revision.parameters(), Tags: cs.revision.Tags, IncludeNestedStacks: &cs.nested,
		ImportExistingResources: &cs.revision.TakeOver, DeploymentConfig: cs.config, OnStackFailure: cs.onFailure, RollbackConfiguration: &cfntypes.RollbackConfiguration{},
	}, nil
}

// page cuts a list. A token is the number of the first element.
func page[T any](all []T, token *string, size int) ([]T, *string, error) {
	from := 0
	if token != nil {
		n, err := strconv.Atoi(*token)
		if err != nil || n < 0 || n > len(all) {
			return nil, nil, invalid("Invalid NextToken: %s", *token)
		}
		from = n
	}
	if from+size >= len(all) {
		return append([]T{}, all[from:]...), nil, nil // an empty list is there
	}
	return all[from : from+size], aws.String(strconv.Itoa(from + size)), nil
}

func (s *Service) deleteChangeSet(_ *wire.Call, in *cloudformation.DeleteChangeSetInput) (*cloudformation.DeleteChangeSetOutput, error) {
	st, cs, err := s.findChangeSet(in.ChangeSetName, in.StackName)
	if st != nil && cs == nil {
		return &cloudformation.DeleteChangeSetOutput{}, nil // one that is not there is deleted
	}
	if err != nil {
		return nil, err
	}
	if cs.execution == cfntypes.ExecutionStatusExecuteInProgress {
		return nil, &cfntypes.InvalidChangeSetStatusException{Message: aws.String("ChangeSet [" + cs.id + "] cannot be deleted while it is executed")}
	}
	cs.status = cfntypes.ChangeSetStatusDeleteComplete
	st.changeSets = slices.DeleteFunc(st.changeSets, func(o *changeSet) bool { return o == cs })
	return &cloudformation.DeleteChangeSetOutput{}, nil
}

func (s *Service) executeChangeSet(c *wire.Call, in *cloudformation.ExecuteChangeSetInput) (*cloudformation.ExecuteChangeSetOutput, error) {
	st, cs, err := s.findChangeSet(in.ChangeSetName, in.StackName)
	if err != nil {
		return nil, err
	}
	token := aws.ToString(in.ClientRequestToken)
	switch {
	case token != "" && st.tokens[token]:
		return nil, tokenUsed(token)
	case cs.execution != cfntypes.ExecutionStatusAvailable:
		return nil, &cfntypes.InvalidChangeSetStatusException{
			Message: aws.String("ChangeSet [" + cs.id + "] cannot be executed in its current status of [" + string(cs.status) + "]"),
		}
	}
	if st.status != cfntypes.StackStatusReviewInProgress {
		if err := st.updatable(); err != nil {
			return nil, err
		}
	}
	r := cs.revision
	r.Principal = c.Principal
	p, err := s.prepare(c, st, &r)
	if err != nil {
		return nil, err
	}
	st.once(in.ClientRequestToken)
	st.disableRollback, st.retainOnCreate = either(in.DisableRollback, cs.config), aws.ToBool(in.RetainExceptOnCreate)
	cs.execution, st.changeSet = cfntypes.ExecutionStatusExecuteComplete, cs.id
	// The others are about a stack that is no more (CloudFormation user guide,
	// "Executing a change set").
	st.changeSets = []*changeSet{cs}
	if st.status == cfntypes.StackStatusReviewInProgress {
		st.revision, st.onFailure = r, cfntypes.OnFailure(cs.onFailure)
		s.startCreate(st, p, &operation{token: token})
	} else {
		s.startUpdate(st, r, p, &operation{token: token})
	}
	return &cloudformation.ExecuteChangeSetOutput{}, nil
}

func (s *Service) listChangeSets(_ *wire.Call, in *cloudformation.ListChangeSetsInput) (*cloudformation.ListChangeSetsOutput, error) {
	st := s.find(aws.ToString(in.StackName))
	if st == nil {
		return nil, invalid("Stack [%s] does not exist", aws.ToString(in.StackName))
	}
	var all []cfntypes.ChangeSetSummary
	for _, cs := range st.changeSets {
		if cs.execution == cfntypes.ExecutionStatusExecuteComplete {
			continue
		}
		all = append(all, cfntypes.ChangeSetSummary{
			ChangeSetId: &cs.id, ChangeSetName: &cs.name, CreationTime: &cs.created, Description: optional(cs.description),
			ExecutionStatus: cs.execution, IncludeNestedStacks: &cs.nested, StackId: &st.id, StackName: &st.name,
			ImportExistingResources: &cs.revision.TakeOver, Status: cs.status, StatusReason: optional(cs.reason),
		})
	}
	out, next, err := page(all, in.NextToken, changesPage)
	return &cloudformation.ListChangeSetsOutput{Summaries: out, NextToken: next}, err
}
