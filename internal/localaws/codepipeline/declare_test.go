package codepipeline_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/codepipeline"
	cptypes "github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAStructureGetsWhatIsLeftOut(t *testing.T) {
	s := newSite(t)
	d := structure(asking("Beta", "Look"))
	d.PipelineType, d.Version = "", aws.Int32(7)
	s.create(d)
	got, err := s.GetPipeline(t.Context(), &sdk.GetPipelineInput{Name: aws.String(line)})
	require.NoError(t, err)
	assert.Equal(t, []any{cptypes.PipelineTypeV1, cptypes.ExecutionModeSuperseded, int32(1), int32(1)},
		[]any{got.Pipeline.PipelineType, got.Pipeline.ExecutionMode, *got.Pipeline.Version, *got.Pipeline.Stages[1].Actions[0].RunOrder})
	assert.Equal(t, "arn:aws:codepipeline:us-east-1:123456789012:line", *got.Metadata.PipelineArn)
	_, err = s.GetPipeline(t.Context(), &sdk.GetPipelineInput{Name: aws.String(line), Version: aws.Int32(2)})
	require.ErrorContains(t, err, "PipelineVersionNotFoundException")
}

// change changes a structure.
type change func(d *cptypes.PipelineDeclaration)

func TestAStructureThatIsWrongIsRefused(t *testing.T) {
	s := newSite(t)
	action := func(d *cptypes.PipelineDeclaration) *cptypes.ActionDeclaration { return &d.Stages[1].Actions[0] }
	for want, change := range map[string]change{
		"PipelineNameInUseException: A pipeline with the name 'taken' already exists in account '123456789012'": func(d *cptypes.PipelineDeclaration) { d.Name = aws.String("taken") },
		"'pipeline.name' failed":                 func(d *cptypes.PipelineDeclaration) { d.Name = aws.String("a b") },
		"'pipeline.roleArn' failed":              func(d *cptypes.PipelineDeclaration) { d.RoleArn = aws.String("role") },
		"either artifactStore or artifactStores": func(d *cptypes.PipelineDeclaration) { d.ArtifactStore = nil },
		"exactly the store of us-east-1": func(d *cptypes.PipelineDeclaration) {
			d.ArtifactStores, d.ArtifactStore = map[string]cptypes.ArtifactStore{"eu-west-1": *d.ArtifactStore}, nil
		},
		"Pipeline has 1 stage(s)":           func(d *cptypes.PipelineDeclaration) { d.Stages = d.Stages[:1] },
		"Stage name 'Source' is not unique": func(d *cptypes.PipelineDeclaration) { d.Stages[1].Name = aws.String("Source") },
		"Action name 'Read' is not unique": func(d *cptypes.PipelineDeclaration) {
			d.Stages[0].Actions = append(d.Stages[0].Actions, d.Stages[0].Actions[0])
		},
		"must have between 1 and 50 actions":          func(d *cptypes.PipelineDeclaration) { d.Stages[1].Actions = []cptypes.ActionDeclaration{} },
		"the first stage must have source actions":    func(d *cptypes.PipelineDeclaration) { d.Stages[0], d.Stages[1] = d.Stages[1], d.Stages[0] },
		"require a pipeline of type V2":               func(d *cptypes.PipelineDeclaration) { d.PipelineType, d.ExecutionMode = "V1", "QUEUED" },
		"Member must satisfy enum value set: [QUEUED": func(d *cptypes.PipelineDeclaration) { d.ExecutionMode = "LATER" },
		"does not support member Triggers": func(d *cptypes.PipelineDeclaration) {
			d.Triggers = []cptypes.PipelineTriggerDeclaration{{ProviderType: "CodeStarSourceConnection", GitConfiguration: &cptypes.GitConfiguration{SourceActionName: aws.String("Read")}}}
		},
		"does not support member Commands": func(d *cptypes.PipelineDeclaration) { action(d).Commands = []string{"make"} },
		"ActionType (Category: 'Build', Provider: 'CodeBuild', Owner: 'AWS', Version: '1') in action 'Look' is not available": func(d *cptypes.PipelineDeclaration) {
			action(d).ActionTypeId = typed("Build", "CodeBuild")
		},
		"contains unknown configuration 'Colour'":      func(d *cptypes.PipelineDeclaration) { action(d).Configuration = map[string]string{"Colour": "red"} },
		"missing required configuration 'S3ObjectKey'": func(d *cptypes.PipelineDeclaration) { delete(d.Stages[0].Actions[0].Configuration, "S3ObjectKey") },
		"action 'Look' cannot be in eu-west-1":         func(d *cptypes.PipelineDeclaration) { action(d).Region = aws.String("eu-west-1") },
		"available only to the manual approval action": func(d *cptypes.PipelineDeclaration) { d.Stages[0].Actions[0].TimeoutInMinutes = aws.Int32(5) },
		"has 1 input artifacts": func(d *cptypes.PipelineDeclaration) {
			action(d).InputArtifacts = []cptypes.InputArtifact{{Name: aws.String("App")}}
		},
		"Input Artifact Bundle Other in action Deploy": func(d *cptypes.PipelineDeclaration) {
			d.Stages[1] = deploying(func(st *cptypes.StageDeclaration) { st.Actions[0].InputArtifacts[0].Name = aws.String("Other") })
		},
		"SKIP' of a condition of stage 'Beta'": func(d *cptypes.PipelineDeclaration) {
			d.Stages[1].BeforeEntry = &cptypes.BeforeEntryConditions{Conditions: watching("SKIP", "")}
		},
		"goes with the result RETRY": func(d *cptypes.PipelineDeclaration) {
			d.Stages[1].OnFailure = &cptypes.FailureConditions{Result: "RETRY", Conditions: watching("ROLLBACK", "")}
		},
		"The result 'SKIP' of the failure": func(d *cptypes.PipelineDeclaration) {
			d.Stages[1].OnFailure = &cptypes.FailureConditions{Result: "SKIP"}
		},
		"is a source stage and cannot be rolled back": func(d *cptypes.PipelineDeclaration) {
			d.Stages[0].OnFailure = &cptypes.FailureConditions{Result: "ROLLBACK"}
		},
		"cannot be rolled back: the pipeline's": func(d *cptypes.PipelineDeclaration) {
			d.ExecutionMode, d.Stages[1].OnFailure = "PARALLEL", &cptypes.FailureConditions{Result: "ROLLBACK"}
		},
		"type of rule 'Quiet' is not available": func(d *cptypes.PipelineDeclaration) {
			c := watching("FAIL", "")
			c[0].Rules[0].RuleTypeId.Provider = aws.String("LambdaInvoke")
			d.Stages[1].BeforeEntry = &cptypes.BeforeEntryConditions{Conditions: c}
		},
		"contains unknown configuration 'AlarmStates'": func(d *cptypes.PipelineDeclaration) {
			c := watching("FAIL", "")
			c[0].Rules[0].Configuration["AlarmStates"] = "OK"
			d.Stages[1].BeforeEntry = &cptypes.BeforeEntryConditions{Conditions: c}
		},
		"The WaitTime 'soon' of rule 'Quiet'": func(d *cptypes.PipelineDeclaration) {
			d.Stages[1].BeforeEntry = &cptypes.BeforeEntryConditions{Conditions: watching("FAIL", "soon")}
		},
		"The variable name 'a b' is not valid": func(d *cptypes.PipelineDeclaration) {
			d.Variables = []cptypes.PipelineVariableDeclaration{{Name: aws.String("a b")}}
		},
		"encryption key of the artifact store": func(d *cptypes.PipelineDeclaration) {
			d.ArtifactStore.EncryptionKey = &cptypes.EncryptionKey{Id: aws.String("k"), Type: "DES"}
		},
	} {
		d := structure(asking("Beta", "Look"))
		d.Name = aws.String("new")
		change(d)
		if *d.Name == "taken" {
			_, err := s.CreatePipeline(t.Context(), &sdk.CreatePipelineInput{Pipeline: d})
			require.NoError(t, err)
		}
		_, err := s.CreatePipeline(t.Context(), &sdk.CreatePipelineInput{Pipeline: d})
		require.ErrorContains(t, err, want)
	}
	d := structure(asking("Beta", "Look"))
	_, err := s.UpdatePipeline(t.Context(), &sdk.UpdatePipelineInput{Pipeline: d})
	assert.ErrorContains(t, err, "does not have a pipeline with name 'line'")
}
