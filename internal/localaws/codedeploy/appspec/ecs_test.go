package appspec_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/codedeploy/appspec"
)

func service() appspec.ECS {
	return appspec.ECS{
		TaskDefinition: "arn:aws:ecs:us-east-1:111122223333:task-definition/app:15", ContainerName: "app", ContainerPort: 80, PlatformVersion: "LATEST",
		Network:   &appspec.Network{Subnets: []string{"subnet-1", "subnet-2"}, SecurityGroups: []string{"sg-1"}, AssignPublicIP: "ENABLED"},
		Providers: []appspec.Provider{{Name: "FARGATE_SPOT", Base: 1, Weight: 2}, {Name: "FARGATE", Weight: 1}},
		Hooks: map[string]string{
			"BeforeInstall": "f1", "AfterInstall": "f2", "AfterAllowTestTraffic": "f3", "BeforeAllowTraffic": "f4", "AfterAllowTraffic": "f5",
		},
	}
}

func TestParseECSReadsEveryFormOfTheFile(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"JSON": service().Text(),
		"JSON with maps, lower case and other words": `{"version":"0.0","resources":{"TargetService":{"type":"AWS::ECS::Service","properties":{
			"taskDefinition":"arn:aws:ecs:us-east-1:111122223333:task-definition/app:15","loadBalancerInfo":{"containerName":"app","containerPort":"80"},
			"platformVersion":"LATEST","networkConfiguration":{"awsvpcConfiguration":{"subnets":["subnet-1","subnet-2"],"securityGroups":["sg-1"],"assignPublicIp":"ENABLED"}},
			"capacityProviderStrategy":[{"capacityProvider":"FARGATE_SPOT","base":1,"weight":2},{"capacityProvider":"FARGATE","base":0,"weight":1}]}}},
			"hooks":{"beforeinstall":"f1","afterinstall":"f2","afterallowtesttraffic":"f3","beforeallowtraffic":"f4","afterallowtraffic":"f5"}}`,
		"YAML of the user guide": `
version: 0.0
Resources:
  - TargetService:
      Type: AWS::ECS::Service
      Properties:
        TaskDefinition: "arn:aws:ecs:us-east-1:111122223333:task-definition/app:15"
        LoadBalancerInfo:
          ContainerName: "app"
          ContainerPort: 80
        PlatformVersion: "LATEST"
        NetworkConfiguration:
          AwsvpcConfiguration:
            Subnets: ["subnet-1","subnet-2"]
            SecurityGroups: ["sg-1"]
            AssignPublicIp: "ENABLED"
        CapacityProviderStrategy:
          - Base: 1
            CapacityProvider: "FARGATE_SPOT"
            Weight: 2
          - Base: 0
            CapacityProvider: "FARGATE"
            Weight: 1
Hooks:
  - BeforeInstall: "f1"
  - AfterInstall: "f2"
  - AfterAllowTestTraffic: "f3"
  - BeforeAllowTraffic: "f4"
  - AfterAllowTraffic: "f5"
`,
	} {
		got, err := appspec.ParseECS(text)
		require.NoError(t, err, name)
		assert.Equal(t, service(), got, name)
	}
	bare := appspec.ECS{TaskDefinition: "app:15", ContainerName: "app", ContainerPort: 80, Hooks: map[string]string{}}
	got, err := appspec.ParseECS(bare.Text())
	require.NoError(t, err)
	assert.Equal(t, bare, got)
}

func TestParseECSSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	const head = "version: 0.0\nResources:\n  - s:\n      Type: AWS::ECS::Service\n      Properties:\n        TaskDefinition: app\n"
	const balancer = head + "        LoadBalancerInfo: {ContainerName: app, ContainerPort: 80}\n"
	for text, want := range map[string]string{
		"":           "read YAML: the file is empty",
		"version: 1": "version is 1, not 0.0",
		"version: 0.0\nResources: [{a: 1, b: 2}]":                                          "Resources has 2 resources, not one",
		"version: 0.0\nResources:\n  - f:\n      Type: AWS::Lambda::Function":              "f has type AWS::Lambda::Function, not AWS::ECS::Service",
		"version: 0.0\nResources:\n  - s: {Type: 'AWS::ECS::Service', Properties: {a: b}}": "a does not exist in Properties of s",
		"version: 0.0\nResources:\n  - s: {Type: 'AWS::ECS::Service', Properties: {}}":     "TaskDefinition of s is missing",
		head: "LoadBalancerInfo is missing or not a map",
		head + "        LoadBalancerInfo: {ContainerPort: 80}\n":                         "ContainerName of LoadBalancerInfo is missing",
		head + "        LoadBalancerInfo: {ContainerName: app, ContainerPort: x}\n":      "ContainerPort is x, not a number",
		balancer + "        NetworkConfiguration: {AwsvpcConfiguration: {}}\n":           "Subnets of AwsvpcConfiguration is missing",
		balancer + "        NetworkConfiguration: {AwsvpcConfiguration: {Subnets: s}}\n": "Subnets is not a list",
		balancer + "        CapacityProviderStrategy: FARGATE\n":                         "CapacityProviderStrategy is not a list",
		balancer + "        CapacityProviderStrategy: [{Weight: 1}]\n":                   "CapacityProvider of CapacityProviderStrategy is missing",
		balancer + "Hooks:\n  - AllowTraffic: f\n":                                       "hook AllowTraffic does not exist in an ECS deployment",
	} {
		_, err := appspec.ParseECS(text)
		assert.EqualError(t, err, want, "%q", text)
	}
}
