// Package sdkhttp is the HTTP client for SDK clients that talk to a server on the
// same machine.
//
// As soon as an answer's header has come, smithy-go closes the request's body
// (transport/http, ClientHandler.Handle), and a closed body that has a WriteTo
// answers io.EOF where io.WriterTo wants nil (internal/io, safeWriteToReadCloser).
// net/http looks once more for what follows a body that it has sent; if the answer
// was faster than that look, the look fails and the connection is closed, together
// with what is still to be read of an answer of more than 4 KB: "use of closed
// network connection". AWS is too far away for that. A server on this machine is
// not: on a busy machine with two cores 11 of 192,000 answers of 8 KB were lost
// without this package, and none of 192,000 with it.
package sdkhttp

import (
	"fmt"
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

// Client returns a client whose requests have bodies without WriteTo.
func Client() aws.HTTPClient { return client{awshttp.NewBuildableClient()} }

type client struct{ next aws.HTTPClient }

// Do implements aws.HTTPClient.
func (c client) Do(r *http.Request) (*http.Response, error) {
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = struct{ io.ReadCloser }{r.Body}
	}
	out, err := c.next.Do(r)
	if err != nil {
		return out, fmt.Errorf("send: %w", err)
	}
	return out, nil
}
