package rollbacker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
	"github.com/pullback-dev/pullback/shared/plan"
	"github.com/pullback-dev/pullback/shared/together"
)

// of names a place with its target, for the record of a call.
func of(p deploy.Place) string {
	if p.Alias.Function == "" {
		return p.Target.String()
	}
	return fmt.Sprintf("%s of %s", p.Target, p.Alias)
}

// apis names the calls that steps make, for the records.
func apis(p deploy.Place) map[plan.Verb]string {
	switch p.Target.Kind {
	case deploy.KindAlias:
		return map[plan.Verb]string{plan.Stop: "lambda:UpdateAlias", plan.Restore: "lambda:UpdateAlias"}
	case deploy.KindService:
		return map[plan.Verb]string{plan.Stop: "ecs:StopServiceDeployment", plan.Restore: "ecs:UpdateService", plan.Heal: "ecs:UpdateService", plan.Zero: "ecs:UpdateService"}
	case deploy.KindScaling:
		return map[plan.Verb]string{plan.Stop: "autoscaling:RollbackInstanceRefresh", plan.Restore: "autoscaling:StartInstanceRefresh"}
	case deploy.KindStage:
		return map[plan.Verb]string{plan.Stop: "codepipeline:StopPipelineExecution", plan.Restore: "codepipeline:RollbackStage"}
	default:
		heal := "lambda:UpdateAlias"
		if p.Platform == deploy.OnECS {
			heal = "elasticloadbalancing:ModifyListener"
		}
		return map[plan.Verb]string{plan.Stop: "codedeploy:StopDeployment", plan.Restore: "codedeploy:CreateDeployment", plan.Heal: heal}
	}
}

// effect makes one mutating call between its two records, if nothing has changed
// since it was decided.
func (h *Handler) effect(ctx context.Context, s situation, step plan.Step, call ledger.Call, do func() (string, error)) error {
	i := s.Incident
	if err := h.record(ctx, s, string(step.Verb), "intent", step.Because, &call); err != nil {
		return err
	}
	obstacle, err := h.fence(ctx, s)
	if err != nil {
		return err
	}
	if obstacle == "" {
		if call.Answer, err = do(); err != nil {
			// What AWS says is the only place that names a permission that is missing.
			failed := h.record(ctx, s, string(step.Verb), "failed", err.Error(), &call)
			return errors.Join(fmt.Errorf("%s %s: %w", step.Verb, i.ID, err), failed)
		}
	} else {
		call.Answer = "not made: " + obstacle
	}
	return h.record(ctx, s, string(step.Verb), "effect", step.Because, &call)
}

// margin is how much of a claim's term must be left for a call: an actor that
// stalls longer may find that another one has acted.
const margin = 3 * time.Second

// fence says why a call that was right a moment ago must not be made now, or "".
// Between reading and acting a function may have been frozen for minutes, and what
// it was about to do may have been done or be wrong.
func (h *Handler) fence(ctx context.Context, s situation) (string, error) {
	i := s.Incident
	var now ledger.Incident
	again := plan.Situation{Incident: i, Bad: s.Bad}
	err := together.Do(
		func() (err error) {
			if now, err = h.Incidents.Incident(ctx, i.ID); err != nil {
				return fmt.Errorf("fence %s: %w", i.ID, err)
			}
			return nil
		},
		func() error { return h.others(ctx, &again) },
	)
	if err != nil {
		return "", err
	}
	if now.Claim.Generation != i.Claim.Generation || now.Phase.Final() || h.Now().Add(margin).After(now.Claim.Until) {
		return "the claim has passed to somebody else or is about to", nil
	}
	if again.Newer != nil && (s.Newer == nil || again.Newer.ID != s.Newer.ID) {
		return fmt.Sprintf("%s was begun meanwhile", again.Newer.ID), nil
	}
	if again.Rollback != nil && (s.Rollback == nil || again.Rollback.ID != s.Rollback.ID) {
		return fmt.Sprintf("%s is putting the target back already", again.Rollback.ID), nil
	}
	return "", nil
}
