package dynamodb

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/pullback-dev/pullback/internal/localaws/dynamodb/attr"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// maxIndexes is how many global secondary indexes a table may have
// ("Service, account, and table quotas in Amazon DynamoDB").
const maxIndexes = 20

const invalidValues = "One or more parameter values were invalid: "

func (s *Service) createTable(c *wire.Call, in *dynamodb.CreateTableInput) (*dynamodb.CreateTableOutput, error) {
	if err := refuseForTable(in); err != nil {
		return nil, err
	}
	name := aws.ToString(in.TableName)
	if err := checkTableName(in.TableName); err != nil {
		return nil, err
	}
	if s.tables[name] != nil {
		return nil, &ddbtypes.ResourceInUseException{Message: aws.String("Table already exists: " + name)}
	}
	t := &table{
		name:       name,
		arn:        fmt.Sprintf("arn:aws:dynamodb:%s:%s:table/%s", s.world.Region, s.world.Account, name),
		created:    s.now(),
		attributes: copyDefinitions(in.AttributeDefinitions),
		sse:        copyEncryption(in.SSESpecification),
		class:      in.TableClass,
		protected:  aws.ToBool(in.DeletionProtectionEnabled),
		tags:       map[string]string{},
	}
	if err := t.bill(in); err != nil {
		return nil, err
	}
	if err := t.design(in); err != nil {
		return nil, err
	}
	if err := s.protect(c, t); err != nil {
		return nil, err
	}
	if in.ResourcePolicy != nil {
		if err := s.allow(t, in.ResourcePolicy); err != nil {
			return nil, err
		}
	}
	for _, tag := range in.Tags {
		t.tags[aws.ToString(tag.Key)] = aws.ToString(tag.Value)
	}
	t.id = s.world.UUID()
	s.tables[name] = t
	d := t.describe()
	d.TableStatus = ddbtypes.TableStatusCreating
	return &dynamodb.CreateTableOutput{TableDescription: d}, nil
}

func refuseForTable(in *dynamodb.CreateTableInput) error {
	return refuse(map[string]bool{
		"GlobalTableSettingsReplicationMode": in.GlobalTableSettingsReplicationMode != "",
		"GlobalTableSourceArn":               in.GlobalTableSourceArn != nil,
		"LocalSecondaryIndexes":              len(in.LocalSecondaryIndexes) > 0,
		"OnDemandThroughput":                 in.OnDemandThroughput != nil,
		"StreamSpecification":                in.StreamSpecification != nil && aws.ToBool(in.StreamSpecification.StreamEnabled),
		"VectorIndexes":                      len(in.VectorIndexes) > 0,
		"WarmThroughput":                     in.WarmThroughput != nil,
	})
}

func checkTableName(name *string) error {
	if name == nil {
		return missing("tableName")
	}
	if len(*name) < 3 || len(*name) > 255 {
		return attr.Invalid("TableName must be at least 3 characters long and at most 255 characters long")
	}
	if !regexp.MustCompile(`^[a-zA-Z0-9_.-]+$`).MatchString(*name) {
		return attr.Invalid("1 validation error detected: Value '%s' at 'tableName' failed to satisfy constraint: "+
			"Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+", *name)
	}
	return nil
}

// bill takes over the billing mode and, if it is PROVISIONED, the throughput.
// Throughput is only shown: nothing is ever throttled.
func (t *table) bill(in *dynamodb.CreateTableInput) error {
	t.billing, t.throughput = in.BillingMode, copyThroughput(in.ProvisionedThroughput)
	if t.billing == ddbtypes.BillingModePayPerRequest {
		if t.throughput != nil {
			return attr.Invalid(invalidValues + "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified " +
				"when BillingMode is PAY_PER_REQUEST")
		}
		return nil
	}
	t.billing = ddbtypes.BillingModeProvisioned
	if p := t.throughput; p == nil || p.ReadCapacityUnits == nil || p.WriteCapacityUnits == nil {
		return attr.Invalid(invalidValues + "ReadCapacityUnits and WriteCapacityUnits must both be specified " +
			"when BillingMode is PROVISIONED")
	}
	return nil
}

// design takes over the keys of the table and its indexes.
func (t *table) design(in *dynamodb.CreateTableInput) error {
	k, err := t.newKeys(in.KeySchema)
	if err != nil {
		return err
	}
	t.keys = k
	if in.GlobalSecondaryIndexes != nil && len(in.GlobalSecondaryIndexes) == 0 {
		return attr.Invalid(invalidValues + "List of GlobalSecondaryIndexes is empty")
	}
	if len(in.GlobalSecondaryIndexes) > maxIndexes {
		return attr.Invalid(invalidValues+"GlobalSecondaryIndex count exceeds the per-table limit of %d", maxIndexes)
	}
	for _, g := range in.GlobalSecondaryIndexes {
		x, err := t.newIndex(g)
		if err != nil {
			return err
		}
		t.indexes = append(t.indexes, x)
	}
	return t.checkDefinitions()
}

