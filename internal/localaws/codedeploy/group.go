package codedeploy

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// group is a deployment group.
type group struct {
	application *application
	info        cdtypes.DeploymentGroupInfo
	active      *deployment          // created and not yet over, or about to be rolled back
	attempted   *deployment          // the last that was created
	succeeded   *deployment          // the last that succeeded
	conditions  map[string]condition // of instances, by ID
	late        []string             // instances that Auto Scaling launched during the active deployment
}

// take makes a deployment the one that goes on.
func (g *group) take(d *deployment) { g.active, g.attempted = d, d }

func (g *group) name() string { return aws.ToString(g.info.DeploymentGroupName) }

// describe returns the group with its latest deployments. A deployment that
// failed or was stopped leaves the target revision as it was (user guide,
// "View deployment group details" and "Instance health").
func (g *group) describe() *cdtypes.DeploymentGroupInfo {
	info := g.info
	info.ApplicationName = aws.String(g.application.name)
	info.ComputePlatform = g.application.platform
	info.LastAttemptedDeployment = g.attempted.last()
	info.LastSuccessfulDeployment = g.succeeded.last()
	if g.succeeded != nil {
		info.TargetRevision = withoutText(g.succeeded.info.Revision)
	}
	return &info
}

func noGroup(name string) error {
	return &cdtypes.DeploymentGroupDoesNotExistException{Message: aws.String("No Deployment Group found for name: " + name)}
}

func checkGroupName(name *string) error {
	switch {
	case aws.ToString(name) == "":
		return &cdtypes.DeploymentGroupNameRequiredException{Message: aws.String("The deployment group name was not specified.")}
	case len(*name) > nameLimit:
		return &cdtypes.InvalidDeploymentGroupNameException{Message: aws.String("The deployment group name was specified in an invalid format.")}
	default:
		return nil
	}
}

// group finds a deployment group by the names of its application and itself.
func (s *Service) group(applicationName, name *string) (*group, error) {
	a, err := s.application(applicationName)
	if err != nil {
		return nil, err
	}
	if err := checkGroupName(name); err != nil {
		return nil, err
	}
	g := a.groups[*name]
	if g == nil {
		return nil, noGroup(*name)
	}
	return g, nil
}

func (s *Service) createDeploymentGroup(c *wire.Call, in *codedeploy.CreateDeploymentGroupInput) (*codedeploy.CreateDeploymentGroupOutput, error) {
	a, err := s.application(in.ApplicationName)
	if err != nil {
		return nil, err
	}
	if err := checkGroupName(in.DeploymentGroupName); err != nil {
		return nil, err
	}
	if a.groups[*in.DeploymentGroupName] != nil {
		return nil, &cdtypes.DeploymentGroupAlreadyExistsException{Message: aws.String("Deployment group name already exists: " + *in.DeploymentGroupName)}
	}
	if aws.ToString(in.ServiceRoleArn) == "" {
		return nil, &cdtypes.RoleRequiredException{Message: aws.String("The role ID was not specified.")}
	}
	tags, err := tagMap(in.Tags)
	if err != nil {
		return nil, err
	}
	g := &group{application: a, conditions: map[string]condition{}, info: cdtypes.DeploymentGroupInfo{DeploymentGroupName: in.DeploymentGroupName}}
	g.info.DeploymentGroupId = aws.String(s.w.UUID())
	if _, err := s.change(c.Context, g, (*settings)(in)); err != nil {
		return nil, err
	}
	a.groups[g.name()] = g
	s.tags[s.groupARN(a.name, g.name())] = tags
	return &codedeploy.CreateDeploymentGroupOutput{DeploymentGroupId: g.info.DeploymentGroupId}, nil
}

func (s *Service) updateDeploymentGroup(c *wire.Call, in *codedeploy.UpdateDeploymentGroupInput) (*codedeploy.UpdateDeploymentGroupOutput, error) {
	g, err := s.group(in.ApplicationName, in.CurrentDeploymentGroupName)
	if err != nil {
		return nil, err
	}
	renamed := in.NewDeploymentGroupName != nil && *in.NewDeploymentGroupName != g.name()
	if renamed {
		if err := checkGroupName(in.NewDeploymentGroupName); err != nil {
			return nil, err
		}
		if g.application.groups[*in.NewDeploymentGroupName] != nil {
			return nil, &cdtypes.DeploymentGroupAlreadyExistsException{Message: aws.String("Deployment group name already exists: " + *in.NewDeploymentGroupName)}
		}
	}
	uncleaned, err := s.change(c.Context, g, settingsOfUpdate(in))
	if err != nil {
		return nil, err
	}
	if renamed {
		s.rename(g, *in.NewDeploymentGroupName)
	}
	return &codedeploy.UpdateDeploymentGroupOutput{HooksNotCleanedUp: uncleaned}, nil
}

