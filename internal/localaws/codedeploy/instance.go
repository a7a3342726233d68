package codedeploy

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// The operations in this file are the deprecated ones for instances. They
// answer for EC2/on-premises and Lambda deployments (API reference).
type (
	instanceSummary       = cdtypes.InstanceSummary
	listInstancesInput    = codedeploy.ListDeploymentInstancesInput
	listInstancesOutput   = codedeploy.ListDeploymentInstancesOutput
	getInstanceInput      = codedeploy.GetDeploymentInstanceInput
	getInstanceOutput     = codedeploy.GetDeploymentInstanceOutput
	batchInstancesInput   = codedeploy.BatchGetDeploymentInstancesInput
	batchInstancesOutput  = codedeploy.BatchGetDeploymentInstancesOutput
	deprecatedInstStatus  = cdtypes.InstanceStatus
	deprecatedInstanceFor = cdtypes.InstanceType
)

// notForECS finds a deployment of a platform that has the deprecated
// operations.
func (s *Service) notForECS(id *string) (*deployment, error) {
	d, err := s.deployment(id)
	if err != nil {
		return nil, err
	}
	if d.application.platform == cdtypes.ComputePlatformEcs {
		return nil, &cdtypes.InvalidComputePlatformException{Message: aws.String("The computePlatform is invalid. The computePlatform should be Lambda or Server.")}
	}
	return d, nil
}

func (s *Service) listDeploymentInstances(_ *wire.Call, in *listInstancesInput) (*listInstancesOutput, error) {
	d, err := s.notForECS(in.DeploymentId)
	if err != nil {
		return nil, err
	}
	if !d.started() {
		return nil, notStarted(d)
	}
	filters := map[string][]string{}
	for _, status := range in.InstanceStatusFilter {
		if !slices.Contains(status.Values(), status) {
			return nil, &cdtypes.InvalidInstanceStatusException{Message: aws.String("The specified instance status does not exist: " + string(status))}
		}
		filters[filterStatus] = append(filters[filterStatus], string(status))
	}
	for _, kind := range in.InstanceTypeFilter {
		filters[filterLabel] = append(filters[filterLabel], string(kind))
	}
	if err := checkLabels(d, filters[filterLabel]); err != nil {
		return nil, err
	}
	part, next, err := page(d.targetIDs(filters), in.NextToken)
	if err != nil {
		return nil, err
	}
	return &listInstancesOutput{InstancesList: part, NextToken: next}, nil
}

func (s *Service) getDeploymentInstance(_ *wire.Call, in *getInstanceInput) (*getInstanceOutput, error) {
	d, err := s.notForECS(in.DeploymentId)
	if err != nil {
		return nil, err
	}
	summary, err := d.instance(aws.ToString(in.InstanceId))
	if err != nil {
		return nil, err
	}
	return &getInstanceOutput{InstanceSummary: summary}, nil //nolint:staticcheck // deprecated, and still accepted
}

func (s *Service) batchGetDeploymentInstances(_ *wire.Call, in *batchInstancesInput) (*batchInstancesOutput, error) {
	d, err := s.notForECS(in.DeploymentId)
	if err != nil {
		return nil, err
	}
	if len(in.InstanceIds) == 0 {
		return nil, noInstanceID()
	}
	if err := tooMany(len(in.InstanceIds), batchTargets); err != nil {
		return nil, err
	}
	out := &batchInstancesOutput{InstancesSummary: []instanceSummary{}}
	for _, id := range in.InstanceIds {
		summary, err := d.instance(id)
		if err != nil {
			out.ErrorMessage = aws.String(err.Error())
			continue
		}
		out.InstancesSummary = append(out.InstancesSummary, *summary)
	}
	return out, nil
}

func noInstanceID() error {
	return &cdtypes.InstanceIdRequiredException{Message: aws.String("The instance ID was not specified.")}
}

// instance describes an instance by its ID or ARN in the old form. Its ID is
// the ARN there (AWS CLI reference, get-deployment-instance).
func (d *deployment) instance(id string) (*instanceSummary, error) {
	if id == "" {
		return nil, noInstanceID()
	}
	for _, t := range d.run.targets() {
		f := about(&t)
		if f.id != id && f.arn != id && !strings.HasSuffix(f.arn, "/"+id) {
			continue
		}
		return &instanceSummary{
			DeploymentId: d.info.DeploymentId, InstanceId: aws.String(f.arn), InstanceType: deprecatedInstanceFor(f.label),
			LastUpdatedAt: f.updated, LifecycleEvents: f.events, Status: deprecatedInstStatus(f.status), //nolint:staticcheck // deprecated, and still accepted
		}, nil
	}
	return nil, &cdtypes.InstanceDoesNotExistException{Message: aws.String("The specified instance does not exist in the deployment group: " + id)}
}
