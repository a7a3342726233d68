package stack

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodepipeline"
	"github.com/aws/aws-cdk-go/awscdk/v2/interfaces/interfacesawscloudwatch"
	"github.com/aws/jsii-runtime-go"
)

// PipelineProps are a pipeline whose stages that deploy are looked after.
type PipelineProps struct {
	Pipeline awscodepipeline.Pipeline
	// Stages are the alarms that speak for a stage, by its name. What its conditions
	// watch speaks for it anyway.
	Stages map[string][]interfacesawscloudwatch.IAlarmRef
	Alarms []interfacesawscloudwatch.IAlarmRef // that speak for all stages
}

// longestTag is the limit of a tag's value (CodePipeline user guide, "Tag resources in
// CodePipeline").
const longestTag = 256

// AddPipeline lets pullback look after a pipeline: it tags it. It panics, as constructs
// do, with what is wrong.
func (*Plane) AddPipeline(pp PipelineProps) {
	must(pp.Check())
	const kind = "AWS::CodePipeline::Pipeline"
	enable(pp.Pipeline, kind)
	if len(pp.Alarms) > 0 {
		tag(pp.Pipeline, kind, tagAlarms, listed(pp.Alarms))
	}
	for _, stage := range slices.Sorted(maps.Keys(pp.Stages)) {
		tag(pp.Pipeline, kind, tagAlarms+":"+stage, listed(pp.Stages[stage]))
	}
}

// listed are the names of alarms as a tag has them.
func listed(alarms []interfacesawscloudwatch.IAlarmRef) string {
	var all []*string
	for _, a := range alarms {
		all = append(all, a.AlarmRef().AlarmName)
	}
	return *awscdk.Fn_Join(jsii.String(" "), &all)
}

// Check says everything that is wrong, each with its name and what to do.
func (pp PipelineProps) Check() error {
	var errs []error
	wrong := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("stack.PipelineProps."+format, args...))
	}
	if pp.Pipeline == nil {
		wrong("Pipeline: it is not set: name the pipeline whose stages are looked after")
	} else {
		errs = append(errs, pp.checkStages())
	}
	tooLong := func(where string, alarms []interfacesawscloudwatch.IAlarmRef) {
		if text := listed(alarms); !tokens(text) && len(text) > longestTag {
			wrong("%s: the names of its alarms have %d characters: a tag has %d; make one composite alarm of them", where, len(text), longestTag)
		}
	}
	if len(pp.Alarms) > 0 {
		tooLong("Alarms", pp.Alarms)
	}
	for _, stage := range slices.Sorted(maps.Keys(pp.Stages)) {
		if len(pp.Stages[stage]) == 0 {
			wrong("Stages: %q has no alarms: leave it out", stage)
			continue
		}
		tooLong(fmt.Sprintf("Stages: %q", stage), pp.Stages[stage])
	}
	return errors.Join(errs...)
}

// checkStages looks for the stages that are named.
func (pp PipelineProps) checkStages() error {
	var errs []error
	var has []string
	for _, s := range *pp.Pipeline.Stages() {
		has = append(has, *s.StageName())
	}
	for _, stage := range slices.Sorted(maps.Keys(pp.Stages)) {
		if !slices.Contains(has, stage) {
			errs = append(errs, fmt.Errorf("stack.PipelineProps.Stages: the pipeline has no stage %q: it has %s", stage, strings.Join(has, ", ")))
		}
	}
	return errors.Join(errs...)
}

// tokens says whether a text has something in it that only CloudFormation knows.
func tokens(text string) bool { return strings.Contains(text, "${Token[") }
