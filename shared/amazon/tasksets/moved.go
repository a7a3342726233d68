package tasksets

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"github.com/pullback-dev/pullback/shared/deploy"
)

// Moved adds what a deployment of a group moves, and since when. CodeDeploy names
// the task sets, ECS what they run; before the replacement is there, and once the
// original is deleted, the AppSpec files of this revision and of the one before
// say it, which GetDeployment leaves out and GetApplicationRevision does not. What
// nobody knows any more stays empty: what ran before the first deployment of a
// group, once it is deleted, and files that are on S3.
func (c *Client) Moved(ctx context.Context, d deploy.Deployment, info cdtypes.DeploymentInfo, targets []cdtypes.DeploymentTarget) (deploy.Deployment, error) {
	var original, replacement deploy.Revision
	// An ECS deployment has exactly one target, which is the service (API
	// reference, "ECSTarget").
	if len(targets) > 0 && targets[0].EcsTarget != nil {
		t := *targets[0].EcsTarget
		d.Shifted, d.Alone = shifted(t)
		var err error
		if original, replacement, err = c.sides(ctx, t); err != nil {
			return d, err
		}
	}
	// The labels of a rollback's task sets are those of what it takes back.
	rollback := d.RollsBack != ""
	d.From, d.To = original, replacement
	if rollback {
		d.From, d.To = replacement, original
	}
	for r, location := range map[*deploy.Revision]*cdtypes.RevisionLocation{&d.To: info.Revision, &d.From: info.PreviousRevision} {
		if *r != "" || rollback && r == &d.From {
			continue
		}
		found, err := c.specified(ctx, d.Target.Application, location)
		if err != nil {
			return d, err
		}
		*r = found
	}
	return d, nil
}

// sides returns the task definitions of a target's original and replacement task
// sets, which the service lists. What ECS does not know any more stays empty.
func (c *Client) sides(ctx context.Context, t cdtypes.ECSTarget) (original, replacement deploy.Revision, err error) {
	// arn:aws:ecs:REGION:ACCOUNT:service/CLUSTER/SERVICE; an old one has no
	// cluster, and then there is the AppSpec file.
	parts := strings.Split(aws.ToString(t.TargetArn), "/")
	if len(parts) != 3 || len(t.TaskSetsInfo) == 0 {
		return "", "", nil
	}
	s, err := c.service(ctx, group{cluster: parts[1], service: parts[2]})
	if errors.Is(err, deploy.ErrUnknown) {
		return "", "", nil
	}
	if err != nil {
		return "", "", err
	}
	runs := make(map[string]deploy.Revision)
	for _, set := range s.TaskSets {
		runs[aws.ToString(set.Id)], runs[aws.ToString(set.TaskSetArn)] = revisionOf(set), revisionOf(set)
	}
	for _, set := range t.TaskSetsInfo {
		switch r := runs[aws.ToString(set.Identifer)]; set.TaskSetLabel { //nolint:misspell // as AWS spells it
		case cdtypes.TargetLabelBlue:
			original = r
		case cdtypes.TargetLabelGreen:
			replacement = r
		}
	}
	return original, replacement, nil
}

// shifted returns when traffic began to move and when all of it had: the start of
// AllowTraffic, which a deployment that was refused before never has, and its end.
// The deployment goes on until the original task set is terminated.
func shifted(t cdtypes.ECSTarget) (began, all time.Time) {
	for _, e := range t.LifecycleEvents {
		if aws.ToString(e.LifecycleEventName) != "AllowTraffic" || e.Status == cdtypes.LifecycleEventStatusSkipped {
			continue
		}
		if e.Status == cdtypes.LifecycleEventStatusSucceeded && e.EndTime != nil {
			all = e.EndTime.UTC()
		}
		return aws.ToTime(e.StartTime).UTC(), all
	}
	return time.Time{}, time.Time{}
}

// specified returns the task definition that a revision of an application names,
// empty if that is not known.
func (c *Client) specified(ctx context.Context, application string, r *cdtypes.RevisionLocation) (deploy.Revision, error) {
	if r == nil || r.RevisionType != cdtypes.RevisionLocationTypeAppSpecContent && r.RevisionType != cdtypes.RevisionLocationTypeString {
		return "", nil
	}
	out, err := c.groups.GetApplicationRevision(ctx, &codedeploy.GetApplicationRevisionInput{ApplicationName: &application, Revision: r})
	if _, strange := errors.AsType[*cdtypes.InvalidRevisionException](err); strange || errors.Is(classify(err), deploy.ErrUnknown) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("get revision of application %s: %w", application, err)
	}
	text := ""
	switch found := out.Revision; {
	case found == nil:
	case found.AppSpecContent != nil:
		text = aws.ToString(found.AppSpecContent.Content)
	case found.String_ != nil: //nolint:staticcheck // old deployments have it
		text = aws.ToString(found.String_.Content) //nolint:staticcheck // old deployments have it
	}
	return c.definitionIn(text), nil
}

// line is the one line of an AppSpec file that matters here, in JSON and in YAML
// (user guide, "AppSpec 'resources' section for Amazon ECS deployments").
const line = `(?i)\bTaskDefinition["']?\s*:\s*["']?(?:[^"'\s,}]*/)?([A-Za-z0-9_-]+:[0-9]+)`

// definitionIn finds the task definition in an AppSpec file, empty if it says no
// revision.
func (c *Client) definitionIn(text string) deploy.Revision {
	found := c.line.FindStringSubmatch(text)
	if found == nil {
		return ""
	}
	return deploy.Revision(found[1])
}
