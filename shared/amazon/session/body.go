package session

import (
	"context"
	"fmt"
	"io"

	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// plainBodies makes a client send bodies that are read, and not asked to write
// themselves. As soon as an answer's header has come, smithy-go closes the body
// (transport/http, ClientHandler.Handle), and a closed body that has a WriteTo
// answers io.EOF where io.WriterTo wants nil (internal/io, safeWriteToReadCloser).
// net/http looks once more for what follows a body that it has sent; an answer that
// is faster than that look makes it fail, and with it the rest of an answer of more
// than 4 KB is lost. Only a server on the same machine is so fast. Reads are tried
// again, but a call that must not be repeated would be on record as failed although
// it was made.
func plainBodies(stack *middleware.Stack) error {
	plain := func(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
		r, ok := in.Request.(*smithyhttp.Request)
		if ok && r.GetStream() != nil {
			plain, err := r.SetStream(struct{ io.Reader }{r.GetStream()})
			if err != nil {
				return middleware.DeserializeOutput{}, middleware.Metadata{}, fmt.Errorf("send a body: %w", err)
			}
			in.Request = plain
		}
		return next.HandleDeserialize(ctx, in) //nolint:wrapcheck // the SDK's own, on its way through
	}
	if err := stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("PullbackPlainBodies", plain), middleware.After); err != nil {
		return fmt.Errorf("send plain bodies: %w", err)
	}
	return nil
}
