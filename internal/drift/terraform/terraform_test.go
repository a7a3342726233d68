package terraform_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/drift"
	"github.com/pullback-dev/pullback/internal/drift/terraform"
	"github.com/pullback-dev/pullback/shared/deploy"
)

// change is an entry of resource_changes.
func change(typ, actions, after, unknown string) string {
	return fmt.Sprintf(`{"address":"%s.x","mode":"managed","type":%q,"name":"x","change":{"actions":[%s],"before":null,"after":%s,"after_unknown":%s}}`, typ, typ, actions, after, unknown)
}

func plan(t *testing.T, changes ...string) terraform.File {
	t.Helper()
	text := `{"format_version":"1.2","terraform_version":"1.13.0","planned_values":{},"resource_changes":[{"address":"data.aws_lambda_alias.x","mode":"data","type":"aws_lambda_alias","change":{"actions":["read"]}}`
	for _, c := range changes {
		text += "," + c
	}
	f, err := terraform.Parse([]byte(text + "]}"))
	require.NoError(t, err)
	return f
}

var names = map[string]drift.Names{
	"aws_lambda_alias": {Alias: deploy.Alias{Function: "shop", Name: "live"}}, "aws_ecs_service": {Cluster: "main", Service: "web"}, "aws_autoscaling_group": {Scaling: "servers"},
}

func TestWhatAPlanWouldMakeOfEachKindOfTarget(t *testing.T) {
	tests := map[string]struct {
		typ, after, unknown string
		grouped             bool
		want                drift.Wish
	}{
		"an alias": {
			"aws_lambda_alias", `{"name":"live","function_name":"arn:aws:lambda:eu-west-1:123456789012:function:shop","function_version":"2"}`, `{}`, false,
			drift.Wish{Attribute: "function_version", Revision: "2", Way: drift.Deploys},
		},
		"an alias of a deployment group": {
			"aws_lambda_alias", `{"name":"live","function_name":"shop","function_version":"2"}`, `{}`, true,
			drift.Wish{Attribute: "function_version", Revision: "2", Way: drift.Moves},
		},
		"an alias of a version that is not there yet": {
			"aws_lambda_alias", `{"name":"live","function_name":"shop"}`, `{"function_version":true}`, false,
			drift.Wish{Attribute: "function_version", Unknown: "a version that is published when it is applied", Digest: "sha=", Way: drift.Deploys},
		},
		"a service": {
			"aws_ecs_service", `{"name":"web","cluster":"arn:aws:ecs:eu-west-1:123456789012:cluster/main","task_definition":"arn:aws:ecs:eu-west-1:123456789012:task-definition/web:2"}`, `{}`, false,
			drift.Wish{Attribute: "task_definition", Revision: "web:2", Way: drift.Deploys},
		},
		"a service with pullback's hook": {
			"aws_ecs_service", `{"name":"web","cluster":"main","task_definition":"web:2","deployment_configuration":[{"lifecycle_hook":[{"hook_target_arn":"arn:aws:lambda:eu-west-1:123456789012:function:CodeDeployHook_pullback_pretraffic"}]}]}`, `{}`, false,
			drift.Wish{Attribute: "task_definition", Revision: "web:2", Way: drift.Deploys, Gated: true},
		},
		"a service behind CodeDeploy": {
			"aws_ecs_service", `{"name":"web","cluster":"main","deployment_controller":[{"type":"CODE_DEPLOY"}]}`, `{"task_definition":true}`, true,
			drift.Wish{Attribute: "task_definition", Unknown: "a task definition that is registered when it is applied", Way: drift.Fails},
		},
		"a group of instances": {
			"aws_autoscaling_group", `{"name":"servers","launch_template":[{"id":"lt-0abc","version":"3"}]}`, `{}`, false,
			drift.Wish{Attribute: "launch_template.version", Revision: "lt-0abc:3", Way: drift.Launches},
		},
		"a group of instances that is refreshed": {
			"aws_autoscaling_group", `{"name":"servers","instance_refresh":[{"strategy":"Rolling"}],"launch_template":[{"id":"lt-0abc","version":"$Latest"}]}`, `{}`, false,
			drift.Wish{Attribute: "launch_template.version", Unknown: "a version of launch template lt-0abc that is made when it is applied $Latest", Way: drift.Deploys},
		},
	}
	for name, test := range tests {
		f := plan(t, change("aws_lambda_function", `"update"`, `{"function_name":"shop","source_code_hash":"sha="}`, `{}`), change(test.typ, `"update"`, test.after, test.unknown))
		test.want.Tool, test.want.Origin, test.want.Resource, test.want.Type = drift.Plan, "plan.json", test.typ+".x", test.typ
		assert.Equal(t, []drift.Wish{test.want}, f.Wishes("plan.json", names[test.typ], test.grouped), name)
		assert.Empty(t, f.Wishes("plan.json", drift.Names{Alias: deploy.Alias{Function: "other", Name: "live"}, Service: "other", Scaling: "other"}, false), name)
	}
	gone := plan(t, change("aws_lambda_alias", `"delete"`, `null`, `false`))
	assert.Empty(t, gone.Wishes("plan.json", names["aws_lambda_alias"], false))
}

func TestAStateIsWhatWasAppliedLast(t *testing.T) {
	f, err := terraform.Parse([]byte(`{"format_version":"1.0","values":{"root_module":{"resources":[],"child_modules":[{"resources":[
		{"address":"module.shop.aws_lambda_alias.live","mode":"managed","type":"aws_lambda_alias","values":{"name":"live","function_name":"shop","function_version":"2"}}]}]}}}`))
	require.NoError(t, err)
	assert.Equal(t, []drift.Wish{{
		Tool: drift.State, Origin: "state.json", Resource: "module.shop.aws_lambda_alias.live", Type: "aws_lambda_alias", Attribute: "function_version", Revision: "2",
		Way: drift.Deploys, Idle: true,
	}}, f.Wishes("state.json", names["aws_lambda_alias"], false))
}

func TestWhatIsNoPlanIsRefusedWithWhatToDo(t *testing.T) {
	for text, want := range map[string]string{
		"":                                       "it is empty; make it with: terraform plan -out PLAN && terraform show -json PLAN > plan.json",
		"PK\x03\x04":                             "a plan file itself is not read, make it with: terraform plan",
		"{}":                                     "it has no format_version",
		`{"version":4,"resources":[]}`:           "it is a state file of Terraform",
		`{"format_version":"2.0"}`:               `its format_version is "2.0", and only 1.x is known`,
		`{"format_version":"1.2"}`:               "neither resource_changes nor values",
		`{"format_version":1}`:                   "not JSON of terraform show",
		`{"Resources":{}}`:                       "it has no format_version",
		`{"format_version":"1.2","values":null}`: "neither resource_changes nor values",
	} {
		_, err := terraform.Parse([]byte(text))
		require.ErrorContains(t, err, want, text)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(`{"format_version":"1.0","resource_changes":[{"mode":"managed","type":"aws_ecs_service","change":{"actions":["update"],"after":{"name":"web"},"after_unknown":{"a":[]}}}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		out, err := terraform.Parse([]byte(text))
		if err != nil {
			return
		}
		for _, n := range names {
			for _, w := range out.Wishes("f", n, true) {
				assert.NotEmpty(t, w.Attribute)
			}
		}
	})
}
