package cloudformation

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"github.com/pullback-dev/pullback/internal/localaws/cloudformation/resource"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// standard refuses deployment modes that are not the usual one.
func standard(c *cfntypes.DeploymentConfig) error {
	if c == nil || c.Mode == "" || c.Mode == cfntypes.DeploymentConfigModeStandard {
		return nil
	}
	return invalid("DeploymentConfig: mode %s is not supported by the local CloudFormation", c.Mode)
}

// either says whether a rollback is disabled, in the one place or the other.
func either(disable *bool, c *cfntypes.DeploymentConfig) bool {
	return aws.ToBool(disable) || c != nil && aws.ToBool(c.DisableRollback)
}

func (s *Service) createStack(c *wire.Call, in *cloudformation.CreateStackInput) (*cloudformation.CreateStackOutput, error) {
	err := wire.Only(in, "StackName", "Capabilities", "ClientRequestToken", "DeploymentConfig", "DisableRollback", "DisableValidation",
		"EnableTerminationProtection", "NotificationARNs", "OnFailure", "Parameters", "RetainExceptOnCreate", "RoleARN", "Tags",
		"TemplateBody", "TemplateURL")
	if err == nil {
		err = checkName("stackName", aws.ToString(in.StackName))
	}
	if err == nil {
		err = standard(in.DeploymentConfig)
	}
	if err != nil {
		return nil, err
	}
	if in.DisableRollback != nil && in.OnFailure != "" {
		return nil, invalid("You can specify either DisableRollback or OnFailure, but not both")
	}
	if old := s.find(*in.StackName); old != nil {
		if token := aws.ToString(in.ClientRequestToken); token != "" && old.tokens[token] {
			return &cloudformation.CreateStackOutput{StackId: &old.id}, nil
		}
		return nil, exists(*in.StackName)
	}
	r, err := s.revision(c, wanted{
		body: in.TemplateBody, url: in.TemplateURL, parameters: in.Parameters, tags: in.Tags, notify: in.NotificationARNs,
		roleARN: in.RoleARN, capabilities: in.Capabilities,
	}, nil)
	if err != nil {
		return nil, err
	}
	st := s.blank(*in.StackName, r)
	st.protected, st.disableRollback = aws.ToBool(in.EnableTerminationProtection), either(in.DisableRollback, in.DeploymentConfig)
	st.onFailure, st.retainOnCreate = in.OnFailure, aws.ToBool(in.RetainExceptOnCreate)
	p, err := s.prepare(c, st, &st.revision)
	if err != nil {
		return nil, err
	}
	st.once(in.ClientRequestToken)
	s.stacks = append(s.stacks, st)
	s.startCreate(st, p, &operation{token: aws.ToString(in.ClientRequestToken)})
	return &cloudformation.CreateStackOutput{StackId: &st.id}, nil
}

func exists(name string) error {
	return &cfntypes.AlreadyExistsException{Message: aws.String("Stack [" + name + "] already exists")}
}

// blank makes a stack that has nothing yet.
func (s *Service) blank(name string, r revision) *stack {
	id := resource.ARN(s.world, "cloudformation", "stack/"+name+"/"+s.world.UUID())
	return &stack{id: id, name: name, created: s.world.Now(), revision: r}
}

func (s *Service) updateStack(c *wire.Call, in *cloudformation.UpdateStackInput) (*cloudformation.UpdateStackOutput, error) {
	err := wire.Only(in, "StackName", "Capabilities", "ClientRequestToken", "DeploymentConfig", "DisableRollback", "DisableValidation",
		"NotificationARNs", "Parameters", "RetainExceptOnCreate", "RoleARN", "Tags", "TemplateBody", "TemplateURL", "UsePreviousTemplate")
	if err == nil {
		err = standard(in.DeploymentConfig)
	}
	if err != nil {
		return nil, err
	}
	st := s.find(aws.ToString(in.StackName))
	if st == nil {
		return nil, invalid("Stack [%s] does not exist", aws.ToString(in.StackName))
	}
	if token := aws.ToString(in.ClientRequestToken); token != "" && st.tokens[token] {
		return nil, tokenUsed(token)
	}
	if err := st.updatable(); err != nil {
		return nil, err
	}
	r, err := s.revision(c, wanted{
		body: in.TemplateBody, url: in.TemplateURL, usePrevious: in.UsePreviousTemplate, parameters: in.Parameters, tags: in.Tags,
		notify: in.NotificationARNs, roleARN: in.RoleARN, capabilities: in.Capabilities,
	}, &st.revision)
	if err != nil {
		return nil, err
	}
	p, err := s.prepare(c, st, &r)
	if err != nil {
		return nil, err
	}
	if st.op == nil && !s.differs(st, r, p) {
		return nil, invalid("No updates are to be performed.")
	}
	st.once(in.ClientRequestToken)
	st.disableRollback, st.retainOnCreate = either(in.DisableRollback, in.DeploymentConfig), aws.ToBool(in.RetainExceptOnCreate)
	st.changeSet = ""
	s.startUpdate(st, r, p, &operation{token: aws.ToString(in.ClientRequestToken)})
	return &cloudformation.UpdateStackOutput{StackId: &st.id}, nil
}

func tokenUsed(token string) error {
	return &cfntypes.TokenAlreadyExistsException{Message: aws.String("A stack operation with ClientRequestToken " + token + " already exists")}
}

