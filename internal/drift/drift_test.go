package drift_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/drift"
	"github.com/pullback-dev/pullback/shared/deploy"
)

var (
	alias = deploy.Place{Target: deploy.Target{Application: "shop", Group: "live"}, Platform: deploy.OnLambda, Alias: deploy.Alias{Function: "shop", Name: "live"}}
	tasks = deploy.Place{Target: deploy.Target{Kind: deploy.KindService, Application: "main", Group: "web"}}
	stage = deploy.Place{Target: deploy.Target{Kind: deploy.KindStage, Application: "release", Group: "prod"}}
)

// taken is version 1 that serves after version 2 was taken back and the target held.
func taken(p deploy.Place, wishes ...drift.Wish) drift.Facts {
	return drift.Facts{Place: p, Live: "1", Bad: map[deploy.Revision]string{"2": "alarm errors"}, Held: "version 2 was taken back", Enabled: true, Wishes: wishes}
}

func TestAFindingSaysWhatComesOfItAndWhatToChange(t *testing.T) {
	got := drift.Find(taken(alias, drift.Wish{
		Tool: drift.Stack, Origin: "shop", Resource: "Alias", Type: "AWS::Lambda::Alias", Attribute: "FunctionVersion", Revision: "2",
		Digest: "sha", Quarantine: "alarm errors", Way: drift.Deploys, Gated: true, Idle: true,
	}))
	assert.Equal(t, []drift.Finding{{
		Target: "shop/live", Live: "1", Source: "CloudFormation stack shop", Resource: "Alias", Attribute: "FunctionVersion", Says: "version 2",
		Verdict: drift.Bad, Refused: drift.Gate,
		Because: []string{
			"its code is quarantined: alarm errors",
			"the same template again changes nothing, since CloudFormation compares templates and not what is live; an update that changes Alias in any other way brings it along",
			"pullback's hook refuses the deployment before it has traffic, and the update fails: its code is quarantined",
		},
		Change: []string{
			`in the template: Resources.Alias.Properties.FunctionVersion: "1"`,
			"with the CDK: take back the change of the code that is bad (git revert COMMIT), or fix it; then cdk diff shop, cdk deploy shop",
			"a fix waits for: pullback release shop/live --reason TEXT",
		},
	}}, got)
	assert.True(t, drift.Worst(got))
}

func TestTerraformUsersLetDeploymentsHaveWhatTheyMove(t *testing.T) {
	tests := map[string]struct {
		wish drift.Wish
		want []string
	}{
		"an alias": {drift.Wish{Tool: drift.Plan, Type: "aws_lambda_alias", Resource: "module.shop.aws_lambda_alias.live[0]", Attribute: "function_version"}, []string{
			`resource "aws_lambda_alias" "live" {`, "  lifecycle {", "    ignore_changes = [function_version, routing_config]", "  }", "}",
			`or, in the same resource: function_version = "1"; then terraform plan -out PLAN && terraform show -json PLAN | pullback drift --terraform -`,
		}},
		"a service behind CodeDeploy": {drift.Wish{Tool: drift.State, Type: "aws_ecs_service", Resource: "aws_ecs_service.web", Attribute: "task_definition", Way: drift.Fails}, []string{
			`resource "aws_ecs_service" "web" {`, "  lifecycle {", "    ignore_changes = [task_definition, load_balancer, desired_count]", "  }", "}",
			`or, in the same resource: task_definition = "1"; then terraform plan -out PLAN && terraform show -json PLAN | pullback drift --terraform -`,
		}},
	}
	for name, test := range tests {
		test.wish.Revision = "2"
		assert.Equal(t, test.want, drift.Find(taken(alias, test.wish))[0].Change, name)
	}
}

