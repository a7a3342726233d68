package appspec_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/codedeploy/appspec"
)

func whole() appspec.Lambda {
	return appspec.Lambda{
		Function: "checkout", Alias: "live", CurrentVersion: "5", TargetVersion: "7",
		BeforeAllowTraffic: "CodeDeployHook_pre", AfterAllowTraffic: "CodeDeployHook_post",
	}
}

func TestParseLambdaReadsEveryFormOfTheFile(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"JSON with lists": `{"version":0.0,"Resources":[{"myFn":{"Type":"AWS::Lambda::Function",
			"Properties":{"Name":"checkout","Alias":"live","CurrentVersion":"5","TargetVersion":"7"}}}],
			"Hooks":[{"BeforeAllowTraffic":"CodeDeployHook_pre"},{"AfterAllowTraffic":"CodeDeployHook_post"}]}`,
		"JSON with maps, lower case and numbers": `{"version":"0.0","resources":{"myFn":{"type":"AWS::Lambda::Function",
			"properties":{"name":"checkout","alias":"live","currentversion":5,"targetversion":7}}},
			"hooks":{"BeforeAllowTraffic":"CodeDeployHook_pre","AfterAllowTraffic":"CodeDeployHook_post"}}`,
		"YAML of the user guide": `
# This is an appspec.yml template file for use with an AWS Lambda deployment
version: 0.0
Resources:
  - myFn: # the function
      Type: AWS::Lambda::Function
      Properties:
        Name: "checkout"
        Alias: 'live'
        CurrentVersion: "5"
        TargetVersion: 7
Hooks:
  - BeforeAllowTraffic: "CodeDeployHook_pre"
  - AfterAllowTraffic: CodeDeployHook_post
`,
		"YAML with maps and a flow mapping": `---
version: 0.0
resources:
  myFn:
    type: "AWS::Lambda::Function"
    properties:
      name: checkout
      alias: live
      currentversion: 5
      targetversion: 7
hooks:
- BeforeAllowTraffic: CodeDeployHook_pre
- { AfterAllowTraffic: CodeDeployHook_post }
`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := appspec.ParseLambda(text)
			require.NoError(t, err)
			assert.Equal(t, whole(), got)
		})
	}
}

func TestTextIsReadBackAsTheSameFile(t *testing.T) {
	t.Parallel()
	bare := whole()
	bare.BeforeAllowTraffic, bare.AfterAllowTraffic = "", ""
	for _, want := range []appspec.Lambda{whole(), bare} {
		got, err := appspec.ParseLambda(want.Text())
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
}

func TestParseLambdaSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	const head = "version: 0.0\nResources:\n  - f:\n      Type: AWS::Lambda::Function\n      Properties:\n        Name: f\n        Alias: live\n"
	for text, want := range map[string]string{
		"":                            "read YAML: the file is empty",
		"{":                           "read JSON: unexpected EOF",
		`{} {}`:                       "read JSON: something follows the file",
		"hello":                       "the file is missing or not a map",
		"version: 1":                  "version is 1, not 0.0",
		"version: 0.0":                "Resources is missing or neither a list nor a map of names",
		"version: 0.0\n\tx: 1":        "read YAML: yaml: line 2: found a tab character that violates indentation",
		"version: 0.0\n---\nb: c":     "read YAML: something follows the file",
		"version: 0.0\nversion: 0.0":  "read YAML: line 2: \"version\" is no key of its own",
		"version: 0.0\nVersion: 0.0":  "the file has version twice",
		"version: &v 0.0\nhooks: *v":  "read YAML: line 2: an AppSpec file has no aliases",
		"version: 0.0\nResources: []": "Resources has 0 resources, not one",
		"version: 0.0\nResources:\n  - f:\n      Type: AWS::ECS::Service": "f has type AWS::ECS::Service, not AWS::Lambda::Function",
		head: "CurrentVersion of f is missing",
		head + "        CurrentVersion: 1\n        TargetVersion: 2\nHooks:\n  - AfterInstall: g\n": "hook AfterInstall does not exist in a Lambda deployment",
	} {
		_, err := appspec.ParseLambda(text)
		assert.EqualError(t, err, want, "%q", text)
	}
}
