package main

import (
	"path/filepath"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// written returns what stands in a Terraform file.
func written(t *testing.T, path string) *hclsyntax.Body {
	t.Helper()
	f, problems := hclparse.NewParser().ParseHCLFile(path)
	require.False(t, problems.HasErrors(), problems.Error())
	body, ok := f.Body.(*hclsyntax.Body)
	require.True(t, ok)
	return body
}

// block returns the block of a resource.
func block(t *testing.T, body *hclsyntax.Body, kind string) *hclsyntax.Body {
	t.Helper()
	for _, b := range body.Blocks {
		if b.Type == "resource" && b.Labels[0] == kind {
			return b.Body
		}
	}
	require.Fail(t, "there is no "+kind)
	return nil
}

// ignored returns what a resource leaves to deployments.
func ignored(t *testing.T, body *hclsyntax.Body) []string {
	t.Helper()
	var all []string
	for _, b := range body.Blocks {
		if b.Type != "lifecycle" {
			continue
		}
		list, ok := b.Body.Attributes["ignore_changes"].Expr.(*hclsyntax.TupleConsExpr)
		require.True(t, ok)
		for _, e := range list.Exprs {
			all = append(all, hcl.ExprAsKeyword(e))
		}
	}
	return all
}

// TestTheTerraformExampleGivesParametersThatTheTemplateHas compares its parameters with
// those of the template, of which it has to give what has no default.
func TestTheTerraformExampleGivesParametersThatTheTemplateHas(t *testing.T) {
	stack := block(t, written(t, "../../examples/terraform/main.tf"), "aws_cloudformation_stack")
	values, ok := stack.Attributes["parameters"].Expr.(*hclsyntax.ObjectConsExpr)
	require.True(t, ok)
	given := map[string]bool{}
	for _, item := range values.Items {
		given[hcl.ExprAsKeyword(item.KeyExpr)] = true
	}
	var template struct {
		Parameters map[string]struct {
			Default any `json:"Default"`
		} `json:"Parameters"`
		Outputs map[string]any `json:"Outputs"`
	}
	decode(t, publish(t, "v1.0.0", "pullback").template, &template)
	for name := range given {
		assert.Contains(t, template.Parameters, name)
	}
	for name, p := range template.Parameters {
		assert.True(t, p.Default != nil || given[name], "%s has no default and is not given", name)
	}
	for _, name := range []string{"EventBus", "NoticesTopic"} {
		assert.Contains(t, template.Outputs, name)
	}
	assert.Equal(t, []string{"CAPABILITY_NAMED_IAM"}, texts(t, stack.Attributes["capabilities"].Expr))
}

// texts returns the texts of a list.
func texts(t *testing.T, e hclsyntax.Expression) []string {
	t.Helper()
	v, problems := e.Value(nil)
	require.False(t, problems.HasErrors(), problems.Error())
	var all []string
	for _, one := range v.AsValueSlice() {
		all = append(all, one.AsString())
	}
	return all
}

// Terraform must not move back what deployments move.
func TestTheTerraformExampleLeavesToDeploymentsWhatTheyMove(t *testing.T) {
	body, got := written(t, "../../examples/terraform/targets.tf.example"), map[string][]string{}
	for _, b := range body.Blocks {
		got[b.Labels[0]] = ignored(t, b.Body)
	}
	assert.Equal(t, map[string][]string{
		"aws_lambda_alias":                {"function_version", "routing_config"},
		"aws_ecs_service":                 {"task_definition", "load_balancer"},
		"aws_codedeploy_deployment_group": {"autoscaling_groups"},
		"aws_autoscaling_group":           {"launch_template"},
	}, got)
}

func TestEveryTerraformFileCanBeRead(t *testing.T) {
	files, err := filepath.Glob("../../examples/terraform/*.tf*")
	require.NoError(t, err)
	require.Len(t, files, 3)
	for _, path := range files {
		assert.NotEmpty(t, written(t, path).Blocks, path)
	}
}
