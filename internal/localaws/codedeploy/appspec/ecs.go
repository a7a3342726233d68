package appspec

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// serviceType is the only resource type of an ECS deployment.
const serviceType = "AWS::ECS::Service"

// ECS is the AppSpec file of an ECS deployment.
type ECS struct {
	TaskDefinition  string
	ContainerName   string
	ContainerPort   int32
	PlatformVersion string     // empty: as the service has it
	Network         *Network   // nil: as the service has it
	Providers       []Provider // none: as the service has them
	Hooks           map[string]string
}

// Network is where the tasks run.
type Network struct {
	Subnets        []string
	SecurityGroups []string
	AssignPublicIP string
}

// Provider is one part of a capacity provider strategy.
type Provider struct {
	Name   string
	Base   int32
	Weight int32
}

// ecsHooks are the lifecycle events of an ECS deployment that may have a
// function (user guide, "AppSpec 'hooks' section for an Amazon ECS deployment").
func ecsHooks() []string {
	return []string{"BeforeInstall", "AfterInstall", "AfterAllowTestTraffic", "BeforeAllowTraffic", "AfterAllowTraffic"}
}

// ParseECS reads the AppSpec file of an ECS deployment. Names are compared
// without regard to case, as in [ParseLambda].
func ParseECS(text string) (ECS, error) {
	root, err := decode(text)
	if err != nil {
		return ECS{}, err
	}
	file, err := fields(root, "the file")
	if err != nil {
		return ECS{}, err
	}
	if v := file["version"]; v != "0.0" && v != "0" {
		return ECS{}, fmt.Errorf("version is %v, not 0.0", v)
	}
	spec, err := targetService(file["resources"])
	if err != nil {
		return ECS{}, err
	}
	spec.Hooks, err = hooksOf(file["hooks"])
	return spec, err
}

// targetService finds the one service, in a list or in a map.
func targetService(v any) (ECS, error) {
	named, err := entries(v, "Resources")
	if err != nil {
		return ECS{}, err
	}
	if len(named) != 1 {
		return ECS{}, fmt.Errorf("Resources has %d resources, not one", len(named)) //nolint:staticcheck // a name in the file
	}
	body, err := fields(named[0].value, named[0].key)
	if err != nil {
		return ECS{}, err
	}
	if body["type"] != serviceType {
		return ECS{}, fmt.Errorf("%s has type %v, not %s", named[0].key, body["type"], serviceType)
	}
	p, err := fields(body["properties"], "Properties of "+named[0].key)
	if err != nil {
		return ECS{}, err
	}
	if err := only(p, "Properties of "+named[0].key, "taskdefinition", "loadbalancerinfo", "platformversion", "networkconfiguration", "capacityproviderstrategy"); err != nil {
		return ECS{}, err
	}
	spec := ECS{}
	if spec.TaskDefinition, err = required(p, "TaskDefinition", named[0].key); err != nil {
		return ECS{}, err
	}
	spec.PlatformVersion, _ = p["platformversion"].(string)
	if err := spec.addBalancer(p["loadbalancerinfo"]); err != nil {
		return ECS{}, err
	}
	if spec.Network, err = networkOf(p["networkconfiguration"]); err != nil {
		return ECS{}, err
	}
	spec.Providers, err = providersOf(p["capacityproviderstrategy"])
	return spec, err
}

// only refuses fields that are not known.
func only(m map[string]any, of string, known ...string) error {
	for _, k := range slices.Sorted(maps.Keys(m)) {
		if !slices.Contains(known, k) {
			return fmt.Errorf("%s does not exist in %s", k, of)
		}
	}
	return nil
}

func required(m map[string]any, name, of string) (string, error) {
	text, ok := m[strings.ToLower(name)].(string)
	if !ok || text == "" {
		return "", fmt.Errorf("%s of %s is missing", name, of)
	}
	return text, nil
}

func (e *ECS) addBalancer(v any) error {
	const of = "LoadBalancerInfo"
	m, err := fields(v, of)
	if err != nil {
		return err
	}
	if err := only(m, of, "containername", "containerport"); err != nil {
		return err
	}
	if e.ContainerName, err = required(m, "ContainerName", of); err != nil {
		return err
	}
	port, err := required(m, "ContainerPort", of)
	if err != nil {
		return err
	}
	e.ContainerPort, err = number(port, "ContainerPort")
	return err
}

func number(text, name string) (int32, error) {
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%s is %s, not a number", name, text)
	}
	return int32(n), nil
}

// optional reads a number that may be missing.
func optional(m map[string]any, name string) (int32, error) {
	text, ok := m[name].(string)
	if !ok || text == "" {
		return 0, nil
	}
	return number(text, name)
}

