package instances

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

// maxPages ends a listing whose pages never do; a deployment has at most 2,000
// instances (user guide, "CodeDeploy quotas").
const maxPages = 100

// ids lists the instances of a deployment that have one of some statuses; all of
// them without any.
func (c *Client) ids(ctx context.Context, info cdtypes.DeploymentInfo, statuses ...cdtypes.TargetStatus) ([]string, error) {
	in := &codedeploy.ListDeploymentTargetsInput{DeploymentId: info.DeploymentId}
	for _, s := range statuses {
		if in.TargetFilters == nil {
			in.TargetFilters = make(map[string][]string)
		}
		name := string(cdtypes.TargetFilterNameTargetStatus)
		in.TargetFilters[name] = append(in.TargetFilters[name], string(s))
	}
	var all []string
	for range maxPages {
		out, err := c.deployments.ListDeploymentTargets(ctx, in)
		if _, early := errors.AsType[*cdtypes.DeploymentNotStartedException](err); early {
			return nil, nil
		}
		if err != nil {
			return nil, fmt.Errorf("list targets: %w", classify(err))
		}
		all = append(all, out.TargetIds...)
		if in.NextToken = out.NextToken; aws.ToString(in.NextToken) == "" {
			return all, nil
		}
	}
	return nil, fmt.Errorf("list targets: more than %d pages", maxPages)
}

// each looks at instances of a deployment.
func (c *Client) each(ctx context.Context, info cdtypes.DeploymentInfo, ids []string, see func(cdtypes.InstanceTarget)) error {
	for some := range slices.Chunk(ids, maxIDs) {
		out, err := c.deployments.BatchGetDeploymentTargets(ctx, &codedeploy.BatchGetDeploymentTargetsInput{DeploymentId: info.DeploymentId, TargetIds: some})
		if err != nil {
			return fmt.Errorf("get targets: %w", classify(err))
		}
		for _, t := range out.DeploymentTargets {
			if t.InstanceTarget != nil {
				see(*t.InstanceTarget)
			}
		}
	}
	return nil
}
