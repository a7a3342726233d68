package events

import (
	"bytes"
	"encoding/json"
)

// Shape is what kind of payload a function that hears several has got.
type Shape string

// The shapes.
const (
	ShapeHook        Shape = "hook"         // for ParseHook
	ShapeServiceHook Shape = "service-hook" // for ParseServiceHook
	ShapeMessages    Shape = "messages"     // a batch of SQS messages
	ShapeLogs        Shape = "logs"         // for ParseLogs
	ShapeUnknown     Shape = ""
)

// ShapeOf looks at a payload's member names, and at no more of them than it
// takes: the shapes have no member in common, and each parser says itself what is
// wrong with what it gets.
func ShapeOf(payload []byte) Shape {
	d := json.NewDecoder(bytes.NewReader(payload))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return ShapeUnknown
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return ShapeUnknown
		}
		switch name {
		case "DeploymentId", "LifecycleEventHookExecutionId":
			return ShapeHook
		case "lifecycleStage", "resourceArn":
			return ShapeServiceHook
		case "Records":
			return ShapeMessages
		case "awslogs":
			return ShapeLogs
		}
		var skipped json.RawMessage
		if err := d.Decode(&skipped); err != nil {
			return ShapeUnknown
		}
	}
	return ShapeUnknown
}
