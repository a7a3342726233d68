package config

// File is pullback.yaml as a Go type: Parse reads by it, and the JSON Schema is
// made of it.
type File struct {
	APIVersion string         `json:"apiVersion" jsonschema:"required,enum=pullback.dev/v1" jsonschema_description:"The version of this format."`
	Defaults   Defaults       `json:"defaults" jsonschema_description:"The policy of every target. What is left out has its default."`
	Targets    []FileTarget   `json:"targets" jsonschema_description:"Targets that are looked after without the tag pullback:enabled."`
	Pipelines  []FilePipeline `json:"pipelines" jsonschema_description:"Ordered stages across accounts and regions: trouble in one holds the next."`
	Peers      []string       `json:"peers" jsonschema:"pattern=^arn:aws[a-z-]*:events:[a-z0-9-]+:[0-9]{12}:event-bus/.+$,uniqueItems=true" say:"the ARN of an event bus" jsonschema_description:"ARNs of the event buses of this control plane in other accounts and regions."`
}

// FileTarget is a target as the file names it.
type FileTarget struct {
	Target string   `json:"target" jsonschema:"required,pattern=^([^/:]+/[^/:]+|(alias|ecs|pipeline):[^/]+/[^/]+|asg:.+)$" say:"APPLICATION/GROUP, alias:FUNCTION/ALIAS, ecs:CLUSTER/SERVICE, asg:NAME or pipeline:PIPELINE/STAGE" jsonschema_description:"APPLICATION/GROUP, alias:FUNCTION/ALIAS, ecs:CLUSTER/SERVICE, asg:NAME or pipeline:PIPELINE/STAGE."`
	Alias  string   `json:"alias" jsonschema:"pattern=^[^/:]+:[^/:]+$" say:"FUNCTION:ALIAS" jsonschema_description:"FUNCTION:ALIAS that a deployment group on Lambda moves."`
	Alarms []string `json:"alarms" jsonschema:"pattern=^.+$,uniqueItems=true" say:"the name of an alarm" jsonschema_description:"Names of alarms that speak for the target besides its own."`
	OneWay []OneWay `json:"oneWay" jsonschema_description:"Revisions that cannot be taken back."`
	Policy Policy   `json:"policy" jsonschema_description:"What is different from defaults for this target."`
}

// OneWay is a revision that cannot be taken back, or only down to another one.
type OneWay struct {
	Revision string `json:"revision" jsonschema:"required,pattern=^.+$" say:"a revision, such as the version \"12\" of a function or web:12 of a task definition" jsonschema_description:"The revision behind which nothing can go, such as the version of a function, in quotes."`
	BackTo   string `json:"backTo" jsonschema:"pattern=^.+$" say:"a revision" jsonschema_description:"The only revision that it can go back to. Left out: none."`
}

// FilePipeline is a pipeline as the file names it.
type FilePipeline struct {
	Name     string      `json:"name" jsonschema:"required,pattern=^.+$" say:"a name" jsonschema_description:"Its name."`
	PullBack bool        `json:"pullBack" jsonschema_description:"When trouble is found in one stage, also take back what later stages run already."`
	Stages   []FileStage `json:"stages" jsonschema:"required,minItems=1" jsonschema_description:"The stages, in the order in which they are deployed to."`
}

// FileStage is a stage as the file names it.
type FileStage struct {
	Name    string       `json:"name" jsonschema:"required,pattern=^.+$" say:"a name" jsonschema_description:"Its name."`
	Targets []FileMember `json:"targets" jsonschema:"required,minItems=1" jsonschema_description:"The targets that are deployed to in it."`
}

// FileMember is a target in a stage: as text if it is where the file is in
// force, or with the account or the region where it is.
type FileMember struct {
	Account string `json:"account" jsonschema:"pattern=^[0-9]{12}$" say:"an account of 12 digits" jsonschema_description:"AWS account, in quotes. Left out: the file's own."`
	Region  string `json:"region" jsonschema:"pattern=^[a-z]+(-[a-z]+)+-[0-9]+$" say:"a region such as eu-west-1" jsonschema_description:"AWS region. Left out: the file's own."`
	Target  string `json:"target" jsonschema:"required,pattern=^([^/:]+/[^/:]+|(alias|ecs|pipeline):[^/]+/[^/]+|asg:.+)$" say:"APPLICATION/GROUP, alias:FUNCTION/ALIAS, ecs:CLUSTER/SERVICE, asg:NAME or pipeline:PIPELINE/STAGE" jsonschema_description:"APPLICATION/GROUP, alias:FUNCTION/ALIAS, ecs:CLUSTER/SERVICE, asg:NAME or pipeline:PIPELINE/STAGE."`
}

// Short names the field that text sets which stands for the whole.
func (FileMember) Short() string { return "target" }