func TestWhoRefusesDependsOnTheWayAndOnWhatIsKnown(t *testing.T) {
	code := drift.Wish{Tool: drift.Template, Revision: "2", Quarantine: "alarm errors", Way: drift.Deploys}
	with := func(change func(*drift.Wish)) drift.Wish {
		w := code
		change(&w)
		return w
	}
	released := func(f drift.Facts) drift.Facts { f.Held = ""; return f }
	tests := map[string]struct {
		facts drift.Facts
		want  drift.Refuser
		why   string
	}{
		"a hook asks":                                 {taken(alias, with(func(w *drift.Wish) { w.Gated = true })), drift.Gate, "before it has traffic"},
		"no hook asks":                                {taken(tasks, code), drift.Watch, "the deployment begins, and is taken back"},
		"released, but quarantined":                   {released(taken(tasks, code)), drift.Watch, "its code is quarantined"},
		"released, and not quarantined":               {released(taken(tasks, with(func(w *drift.Wish) { w.Quarantine = "" }))), drift.Nobody, "not quarantined and the target is not held"},
		"held, and not quarantined":                   {taken(tasks, with(func(w *drift.Wish) { w.Quarantine = "" })), drift.Watch, "ecs:main/web is held"},
		"let through":                                 {taken(alias, with(func(w *drift.Wish) { w.Gated, w.Overridden = true, "me: the fix" })), drift.Nobody, "me: the fix"},
		"past the deployment group":                   {taken(alias, with(func(w *drift.Wish) { w.Way = drift.Moves })), drift.Nobody, "tells people that it serves again"},
		"only what is launched later":                 {taken(tasks, with(func(w *drift.Wish) { w.Way = drift.Launches })), drift.Nobody, "an instance refresh that brings it is taken back"},
		"AWS does not take it":                        {taken(tasks, with(func(w *drift.Wish) { w.Way = drift.Fails })), drift.AWS, "changed by deployments alone"},
		"a stage that is closed":                      {taken(stage, code), drift.Gate, "the way into the stage is closed"},
		"a stage that is open":                        {released(taken(stage, code)), drift.Watch, "taken back"},
		"not looked after":                            {drift.Facts{Place: alias, Live: "1", Wishes: []drift.Wish{code}}, drift.Nobody, "does not look after"},
		"observed":                                    {drift.Facts{Place: alias, Live: "1", Enabled: true, Observe: true, Wishes: []drift.Wish{code}}, drift.Nobody, "only observes"},
		"no hook asks, and the stack goes back to it": {taken(alias, with(func(w *drift.Wish) { w.Tool, w.Type = drift.Stack, "AWS::Lambda::Alias" })), drift.Nobody, "CloudFormation goes back to what the stack said before"},
		"new code, while the target is held":          {taken(alias, drift.Wish{Tool: drift.Template, Unknown: "a new version", Digest: "sha", Way: drift.Deploys, Gated: true}), drift.Gate, "shop/live is held"},
	}
	for name, test := range tests {
		got := drift.Find(test.facts)
		require.Len(t, got, 1, name)
		assert.Equal(t, test.want, got[0].Refused, name)
		assert.Contains(t, got[0].Because[len(got[0].Because)-1], test.why, name)
	}
}

func TestOnlyWhatIsKnownToBeBadIsCalledBad(t *testing.T) {
	tests := map[string]struct {
		wish drift.Wish
		want drift.Verdict
	}{
		"what was taken back":                {drift.Wish{Revision: "2"}, drift.Bad},
		"quarantined code by another number": {drift.Wish{Revision: "3", Quarantine: "alarm errors"}, drift.Bad},
		"quarantined code without a number":  {drift.Wish{Unknown: "a new version", Digest: "sha", Quarantine: "alarm errors"}, drift.Bad},
		"quarantined code that is live":      {drift.Wish{Revision: "1", Quarantine: "alarm errors"}, drift.Bad},
		"what is live":                       {drift.Wish{Revision: "1"}, drift.Same},
		"another one":                        {drift.Wish{Revision: "3"}, drift.Other},
		"what comes into being later":        {drift.Wish{Unknown: "a new version"}, drift.Unknown},
	}
	for name, test := range tests {
		f := taken(alias, test.wish)
		f.Held = ""
		got := drift.Find(f)
		assert.Equal(t, test.want, got[0].Verdict, name)
		assert.Equal(t, test.want == drift.Bad, drift.Worst(got), name)
		assert.Equal(t, test.want == drift.Bad, got[0].Refused != "", name)
	}
	assert.Empty(t, drift.Find(drift.Facts{Place: alias}))
}

func TestAHookIsKnownByItsNameAndByItsARN(t *testing.T) {
	for hook, want := range map[string]bool{
		"CodeDeployHook_pullback_pretraffic": true, "arn:aws:lambda:eu-west-1:123456789012:function:CodeDeployHook_pullback_pretraffic": true,
		"": false, "CodeDeployHook_pullback_posttraffic": false, "arn:aws:lambda:eu-west-1:123456789012:function:other": false,
	} {
		assert.Equal(t, want, drift.IsGate(hook), hook)
	}
}
