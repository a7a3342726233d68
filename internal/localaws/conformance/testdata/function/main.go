// Command function is the function that scripts invoke: it answers with its
// event, or does what the event says.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/aws/aws-lambda-go/lambda"
)

func handle(_ context.Context, raw json.RawMessage) (any, error) {
	var event struct{ Do string }
	if err := json.Unmarshal(raw, &event); err != nil {
		return nil, err
	}
	switch event.Do {
	case "error":
		return nil, errors.New("it broke")
	case "log":
		fmt.Println("hello")
	}
	return raw, nil
}

func main() { lambda.Start(handle) }