// networkOf reads the network configuration, if there is one.
func networkOf(v any) (*Network, error) {
	if v == nil || v == "" {
		return nil, nil //nolint:nilnil // there need not be one
	}
	outer, err := fields(v, "NetworkConfiguration")
	if err != nil {
		return nil, err
	}
	if err := only(outer, "NetworkConfiguration", "awsvpcconfiguration"); err != nil {
		return nil, err
	}
	m, err := fields(outer["awsvpcconfiguration"], "AwsvpcConfiguration")
	if err != nil {
		return nil, err
	}
	if err := only(m, "AwsvpcConfiguration", "subnets", "securitygroups", "assignpublicip"); err != nil {
		return nil, err
	}
	n := &Network{}
	n.AssignPublicIP, _ = m["assignpublicip"].(string)
	if n.Subnets, err = texts(m["subnets"], "Subnets"); err != nil {
		return nil, err
	}
	if len(n.Subnets) == 0 {
		return nil, errors.New("Subnets of AwsvpcConfiguration is missing") //nolint:staticcheck // a name in the file
	}
	n.SecurityGroups, err = texts(m["securitygroups"], "SecurityGroups")
	return n, err
}

// texts reads a list of texts.
func texts(v any, of string) (all []string, err error) {
	if v == nil || v == "" {
		return nil, nil
	}
	list, ok := v.([]any)
	if !ok {
		return nil, fmt.Errorf("%s is not a list", of)
	}
	for _, item := range list {
		text, ok := item.(string)
		if !ok || text == "" {
			return nil, fmt.Errorf("%s is not a list of names", of)
		}
		all = append(all, text)
	}
	return all, nil
}

func providersOf(v any) (all []Provider, err error) {
	if v == nil || v == "" {
		return nil, nil
	}
	const of = "CapacityProviderStrategy"
	list, ok := v.([]any)
	if !ok {
		return nil, fmt.Errorf("%s is not a list", of)
	}
	for _, item := range list {
		m, err := fields(item, of)
		if err != nil {
			return nil, err
		}
		if err := only(m, of, "capacityprovider", "base", "weight"); err != nil {
			return nil, err
		}
		var p Provider
		if p.Name, err = required(m, "CapacityProvider", of); err != nil {
			return nil, err
		}
		if p.Base, err = optional(m, "base"); err != nil {
			return nil, err
		}
		if p.Weight, err = optional(m, "weight"); err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

// hooksOf reads the hooks section, in a list or in a map.
func hooksOf(v any) (map[string]string, error) {
	all := map[string]string{}
	if v == nil || v == "" {
		return all, nil
	}
	hooks, err := entries(v, "Hooks")
	if err != nil {
		return nil, err
	}
	for _, h := range hooks {
		function, ok := h.value.(string)
		if !ok || function == "" {
			return nil, fmt.Errorf("hook %s does not name one function", h.key)
		}
		i := slices.IndexFunc(ecsHooks(), func(name string) bool { return strings.EqualFold(name, h.key) })
		if i < 0 {
			return nil, fmt.Errorf("hook %s does not exist in an ECS deployment", h.key)
		}
		all[ecsHooks()[i]] = function
	}
	return all, nil
}

// Text writes the file as JSON, in the form in which the user guide shows it.
func (e ECS) Text() string {
	type object = map[string]any
	properties := object{
		"TaskDefinition":   e.TaskDefinition,
		"LoadBalancerInfo": object{"ContainerName": e.ContainerName, "ContainerPort": e.ContainerPort},
	}
	if e.PlatformVersion != "" {
		properties["PlatformVersion"] = e.PlatformVersion
	}
	if n := e.Network; n != nil {
		vpc := object{"Subnets": n.Subnets}
		if len(n.SecurityGroups) > 0 {
			vpc["SecurityGroups"] = n.SecurityGroups
		}
		if n.AssignPublicIP != "" {
			vpc["AssignPublicIp"] = n.AssignPublicIP
		}
		properties["NetworkConfiguration"] = object{"AwsvpcConfiguration": vpc}
	}
	var providers []object
	for _, p := range e.Providers {
		providers = append(providers, object{"CapacityProvider": p.Name, "Base": p.Base, "Weight": p.Weight})
	}
	if providers != nil {
		properties["CapacityProviderStrategy"] = providers
	}
	file := object{
		"version":   json.Number("0.0"),
		"Resources": []object{{"TargetService": object{"Type": serviceType, "Properties": properties}}},
	}
	var hooks []object
	for _, name := range ecsHooks() {
		if f := e.Hooks[name]; f != "" {
			hooks = append(hooks, object{name: f})
		}
	}
	if hooks != nil {
		file["Hooks"] = hooks
	}
	text, err := json.Marshal(file)
	if err != nil {
		return "" // strings and numbers always marshal
	}
	return string(text)
}
