package template

import (
	"maps"
	"slices"
	"strings"

	"github.com/pullback-dev/pullback/internal/drift"
	"github.com/pullback-dev/pullback/shared/deploy"
)

// Wishes returns what the template says that a target shall run, in the order of
// the resources' names.
func (t *Template) Wishes(tool drift.Tool, origin string, n drift.Names, grouped bool) []drift.Wish {
	var all []drift.Wish
	for _, id := range slices.Sorted(maps.Keys(t.Resources)) {
		w, ok := drift.Wish{}, false
		switch r := t.Resources[id]; r.Type {
		case "AWS::Lambda::Alias":
			w, ok = t.alias(r, n, grouped)
		case "AWS::ECS::Service":
			w, ok = t.service(id, r, n)
		case "AWS::AutoScaling::AutoScalingGroup":
			w, ok = t.scaling(id, r, n)
		case "AWS::CodePipeline::Pipeline":
			w, ok = t.pipeline(id, r, n)
		case "AWS::CodeDeploy::DeploymentGroup":
			w, ok = t.servers(r, n)
		}
		if !ok {
			continue
		}
		w.Tool, w.Origin, w.Resource, w.Type, w.Idle = tool, origin, id, t.Resources[id].Type, tool == drift.Stack
		all = append(all, w)
	}
	return all
}

// last is a name without the ARN that it may end.
func last(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }

// named reports whether a property, or the resource's own id, is a name.
func (t *Template) named(id string, v any, want string) bool {
	if want == "" {
		return false
	}
	if physical, there := t.Of.Physical[id]; there && last(physical) == want {
		return true
	}
	text, ok := t.resolve(v)
	return ok && last(text) == want
}

// alias reads an alias. A deployment group moves it where the update policy says
// so; else CloudFormation changes it by itself (CloudFormation template reference,
// "UpdatePolicy attribute", CodeDeployLambdaAliasUpdate).
func (t *Template) alias(r resource, n drift.Names, grouped bool) (drift.Wish, bool) {
	name, ok := t.resolve(r.Properties["Name"])
	if !ok || n.Alias.Name == "" || name != n.Alias.Name {
		return drift.Wish{}, false
	}
	function, ok := t.function(r.Properties["FunctionName"])
	if !ok || function != n.Alias.Function {
		return drift.Wish{}, false
	}
	w := drift.Wish{Attribute: "FunctionVersion", Way: drift.Deploys}
	policy, deploys := r.UpdatePolicy["CodeDeployLambdaAliasUpdate"].(map[string]any)
	if deploys {
		hook, _ := t.resolve(policy["BeforeAllowTrafficHook"])
		w.Gated = drift.IsGate(hook)
	} else if grouped {
		w.Way = drift.Moves
	}
	if version, ok := t.resolve(r.Properties["FunctionVersion"]); ok {
		w.Revision = deploy.Revision(version)
	} else {
		w.Unknown, w.Code = "a new version ("+version+")", t.code(r.Properties["FunctionVersion"])
	}
	return w, true
}

// function is the name of a function that a property names, or gives the ARN of.
func (t *Template) function(v any) (string, bool) {
	text, ok := t.resolve(v)
	if !ok { // the function is new: its name may be known all the same
		if id := referred(v); id != "" {
			text, ok = t.resolve(t.Resources[id].Properties["FunctionName"])
		}
	}
	if _, name, is := strings.Cut(text, ":function:"); is {
		text = name
	}
	name, _, _ := strings.Cut(text, ":")
	return name, ok
}

// referred is the resource that a value refers to; empty if it refers to none.
func referred(v any) string {
	call, _ := v.(map[string]any)
	if id, is := call["Ref"].(string); is {
		return id
	}
	switch a := call["Fn::GetAtt"].(type) {
	case []any:
		if len(a) > 0 {
			id, _ := a[0].(string)
			return id
		}
	case string:
		id, _, _ := strings.Cut(a, ".")
		return id
	}
	return ""
}

// code is where the code of a new version is: that of its function.
func (t *Template) code(version any) drift.Object {
	v := t.Resources[referred(version)]
	f := t.Resources[referred(v.Properties["FunctionName"])]
	from, _ := f.Properties["Code"].(map[string]any)
	bucket, inBucket := t.resolve(from["S3Bucket"])
	key, is := t.resolve(from["S3Key"])
	if !inBucket || !is {
		return drift.Object{}
	}
	o := drift.Object{Bucket: bucket, Key: key}
	if version, ok := t.resolve(from["S3ObjectVersion"]); ok {
		o.Version = version
	}
	return o
}