// newKeys reads a key schema.
func (t *table) newKeys(schema []ddbtypes.KeySchemaElement) (keys, error) {
	var names []string
	for _, e := range schema {
		names = append(names, aws.ToString(e.AttributeName))
	}
	switch {
	case len(schema) == 0:
		return keys{}, attr.Invalid("1 validation error detected: Value '[]' at 'keySchema' failed to satisfy constraint: " +
			"Member must have length greater than or equal to 1")
	case len(schema) > 2:
		return keys{}, attr.Invalid("KeySchema with more than one hash key and one range key is not supported by the local AWS")
	case schema[0].KeyType != ddbtypes.KeyTypeHash:
		return keys{}, attr.Invalid("Invalid KeySchema: The first KeySchemaElement is not a HASH key type")
	case len(schema) == 2 && schema[1].KeyType != ddbtypes.KeyTypeRange:
		return keys{}, attr.Invalid("Invalid KeySchema: The second KeySchemaElement is not a RANGE key type")
	case len(schema) == 2 && names[0] == names[1]:
		return keys{}, attr.Invalid("Both the Hash Key and the Range Key element in the KeySchema have the same name")
	}
	k := keys{hash: names[0]}
	if len(names) == 2 {
		k.sort = names[1]
	}
	var err error
	if k.hashType, err = t.definition(k.hash, names); err == nil && k.sort != "" {
		k.sortType, err = t.definition(k.sort, names)
	}
	return k, err
}

// definition is the type of a key attribute.
func (t *table) definition(name string, schema []string) (ddbtypes.ScalarAttributeType, error) {
	var defined []string
	for _, a := range t.attributes {
		if aws.ToString(a.AttributeName) == name {
			return a.AttributeType, nil
		}
		defined = append(defined, aws.ToString(a.AttributeName))
	}
	return "", attr.Invalid(invalidValues+"Some index key attributes are not defined in AttributeDefinitions. "+
		"Keys: [%s], AttributeDefinitions: [%s]", strings.Join(schema, ", "), strings.Join(defined, ", "))
}

func (t *table) newIndex(g ddbtypes.GlobalSecondaryIndex) (*index, error) {
	name := aws.ToString(g.IndexName)
	if err := refuse(map[string]bool{
		"OnDemandThroughput of an index": g.OnDemandThroughput != nil,
		"WarmThroughput of an index":     g.WarmThroughput != nil,
	}); err != nil {
		return nil, err
	}
	if _, err := t.index(name); err == nil {
		return nil, attr.Invalid(invalidValues+"Duplicate index name: %s", name)
	}
	if g.ProvisionedThroughput != nil && t.billing == ddbtypes.BillingModePayPerRequest {
		return nil, attr.Invalid(invalidValues+"ProvisionedThroughput should not be specified for index: %s "+
			"when BillingMode is PAY_PER_REQUEST", name)
	}
	k, err := t.newKeys(g.KeySchema)
	if err != nil {
		return nil, err
	}
	x := &index{name: name, keys: k, throughput: copyThroughput(g.ProvisionedThroughput)}
	if g.Projection == nil || g.Projection.ProjectionType == "" {
		return nil, attr.Invalid(invalidValues + "Unknown ProjectionType: null")
	}
	x.projection = ddbtypes.Projection{
		ProjectionType:   g.Projection.ProjectionType,
		NonKeyAttributes: slices.Clone(g.Projection.NonKeyAttributes),
	}
	include := x.projection.ProjectionType == ddbtypes.ProjectionTypeInclude
	if len(x.projection.NonKeyAttributes) > 0 && !include {
		return nil, attr.Invalid(invalidValues+"ProjectionType is %s, but NonKeyAttributes is specified",
			x.projection.ProjectionType)
	}
	return x, nil
}

// checkDefinitions refuses attribute definitions that no key uses.
func (t *table) checkDefinitions() error {
	used := t.keys.names()
	for _, x := range t.indexes {
		used = append(used, x.keys.names()...)
	}
	for _, a := range t.attributes {
		if slices.Contains(used, aws.ToString(a.AttributeName)) {
			continue
		}
		if len(t.indexes) == 0 {
			return attr.Invalid(invalidValues + "Number of attributes in KeySchema does not " +
				"exactly match number of attributes defined in AttributeDefinitions")
		}
		return attr.Invalid(invalidValues+"Some AttributeDefinitions are not used. AttributeDefinitions: [%s]",
			aws.ToString(a.AttributeName))
	}
	return nil
}