// updatable says why a stack cannot be updated now (CloudFormation user guide,
// "Stack update status codes").
func (st *stack) updatable() error {
	may := []cfntypes.StackStatus{
		cfntypes.StackStatusCreateComplete, cfntypes.StackStatusUpdateComplete, cfntypes.StackStatusUpdateRollbackComplete,
		cfntypes.StackStatusCreateFailed, cfntypes.StackStatusUpdateFailed,
	}
	if st.idle() && slices.Contains(may, st.status) {
		return nil
	}
	return invalid("Stack:%s is in %s state and can not be updated.", st.id, st.status)
}

func (s *Service) deleteStack(c *wire.Call, in *cloudformation.DeleteStackInput) (*cloudformation.DeleteStackOutput, error) {
	err := wire.Only(in, "StackName", "ClientRequestToken", "DeploymentConfig", "RetainResources", "RoleARN")
	if err == nil {
		err = standard(in.DeploymentConfig)
	}
	if err != nil {
		return nil, err
	}
	// To delete what is not there is to have it deleted already.
	st := s.find(aws.ToString(in.StackName))
	if st == nil || st.status == cfntypes.StackStatusDeleteComplete || st.status == cfntypes.StackStatusDeleteInProgress {
		return &cloudformation.DeleteStackOutput{}, nil
	}
	if err := s.deletable(st, in.RetainResources); err != nil {
		return nil, err
	}
	st.once(in.ClientRequestToken)
	st.revision.Principal = c.Principal
	if in.RoleARN != nil {
		st.revision.RoleARN = *in.RoleARN
	}
	s.startDelete(st, &operation{token: aws.ToString(in.ClientRequestToken), keep: in.RetainResources})
	return &cloudformation.DeleteStackOutput{}, nil
}

// deletable says why a stack cannot be deleted now.
func (s *Service) deletable(st *stack, retain []string) error {
	switch {
	case st.protected:
		return invalid("Stack [%s] cannot be deleted while TerminationProtection is enabled", st.name)
	case !st.idle():
		return invalid("Stack [%s] cannot be deleted while in status %s", st.name, st.status)
	case len(retain) > 0 && st.status != cfntypes.StackStatusDeleteFailed:
		return invalid("Invalid operation on stack [%s]. RetainResources can only be specified for a stack in the DELETE_FAILED state", st.id)
	}
	exports := s.exports()
	for _, name := range keys(exports) {
		if users := s.importers(name); exports[name].stack == st && len(users) > 0 {
			return inUse(name, users)
		}
	}
	return nil
}

func (s *Service) cancelUpdate(_ *wire.Call, in *cloudformation.CancelUpdateStackInput) (*cloudformation.CancelUpdateStackOutput, error) {
	st, err := s.get(in.StackName)
	if err != nil {
		return nil, err
	}
	if st.status != cfntypes.StackStatusUpdateInProgress {
		return nil, invalid("CancelUpdateStack cannot be called from current stack status")
	}
	st.disableRollback = false
	st.op.stop = errCancelled
	return &cloudformation.CancelUpdateStackOutput{}, nil
}

func (s *Service) continueRollback(_ *wire.Call, in *cloudformation.ContinueUpdateRollbackInput) (*cloudformation.ContinueUpdateRollbackOutput, error) {
	if err := wire.Only(in, "StackName", "ClientRequestToken", "ResourcesToSkip", "RoleARN"); err != nil {
		return nil, err
	}
	st, err := s.get(in.StackName)
	if err != nil {
		return nil, err
	}
	if st.status != cfntypes.StackStatusUpdateRollbackFailed {
		return nil, invalid("Stack:%s is in %s state and can not continue rollback.", st.id, st.status)
	}
	if err := st.skip(in.ResourcesToSkip); err != nil {
		return nil, err
	}
	st.op.token, st.op.stuck = aws.ToString(in.ClientRequestToken), false
	if in.RoleARN != nil {
		st.revision.RoleARN = *in.RoleARN
	}
	s.turn(st, cfntypes.StackStatusUpdateRollbackInProgress, byUser)
	s.soon(st, 0)
	return &cloudformation.ContinueUpdateRollbackOutput{}, nil
}

func (s *Service) rollbackStack(_ *wire.Call, in *cloudformation.RollbackStackInput) (*cloudformation.RollbackStackOutput, error) {
	err := wire.Only(in, "StackName", "ClientRequestToken", "DeploymentConfig", "RetainExceptOnCreate", "RoleARN")
	if err == nil {
		err = standard(in.DeploymentConfig)
	}
	if err != nil {
		return nil, err
	}
	st, err := s.get(in.StackName)
	if err != nil {
		return nil, err
	}
	if in.RoleARN != nil {
		st.revision.RoleARN = *in.RoleARN
	}
	st.retainOnCreate = aws.ToBool(in.RetainExceptOnCreate)
	switch st.status {
	case cfntypes.StackStatusCreateFailed:
		st.op.token = aws.ToString(in.ClientRequestToken)
		s.takeAway(st, rollingBack, byUser)
	case cfntypes.StackStatusUpdateFailed:
		st.op.token = aws.ToString(in.ClientRequestToken)
		s.goBack(st, byUser)
	default:
		return nil, invalid("Stack:%s is in %s state and can not be rolled back.", st.id, st.status)
	}
	s.soon(st, 0)
	return &cloudformation.RollbackStackOutput{StackId: &st.id}, nil
}

func (s *Service) updateProtection(_ *wire.Call, in *cloudformation.UpdateTerminationProtectionInput) (*cloudformation.UpdateTerminationProtectionOutput, error) {
	st, err := s.get(in.StackName)
	if err != nil {
		return nil, err
	}
	st.protected = aws.ToBool(in.EnableTerminationProtection)
	return &cloudformation.UpdateTerminationProtectionOutput{StackId: &st.id}, nil
}
