package sandbox

import (
	"encoding/json"
	"fmt"
	"time"
)

// EntrypointError is the reason why a function's code cannot be started.
type EntrypointError struct {
	Reason string
}

// Error implements error.
func (e *EntrypointError) Error() string { return e.Reason }

// Payload is the error as the caller of the function sees it.
func (e *EntrypointError) Payload(requestID string) []byte {
	return failure("Runtime.InvalidEntrypoint", "RequestId: "+requestID+" Error: "+e.Reason)
}

// failure is an error in the shape in which Lambda reports all errors of a
// function (Lambda developer guide, "Understanding retry behavior in Lambda").
func failure(kind, message string) []byte {
	b, err := json.Marshal(struct {
		Type    string `json:"errorType"`
		Message string `json:"errorMessage"`
	}{kind, message})
	if err != nil {
		return []byte("{}") // two strings always marshal
	}
	return b
}

// exitError is the error of a process that ended without an answer.
func exitError(requestID, reason string) []byte {
	return failure("Runtime.ExitError", "RequestId: "+requestID+" Error: "+reason)
}

// timeoutError is the error of an invocation that took too long.
func timeoutError(requestID string, limit time.Duration) []byte {
	return failure("Sandbox.Timedout", fmt.Sprintf("RequestId: %s Error: Task timed out after %.2f seconds", requestID, limit.Seconds()))
}

// sizeError is the error of an answer above the limit.
func sizeError() []byte {
	return failure("Function.ResponseSizeTooLarge",
		fmt.Sprintf("Response payload size exceeded maximum allowed payload size (%d bytes).", MaxResponse))
}
