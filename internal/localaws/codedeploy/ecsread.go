package codedeploy

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/smithy-go"

	"github.com/pullback-dev/pullback/internal/localaws/codedeploy/appspec"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// problem is why a deployment fails.
type problem struct {
	code    cdtypes.ErrorCode
	message string
}

// The messages of AWS: the first from a published lab run, the second from
// published failures, the third from the user guide's page "Troubleshoot Amazon
// ECS deployment issues".
const (
	notOfThePair = "The target ECS service must be configured using one of those two target groups."
	ecsRefused   = "The ECS service cannot be updated due to an unexpected error: %s (Service: AmazonECS; Status Code: 400; Error Code: %s; Request ID: %s; Proxy: null). Check your ECS service status."
	elbRefused   = "The ELB could not be updated due to the following error: %s"
	notAllowed   = "The IAM role %s does not give you permission to perform operations in the following AWS service: %s."
)

// denied reports whether a role lacks a permission.
func denied(err error) bool {
	e, ok := errors.AsType[smithy.APIError](err)
	return ok && (e.ErrorCode() == "AccessDenied" || e.ErrorCode() == "AccessDeniedException")
}

func (r *ecsRun) lacks(service string) *problem {
	return &problem{cdtypes.ErrorCodeIamRolePermissions, fmt.Sprintf(notAllowed, r.d.role, service)}
}

// ecsProblem is the problem of a call that ECS refused.
func (r *ecsRun) ecsProblem(err error) *problem {
	if denied(err) {
		return r.lacks("AmazonECS")
	}
	code, text := "ServerException", err.Error()
	if e, ok := errors.AsType[smithy.APIError](err); ok {
		code, text = e.ErrorCode(), e.ErrorMessage()
	}
	return &problem{cdtypes.ErrorCodeEcsUpdateError, fmt.Sprintf(ecsRefused, text, code, r.s.w.UUID())}
}

// elbProblem is the problem of a call that Elastic Load Balancing refused.
func (r *ecsRun) elbProblem(err error) *problem {
	if denied(err) {
		return r.lacks("AmazonElasticLoadBalancing")
	}
	text := err.Error()
	if e, ok := errors.AsType[smithy.APIError](err); ok {
		text = e.ErrorMessage()
	}
	return &problem{cdtypes.ErrorCodeElasticLoadBalancingInvalid, fmt.Sprintf(elbRefused, text)}
}

// read gets the AppSpec file, from the revision or from S3.
func (r *ecsRun) read(ctx context.Context) *problem {
	content, err := r.s.appSpec(ctx, r.d)
	if err != nil {
		return &problem{cdtypes.ErrorCodeRevisionMissing, fmt.Sprintf("The revision could not be read: %v", err)}
	}
	spec, err := appspec.ParseECS(content)
	if err != nil {
		return &problem{cdtypes.ErrorCodeInvalidRevision, fmt.Sprintf("The AppSpec file of the Amazon ECS deployment is not valid: %v", err)}
	}
	r.spec = spec
	return nil
}

// inspect looks the service and the target groups of the deployment up.
func (r *ecsRun) inspect(ctx context.Context) *problem {
	service := r.d.settings.EcsServices[0]
	r.place = place{cluster: aws.ToString(service.ClusterName), service: aws.ToString(service.ServiceName)}
	svc, err := r.s.ecsService(ctx, r.d.principal(), service)
	switch {
	case denied(err):
		return r.lacks("AmazonECS")
	case err != nil:
		return &problem{cdtypes.ErrorCodeInvalidEcsService, err.Error()}
	}
	r.place.arn, r.known = aws.ToString(svc.ServiceArn), true
	i := slices.IndexFunc(svc.TaskSets, func(set ecstypes.TaskSet) bool { return aws.ToString(set.Status) == "PRIMARY" })
	if i < 0 {
		return &problem{cdtypes.ErrorCodeInvalidEcsService, "The target ECS service does not have a primary task set."}
	}
	primary := svc.TaskSets[i]
	all, p := r.sides(ctx)
	if p != nil {
		return p
	}
	for n, s := range all {
		if slices.ContainsFunc(primary.LoadBalancers, func(b ecstypes.LoadBalancer) bool { return aws.ToString(b.TargetGroupArn) == s.group }) {
			r.blue, r.green = s, all[1-n]
			r.blue.set = aws.ToString(primary.Id)
			r.blue.show(primary, r.blue.name, cdtypes.TargetLabelBlue)
			return nil
		}
	}
	return &problem{cdtypes.ErrorCodeInvalidEcsService, notOfThePair}
}

// sides looks the two target groups of the deployment up by their names.
func (r *ecsRun) sides(ctx context.Context) (all [2]side, p *problem) {
	for i, g := range r.route().TargetGroups {
		out, err := wire.Do[elb.DescribeTargetGroupsOutput](ctx, r.s.c, r.d.principal(), "elasticloadbalancing", "DescribeTargetGroups",
			&elb.DescribeTargetGroupsInput{Names: []string{aws.ToString(g.Name)}})
		if err != nil {
			return all, r.elbProblem(err)
		}
		all[i] = side{group: aws.ToString(out.TargetGroups[0].TargetGroupArn), name: aws.ToString(g.Name)}
	}
	return all, nil
}

// route is the target group pair of the deployment.
func (r *ecsRun) route() cdtypes.TargetGroupPairInfo {
	return r.d.info.LoadBalancerInfo.TargetGroupPairInfoList[0]
}

// ecsService finds a service that CodeDeploy may deploy to. The message about
// the controller is AWS's.
func (s *Service) ecsService(ctx context.Context, as wire.Principal, of cdtypes.ECSService) (*ecstypes.Service, error) {
	out, err := wire.Do[ecs.DescribeServicesOutput](ctx, s.c, as, "ecs", "DescribeServices", &ecs.DescribeServicesInput{
		Cluster: of.ClusterName, Services: []string{aws.ToString(of.ServiceName)},
	})
	if err != nil {
		return nil, err
	}
	for _, svc := range out.Services {
		switch {
		case aws.ToString(svc.Status) != "ACTIVE":
		case svc.DeploymentController == nil || svc.DeploymentController.Type != ecstypes.DeploymentControllerTypeCodeDeploy:
			return nil, errors.New("Deployment group's ECSService must be configured for a CODE_DEPLOY deployment controller.") //nolint:staticcheck // AWS's words
		default:
			return &svc, nil
		}
	}
	return nil, fmt.Errorf("The ECS service %s in cluster %s does not exist or is not active.", aws.ToString(of.ServiceName), aws.ToString(of.ClusterName)) //nolint:staticcheck // a message that AWS would give
}
