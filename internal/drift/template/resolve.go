package template

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// resolve returns the text that a value comes to. What cannot be told is said in
// words for people, and ok is false.
func (t *Template) resolve(v any) (text string, ok bool) {
	switch v := v.(type) {
	case nil:
		return "nothing", false
	case string:
		return v, !strings.HasPrefix(v, "{{resolve:")
	case bool, float64:
		return fmt.Sprint(v), true
	case map[string]any:
		return t.call(v)
	default:
		return written(v), false
	}
}

// written is a value as the template has it.
func written(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(text)
}

// call resolves an intrinsic function.
func (t *Template) call(v map[string]any) (string, bool) {
	for name, argument := range v {
		if len(v) != 1 {
			break
		}
		switch name {
		case "Ref":
			id, _ := argument.(string)
			return t.ref(id)
		case "Fn::GetAtt":
			return t.attribute(argument)
		case "Fn::Sub":
			return t.substitute(argument)
		case "Fn::Join":
			return t.join(argument)
		}
	}
	return written(v), false
}

func (t *Template) ref(id string) (string, bool) {
	switch id {
	case "AWS::Region":
		return t.Of.Region, t.Of.Region != ""
	case "AWS::AccountId":
		return t.Of.Account, t.Of.Account != ""
	case "AWS::Partition":
		return t.Of.Partition, t.Of.Partition != ""
	case "AWS::StackName":
		return t.Of.Name, t.Of.Name != ""
	case "AWS::URLSuffix":
		return "amazonaws.com", t.Of.Partition == "aws"
	}
	if p, is := t.Parameters[id]; is {
		if given, ok := t.Of.Parameters[id]; ok {
			return given, given != "****" // what a parameter with NoEcho is shown as
		}
		if _, call := p.Default.(map[string]any); call { // which could be of the parameter itself
			return written(p.Default), false
		}
		return t.resolve(p.Default)
	}
	if t.fresh(id) {
		return "what " + id + " will be", false
	}
	physical, ok := t.Of.Physical[id]
	if !ok {
		return "what " + id + " will be", false
	}
	return physical, true
}

// fresh reports whether a resource is not there yet as the template has it: it is
// new, or of a kind of which each change makes another one.
func (t *Template) fresh(id string) bool {
	r, here := t.Resources[id]
	if _, there := t.Of.Physical[id]; !there || !here {
		return true
	}
	if t.Of.Deployed == nil {
		return false
	}
	switch r.Type {
	case "AWS::ECS::TaskDefinition", "AWS::Lambda::Version", "AWS::EC2::LaunchTemplate":
		return written(r.Properties) != written(t.Of.Deployed.Resources[id].Properties)
	default:
		return false
	}
}

// attribute resolves Fn::GetAtt, as far as an id has it in it.
func (t *Template) attribute(argument any) (string, bool) {
	var id, name string
	switch a := argument.(type) {
	case []any:
		if len(a) == 2 { //nolint:mnd // the resource and its attribute
			id, _ = a[0].(string)
			name, _ = a[1].(string)
		}
	case string:
		id, name, _ = strings.Cut(a, ".")
	}
	if t.fresh(id) {
		return "what " + id + " will be", false
	}
	physical := t.Of.Physical[id]
	switch typ := t.Resources[id].Type; {
	case typ == "AWS::Lambda::Version" && name == "Version":
		return physical[strings.LastIndexByte(physical, ':')+1:], true
	case typ == "AWS::Lambda::Function" && name == "Arn", typ == "AWS::ECS::Cluster" && name == "Arn", typ == "AWS::ECS::TaskDefinition" && name == "TaskDefinitionArn":
		return physical, true // a name or an ARN: who compares takes both
	}
	known, ok := t.Of.Attributes[id+"."+name]
	if !ok {
		return name + " of " + id, false
	}
	return known, true
}

var placeholder = regexp.MustCompile(`\$\{([^!{}]+)\}`)

// substitute resolves Fn::Sub.
func (t *Template) substitute(argument any) (string, bool) {
	text, _ := argument.(string)
	own := map[string]any{}
	if list, is := argument.([]any); is && len(list) == 2 { //nolint:mnd // the text and what is in it
		text, _ = list[0].(string)
		own, _ = list[1].(map[string]any)
	}
	ok := true
	out := placeholder.ReplaceAllStringFunc(text, func(found string) string {
		name := strings.TrimSpace(found[2 : len(found)-1])
		var part string
		var known bool
		if v, is := own[name]; is {
			part, known = t.resolve(v)
		} else if strings.Contains(name, ".") {
			part, known = t.attribute(name)
		} else {
			part, known = t.ref(name)
		}
		ok = ok && known
		return part
	})
	return out, ok
}

// join resolves Fn::Join.
func (t *Template) join(argument any) (string, bool) {
	list, _ := argument.([]any)
	if len(list) != 2 { //nolint:mnd // the delimiter and the parts
		return written(argument), false
	}
	delimiter, _ := list[0].(string)
	parts, _ := list[1].([]any)
	ok := len(parts) > 0
	texts := make([]string, len(parts))
	for i, p := range parts {
		text, known := t.resolve(p)
		texts[i], ok = text, ok && known
	}
	return strings.Join(texts, delimiter), ok
}
