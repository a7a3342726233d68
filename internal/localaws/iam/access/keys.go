package access

import (
	"cmp"
	"reflect"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// keys returns the condition keys of a request, each worked out when a policy
// asks for it ("AWS global condition context keys"; the services' own are in
// the table).
func (k *call) keys(r rule, resource string) func(string) ([]string, bool) {
	return func(name string) ([]string, bool) {
		if template, ok := r.keys[name]; ok {
			values := k.expand(template)
			return values, len(values) > 0
		}
		prefix, tag, isTag := strings.Cut(name, "/")
		if isTag {
			return k.tagged(r, resource, prefix, tag)
		}
		switch name {
		case "aws:tagkeys":
			names := k.tagNames(r)
			return names, len(names) > 0
		case "dynamodb:leadingkeys":
			return k.leading(r)
		}
		if strings.HasPrefix(name, "kms:") {
			return k.ofKey(name)
		}
		v, ok := k.single(name, resource)
		return []string{v}, ok && v != ""
	}
}

// single are the keys with one value.
func (k *call) single(name, resource string) (string, bool) {
	now := k.guard.world.Now()
	switch name {
	case "aws:currenttime":
		return now.Format("2006-01-02T15:04:05Z"), true
	case "aws:epochtime":
		return strconv.FormatInt(now.Unix(), 10), true
	case "aws:securetransport": // the endpoint stands for AWS's, which speaks HTTPS
		return "true", true
	case "aws:requestedregion":
		return k.guard.world.Region, true
	case "aws:sourceip":
		return "127.0.0.1", k.by.Service == ""
	case "aws:resourceaccount":
		return k.guard.world.Account, resource != everything
	case "aws:resourceorgid":
		return k.organization(k.guard.world.Account)
	}
	if v, ok := k.ofPrincipal(name); ok {
		return v, true
	}
	return k.ofService(name)
}

// ofPrincipal are the keys that say who calls.
func (k *call) ofPrincipal(name string) (string, bool) {
	s := k.subject
	if k.by.ARN == "" {
		return "", false
	}
	switch name {
	case "aws:principalarn": // of a session it is the role's
		if s.Caller.Role != "" {
			return s.Caller.Role, true
		}
		return s.Caller.ARN, true
	case "aws:principalaccount":
		return s.Caller.Account, true
	case "aws:principalorgid":
		return k.organization(s.Caller.Account)
	case "aws:principaltype":
		return s.Kind, true
	case "aws:userid":
		return s.ID, s.ID != ""
	case "aws:username":
		return s.Name, s.Kind == "User"
	case "aws:tokenissuetime":
		return s.Issued.Format("2006-01-02T15:04:05Z"), !s.Issued.IsZero()
	case "aws:principalisawsservice":
		return "false", true
	case "aws:viaawsservice":
		return strconv.FormatBool(k.by.Via != ""), true
	}
	return "", false
}

// ofService are the keys of an AWS service that acts by itself.
func (k *call) ofService(name string) (string, bool) {
	if name == "aws:sourcearn" {
		return k.by.SourceARN, k.by.SourceARN != ""
	}
	if k.by.Service == "" {
		return "", false
	}
	switch name {
	case "aws:principalservicename":
		return k.by.Service, k.by.ARN == ""
	case "aws:principalisawsservice":
		return "true", k.by.ARN == ""
	case "aws:sourceaccount":
		return k.source(), true
	case "aws:sourceowner": // SNS developer guide, "Example cases for Amazon SNS access control": not all services set it
		return k.source(), k.by.Service == "cloudwatch.amazonaws.com" || k.by.Service == "codedeploy.amazonaws.com"
	}
	return "", false
}

// source is the account for which a service acts by itself.
func (k *call) source() string { return cmp.Or(accountOf(k.by.SourceARN), k.guard.world.Account) }

// organization is that of an account.
func (k *call) organization(account string) (string, bool) {
	if k.guard.options.Others == nil {
		return "", false
	}
	return k.guard.options.Others.Organization(account), true
}

// tagged are the keys that end in the name of a tag.
func (k *call) tagged(r rule, resource, prefix, tag string) ([]string, bool) {
	var tags map[string]string
	switch prefix {
	case "aws:principaltag":
		tags = k.subject.Tags
	case "aws:requesttag":
		if r.tags {
			tags = tagsIn(reflect.ValueOf(k.in))
		}
	case "aws:resourcetag", "ec2:resourcetag", "ecs:resourcetag", "autoscaling:resourcetag", "ssm:resourcetag", "iam:resourcetag", "elasticloadbalancing:resourcetag", "kms:resourcetag":
		tags = k.guard.tagsOf(k.ctx, resource)
	}
	v, ok := tags[tag]
	return []string{v}, ok
}

// tagNames are the names of the request's tags.
func (k *call) tagNames(r rule) []string {
	if r.tagKeys {
		return members(k.in, "TagKeys")
	}
	if r.tags {
		return tagNamesIn(reflect.ValueOf(k.in))
	}
	return nil
}

// leading is the partition key of an item. Queries do not say theirs here.
func (k *call) leading(r rule) ([]string, bool) {
	if !r.leading {
		return nil, false
	}
	name := k.first("TableName")
	out, ok := look[dynamodb.DescribeTableOutput](k, "dynamodb", "DescribeTable", &dynamodb.DescribeTableInput{TableName: &name})
	if !ok {
		return nil, false
	}
	var item map[string]ddbtypes.AttributeValue
	switch in := k.in.(type) {
	case *dynamodb.GetItemInput:
		item = in.Key
	case *dynamodb.DeleteItemInput:
		item = in.Key
	case *dynamodb.UpdateItemInput:
		item = in.Key
	case *dynamodb.PutItemInput:
		item = in.Item
	}
	for _, s := range out.Table.KeySchema {
		if s.KeyType != ddbtypes.KeyTypeHash {
			continue
		}
		switch v := item[*s.AttributeName].(type) {
		case *ddbtypes.AttributeValueMemberS:
			return []string{v.Value}, true
		case *ddbtypes.AttributeValueMemberN:
			return []string{v.Value}, true
		}
	}
	return nil, false
}
