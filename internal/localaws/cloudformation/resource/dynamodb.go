package resource

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
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
			create:     createTable,
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
