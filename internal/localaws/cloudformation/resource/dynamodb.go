package resource

import (
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/pullback-dev/pullback/internal/localaws/cloudformation/template"
)

// longestTable is the limit of a table's name (DynamoDB API reference,
// CreateTable).
const longestTable = 255

// dynamodbKinds returns tables.
func dynamodbKinds() map[string]kind {
	return map[string]kind{
		"AWS::DynamoDB::Table": {
			properties: "AttributeDefinitions BillingMode DeletionProtectionEnabled GlobalSecondaryIndexes KeySchema! " +
				"LocalSecondaryIndexes OnDemandThroughput PointInTimeRecoverySpecification ProvisionedThroughput ResourcePolicy " +
				"SSESpecification StreamSpecification TableClass TableName Tags TimeToLiveSpecification WarmThroughput",
			attributes: "Arn StreamArn",
			rename:     map[string]string{"SSESpecification.SSEEnabled": "Enabled"},
			replace:    "TableName KeySchema LocalSecondaryIndexes",
			perhaps:    "AttributeDefinitions",
			must:       redefined,
			create:     createTable,
			update:     updateTable,
			gone: func(j *job) (bool, error) {
				_, err := call[dynamodb.DescribeTableOutput](j, "dynamodb", "DescribeTable", &dynamodb.DescribeTableInput{TableName: &j.resource.PhysicalID})
				if _, missing := errors.AsType[*ddbtypes.ResourceNotFoundException](err); missing {
					return true, nil
				}
				return false, err
			},
			remove: func(j *job) error {
				_, err := call[dynamodb.DeleteTableOutput](j, "dynamodb", "DeleteTable",
					&dynamodb.DeleteTableInput{TableName: &j.resource.PhysicalID})
				return err
			},
		},
	}
}

// createTable makes the table and then switches on what the API has calls of
// their own for.
func createTable(j *job) error {
	name := j.name("TableName", longestTable, "")
	backups := dynamodb.UpdateContinuousBackupsInput{TableName: &name}
	if v := j.take("PointInTimeRecoverySpecification"); v != nil {
		j.into(&backups, "PointInTimeRecoverySpecification", v)
	}
	ttl := dynamodb.UpdateTimeToLiveInput{TableName: &name}
	if v := j.take("TimeToLiveSpecification"); v != nil {
		j.into(&ttl, "TimeToLiveSpecification", v)
	}
	policy := j.object("ResourcePolicy")
	var in dynamodb.CreateTableInput
	j.fill(&in)
	if in.StreamSpecification != nil {
		// CloudFormation has only the view type: to give it is to switch on.
		in.StreamSpecification.StreamEnabled = aws.Bool(true)
	}
	if policy != nil {
		in.ResourcePolicy = aws.String(document(policy["PolicyDocument"]))
	}
	out, err := call[dynamodb.CreateTableOutput](j, "dynamodb", "CreateTable", &in)
	if err != nil {
		return err
	}
	t := out.TableDescription
	if t == nil {
		t = &ddbtypes.TableDescription{}
	}
	j.made(name, "Arn", aws.ToString(t.TableArn), "StreamArn", aws.ToString(t.LatestStreamArn))
	return switchOn(j, &backups, &ttl)
}

// redefined says whether the type of an attribute changes: further attributes
// are no reason for another table (CloudFormation template reference,
// AWS::DynamoDB::Table, AttributeDefinitions).
func redefined(before, after map[string]any) bool {
	types := func(v any) map[string]any {
		out := map[string]any{}
		list, _ := v.([]any)
		for _, one := range list {
			object, _ := one.(map[string]any)
			name, _ := template.Text(object["AttributeName"])
			out[name] = object["AttributeType"]
		}
		return out
	}
	old, now := types(before["AttributeDefinitions"]), types(after["AttributeDefinitions"])
	for name, typ := range old {
		if other, still := now[name]; still && other != typ {
			return true
		}
	}
	return false
}

// updateTable changes a table, one thing a call as the API wants it.
func updateTable(j *job) error {
	if j.changed("GlobalSecondaryIndexes", "WarmThroughput", "OnDemandThroughput") {
		j.report("", "indexes and on-demand limits of a table cannot be changed here")
		return j.problems.Err()
	}
	name := j.resource.PhysicalID
	if j.changed("BillingMode", "ProvisionedThroughput", "DeletionProtectionEnabled", "TableClass") {
		if err := updateTableSettings(j, name); err != nil {
			return err
		}
	}
	if err := updateTableAccess(j, name); err != nil {
		return err
	}
	if j.changed("StreamSpecification") {
		if err := updateStream(j, name); err != nil {
			return err
		}
	}
	if j.changed("PointInTimeRecoverySpecification") {
		in := dynamodb.UpdateContinuousBackupsInput{TableName: &name}
		v := j.take("PointInTimeRecoverySpecification")
		if v == nil {
			v = map[string]any{"PointInTimeRecoveryEnabled": false}
		}
		j.into(&in, "PointInTimeRecoverySpecification", v)
		if _, err := call[dynamodb.UpdateContinuousBackupsOutput](j, "dynamodb", "UpdateContinuousBackups", &in); err != nil {
			return err
		}
	}
	if j.changed("TimeToLiveSpecification") {
		if err := updateTimeToLive(j, name); err != nil {
			return err
		}
	}
	set, gone := j.retag()
	arn := aws.String(j.resource.Attributes["Arn"])
	return both(set, gone, func() error {
		tags := tagList(set, func(k, v *string) ddbtypes.Tag { return ddbtypes.Tag{Key: k, Value: v} })
		_, err := call[dynamodb.TagResourceOutput](j, "dynamodb", "TagResource", &dynamodb.TagResourceInput{ResourceArn: arn, Tags: tags})
		return err
	}, func() error {
		_, err := call[dynamodb.UntagResourceOutput](j, "dynamodb", "UntagResource", &dynamodb.UntagResourceInput{ResourceArn: arn, TagKeys: gone})
		return err
	})
}

