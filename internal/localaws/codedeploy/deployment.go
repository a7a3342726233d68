package codedeploy

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// batchDeployments is the most IDs of BatchGetDeployments (API reference; the
// quotas page says 100).
const batchDeployments = 25

// deployment is one deployment.
type deployment struct {
	info        cdtypes.DeploymentInfo // its revision has its text
	application *application
	group       *group
	settings    cdtypes.DeploymentGroupInfo // of the group when it was created
	role        string                      // the service role when it was created
	config      *cdtypes.DeploymentConfigInfo
	alarms      *cdtypes.AlarmConfiguration // what is watched; nil for a rollback
	run         run
	timers      []*world.Timer // of what goes on; stopped when it is over
	stopping    bool           // StopDeployment was accepted
	undone      bool           // … and it will be rolled back
	aside       bool           // goes to one instance, beside what the group does
}

func (d *deployment) id() string { return aws.ToString(d.info.DeploymentId) }

// over reports whether the status is final.
func (d *deployment) over() bool {
	switch d.info.Status {
	case cdtypes.DeploymentStatusSucceeded, cdtypes.DeploymentStatusFailed, cdtypes.DeploymentStatusStopped:
		return true
	default:
		return false
	}
}

// started reports whether the deployment left the queue.
func (d *deployment) started() bool { return d.info.StartTime != nil }

// last describes the deployment as its group shows it.
func (d *deployment) last() *cdtypes.LastDeploymentInfo {
	if d == nil {
		return nil
	}
	return &cdtypes.LastDeploymentInfo{
		CreateTime: d.info.CreateTime, DeploymentId: d.info.DeploymentId, EndTime: d.info.CompleteTime, Status: d.info.Status,
	}
}

// describe returns what GetDeployment shows.
func (d *deployment) describe() *cdtypes.DeploymentInfo {
	info := d.info
	info.Revision = withoutText(d.info.Revision)
	info.PreviousRevision = withoutText(d.info.PreviousRevision)
	info.DeploymentOverview = d.overview()
	info.AutoRollbackConfiguration = copyRollback(d.info.AutoRollbackConfiguration)
	info.OverrideAlarmConfiguration = copyAlarms(d.info.OverrideAlarmConfiguration)
	if d.info.RollbackInfo != nil {
		r := *d.info.RollbackInfo
		info.RollbackInfo = &r
	}
	return &info
}

// deployment finds a deployment by its ID.
func (s *Service) deployment(id *string) (*deployment, error) {
	switch {
	case aws.ToString(id) == "":
		return nil, &cdtypes.DeploymentIdRequiredException{Message: aws.String("The deployment ID is required.")}
	case !strings.HasPrefix(*id, "d-"):
		return nil, &cdtypes.InvalidDeploymentIdException{Message: aws.String("Specified DeploymentId is not in the valid format: " + *id)}
	}
	d := s.byID[*id]
	if d == nil {
		return nil, &cdtypes.DeploymentDoesNotExistException{Message: aws.String("The deployment " + *id + " could not be found")}
	}
	return d, nil
}

// newID makes a deployment ID of the form that AWS uses: d- and nine
// characters.
func (s *Service) newID() string {
	const length = 9
	for {
		id := "d-" + strings.ToUpper(s.letters(length))
		if s.byID[id] == nil {
			return id
		}
	}
}

// letters makes a random text of small letters and digits.
func (s *Service) letters(n int) string {
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789"
	text := make([]byte, n)
	for i := range text {
		text[i] = letters[s.w.Rand().IntN(len(letters))]
	}
	return string(text)
}

func (s *Service) getDeployment(_ *wire.Call, in *codedeploy.GetDeploymentInput) (*codedeploy.GetDeploymentOutput, error) {
	d, err := s.deployment(in.DeploymentId)
	if err != nil {
		return nil, err
	}
	return &codedeploy.GetDeploymentOutput{DeploymentInfo: d.describe()}, nil
}

func (s *Service) batchGetDeployments(_ *wire.Call, in *codedeploy.BatchGetDeploymentsInput) (*codedeploy.BatchGetDeploymentsOutput, error) {
	if len(in.DeploymentIds) == 0 {
		return nil, &cdtypes.DeploymentIdRequiredException{Message: aws.String("At least one deployment ID must be specified.")}
	}
	if err := tooMany(len(in.DeploymentIds), batchDeployments); err != nil {
		return nil, err
	}
	out := &codedeploy.BatchGetDeploymentsOutput{DeploymentsInfo: []cdtypes.DeploymentInfo{}}
	for _, id := range in.DeploymentIds {
		d, err := s.deployment(aws.String(id))
		if err != nil {
			return nil, err
		}
		out.DeploymentsInfo = append(out.DeploymentsInfo, *d.describe())
	}
	return out, nil
}

// listDeployments lists the newest deployment first. The order is not
// documented; clients rely on it.
func (s *Service) listDeployments(_ *wire.Call, in *codedeploy.ListDeploymentsInput) (*codedeploy.ListDeploymentsOutput, error) {
	if err := s.checkList(in); err != nil {
		return nil, err
	}
	var ids []string
	for _, d := range slices.Backward(s.deployments) {
		if listed(d, in) {
			ids = append(ids, d.id())
		}
	}
	part, next, err := page(ids, in.NextToken)
	if err != nil {
		return nil, err
	}
	return &codedeploy.ListDeploymentsOutput{Deployments: part, NextToken: next}, nil
}

// checkList refuses filters that do not fit together. Application and group
// must both be given or neither (API reference, ListDeployments).
func (s *Service) checkList(in *codedeploy.ListDeploymentsInput) error {
	if in.ApplicationName == nil && in.DeploymentGroupName != nil {
		return &cdtypes.ApplicationNameRequiredException{Message: aws.String("The application name is required.")}
	}
	if in.ApplicationName != nil {
		if _, err := s.group(in.ApplicationName, in.DeploymentGroupName); err != nil {
			return err
		}
	}
	for _, status := range in.IncludeOnlyStatuses {
		if !slices.Contains(status.Values(), status) {
			return &cdtypes.InvalidDeploymentStatusException{Message: aws.String("The specified deployment status doesn't exist or cannot be determined: " + string(status))}
		}
	}
	if r := in.CreateTimeRange; r != nil && r.Start != nil && r.End != nil && r.End.Before(*r.Start) {
		return &cdtypes.InvalidTimeRangeException{Message: aws.String("The specified time range was specified in an invalid format.")}
	}
	return nil
}

func listed(d *deployment, in *codedeploy.ListDeploymentsInput) bool {
	r := in.CreateTimeRange
	switch {
	case in.DeploymentGroupName != nil && (d.application.name != *in.ApplicationName || d.group.name() != *in.DeploymentGroupName),
		len(in.IncludeOnlyStatuses) > 0 && !slices.Contains(in.IncludeOnlyStatuses, d.info.Status),
		aws.ToString(in.ExternalId) != "" && aws.ToString(d.info.ExternalId) != *in.ExternalId,
		r != nil && r.Start != nil && d.info.CreateTime.Before(*r.Start),
		r != nil && r.End != nil && d.info.CreateTime.After(*r.End):
		return false
	default:
		return true
	}
}

func alreadyCompleted(d *deployment) error {
	return &cdtypes.DeploymentAlreadyCompletedException{Message: aws.String("The deployment " + d.id() + " is already complete.")}
}
