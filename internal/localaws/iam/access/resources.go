package access

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// look asks an operation how things are, past all permissions.
func look[O any](k *call, service, operation string, in any) (*O, bool) {
	out, err := k.guard.mux.Look(k.ctx, service, operation, in)
	typed, ok := out.(*O)
	return typed, err == nil && ok && typed != nil
}

// arn names something of a service of the account.
func (k *call) arn(service, resource string) string {
	return "arn:aws:" + service + ":" + k.guard.world.Region + ":" + k.guard.world.Account + ":" + resource
}

// global names something of IAM, which has no region.
func (k *call) global(resource string) string {
	return "arn:aws:iam::" + k.guard.world.Account + ":" + resource
}

// first is one member of the input.
func (k *call) first(path string) string {
	if all := members(k.in, path); len(all) > 0 {
		return all[0]
	}
	return ""
}

// work applies a function of the table to the values of a member. Functions
// whose values may be missing get one that is empty.
func (k *call) work(function string, values []string) []string {
	one := map[string]func(string) string{
		"function": k.function, "queue": k.queue, "topic": topic, "published": same, "rule": k.rules, "index": k.index,
		"deployment": k.deployment, "role": k.role, "profile": k.profile, "user": k.user, "newpolicy": k.newPolicy, "mapped": k.mapped,
		"parameter": func(v string) string { return strings.TrimPrefix(v, "/") },
		"stack":     k.stack, "secret": k.secret, "group": k.group, "ec2": k.ec2, "key": k.key,
		"cluster": k.cluster, "ecsservice": k.ecsService, "taskset": k.taskSet, "task": k.task, "taskdefinition": k.taskDefinition,
	}
	missing := map[string]func() string{
		"config": k.config, "registering": k.registering, "cluster": func() string { return k.cluster("default") },
		"objectversion": func() string { return "GetObject" }, "deleteversion": func() string { return "DeleteObject" },
		"user": k.self, "key": k.sealed,
	}
	if len(values) == 0 && missing[function] != nil {
		return []string{missing[function]()}
	}
	switch function {
	case "objectversion":
		return []string{"GetObjectVersion"}
	case "deleteversion":
		return []string{"DeleteObjectVersion"}
	case "registering":
		return []string{k.registering()}
	case "config":
		return values
	case "tagslaunched", "launched", "passeslaunched", "launchrole":
		return k.launching(function)
	}
	out := make([]string, 0, len(values))
	for _, v := range values {
		if w := one[function](v); w != "" {
			out = append(out, w)
		}
	}
	return out
}

func same(v string) string { return v }

// function spells a function with its qualifier (Lambda API reference,
// FunctionName: a name, a partial ARN or an ARN).
func (k *call) function(v string) string {
	rest := v
	if strings.HasPrefix(v, "arn:") {
		parts := strings.SplitN(v, ":", 7)
		rest = parts[len(parts)-1]
	} else if _, after, ok := strings.Cut(v, "function:"); ok {
		rest = after
	}
	if q := k.first("Qualifier"); q != "" && !strings.Contains(rest, ":") {
		rest += ":" + q
	}
	return k.arn("lambda", "function:"+rest)
}

// mapped is the function of an event source mapping.
func (k *call) mapped(v string) string {
	out, ok := look[lambda.GetEventSourceMappingOutput](k, "lambda", "GetEventSourceMapping", &lambda.GetEventSourceMappingInput{UUID: &v})
	if !ok || out.FunctionArn == nil {
		return ""
	}
	return *out.FunctionArn
}

// queue spells the queue of a URL.
func (k *call) queue(v string) string { return k.arn("sqs", v[strings.LastIndex(v, "/")+1:]) }

// topic spells the topic of a subscription.
func topic(v string) string { return v[:max(strings.LastIndex(v, ":"), 0)] }

// rules spells a rule, on its bus.
func (k *call) rules(v string) string {
	bus := k.first("EventBusName")
	bus = bus[strings.LastIndex(bus, "/")+1:]
	if bus == "" || bus == "default" {
		return k.arn("events", "rule/"+v)
	}
	return k.arn("events", "rule/"+bus+"/"+v)
}

// index spells what a query reads: an index or the table itself.
func (k *call) index(v string) string {
	if !strings.HasPrefix(v, "arn:") {
		v = k.arn("dynamodb", "table/"+v)
	}
	if i := k.first("IndexName"); i != "" {
		v += "/index/" + i
	}
	return v
}

