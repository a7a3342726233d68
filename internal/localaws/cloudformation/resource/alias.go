package resource

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/pullback-dev/pullback/internal/localaws/cloudformation/template"
)

// updateFunction changes code and configuration, each with its own call.
func updateFunction(j *job) error {
	name := j.resource.PhysicalID
	set, gone := j.retag()
	if err := reserve(j, name); err != nil {
		return err
	}
	if j.changed("Code", "Architectures") {
		in := lambda.UpdateFunctionCodeInput{}
		code := map[string]any{"FunctionName": name}
		maps.Copy(code, j.object("Code"))
		if v := j.take("Architectures"); v != nil {
			code["Architectures"] = v
		}
		m := mapper{report: func(path, reason string) { j.report("Code."+path, reason) }}
		m.fill(&in, code)
		if _, err := call[lambda.UpdateFunctionCodeOutput](j, "lambda", "UpdateFunctionCode", &in); err != nil {
			return err
		}
	}
	j.without("Code", "Architectures", "PackageType")
	j.lacking(map[string]any{
		"Description": "", "Environment": map[string]any{"Variables": map[string]any{}}, "MemorySize": "128", "Timeout": "3", "Layers": []any{},
		"DeadLetterConfig": map[string]any{"TargetArn": ""}, "TracingConfig": map[string]any{"Mode": "PassThrough"}, "KmsKeyArn": "",
		"EphemeralStorage": map[string]any{"Size": "512"}, "VpcConfig": map[string]any{"SubnetIds": []any{}, "SecurityGroupIds": []any{}},
		"LoggingConfig": map[string]any{"LogFormat": "Text"}, "ReservedConcurrentExecutions": nil, "Tags": nil, "Architectures": nil,
	})
	j.without("Tags", "ReservedConcurrentExecutions", "Architectures")
	j.left["FunctionName"] = name
	var in lambda.UpdateFunctionConfigurationInput
	j.fill(&in)
	if _, err := call[lambda.UpdateFunctionConfigurationOutput](j, "lambda", "UpdateFunctionConfiguration", &in); err != nil {
		return err
	}
	return retagLambda(j, j.resource.Attributes["Arn"], set, gone)
}

// reserve changes the reserved concurrency.
func reserve(j *job, name string) error {
	if !j.changed("ReservedConcurrentExecutions") {
		j.without("ReservedConcurrentExecutions")
		return nil
	}
	v := j.take("ReservedConcurrentExecutions")
	if v == nil {
		_, err := call[lambda.DeleteFunctionConcurrencyOutput](j, "lambda", "DeleteFunctionConcurrency",
			&lambda.DeleteFunctionConcurrencyInput{FunctionName: &name})
		return err
	}
	in := lambda.PutFunctionConcurrencyInput{FunctionName: &name}
	j.into(&in, "ReservedConcurrentExecutions", v)
	_, err := call[lambda.PutFunctionConcurrencyOutput](j, "lambda", "PutFunctionConcurrency", &in)
	return err
}

// updateAlias moves an alias: with CodeDeploy if its update policy says so, and
// the version changes (CloudFormation template reference, "UpdatePolicy
// attribute", CodeDeployLambdaAliasUpdate).
func updateAlias(j *job) error {
	policy, ok := j.desired.UpdatePolicy["CodeDeployLambdaAliasUpdate"].(map[string]any)
	if ok && j.changed("FunctionVersion") {
		return deployAlias(j, policy)
	}
	weights(j)
	j.lacking(map[string]any{"Description": "", "RoutingConfig": map[string]any{"AdditionalVersionWeights": map[string]any{}}})
	var in lambda.UpdateAliasInput
	j.fill(&in)
	_, err := call[lambda.UpdateAliasOutput](j, "lambda", "UpdateAlias", &in)
	return err
}

// appSpec is the revision that CloudFormation gives to CodeDeploy (CodeDeploy
// user guide, "AppSpec file structure for AWS Lambda deployments").
type appSpec struct {
	Version   json.Number           `json:"version"`
	Resources []map[string]function `json:"Resources"`
	Hooks     []map[string]string   `json:"Hooks,omitempty"`
}

type function struct {
	Type       string   `json:"Type"`
	Properties versions `json:"Properties"`
}

type versions struct {
	Name           string `json:"Name"`
	Alias          string `json:"Alias"`
	CurrentVersion string `json:"CurrentVersion"`
	TargetVersion  string `json:"TargetVersion"`
}

