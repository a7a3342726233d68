package codepipeline

import (
	"context"
	"encoding/json"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	cptypes "github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// approvalTime is how long an approval is waited for: 7 days (user guide,
// "Quotas in AWS CodePipeline").
const approvalTime = 7 * 24 * time.Hour

// request is what is published when an approval is needed (user guide, "JSON data
// format for manual approval notifications").
type request struct {
	Region      string   `json:"region"`
	ConsoleLink string   `json:"consoleLink"`
	Approval    approval `json:"approval"`
}

type approval struct {
	PipelineName       string `json:"pipelineName"`
	StageName          string `json:"stageName"`
	ActionName         string `json:"actionName"`
	Token              string `json:"token"`
	Expires            string `json:"expires"`
	ExternalEntityLink string `json:"externalEntityLink,omitempty"`
	ApprovalReviewLink string `json:"approvalReviewLink"`
	CustomData         string `json:"customData,omitempty"`
}

// ask waits for an approval and says so to a topic, if there is one.
func (s *Service) ask(ctx context.Context, a *actionRun) {
	d := a.declaration()
	limit := approvalTime
	if d.TimeoutInMinutes != nil {
		limit = time.Duration(*d.TimeoutInMinutes) * time.Minute
	}
	a.token = s.w.UUID()
	if a.e.mode == cptypes.ExecutionModeParallel { // it stands in for the token (API reference, PutApprovalResult)
		a.externalID = a.token
	}
	a.externalURL = a.config["ExternalEntityLink"]
	s.wakeBy(&a.limit, s.w.Now().Add(limit), func() { s.late(ctx, a) })
	topic := a.config["NotificationArn"]
	if topic == "" {
		return
	}
	page := s.consoleURL(a.e.p)
	text, err := json.Marshal(request{Region: s.w.Region, ConsoleLink: page, Approval: approval{
		PipelineName: a.e.p.name, StageName: a.stage, ActionName: a.name, Token: a.token,
		Expires: s.w.Now().Add(limit).UTC().Format("2006-01-02T15:04Z"), ExternalEntityLink: a.config["ExternalEntityLink"],
		ApprovalReviewLink: page + "/" + a.stage + "/" + a.name + "/approve/" + a.token, CustomData: a.config["CustomData"],
	}})
	if err != nil {
		return // texts always marshal
	}
	who, err := s.agent(ctx, a)
	if err == nil {
		_, err = wire.Do[sns.PublishOutput](ctx, s.c, who, "sns", "Publish", &sns.PublishInput{
			TopicArn: aws.String(topic), Message: aws.String(string(text)),
			Subject: aws.String(cut("APPROVAL NEEDED: AWS CodePipeline "+a.e.p.name+" for action "+a.name, 100)),
		})
	}
	if err != nil {
		s.refused(ctx, a, err)
	}
}

func (s *Service) putApprovalResult(c *wire.Call, in *codepipeline.PutApprovalResultInput) (*codepipeline.PutApprovalResultOutput, error) {
	p, i, err := s.stage(in.PipelineName, in.StageName)
	if err != nil {
		return nil, err
	}
	if in.Result == nil || in.Result.Status != cptypes.ApprovalStatusApproved && in.Result.Status != cptypes.ApprovalStatusRejected {
		return nil, invalid("1 validation error detected: Value at 'result.status' failed to satisfy constraint: " +
			"Member must satisfy enum value set: [Approved, Rejected]")
	}
	if len(aws.ToString(in.Result.Summary)) > 512 {
		return nil, invalid("1 validation error detected: Value at 'result.summary' failed to satisfy constraint: " +
			"Member must have length less than or equal to 512")
	}
	a, err := p.asked(i, in.ActionName, in.Token)
	if err != nil {
		return nil, err
	}
	a.by = c.Principal.ARN
	a.summary = aws.ToString(in.Result.Summary)
	ctx := context.WithoutCancel(c.Context)
	if in.Result.Status == cptypes.ApprovalStatusApproved {
		s.done(ctx, a)
	} else {
		s.fault(ctx, a, string(cptypes.FailureTypeJobFailed), "Rejected by "+a.by)
	}
	return &codepipeline.PutApprovalResultOutput{ApprovedAt: aws.Time(s.now())}, nil
}

// asked finds the request for an approval that has a token.
func (p *pipeline) asked(stage int, action, token *string) (*actionRun, error) {
	for _, d := range p.current().Stages[stage].Actions {
		if *d.Name != aws.ToString(action) {
			continue
		}
		if *d.ActionTypeId.Provider != providerManual {
			break
		}
		for _, e := range p.executions {
			for _, a := range e.actions {
				if a.token == "" || a.token != aws.ToString(token) || a.name != *d.Name {
					continue
				}
				if a.by != "" {
					return nil, &cptypes.ApprovalAlreadyCompletedException{Message: aws.String("The approval action has already been approved or rejected.")}
				}
				if a.status == cptypes.ActionExecutionStatusInProgress {
					return a, nil
				}
			}
		}
		return nil, &cptypes.InvalidApprovalTokenException{Message: aws.String("The approval request already received a response or has expired.")}
	}
	return nil, &cptypes.ActionNotFoundException{Message: aws.String("The action '" + aws.ToString(action) + "' is no approval action of the stage.")}
}