// deployment spells the deployment group of a deployment. Of one that does not
// exist there is none, so that only who may do everything hears so.
func (k *call) deployment(v string) string {
	out, ok := look[codedeploy.GetDeploymentOutput](k, "codedeploy", "GetDeployment", &codedeploy.GetDeploymentInput{DeploymentId: &v})
	if !ok || out.DeploymentInfo == nil || out.DeploymentInfo.ApplicationName == nil || out.DeploymentInfo.DeploymentGroupName == nil {
		return ""
	}
	return k.arn("codedeploy", "deploymentgroup:"+*out.DeploymentInfo.ApplicationName+"/"+*out.DeploymentInfo.DeploymentGroupName)
}

// config is the deployment configuration that a deployment without one has:
// that of its group.
func (k *call) config() string {
	app, group := k.first("ApplicationName"), k.first("DeploymentGroupName")
	out, ok := look[codedeploy.GetDeploymentGroupOutput](k, "codedeploy", "GetDeploymentGroup",
		&codedeploy.GetDeploymentGroupInput{ApplicationName: &app, DeploymentGroupName: &group})
	if !ok || out.DeploymentGroupInfo == nil || out.DeploymentGroupInfo.DeploymentConfigName == nil {
		return "*"
	}
	return *out.DeploymentGroupInfo.DeploymentConfigName
}

// registering is what a deployment does to its revision: it registers one that
// is new and looks one up that is registered.
func (k *call) registering() string {
	in, ok := k.in.(*codedeploy.CreateDeploymentInput)
	if !ok || in.Revision == nil {
		return "GetApplicationRevision"
	}
	_, known := look[codedeploy.GetApplicationRevisionOutput](k, "codedeploy", "GetApplicationRevision",
		&codedeploy.GetApplicationRevisionInput{ApplicationName: in.ApplicationName, Revision: in.Revision})
	if known {
		return "GetApplicationRevision"
	}
	return "RegisterApplicationRevision"
}

// role spells a role with its path.
func (k *call) role(v string) string {
	if strings.HasPrefix(v, "arn:") {
		return v
	}
	if out, ok := look[awsiam.GetRoleOutput](k, "iam", "GetRole", &awsiam.GetRoleInput{RoleName: &v}); ok {
		return *out.Role.Arn
	}
	return k.global("role" + k.path() + v)
}

// profile spells an instance profile with its path.
func (k *call) profile(v string) string {
	if out, ok := look[awsiam.GetInstanceProfileOutput](k, "iam", "GetInstanceProfile", &awsiam.GetInstanceProfileInput{InstanceProfileName: &v}); ok {
		return *out.InstanceProfile.Arn
	}
	return k.global("instance-profile" + k.path() + v)
}

// user spells a user with its path.
func (k *call) user(v string) string {
	if out, ok := look[awsiam.GetUserOutput](k, "iam", "GetUser", &awsiam.GetUserInput{UserName: &v}); ok {
		return *out.User.Arn
	}
	return k.global("user" + k.path() + v)
}

// self is the user who calls without naming one.
func (k *call) self() string { return k.by.ARN }

func (k *call) newPolicy(v string) string { return k.global("policy" + k.path() + v) }

func (k *call) path() string {
	if p := k.first("Path"); p != "" {
		return p
	}
	return "/"
}

// stack spells a stack with its id; the id of one that is not there is any.
func (k *call) stack(v string) string {
	if strings.HasPrefix(v, "arn:") {
		return v
	}
	out, ok := look[cloudformation.DescribeStacksOutput](k, "cloudformation", "DescribeStacks", &cloudformation.DescribeStacksInput{StackName: &v})
	if ok && len(out.Stacks) == 1 && out.Stacks[0].StackId != nil {
		return *out.Stacks[0].StackId
	}
	return k.arn("cloudformation", "stack/"+v+"/*")
}

// secret spells a secret with the characters that Secrets Manager has put after its
// name; those of one that is not there are any.
func (k *call) secret(v string) string {
	if out, ok := look[secretsmanager.DescribeSecretOutput](k, "secretsmanager", "DescribeSecret", &secretsmanager.DescribeSecretInput{SecretId: &v}); ok {
		return *out.ARN
	}
	if strings.HasPrefix(v, "arn:") {
		return v
	}
	return k.arn("secretsmanager", "secret:"+v+"-*")
}
