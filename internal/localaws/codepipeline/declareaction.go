package codepipeline

import (
	"maps"
	"regexp"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	cptypes "github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// kind is what an action of a provider looks like (user guide, "Action structure
// reference").
type kind struct {
	category      cptypes.ActionCategory
	required      []string // keys of the configuration
	optional      []string
	inputs        [2]int // at least, at most
	outputs       [2]int
	hasOwnTimeout bool
}

// kinds are the providers that are here.
func kinds() map[string]kind {
	return map[string]kind{
		providerS3: {
			category: cptypes.ActionCategorySource, required: []string{"S3Bucket", "S3ObjectKey"},
			optional: []string{"PollForSourceChanges", "AllowOverrideForS3ObjectKey"}, outputs: [2]int{1, 1},
		},
		providerManual: {
			category: cptypes.ActionCategoryApproval, optional: []string{"NotificationArn", "CustomData", "ExternalEntityLink"}, hasOwnTimeout: true,
		},
		providerCodeDeploy: {
			category: cptypes.ActionCategoryDeploy, required: []string{"ApplicationName", "DeploymentGroupName"}, inputs: [2]int{1, 1},
		},
		providerLambda: {
			category: cptypes.ActionCategoryInvoke, required: []string{"FunctionName"}, optional: []string{"UserParameters"},
			inputs: [2]int{0, 5}, outputs: [2]int{0, 5},
		},
	}
}

// artifactNames is what names of artifacts and namespaces are made of.
var artifactNames = regexp.MustCompile(`^[a-zA-Z0-9@_-]{1,100}$`)

func (s *Service) checkActions(st *cptypes.StageDeclaration, first bool) error {
	seen := map[string]bool{}
	for i := range st.Actions {
		a := &st.Actions[i]
		name := aws.ToString(a.Name)
		switch {
		case !names.MatchString(name):
			return badAction("The action name '%s' is not valid", name)
		case seen[name]:
			return badStage("Action name '%s' is not unique in stage '%s'", name, *st.Name)
		}
		seen[name] = true
		if err := s.checkAction(a); err != nil {
			return err
		}
		if source := a.ActionTypeId.Category == cptypes.ActionCategorySource; source != first {
			return badStructure("Pipeline stages are not valid: the first stage must have source actions only, and no other stage may have one ('%s')", name)
		}
	}
	return nil
}

func (s *Service) checkAction(a *cptypes.ActionDeclaration) error {
	err := wire.Only(a, "Name", "ActionTypeId", "RunOrder", "Configuration", "OutputArtifacts", "InputArtifacts", "RoleArn", "Region", "Namespace",
		"TimeoutInMinutes")
	if err != nil {
		return err
	}
	k, err := kindOf(a)
	if err != nil {
		return err
	}
	if a.RunOrder == nil {
		a.RunOrder = aws.Int32(1)
	}
	if n := *a.RunOrder; n < 1 || n > 999 {
		return invalid("1 validation error detected: Value '%d' at 'runOrder' failed to satisfy constraint: Member must be between 1 and 999", n)
	}
	if t := a.TimeoutInMinutes; t != nil && (!k.hasOwnTimeout || *t < 5 || *t > 86400) {
		return badAction("timeoutInMinutes is available only to the manual approval action, from 5 to 86400 ('%s')", *a.Name)
	}
	if err := s.checkPlace(a); err != nil {
		return err
	}
	if err := checkConfiguration(a, k); err != nil {
		return err
	}
	return checkCounts(a, k)
}

// checkPlace checks where an action runs, as whom and what its variables are called.
func (s *Service) checkPlace(a *cptypes.ActionDeclaration) error {
	if r := aws.ToString(a.Region); r != "" && r != s.w.Region {
		return badAction("the local AWS has one region: action '%s' cannot be in %s", *a.Name, r)
	}
	if r := aws.ToString(a.RoleArn); r != "" && !roles.MatchString(r) {
		return badAction("The role ARN '%s' of action '%s' is not valid", r, *a.Name)
	}
	if n := aws.ToString(a.Namespace); n != "" && !artifactNames.MatchString(n) {
		return badAction("The namespace '%s' of action '%s' is not valid", n, *a.Name)
	}
	return nil
}

// kindOf finds the kind of an action, or refuses it.
func kindOf(a *cptypes.ActionDeclaration) (kind, error) {
	t := a.ActionTypeId
	if t == nil {
		return kind{}, badAction("Action '%s' has no actionTypeId", *a.Name)
	}
	k, ok := kinds()[aws.ToString(t.Provider)]
	if !ok || t.Category != k.category || t.Owner != cptypes.ActionOwnerAws || aws.ToString(t.Version) != "1" {
		return kind{}, badAction("ActionType (Category: '%s', Provider: '%s', Owner: '%s', Version: '%s') in action '%s' is not available: the local AWS has "+
			"S3 sources, Manual approvals, CodeDeploy deployments and Lambda functions", t.Category, aws.ToString(t.Provider), t.Owner, aws.ToString(t.Version),
			*a.Name)
	}
	return k, nil
}

// checkConfiguration knows the keys of a configuration. The texts are AWS's.
func checkConfiguration(a *cptypes.ActionDeclaration, k kind) error {
	for _, key := range k.required {
		if a.Configuration[key] == "" {
			return badAction("Action configuration for action '%s' is missing required configuration '%s'", *a.Name, key)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(a.Configuration)) {
		if !slices.Contains(k.required, key) && !slices.Contains(k.optional, key) {
			return badAction("Action configuration for action '%s' contains unknown configuration '%s'", *a.Name, key)
		}
	}
	return nil
}

func checkCounts(a *cptypes.ActionDeclaration, k kind) error {
	if n := len(a.InputArtifacts); n < k.inputs[0] || n > k.inputs[1] {
		return badAction("Action '%s' has %d input artifacts; its type takes between %d and %d", *a.Name, n, k.inputs[0], k.inputs[1])
	}
	if n := len(a.OutputArtifacts); n < k.outputs[0] || n > k.outputs[1] {
		return badAction("Action '%s' has %d output artifacts; its type has between %d and %d", *a.Name, n, k.outputs[0], k.outputs[1])
	}
	for _, in := range a.InputArtifacts {
		if !artifactNames.MatchString(aws.ToString(in.Name)) {
			return badAction("The artifact name '%s' of action '%s' is not valid", aws.ToString(in.Name), *a.Name)
		}
	}
	for _, out := range a.OutputArtifacts {
		if err := wire.Only(out, "Name"); err != nil {
			return err
		}
		if !artifactNames.MatchString(aws.ToString(out.Name)) {
			return badAction("The artifact name '%s' of action '%s' is not valid", aws.ToString(out.Name), *a.Name)
		}
	}
	return nil
}
