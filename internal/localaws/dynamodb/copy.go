package dynamodb

import (
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// What comes in and what goes out never share memory with a table.

// cloned returns a copy of a plain value.
func cloned[T any](p *T) *T {
	if p == nil {
		return nil
	}
	c := *p
	return &c
}

func copyDefinitions(all []ddbtypes.AttributeDefinition) []ddbtypes.AttributeDefinition {
	var copies []ddbtypes.AttributeDefinition
	for _, a := range all {
		copies = append(copies, ddbtypes.AttributeDefinition{
			AttributeName: cloned(a.AttributeName),
			AttributeType: a.AttributeType,
		})
	}
	return copies
}

func copyEncryption(s *ddbtypes.SSESpecification) *ddbtypes.SSESpecification {
	if s == nil {
		return nil
	}
	return &ddbtypes.SSESpecification{
		Enabled:        cloned(s.Enabled),
		KMSMasterKeyId: cloned(s.KMSMasterKeyId),
		SSEType:        s.SSEType,
	}
}

func copyThroughput(p *ddbtypes.ProvisionedThroughput) *ddbtypes.ProvisionedThroughput {
	if p == nil {
		return nil
	}
	return &ddbtypes.ProvisionedThroughput{
		ReadCapacityUnits:  cloned(p.ReadCapacityUnits),
		WriteCapacityUnits: cloned(p.WriteCapacityUnits),
	}
}