// deployAlias starts a deployment, which the alias waits for.
func deployAlias(j *job, policy map[string]any) error {
	alias, err := call[lambda.GetAliasOutput](j, "lambda", "GetAlias",
		&lambda.GetAliasInput{FunctionName: aws.String(j.text("FunctionName")), Name: aws.String(j.text("Name"))})
	if err != nil {
		return err
	}
	target := j.text("FunctionVersion")
	if aws.ToString(alias.FunctionVersion) == target {
		return takeWeights(j, alias.RoutingConfig)
	}
	spec := appSpec{Version: "0.0", Resources: []map[string]function{{j.id: {
		Type: "AWS::Lambda::Function",
		Properties: versions{
			Name: bareFunction(j.text("FunctionName")), Alias: j.text("Name"),
			CurrentVersion: aws.ToString(alias.FunctionVersion), TargetVersion: target,
		},
	}}}}
	for _, hook := range [][2]string{{"BeforeAllowTraffic", "BeforeAllowTrafficHook"}, {"AfterAllowTraffic", "AfterAllowTrafficHook"}} {
		if name, ok := template.Text(policy[hook[1]]); ok && name != "" {
			spec.Hooks = append(spec.Hooks, map[string]string{hook[0]: name})
		}
	}
	text, err := json.Marshal(spec)
	if err != nil {
		return fmt.Errorf("write appspec: %w", err)
	}
	application, _ := template.Text(policy["ApplicationName"])
	group, _ := template.Text(policy["DeploymentGroupName"])
	creator := cdtypes.DeploymentCreatorCloudFormation
	if j.desired.Rollback {
		creator = cdtypes.DeploymentCreatorCloudFormationRollback
	}
	if j.env.ForStack != nil {
		j.ctx = j.env.ForStack(j.ctx, creator, j.env.StackID)
	}
	out, err := call[codedeploy.CreateDeploymentOutput](j, "codedeploy", "CreateDeployment", &codedeploy.CreateDeploymentInput{
		ApplicationName: &application, DeploymentGroupName: &group,
		Revision: &cdtypes.RevisionLocation{
			RevisionType: cdtypes.RevisionLocationTypeAppSpecContent, AppSpecContent: &cdtypes.AppSpecContent{Content: aws.String(string(text))},
		},
	})
	if err != nil {
		return err
	}
	j.resource.Pending = aws.ToString(out.DeploymentId)
	return nil
}

// takeWeights is all there is to do for an alias that has its version already:
// a rollback of CodeDeploy has brought it back. A deployment that was stopped
// without one leaves a share of the traffic to the other version.
func takeWeights(j *job, r *lambdatypes.AliasRoutingConfiguration) error {
	if r == nil || len(r.AdditionalVersionWeights) == 0 {
		return nil
	}
	_, err := call[lambda.UpdateAliasOutput](j, "lambda", "UpdateAlias", &lambda.UpdateAliasInput{
		FunctionName: aws.String(j.text("FunctionName")), Name: aws.String(j.text("Name")),
		RoutingConfig: &lambdatypes.AliasRoutingConfiguration{AdditionalVersionWeights: map[string]float64{}},
	})
	return err
}

// bareFunction is the name in what names a function.
func bareFunction(name string) string {
	if parts := strings.Split(name, ":"); len(parts) > 6 && parts[5] == "function" {
		return parts[6]
	}
	return name
}

// rollbackBegins is how long after the end of a deployment its rollback has
// begun at the latest. Own choice; CodeDeploy takes less here.
const rollbackBegins = 2 * time.Second

// settleAlias looks how the deployment of an alias goes. One that fails, or was
// stopped, fails the update, once CodeDeploy's own rollback is over: two must
// not move the alias at once.
func settleAlias(j *job) error {
	d, err := getDeployment(j, j.resource.Pending)
	if err != nil {
		return err
	}
	switch d.Status {
	case cdtypes.DeploymentStatusSucceeded:
		j.resource.Pending = ""
		return nil
	case cdtypes.DeploymentStatusFailed, cdtypes.DeploymentStatusStopped:
	default:
		return nil
	}
	if r := d.RollbackInfo; r != nil && r.RollbackDeploymentId != nil {
		back, err := getDeployment(j, *r.RollbackDeploymentId)
		if err != nil || back.CompleteTime == nil {
			return err
		}
	} else if d.CompleteTime != nil && j.env.world.Now().Sub(*d.CompleteTime) < rollbackBegins {
		return nil
	}
	reason := "CodeDeploy deployment " + aws.ToString(d.DeploymentId) + " has status " + string(d.Status)
	if d.ErrorInformation != nil {
		reason += ": " + aws.ToString(d.ErrorInformation.Message)
	}
	return errors.New(reason)
}

func getDeployment(j *job, id string) (*cdtypes.DeploymentInfo, error) {
	out, err := call[codedeploy.GetDeploymentOutput](j, "codedeploy", "GetDeployment", &codedeploy.GetDeploymentInput{DeploymentId: &id})
	if err != nil {
		return nil, err
	}
	if out.DeploymentInfo == nil {
		return nil, fmt.Errorf("deployment %s is not there", id)
	}
	return out.DeploymentInfo, nil
}
