package lambda

import (
	"bytes"
	"encoding/json"

	"github.com/aws/aws-sdk-go-v2/aws"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// sqsRecord is a message as a function gets it (Lambda developer guide, "Using
// Lambda with Amazon SQS", example message event).
type sqsRecord struct {
	MessageID         string                  `json:"messageId"`
	ReceiptHandle     string                  `json:"receiptHandle"`
	Body              string                  `json:"body"`
	Attributes        map[string]string       `json:"attributes"`
	MessageAttributes map[string]sqsAttribute `json:"messageAttributes"`
	MD5OfAttributes   string                  `json:"md5OfMessageAttributes,omitempty"`
	MD5OfBody         string                  `json:"md5OfBody"`
	EventSource       string                  `json:"eventSource"`
	EventSourceARN    string                  `json:"eventSourceARN"`
	Region            string                  `json:"awsRegion"`
}

// sqsAttribute is a message attribute. The lists are never used but always
// there.
type sqsAttribute struct {
	StringValue      *string  `json:"stringValue,omitempty"`
	BinaryValue      []byte   `json:"binaryValue,omitempty"`
	StringListValues []string `json:"stringListValues"`
	BinaryListValues [][]byte `json:"binaryListValues"`
	DataType         string   `json:"dataType"`
}

// sqsEvent is the payload for a batch.
func sqsEvent(batch []sqstypes.Message, queue, region string) ([]byte, error) {
	records := make([]sqsRecord, 0, len(batch))
	for _, m := range batch {
		r := sqsRecord{
			MessageID: aws.ToString(m.MessageId), ReceiptHandle: aws.ToString(m.ReceiptHandle), Body: aws.ToString(m.Body),
			Attributes: m.Attributes, MessageAttributes: map[string]sqsAttribute{},
			MD5OfAttributes: aws.ToString(m.MD5OfMessageAttributes), MD5OfBody: aws.ToString(m.MD5OfBody),
			EventSource: "aws:sqs", EventSourceARN: queue, Region: region,
		}
		for name, a := range m.MessageAttributes { // a map again
			r.MessageAttributes[name] = sqsAttribute{
				StringValue: a.StringValue, BinaryValue: a.BinaryValue, DataType: aws.ToString(a.DataType),
				StringListValues: []string{}, BinaryListValues: [][]byte{},
			}
		}
		records = append(records, r)
	}
	return json.Marshal(map[string]any{"Records": records})
}

// all and none say of each message that it failed, or that it did not.
func all(string) bool  { return true }
func none(string) bool { return false }

// batchFailures reads which messages a function could not process (Lambda
// developer guide, "Implementing partial batch responses"). Nothing, null, an
// empty object and an empty or null list mean success. An answer that is not
// JSON, an identifier that is empty, null or misspelled, or one that is not in
// the batch, means that the whole batch failed.
func batchFailures(answer []byte, batch []sqstypes.Message) func(id string) bool {
	if len(bytes.TrimSpace(answer)) == 0 {
		return none
	}
	var body struct {
		Failures []struct {
			ID *string `json:"itemIdentifier"`
		} `json:"batchItemFailures"`
	}
	if err := json.Unmarshal(answer, &body); err != nil {
		return all
	}
	known := map[string]bool{}
	for _, m := range batch {
		known[*m.MessageId] = true
	}
	failed := map[string]bool{}
	for _, f := range body.Failures {
		if f.ID == nil || !known[*f.ID] {
			return all
		}
		failed[*f.ID] = true
	}
	return func(id string) bool { return failed[id] }
}
