package codepipeline

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	cptypes "github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

// reference is how a configuration names a variable: #{namespace.name} (user
// guide, "Variables reference").
var reference = regexp.MustCompile(`#\{([A-Za-z0-9@_-]+)\.([A-Za-z0-9@_-]+)\}`)

// resolve fills the variables in a configuration in.
func (e *execution) resolve(config map[string]string) (map[string]string, error) {
	out, missing := map[string]string{}, []string{}
	for key, text := range config {
		out[key] = reference.ReplaceAllStringFunc(text, func(ref string) string {
			m := reference.FindStringSubmatch(ref)
			value, ok := e.lookUp(m[1], m[2])
			if !ok {
				missing = append(missing, ref)
			}
			return value
		})
	}
	if len(missing) > 0 {
		slices.Sort(missing)
		return nil, fmt.Errorf("an action configuration variable could not be resolved: %s", strings.Join(missing, ", "))
	}
	return out, nil
}

// lookUp finds a variable: of the execution, of the pipeline or of an action.
func (e *execution) lookUp(namespace, name string) (string, bool) {
	switch namespace {
	case "codepipeline":
		return e.id, name == "PipelineExecutionId"
	case "variables":
		for _, v := range e.variables {
			if v.name == name {
				return v.value, true
			}
		}
		return "", false
	default:
		value, ok := e.outputs[namespace][name]
		return value, ok
	}
}

// setVariables overrides the values of the pipeline's variables, which all must
// have one then.
func (e *execution) setVariables(all []cptypes.PipelineVariable) error {
	for _, v := range all {
		i := slices.IndexFunc(e.variables, func(x variable) bool { return x.name == aws.ToString(v.Name) })
		if i < 0 {
			return invalid("Pipeline variable '%s' is not declared in pipeline '%s'", aws.ToString(v.Name), e.p.name)
		}
		if aws.ToString(v.Value) == "" {
			return invalid("The value of pipeline variable '%s' is empty", aws.ToString(v.Name))
		}
		e.variables[i].value = *v.Value
	}
	for _, v := range e.variables {
		if v.value == "" {
			return invalid("Pipeline variable '%s' has no default value and needs one", v.name)
		}
	}
	return nil
}