func (s *Service) rename(g *group, name string) {
	s.retag(s.groupARN(g.application.name, g.name()), s.groupARN(g.application.name, name))
	delete(g.application.groups, g.name())
	g.info.DeploymentGroupName = aws.String(name)
	g.application.groups[name] = g
	for _, d := range s.deployments {
		if d.group == g {
			d.info.DeploymentGroupName = aws.String(name)
		}
	}
}

// drop forgets a group. A deployment that is still going on goes on: the user
// guide says nothing about it, and deployments outlive their group.
func (s *Service) drop(ctx context.Context, g *group) []cdtypes.AutoScalingGroup {
	delete(s.tags, s.groupARN(g.application.name, g.name()))
	delete(g.application.groups, g.name())
	return s.removeHooks(ctx, &g.info, &cdtypes.DeploymentGroupInfo{})
}

func (s *Service) getDeploymentGroup(_ *wire.Call, in *codedeploy.GetDeploymentGroupInput) (*codedeploy.GetDeploymentGroupOutput, error) {
	g, err := s.group(in.ApplicationName, in.DeploymentGroupName)
	if err != nil {
		return nil, err
	}
	return &codedeploy.GetDeploymentGroupOutput{DeploymentGroupInfo: g.describe()}, nil
}

func (s *Service) batchGetDeploymentGroups(_ *wire.Call, in *codedeploy.BatchGetDeploymentGroupsInput) (*codedeploy.BatchGetDeploymentGroupsOutput, error) {
	a, err := s.application(in.ApplicationName)
	if err != nil {
		return nil, err
	}
	if len(in.DeploymentGroupNames) == 0 {
		return nil, &cdtypes.DeploymentGroupNameRequiredException{Message: aws.String("The deployment group name was not specified.")}
	}
	if err := tooMany(len(in.DeploymentGroupNames), batchLimit); err != nil {
		return nil, err
	}
	out := &codedeploy.BatchGetDeploymentGroupsOutput{DeploymentGroupsInfo: []cdtypes.DeploymentGroupInfo{}}
	for _, name := range in.DeploymentGroupNames {
		g, err := s.group(aws.String(a.name), aws.String(name))
		if err != nil {
			return nil, err
		}
		out.DeploymentGroupsInfo = append(out.DeploymentGroupsInfo, *g.describe())
	}
	return out, nil
}

func (s *Service) listDeploymentGroups(_ *wire.Call, in *codedeploy.ListDeploymentGroupsInput) (*codedeploy.ListDeploymentGroupsOutput, error) {
	a, err := s.application(in.ApplicationName)
	if err != nil {
		return nil, err
	}
	part, next, err := page(names(a.groups), in.NextToken)
	if err != nil {
		return nil, err
	}
	return &codedeploy.ListDeploymentGroupsOutput{ApplicationName: aws.String(a.name), DeploymentGroups: part, NextToken: next}, nil
}

// deleteDeploymentGroup succeeds for a group that does not exist: the API
// reference lists no DeploymentGroupDoesNotExistException for it.
func (s *Service) deleteDeploymentGroup(c *wire.Call, in *codedeploy.DeleteDeploymentGroupInput) (*codedeploy.DeleteDeploymentGroupOutput, error) {
	if err := checkApplicationName(in.ApplicationName); err != nil {
		return nil, err
	}
	if err := checkGroupName(in.DeploymentGroupName); err != nil {
		return nil, err
	}
	uncleaned := []cdtypes.AutoScalingGroup{}
	if a := s.applications[*in.ApplicationName]; a != nil && a.groups[*in.DeploymentGroupName] != nil {
		uncleaned = s.drop(c.Context, a.groups[*in.DeploymentGroupName])
	}
	return &codedeploy.DeleteDeploymentGroupOutput{HooksNotCleanedUp: uncleaned}, nil
}

// copyAlarms returns a copy that shares nothing with the original.
func copyAlarms(c *cdtypes.AlarmConfiguration) *cdtypes.AlarmConfiguration {
	if c == nil {
		return nil
	}
	k := *c
	k.Alarms = slices.Clone(c.Alarms)
	return &k
}

// copyRollback returns a copy that shares nothing with the original.
func copyRollback(c *cdtypes.AutoRollbackConfiguration) *cdtypes.AutoRollbackConfiguration {
	if c == nil {
		return nil
	}
	k := *c
	k.Events = slices.Clone(c.Events)
	return &k
}
