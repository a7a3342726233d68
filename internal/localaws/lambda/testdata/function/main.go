// Command function is the function that the tests run: it does what its event
// says.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

type event struct {
	Do      string
	Records []struct{ MessageID, Body string }
}

type handler struct{ calls int }

func (h *handler) handle(ctx context.Context, raw json.RawMessage) (any, error) {
	var e event
	if err := json.Unmarshal(raw, &e); err != nil {
		return nil, err
	}
	h.calls++
	if e.Do == "" {
		e.Do = os.Getenv("DO")
	}
	switch e.Do {
	case "error":
		return nil, errors.New("it broke")
	case "panic":
		panic("boom")
	case "exit":
		os.Exit(3)
	case "exit quietly":
		os.Exit(0)
	case "sleep":
		time.Sleep(time.Hour)
	case "log":
		fmt.Println("one")
		fmt.Fprintln(os.Stderr, "two")
	case "log levels":
		fmt.Println("one")
		fmt.Println("two")
		fmt.Println(`{"level":"debug","msg":"three"}`)
		fmt.Println(`{"level":"WARN","msg":"four"}`)
	case "environment":
		return os.Environ(), nil
	case "context":
		c, _ := lambdacontext.FromContext(ctx)
		end, _ := ctx.Deadline()
		return map[string]any{"arn": c.InvokedFunctionArn, "left": time.Until(end).Round(time.Minute).String()}, nil
	case "stream":
		return strings.NewReader(`{"streamed":true}`), nil
	case "large":
		return strings.Repeat("x", 7<<20), nil
	case "records":
		return report(raw, e), nil
	case "malformed":
		return map[string]any{"batchItemFailures": []any{map[string]any{"itemIdentifier": ""}}}, nil
	}
	return map[string]any{"version": os.Getenv("AWS_LAMBDA_FUNCTION_VERSION"), "pid": os.Getpid(), "calls": h.calls}, nil
}

// report fails the messages that say so.
func report(raw json.RawMessage, e event) any {
	fmt.Println(string(raw))
	failures := []map[string]string{}
	for _, r := range e.Records {
		if strings.HasPrefix(r.Body, "bad") {
			failures = append(failures, map[string]string{"itemIdentifier": r.MessageID})
		}
	}
	return map[string]any{"batchItemFailures": failures}
}

func main() {
	if os.Getenv("DO") == "fail init" {
		body := strings.NewReader(`{"errorType":"Function.NoTable","errorMessage":"no table"}`)
		_, _ = http.Post("http://"+os.Getenv("AWS_LAMBDA_RUNTIME_API")+"/2018-06-01/runtime/init/error", "application/json", body)
		os.Exit(1)
	}
	h := &handler{}
	lambda.Start(h.handle)
}
