package wire

import (
	"bytes"
	"fmt"
	"reflect"
)

// writeEC2 writes the answer of the EC2 query protocol (Smithy 2.0, "AWS EC2
// query protocol", response serialization): there is no element around the
// result. What has no members answers <return>true</return> (EC2 API Reference,
// response elements of CreateTags and others).
func (s *served) writeEC2(operation string, out any, id string) ([]byte, error) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "<%sResponse xmlns=%q>", operation, "http://ec2.amazonaws.com/doc/"+s.Version+"/")
	text(&b, "requestId", id)
	err := s.codec.xmlMembers(&b, reflect.ValueOf(out))
	if len(s.codec.planOf(reflect.TypeOf(out).Elem()).fields) == 0 {
		text(&b, "return", "true")
	}
	fmt.Fprintf(&b, "</%sResponse>", operation)
	return b.Bytes(), err
}

// ec2Error writes an error of the EC2 query protocol (EC2 API Reference, "Error
// codes for the Amazon EC2 API", example error response).
func ec2Error(f failure, id string) []byte {
	b := bytes.NewBufferString(`<?xml version="1.0" encoding="UTF-8"?>` + "\n")
	element(b, "Response", func() {
		element(b, "Errors", func() {
			element(b, "Error", func() {
				text(b, "Code", f.code)
				text(b, "Message", f.message)
			})
		})
		text(b, "RequestID", id)
	})
	return b.Bytes()
}
