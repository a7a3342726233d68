package codepipeline

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	cptypes "github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// following is how often a deployment is looked at; assumed.
const following = 5 * time.Second

// deployTime is how long a deployment may take: 5 days (user guide, "Quotas in
// AWS CodePipeline").
const deployTime = 5 * 24 * time.Hour

// deploy starts a deployment of the input artifact, which is a zip file: a
// deployment on Lambda or ECS refuses that, on AWS, too.
func (s *Service) deploy(ctx context.Context, a *actionRun) {
	in := a.inputs[0]
	location := &cdtypes.S3Location{Bucket: aws.String(in.bucket), Key: aws.String(in.key), BundleType: cdtypes.BundleTypeZip}
	if in.etag != "" {
		location.ETag = aws.String(in.etag)
	}
	who, err := s.agent(ctx, a)
	if err != nil {
		s.refused(ctx, a, err)
		return
	}
	out, err := wire.Do[codedeploy.CreateDeploymentOutput](ctx, s.c, who, "codedeploy", "CreateDeployment",
		&codedeploy.CreateDeploymentInput{
			ApplicationName: aws.String(a.config["ApplicationName"]), DeploymentGroupName: aws.String(a.config["DeploymentGroupName"]),
			Revision: &cdtypes.RevisionLocation{RevisionType: cdtypes.RevisionLocationTypeS3, S3Location: location},
		})
	if err != nil {
		s.refused(ctx, a, err)
		return
	}
	a.externalID = *out.DeploymentId
	a.externalURL = "https://" + s.w.Region + ".console.aws.amazon.com/codedeploy/home?#/deployments/" + a.externalID
	s.within(ctx, a, deployTime)
	s.wakeAt(&a.next, s.w.Now().Add(following), func() { s.follow(ctx, a) })
}

// follow looks how far a deployment is.
func (s *Service) follow(ctx context.Context, a *actionRun) {
	who, err := s.agent(ctx, a)
	if err != nil {
		s.refused(ctx, a, err)
		return
	}
	out, err := wire.Do[codedeploy.GetDeploymentOutput](ctx, s.c, who, "codedeploy", "GetDeployment",
		&codedeploy.GetDeploymentInput{DeploymentId: aws.String(a.externalID)})
	if err != nil {
		s.refused(ctx, a, err)
		return
	}
	switch out.DeploymentInfo.Status {
	case cdtypes.DeploymentStatusSucceeded:
		a.summary = "Deployment Succeeded" // as the action of AWS says
		s.done(ctx, a)
	case cdtypes.DeploymentStatusFailed, cdtypes.DeploymentStatusStopped:
		a.summary = "Deployment " + a.externalID + " failed"
		s.fault(ctx, a, string(cptypes.FailureTypeJobFailed), a.summary)
	default:
		s.wakeAt(&a.next, s.w.Now().Add(following), func() { s.follow(ctx, a) })
	}
}
