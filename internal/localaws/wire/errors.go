package wire

import (
	"errors"
	"net/http"
	"reflect"

	"github.com/aws/smithy-go"
)

// failure is an error as it travels.
type failure struct {
	shape   string            // in the service's model, "ResourceNotFoundException"
	code    string            // what the query protocols call it; mostly the same
	status  int               // in the service's model; 0 if it does not say
	header  map[string]string // members that travel in a header
	message string
	fault   smithy.ErrorFault
	members any // the SDK's error struct, or nil
}

// failureOf works out how an error travels. What is not an AWS error is an
// InternalFailure of the server with the error's text, so that a mistake of
// the local AWS shows itself.
func failureOf(err error) failure {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return failure{shape: "InternalFailure", code: "InternalFailure", message: err.Error(), fault: smithy.FaultServer}
	}
	f := failure{shape: api.ErrorCode(), code: api.ErrorCode(), message: api.ErrorMessage(), fault: api.ErrorFault()}
	if with, ok := api.(interface{ HTTPStatus() int }); ok {
		f.status = with.HTTPStatus()
		return f
	}
	rv := reflect.ValueOf(api)
	if _, generic := api.(*smithy.GenericAPIError); generic || rv.Kind() != reflect.Pointer || rv.IsNil() {
		return f
	}
	f.shape = rv.Elem().Type().Name()
	f.members = api
	schema := schemaOf(rv.Elem().Type())
	f.header = errorHeaders(schema)
	status, queryCode := traitsOfError(schema)
	f.status = status
	if queryCode != "" && f.code == f.shape {
		f.code = queryCode
	}
	return f
}

// statusOf returns the HTTP status of a failure.
func (q *request) statusOf(f failure) int {
	if q.service != nil {
		if s, ok := q.service.Status[f.shape]; ok {
			return s
		}
		if s, ok := q.service.Status[f.code]; ok {
			return s
		}
	}
	switch {
	case f.status != 0:
		return f.status
	case f.code == "RequestEntityTooLargeException":
		return http.StatusRequestEntityTooLarge
	case f.code == "UnknownOperationException" && q.dialect != dialect(JSON10) && q.dialect != dialect(JSON11):
		return http.StatusNotFound
	case f.fault == smithy.FaultServer:
		return http.StatusInternalServerError
	default:
		return http.StatusBadRequest
	}
}

// writeError encodes an error in the dialect of the request.
func (q *request) writeError(err error, id string) *reply {
	f := failureOf(err)
	a := &reply{status: q.statusOf(f), header: http.Header{}}
	switch q.dialect {
	case dialect(Query):
		a.header.Set("Content-Type", "text/xml")
		a.body = q.xmlError(f, id)
		return a
	case dialect(EC2):
		a.header.Set("Content-Type", "text/xml")
		a.body = ec2Error(f, id)
		return a
	case dialect(RESTXML):
		a.header.Set("Content-Type", "application/xml")
		a.body = q.s3Error(f, id)
		return a
	default: // the others write the same tree, as JSON or CBOR
	}
	tree := q.errorTree(f, a.header)
	if q.dialect == dialectCBOR {
		a.header.Set("Content-Type", "application/cbor")
		a.header.Set("Smithy-Protocol", "rpc-v2-cbor")
		a.body = writeCBOR(tree)
	} else {
		a.header.Set("Content-Type", jsonType(q.dialect))
		a.body, _ = writeJSON(tree) // an error's members are strings, numbers and their lists
	}
	if q.dialect == dialect(RESTJSON) {
		a.header.Set("X-Amzn-Errortype", f.shape)
	}
	if q.service != nil && (q.service.Name == "sqs" || q.service.Name == "monitoring") {
		// Both once spoke the query protocol and still say its error codes
		// (Smithy 2.0, awsQueryCompatible trait).
		code := f.code
		if code == "AccessDeniedException" { // which the query protocol calls AccessDenied
			code = "AccessDenied"
		}
		a.header.Set("X-Amzn-Query-Error", code+";"+sender(f.fault))
	}
	return a
}

// errorTree is an error's body: its shape and all its members.
func (q *request) errorTree(f failure, h http.Header) map[string]any {
	tree := map[string]any{}
	if q.service != nil && f.members != nil {
		if m, err := q.service.codec.encode(f.members); err == nil {
			tree = m
		}
		for name, header := range f.header {
			if s, ok := tree[name].(string); ok {
				h.Set(header, s)
			}
			delete(tree, name)
		}
	}
	if f.members == nil || f.message != "" && tree["message"] == nil && tree["Message"] == nil {
		tree["message"] = f.message
	}
	tree["__type"] = f.shape
	return tree
}

// sender is how the query protocol calls who is at fault.
func sender(f smithy.ErrorFault) string {
	if f == smithy.FaultServer {
		return "Receiver"
	}
	return "Sender"
}
