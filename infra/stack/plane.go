package stack

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// A Plane is a control plane as the stacks of teams see it: by its name. What its
// helpers add goes into the stack that it is in, so that a team's stack has a Plane of
// its own ([PlaneFromName]).
type Plane struct {
	constructs.Construct

	name string
}

// PlaneFromName refers to the control plane of that name in the account and region of
// the stack that scope is in. Empty is the name that control planes have if nobody
// chooses another, pullback. It adds nothing to the stack.
func PlaneFromName(scope constructs.Construct, id, name string) *Plane {
	if name == "" {
		name = Props{}.filled().Name
	}
	if !namePattern.MatchString(name) {
		panic(fmt.Errorf("stack.PlaneFromName: %q is no control plane's name, which has 1 to 32 of a-z, 0-9, _ and -, and begins with a letter: take that of its stack.Props.Name", name))
	}
	return &Plane{Construct: constructs.NewConstruct(scope, &id), name: name}
}

// PreHook is the function that refuses what is held or quarantined, before it has
// traffic.
func (p *Plane) PreHook() awslambda.IFunction { return p.hook("PreHook", "pretraffic") }

// PostHook is the function that watches, and answers when all traffic has shifted.
func (p *Plane) PostHook() awslambda.IFunction { return p.hook("PostHook", "posttraffic") }

// hook is a function of the control plane. What it may do is the control plane's own
// business, so that nothing is added to its role here.
func (p *Plane) hook(id, folder string) awslambda.IFunction {
	if f, ok := p.Node().TryFindChild(&id).(awslambda.IFunction); ok {
		return f
	}
	f := awslambda.Function_FromFunctionName(p.Construct, &id, jsii.String(functionName(p.name, folder)))
	awscdk.Annotations_Of(f).AcknowledgeWarning(jsii.String("@aws-cdk/aws-iam:unknownPrincipal"), jsii.String("its role has what it needs already"))
	return f
}

// functionName is what a function of a control plane is called on AWS.
func functionName(plane, folder string) string {
	for _, n := range names(plane) {
		if n.folder == folder {
			return n.name
		}
	}
	panic("there is no function " + folder)
}

// tag puts a tag onto the resources of one type below a construct.
func tag(on constructs.IConstruct, kind, key, value string) {
	awscdk.Tags_Of(on).Add(&key, &value, &awscdk.TagProps{IncludeResourceTypes: jsii.Strings(kind)})
}

// The tags that pullback looks for: docs/targets.md.
const (
	tagEnabled = "pullback:enabled"
	tagAlias   = "pullback:alias"
	tagAlarms  = "pullback:alarms"
)

// enable says that pullback looks after the resources of a type below a construct.
func enable(on constructs.IConstruct, kind string) { tag(on, kind, tagEnabled, "true") }

// must panics, as constructs do, with what is wrong.
func must(err error) {
	if err != nil {
		panic(err)
	}
}