// updateTableAccess changes who may use a table: its policy and its key.
func updateTableAccess(j *job, name string) error {
	if v := j.take("SSESpecification"); j.changed("SSESpecification") {
		if v == nil {
			v = map[string]any{"SSEEnabled": false}
		}
		in := dynamodb.UpdateTableInput{TableName: &name}
		j.into(&in, "SSESpecification", v)
		if _, err := call[dynamodb.UpdateTableOutput](j, "dynamodb", "UpdateTable", &in); err != nil {
			return err
		}
	}
	policy := j.object("ResourcePolicy")
	if !j.changed("ResourcePolicy") {
		return nil
	}
	arn := aws.String(j.resource.Attributes["Arn"])
	if policy == nil {
		_, err := call[dynamodb.DeleteResourcePolicyOutput](j, "dynamodb", "DeleteResourcePolicy", &dynamodb.DeleteResourcePolicyInput{ResourceArn: arn})
		return err
	}
	_, err := call[dynamodb.PutResourcePolicyOutput](j, "dynamodb", "PutResourcePolicy",
		&dynamodb.PutResourcePolicyInput{ResourceArn: arn, Policy: aws.String(document(policy["PolicyDocument"]))})
	return err
}

func updateTableSettings(j *job, name string) error {
	in := dynamodb.UpdateTableInput{TableName: &name}
	for property, otherwise := range map[string]any{
		"BillingMode": "PROVISIONED", "ProvisionedThroughput": nil, "DeletionProtectionEnabled": false, "TableClass": "STANDARD",
	} {
		v := j.take(property)
		if !j.changed(property) {
			continue
		}
		if v == nil {
			v = otherwise
		}
		if v != nil {
			j.into(&in, property, v)
		}
	}
	_, err := call[dynamodb.UpdateTableOutput](j, "dynamodb", "UpdateTable", &in)
	return err
}

// updateStream switches a stream on or off; another view needs both.
func updateStream(j *job, name string) error {
	in := dynamodb.UpdateTableInput{TableName: &name, StreamSpecification: &ddbtypes.StreamSpecification{StreamEnabled: aws.Bool(false)}}
	v := j.take("StreamSpecification")
	if j.was("StreamSpecification") != nil {
		if _, err := call[dynamodb.UpdateTableOutput](j, "dynamodb", "UpdateTable", &in); err != nil {
			return err
		}
		delete(j.resource.Attributes, "StreamArn")
	}
	if v == nil {
		return nil
	}
	in = dynamodb.UpdateTableInput{TableName: &name}
	j.into(&in, "StreamSpecification", v)
	in.StreamSpecification.StreamEnabled = aws.Bool(true)
	out, err := call[dynamodb.UpdateTableOutput](j, "dynamodb", "UpdateTable", &in)
	if err != nil {
		return err
	}
	if t := out.TableDescription; t != nil {
		j.resource.Attributes["StreamArn"] = aws.ToString(t.LatestStreamArn)
	}
	return nil
}

// updateTimeToLive switches off what was on, then on what shall be: the API
// refuses to change the attribute, and to switch off what is off (DynamoDB API
// reference, UpdateTimeToLive).
func updateTimeToLive(j *job, name string) error {
	spec := func(v any) (*ddbtypes.TimeToLiveSpecification, bool) {
		in := dynamodb.UpdateTimeToLiveInput{}
		if v == nil {
			return nil, false
		}
		j.into(&in, "TimeToLiveSpecification", v)
		return in.TimeToLiveSpecification, in.TimeToLiveSpecification != nil && aws.ToBool(in.TimeToLiveSpecification.Enabled)
	}
	set := func(to *ddbtypes.TimeToLiveSpecification) error {
		_, err := call[dynamodb.UpdateTimeToLiveOutput](j, "dynamodb", "UpdateTimeToLive",
			&dynamodb.UpdateTimeToLiveInput{TableName: &name, TimeToLiveSpecification: to})
		return err
	}
	before, was := spec(j.was("TimeToLiveSpecification"))
	after, is := spec(j.take("TimeToLiveSpecification"))
	if was {
		if err := set(&ddbtypes.TimeToLiveSpecification{AttributeName: before.AttributeName, Enabled: aws.Bool(false)}); err != nil {
			return err
		}
	}
	if is {
		return set(after)
	}
	return nil
}

func switchOn(j *job, backups *dynamodb.UpdateContinuousBackupsInput, ttl *dynamodb.UpdateTimeToLiveInput) error {
	if backups.PointInTimeRecoverySpecification != nil {
		_, err := call[dynamodb.UpdateContinuousBackupsOutput](j, "dynamodb", "UpdateContinuousBackups", backups)
		if err != nil {
			return err
		}
	}
	// To switch off what is off is an error of the API (DynamoDB API
	// reference, UpdateTimeToLive), not of CloudFormation.
	if spec := ttl.TimeToLiveSpecification; spec != nil && aws.ToBool(spec.Enabled) {
		_, err := call[dynamodb.UpdateTimeToLiveOutput](j, "dynamodb", "UpdateTimeToLive", ttl)
		return err
	}
	return nil
}
