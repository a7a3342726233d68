// Package wire speaks AWS's protocols for the local AWS: it turns HTTP requests
// into calls of typed operations and their results into HTTP responses. The
// types are the SDK's own Input and Output structs, so the names on the wire
// are AWS's, not ours.
//
// A service describes itself as a [Service]. Services call each other through
// a [Caller] with the same structs, without HTTP and under the same lock. An
// operation or service that is not known answers with an error that names it.
package wire

import (
	"context"
	"fmt"
	"reflect"
)

// Protocol is how a service's requests look.
type Protocol string

// The protocols. A service that speaks AWSJSON also answers rpc-v2 CBOR at
// /service/<Target>/operation/<Operation>: the Go SDK speaks CBOR to
// CloudWatch, the AWS CLI JSON 1.0.
const (
	JSON10   Protocol = "awsJson1_0"
	JSON11   Protocol = "awsJson1_1"
	Query    Protocol = "awsQuery"
	EC2      Protocol = "ec2Query" // members are named as EC2 names them, whatever the Style
	RESTJSON Protocol = "restJson1"
	RESTXML  Protocol = "restXml"
)

// Style is how a service spells member names on the wire.
type Style string

// The styles.
const (
	Pascal Style = "Pascal" // as the Go field
	Camel  Style = "camel"  // first letter lower case
)

// Principal is who makes a call.
//
// A service that acts with a role has the role's ARN and its own name; one that
// acts by itself has only its name, and SourceARN for whom it acts: the
// rule that delivers, the topic, the alarm.
type Principal struct {
	ARN       string // the user, the role or its session; empty for an AWS service acting by itself
	Service   string // an AWS service, for example "codedeploy.amazonaws.com"
	SourceARN string // the resource for which a service acts, aws:SourceArn in policies
	Session   string // the session that a client's credentials belong to; see package iam
	Via       string // the service that passes a call on for who called it: "sqs", kms:ViaService in policies
}

// Call is what an operation may know about the request it answers.
type Call struct {
	Context   context.Context //nolint:containedctx // a Call lives exactly as long as its request
	Principal Principal
	RequestID string
	Remote    bool // over HTTP, from a client; else from another service
}

// Operation is one operation of a service.
type Operation struct {
	Name string
	REST *REST // RESTJSON and RESTXML only

	in, out reflect.Type
	do      func(c *Call, in any) (any, error)
}

// REST binds an operation to a method and a path. Labels in braces, query
// parameters and headers name the fields of the Input struct they fill; all
// other fields travel in the body. A query parameter or x-amz- header of a
// request that is not bound is refused, so bind what the operation refuses by
// [Only], too.
type REST struct {
	Method  string
	Path    string            // "/2015-03-31/functions/{FunctionName}", "/{Bucket}/{Key+}", "/{Bucket}?versioning"
	Query   map[string]string // parameter to field
	Header  map[string]string // request header to Input field
	Payload string            // Input field that is the whole body
	Status  int               // of a good answer; 0 is 200

	NoOutput   bool              // a good answer has no body, not even an empty structure
	OutHeader  map[string]string // response header to Output field
	OutPayload string            // Output field that is the whole body
	OutStatus  string            // Output field (int32) that is the status code

	StatusOf func(out any) int // status of a good answer that depends on it but is no member; 0 means Status
}

// Op makes an operation out of a typed function. The function runs with the
// world's lock held and returns an SDK error type (which travels with all its
// members), a *smithy.GenericAPIError, or any other error (InternalFailure).
func Op[I, O any](name string, do func(c *Call, in *I) (*O, error)) Operation {
	return Operation{
		Name: name,
		in:   reflect.TypeFor[I](),
		out:  reflect.TypeFor[O](),
		do: func(c *Call, in any) (any, error) {
			typed, ok := in.(*I)
			if !ok {
				return nil, fmt.Errorf("%s wants %T, got %T", name, typed, in)
			}
			out, err := do(c, typed)
			if err != nil {
				return nil, err
			}
			return out, nil
		},
	}
}

// Input returns a new, empty Input of the operation.
func (o Operation) Input() any { return reflect.New(o.in).Interface() }

// Output returns a new, empty Output of the operation.
func (o Operation) Output() any { return reflect.New(o.out).Interface() }

// With returns the operation with another behaviour and the same structs, for
// tests: do gets and returns pointers as [Operation.Input] and
// [Operation.Output] do.
func (o Operation) With(do func(c *Call, in any) (any, error)) Operation {
	o.do = do
	return o
}

// Bind returns the operation with its REST binding.
func (o Operation) Bind(r REST) Operation {
	o.REST = &r
	return o
}

// Service is one AWS service.
type Service struct {
	Name       string // as in the credential scope of a signed request: "codedeploy", "monitoring", "events"
	Protocol   Protocol
	Target     string // JSON protocols: what stands before the dot in X-Amz-Target
	Version    string // Query and EC2: the API version, for the XML namespace
	Style      Style
	Status     map[string]int // error code to HTTP status where it is not 400 (client) or 500 (server)
	Checksum   bool           // answers carry the CRC32 of their body, as DynamoDB's do
	Operations []Operation
}

// Caller is how one service calls another: by the name of service and
// operation, with the SDK's Input, for the SDK's Output. The world's lock must
// be held. [Do] is the typed form.
type Caller interface {
	Call(ctx context.Context, as Principal, service, operation string, in any) (any, error)
}

// Do calls an operation of another service: wire.Do[sqs.SendMessageOutput](…).
func Do[O any](ctx context.Context, c Caller, as Principal, service, operation string, in any) (*O, error) {
	out, err := c.Call(ctx, as, service, operation, in)
	if err != nil {
		return nil, err
	}
	typed, ok := out.(*O)
	if !ok {
		return nil, fmt.Errorf("%s %s answered %T, not %T", service, operation, out, typed)
	}
	return typed, nil
}
