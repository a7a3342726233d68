package scheduler

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	schedulertypes "github.com/aws/aws-sdk-go-v2/service/scheduler/types"
	"github.com/aws/smithy-go"
)

// universal begins the ARN of a universal target; service and action follow
// (user guide, "Using universal targets").
const universal = "arn:aws:scheduler:::aws-sdk:"

// readers are the beginnings of actions that only read, which universal targets
// may not name (user guide, "Unsupported actions").
func readers() []string {
	return []string{
		"get", "describe", "list", "poll", "receive", "search", "scan", "query", "select", "read", "lookup", "discover", "validate",
		"batchGet", "batchDescribe", "batchRead", "transactGet", "adminGet", "adminList", "testMigration", "retrieve", "testConnection",
		"translateDocument", "isAuthorized", "invokeModel",
	}
}

// operation names service and operation of an action as the local AWS does.
func operation(action string) (service, name string, ok bool) {
	service, name, ok = strings.Cut(action, ":")
	if !ok || name == "" {
		return "", "", false
	}
	switch service { // the SDK's names differ from those of the endpoints
	case "cloudwatch":
		service = "monitoring"
	case "cloudwatchlogs":
		service = "logs"
	case "eventbridge":
		service = "events"
	case "elasticloadbalancingv2":
		service = "elasticloadbalancing"
	}
	return service, strings.ToUpper(name[:1]) + name[1:], true
}

func (s *Service) checkUniversal(t schedulertypes.Target, action string) error {
	service, name, ok := operation(action)
	if !ok {
		return invalid("Provided Arn is not in correct format: %s.", *t.Arn)
	}
	_, verb, _ := strings.Cut(action, ":")
	for _, r := range readers() {
		if strings.HasPrefix(verb, r) {
			return invalid("%s is not a supported action: it only reads.", *t.Arn)
		}
	}
	if t.SqsParameters != nil || t.EventBridgeParameters != nil {
		return invalid("Parameters of templated targets are not valid for target %s.", *t.Arn)
	}
	if s.api.Input(service, name) == nil {
		return invalid("Target %s is not supported by the local AWS: service %s here has no operation %s.", *t.Arn, service, name)
	}
	trial := &execution{target: t}
	in, err := s.input(service, name, s.payload(trial))
	if err != nil {
		return invalid("Input of target %s: %s.", *t.Arn, err)
	}
	if i, ok := in.(*lambda.InvokeInput); ok && i.InvocationType != lambdatypes.InvocationTypeEvent {
		return invalid("Target %s is supported by the local AWS only with InvocationType Event.", *t.Arn)
	}
	return nil
}

// input reads the Input of an operation from JSON. Members may be spelled with
// a capital or a small letter; one that the operation does not have is an error.
func (s *Service) input(service, name, payload string) (any, error) {
	in := s.api.Input(service, name)
	var members map[string]json.RawMessage
	if err := json.Unmarshal([]byte(payload), &members); err != nil {
		return nil, fmt.Errorf("read request: %w", err)
	}
	for member, value := range members {
		f, ok := reflect.TypeOf(in).Elem().FieldByNameFunc(func(field string) bool { return strings.EqualFold(field, member) })
		if ok && f.Type == reflect.TypeFor[[]byte]() {
			members[member] = blob(value)
		}
	}
	encoded, err := json.Marshal(members)
	if err != nil {
		return nil, fmt.Errorf("write request: %w", err)
	}
	d := json.NewDecoder(bytes.NewReader(encoded))
	d.DisallowUnknownFields()
	if err := d.Decode(in); err != nil {
		return nil, fmt.Errorf("read request: %w", err)
	}
	return in, nil
}

// blob is a member of bytes as encoding/json reads one. A text stands for
// itself, anything else for its JSON.
func blob(value json.RawMessage) json.RawMessage {
	var text string
	if json.Unmarshal(value, &text) != nil {
		text = string(value)
	}
	encoded, _ := json.Marshal([]byte(text)) // a string
	return encoded
}

func (s *Service) sendUniversal(ctx context.Context, t schedulertypes.Target, action, payload string) error {
	service, name, _ := operation(action) // checked
	in, err := s.input(service, name, payload)
	if err != nil {
		return failed("ValidationException", err.Error())
	}
	_, err = s.api.Call(ctx, role(t), service, name, in)
	return err
}

// failed is an error that AWS reports in an answer, or that shows itself only
// when the keywords of a payload are replaced.
func failed(code, message string) error {
	return &smithy.GenericAPIError{Code: code, Message: message, Fault: smithy.FaultClient}
}