// service reads a service of ECS. CloudFormation sends all properties with each
// update, and ECS takes no task definition for a service behind CodeDeploy (ECS
// API reference, UpdateService).
func (t *Template) service(id string, r resource, n drift.Names) (drift.Wish, bool) {
	if !t.named(id, r.Properties["ServiceName"], n.Service) || !t.inCluster(id, r, n.Cluster) {
		return drift.Wish{}, false
	}
	w := drift.Wish{Attribute: "TaskDefinition", Way: drift.Deploys, Gated: t.hooked(r)}
	controller, _ := r.Properties["DeploymentController"].(map[string]any)
	if kind, _ := t.resolve(controller["Type"]); kind == "CODE_DEPLOY" {
		w.Way = drift.Fails
	}
	definition, ok := t.resolve(r.Properties["TaskDefinition"])
	if !ok || !strings.Contains(definition, ":") {
		w.Unknown = "a new revision (" + definition + ")"
		return w, true
	}
	w.Revision = deploy.Revision(last(definition))
	return w, true
}

// inCluster reports whether a service is in a cluster. The service's own ARN says so.
func (t *Template) inCluster(id string, r resource, cluster string) bool {
	if strings.Contains(t.Of.Physical[id], ":service/"+cluster+"/") {
		return true
	}
	text, ok := t.resolve(r.Properties["Cluster"])
	return ok && last(text) == cluster
}

// hooked reports whether ECS asks pullback before tasks get traffic.
func (t *Template) hooked(r resource) bool {
	configuration, _ := r.Properties["DeploymentConfiguration"].(map[string]any)
	hooks, _ := configuration["LifecycleHooks"].([]any)
	return slices.ContainsFunc(hooks, func(v any) bool {
		hook, _ := v.(map[string]any)
		arn, _ := t.resolve(hook["HookTargetArn"])
		return drift.IsGate(arn)
	})
}

// scaling reads an Auto Scaling group. Without an update policy a new version of the
// launch template replaces no instance; those of CloudFormation replace them without
// an instance refresh (CloudFormation template reference, "UpdatePolicy attribute").
func (t *Template) scaling(id string, r resource, n drift.Names) (drift.Wish, bool) {
	if !t.named(id, r.Properties["AutoScalingGroupName"], n.Scaling) {
		return drift.Wish{}, false
	}
	w := drift.Wish{Attribute: "LaunchTemplate.Version", Way: drift.Launches}
	launches, _ := r.Properties["LaunchTemplate"].(map[string]any)
	if mixed, is := r.Properties["MixedInstancesPolicy"].(map[string]any); is {
		w.Attribute = "MixedInstancesPolicy.LaunchTemplate.LaunchTemplateSpecification.Version"
		within, _ := mixed["LaunchTemplate"].(map[string]any)
		launches, _ = within["LaunchTemplateSpecification"].(map[string]any)
	}
	for _, policy := range []string{"AutoScalingRollingUpdate", "AutoScalingReplacingUpdate"} {
		if _, is := r.UpdatePolicy[policy]; is {
			w.Way = drift.Moves
		}
	}
	template, known := t.resolve(launches["LaunchTemplateId"])
	version, ok := t.resolve(launches["Version"])
	if !known || !ok {
		w.Unknown = "version " + version + " of launch template " + template
		return w, true
	}
	w.Revision = deploy.Revision(template + ":" + version)
	return w, true
}

// pipeline reads a pipeline that runs again when it is updated.
func (t *Template) pipeline(id string, r resource, n drift.Names) (drift.Wish, bool) {
	again, _ := t.resolve(r.Properties["RestartExecutionOnUpdate"])
	if again != "true" || !t.named(id, r.Properties["Name"], n.Pipeline) {
		return drift.Wish{}, false
	}
	return drift.Wish{Attribute: "RestartExecutionOnUpdate", Way: drift.Deploys, Unknown: "another run of what its source has now"}, true
}

// servers reads a deployment group that deploys when the stack is updated
// (CloudFormation template reference, AWS::CodeDeploy::DeploymentGroup Deployment).
func (t *Template) servers(r resource, n drift.Names) (drift.Wish, bool) {
	deployment, is := r.Properties["Deployment"].(map[string]any)
	application, ok := t.resolve(r.Properties["ApplicationName"])
	group, named := t.resolve(r.Properties["DeploymentGroupName"])
	if !is || !ok || !named || n.Group == "" || application != n.Application || group != n.Group {
		return drift.Wish{}, false
	}
	revision, _ := deployment["Revision"].(map[string]any)
	return drift.Wish{Attribute: "Deployment.Revision", Way: drift.Deploys, Unknown: written(revision)}, true
}
