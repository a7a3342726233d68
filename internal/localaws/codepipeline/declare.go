package codepipeline

import (
	"regexp"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	cptypes "github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

var (
	names = regexp.MustCompile(`^[A-Za-z0-9.@_-]{1,100}$`)
	roles = regexp.MustCompile(`^arn:aws(-\w+)*:iam::\d{12}:role/.*$`)
)

// checked checks a structure (user guide, "CodePipeline pipeline structure
// reference") and returns it with what is set by default. The version is not the
// caller's to say.
func (s *Service) checked(in *cptypes.PipelineDeclaration) (*cptypes.PipelineDeclaration, error) {
	if in == nil {
		return nil, invalid("1 validation error detected: Value null at 'pipeline' failed to satisfy constraint: Member must not be null")
	}
	err := wire.Only(in, "Name", "RoleArn", "ArtifactStore", "ArtifactStores", "Stages", "Version", "ExecutionMode", "PipelineType", "Variables")
	if err != nil {
		return nil, err
	}
	d := *in
	if !names.MatchString(aws.ToString(d.Name)) {
		return nil, invalid("1 validation error detected: Value '%s' at 'pipeline.name' failed to satisfy constraint: "+
			"Member must satisfy regular expression pattern: [A-Za-z0-9.@\\-_]+", aws.ToString(d.Name))
	}
	if !roles.MatchString(aws.ToString(d.RoleArn)) {
		return nil, invalid("1 validation error detected: Value '%s' at 'pipeline.roleArn' failed to satisfy constraint: "+
			"Member must satisfy regular expression pattern: arn:aws(-[\\w]+)*:iam::[0-9]{12}:role/.*", aws.ToString(d.RoleArn))
	}
	if err := s.checkStores(&d); err != nil {
		return nil, err
	}
	if err := checkType(&d); err != nil {
		return nil, err
	}
	d.Stages = slices.Clone(d.Stages)
	if err := s.checkStages(&d); err != nil {
		return nil, err
	}
	return &d, checkArtifacts(&d)
}

// checkStores wants one artifact store, in this region.
func (s *Service) checkStores(d *cptypes.PipelineDeclaration) error {
	store := d.ArtifactStore
	switch {
	case store != nil && len(d.ArtifactStores) > 0:
		return badStructure("You must include either artifactStore or artifactStores in your pipeline, but you cannot use both")
	case store == nil && len(d.ArtifactStores) == 0:
		return badStructure("Pipeline should have either artifactStore or artifactStores")
	case store == nil:
		one, ok := d.ArtifactStores[s.w.Region]
		if !ok || len(d.ArtifactStores) != 1 {
			return badStructure("the local AWS has one region: artifactStores must have exactly the store of %s", s.w.Region)
		}
		store = &one
	}
	return checkStore(store)
}

func checkStore(store *cptypes.ArtifactStore) error {
	if store.Type != cptypes.ArtifactStoreTypeS3 || len(aws.ToString(store.Location)) < 3 {
		return badStructure("The artifact store must be of type S3 and have the name of a bucket as its location")
	}
	if k := store.EncryptionKey; k != nil && (k.Type != cptypes.EncryptionKeyTypeKms || aws.ToString(k.Id) == "") {
		return badStructure("The encryption key of the artifact store must be of type KMS and have an id")
	}
	return nil
}

// checkType sets type and mode. A structure with what only V2 has is of type V2
// (API reference, PipelineDeclaration, pipelineType).
func checkType(d *cptypes.PipelineDeclaration) error {
	if d.ExecutionMode == "" {
		d.ExecutionMode = cptypes.ExecutionModeSuperseded
	}
	if !slices.Contains(d.ExecutionMode.Values(), d.ExecutionMode) {
		return invalid("1 validation error detected: Value '%s' at 'pipeline.executionMode' failed to satisfy constraint: "+
			"Member must satisfy enum value set: [QUEUED, SUPERSEDED, PARALLEL]", d.ExecutionMode)
	}
	more := needsV2(d)
	switch {
	case d.PipelineType == "" && more:
		d.PipelineType = cptypes.PipelineTypeV2
	case d.PipelineType == "":
		d.PipelineType = cptypes.PipelineTypeV1
	case d.PipelineType == cptypes.PipelineTypeV1 && more:
		return badStructure("Execution modes other than SUPERSEDED, variables and stage conditions require a pipeline of type V2")
	case d.PipelineType != cptypes.PipelineTypeV1 && d.PipelineType != cptypes.PipelineTypeV2:
		return invalid("1 validation error detected: Value '%s' at 'pipeline.pipelineType' failed to satisfy constraint: "+
			"Member must satisfy enum value set: [V1, V2]", d.PipelineType)
	}
	return checkVariables(d)
}

// needsV2 says whether a structure has what V1 has not.
func needsV2(d *cptypes.PipelineDeclaration) bool {
	return d.ExecutionMode != cptypes.ExecutionModeSuperseded || len(d.Variables) > 0 ||
		slices.ContainsFunc(d.Stages, func(st cptypes.StageDeclaration) bool {
			return st.BeforeEntry != nil || st.OnSuccess != nil || st.OnFailure != nil
		})
}

// variableNames is what names of variables are made of.
var variableNames = regexp.MustCompile(`^[A-Za-z0-9@_-]{1,128}$`)

func checkVariables(d *cptypes.PipelineDeclaration) error {
	seen := map[string]bool{}
	for _, v := range d.Variables {
		name := aws.ToString(v.Name)
		if !variableNames.MatchString(name) || seen[name] {
			return badStructure("The variable name '%s' is not valid or not unique", name)
		}
		seen[name] = true
	}
	if len(seen) > maxVariables {
		return badStructure("A pipeline has at most %d variables", maxVariables)
	}
	return nil
}

// The sizes of a pipeline (user guide, "Quotas in AWS CodePipeline").
const (
	minStages  = 2
	maxStages  = 50
	maxActions = 50

	maxVariables = 50
)

func (s *Service) checkStages(d *cptypes.PipelineDeclaration) error {
	if n := len(d.Stages); n < minStages || n > maxStages {
		return badStructure("Pipeline has %d stage(s). There should be a minimum of %d stages in a pipeline", n, minStages)
	}
	seen := map[string]bool{}
	for i := range d.Stages {
		st := &d.Stages[i]
		if err := wire.Only(st, "Name", "Actions", "BeforeEntry", "OnSuccess", "OnFailure"); err != nil {
			return err
		}
		name := aws.ToString(st.Name)
		switch n := len(st.Actions); {
		case !names.MatchString(name):
			return badStage("The stage name '%s' is not valid", name)
		case seen[name]:
			return badStage("Stage name '%s' is not unique", name)
		case n == 0 || n > maxActions:
			return badStage("Stage '%s' must have between 1 and %d actions", name, maxActions)
		}
		seen[name] = true
		st.Actions = slices.Clone(st.Actions)
		if err := s.checkActions(st, i == 0); err != nil {
			return err
		}
		if err := s.checkConditions(d, st, i == 0); err != nil {
			return err
		}
	}
	return nil
}

// checkArtifacts wants every input to be the output of an action that runs before,
// and every output to have a name of its own.
func checkArtifacts(d *cptypes.PipelineDeclaration) error {
	made := map[string]int64{} // where: the stage and the run order
	for i, st := range d.Stages {
		for _, a := range st.Actions {
			for _, out := range a.OutputArtifacts {
				if _, twice := made[*out.Name]; twice {
					return badStructure("Output Artifact Bundle name must be unique within the pipeline. %s is used twice", *out.Name)
				}
				made[*out.Name] = place(i, a)
			}
		}
	}
	for i, st := range d.Stages {
		for _, a := range st.Actions {
			for _, in := range a.InputArtifacts {
				if at, ok := made[*in.Name]; !ok || at >= place(i, a) {
					return badStructure("Input Artifact Bundle %s in action %s is not declared as Output Artifact Bundle in any of the preceding actions",
						*in.Name, *a.Name)
				}
			}
		}
	}
	return nil
}

func place(stage int, a cptypes.ActionDeclaration) int64 {
	return int64(stage)*1000 + int64(*a.RunOrder)
}
