package codepipeline

import (
	"maps"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	cptypes "github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// checkConditions checks the conditions of a stage: their results are those of the
// user guide, "Configure conditions for a stage". SKIP goes with rules only that
// are not here.
func (s *Service) checkConditions(d *cptypes.PipelineDeclaration, st *cptypes.StageDeclaration, first bool) error {
	if b := st.BeforeEntry; b != nil {
		if err := s.checkCondition(st, b.Conditions, cptypes.ResultFail); err != nil {
			return err
		}
	}
	if o := st.OnSuccess; o != nil {
		if err := s.checkCondition(st, o.Conditions, cptypes.ResultRollback, cptypes.ResultFail); err != nil {
			return err
		}
	}
	if f := st.OnFailure; f != nil {
		if err := s.checkFailure(st, f); err != nil {
			return err
		}
	}
	if !rollsBack(st) {
		return nil
	}
	if first {
		return badStage("Stage '%s' is a source stage and cannot be rolled back", *st.Name)
	}
	if d.ExecutionMode == cptypes.ExecutionModeParallel {
		return badStage("Stage '%s' cannot be rolled back: the pipeline's execution mode is PARALLEL", *st.Name)
	}
	return nil
}

// rollsBack says whether a result is a rollback.
func rollsBack(st *cptypes.StageDeclaration) bool {
	return st.OnFailure != nil && (st.OnFailure.Result == cptypes.ResultRollback || len(st.OnFailure.Conditions) > 0) ||
		st.OnSuccess != nil && st.OnSuccess.Conditions[0].Result == cptypes.ResultRollback
}

// checkFailure: "You cannot use automatic stage retry with onFailure conditions"
// (user guide, ibid.).
func (s *Service) checkFailure(st *cptypes.StageDeclaration, f *cptypes.FailureConditions) error {
	switch {
	case len(f.Conditions) > 0 && f.Result == cptypes.ResultRetry, f.RetryConfiguration != nil && f.Result != cptypes.ResultRetry:
		return badStage("The retry of stage '%s' goes with the result RETRY and without conditions", *st.Name)
	case len(f.Conditions) > 0:
		return s.checkCondition(st, f.Conditions, cptypes.ResultRollback)
	case f.Result != cptypes.ResultRollback && f.Result != cptypes.ResultRetry:
		return badStage("The result '%s' of the failure of stage '%s' is not valid", f.Result, *st.Name)
	case f.RetryConfiguration != nil && f.RetryConfiguration.RetryMode != "" &&
		!slices.Contains(f.RetryConfiguration.RetryMode.Values(), f.RetryConfiguration.RetryMode):
		return badStage("The retry mode '%s' of stage '%s' is not valid", f.RetryConfiguration.RetryMode, *st.Name)
	}
	return nil
}

func (s *Service) checkCondition(st *cptypes.StageDeclaration, all []cptypes.Condition, results ...cptypes.Result) error {
	if len(all) != 1 {
		return badStage("Stage '%s' must have exactly one condition of a kind", *st.Name)
	}
	if !slices.Contains(results, all[0].Result) {
		return badStage("The result '%s' of a condition of stage '%s' is not valid here: %v is", all[0].Result, *st.Name, results)
	}
	if n := len(all[0].Rules); n < 1 || n > 5 {
		return badStage("A condition of stage '%s' must have between 1 and 5 rules", *st.Name)
	}
	for i := range all[0].Rules {
		if err := s.checkRule(st, &all[0].Rules[i]); err != nil {
			return err
		}
	}
	return nil
}

// checkRule knows the rule CloudWatchAlarm.
func (s *Service) checkRule(st *cptypes.StageDeclaration, r *cptypes.RuleDeclaration) error {
	if err := wire.Only(r, "Name", "RuleTypeId", "Configuration", "RoleArn", "Region", "InputArtifacts"); err != nil {
		return err
	}
	t, name := r.RuleTypeId, aws.ToString(r.Name)
	switch {
	case !names.MatchString(name):
		return badStage("The rule name '%s' of stage '%s' is not valid", name, *st.Name)
	case !watches(t):
		return badStage("The type of rule '%s' is not available: the local AWS has CloudWatchAlarm", name)
	case len(r.InputArtifacts) > 0:
		return badStage("Rule '%s' takes no input artifacts", name)
	case aws.ToString(r.Region) != "" && *r.Region != s.w.Region:
		return badStage("the local AWS has one region: rule '%s' cannot be in %s", name, *r.Region)
	case r.RoleArn != nil && !roles.MatchString(*r.RoleArn):
		return badStage("The role ARN '%s' of rule '%s' is not valid", *r.RoleArn, name)
	}
	return checkAlarm(r)
}

// checkAlarm checks the configuration of the rule CloudWatchAlarm.
func checkAlarm(r *cptypes.RuleDeclaration) error {
	name := *r.Name
	if r.Configuration["AlarmName"] == "" {
		return badStage("Rule configuration for rule '%s' is missing required configuration 'AlarmName'", name)
	}
	for _, key := range slices.Sorted(maps.Keys(r.Configuration)) {
		if key != "AlarmName" && key != "WaitTime" {
			return badStage("Rule configuration for rule '%s' contains unknown configuration '%s'", name, key)
		}
	}
	if w := r.Configuration["WaitTime"]; w != "" {
		if n, err := strconv.Atoi(w); err != nil || n < 0 || n > maxWait {
			return badStage("The WaitTime '%s' of rule '%s' is no number of minutes", w, name)
		}
	}
	return nil
}

// maxWait is the longest WaitTime, in minutes: the longest timeout of a rule (API
// reference, RuleDeclaration, timeoutInMinutes).
const maxWait = 86400

// watches says whether a rule is of the type CloudWatchAlarm.
func watches(t *cptypes.RuleTypeId) bool {
	return t != nil && aws.ToString(t.Provider) == "CloudWatchAlarm" && t.Category == cptypes.RuleCategoryRule
}
