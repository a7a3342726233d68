// Command hook is a lifecycle hook of ECS. Its environment variable PLAN says
// what it answers in each lifecycle stage, one answer for each invocation; it
// counts them in the hookDetails that ECS hands back. Without a plan for a
// stage it answers SUCCEEDED.
package main

import (
	"encoding/json"
	"errors"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
)

type event struct {
	LifecycleStage string         `json:"lifecycleStage"`
	HookDetails    map[string]any `json:"hookDetails"`
}

func handle(e event) (any, error) {
	plan := map[string][]string{}
	if err := json.Unmarshal([]byte(os.Getenv("PLAN")), &plan); err != nil {
		return nil, err
	}
	tries, _ := e.HookDetails["tries"].(float64)
	answers := plan[e.LifecycleStage]
	if int(tries) >= len(answers) {
		return map[string]any{"hookStatus": "SUCCEEDED"}, nil
	}
	switch answer := answers[int(tries)]; answer {
	case "error":
		return nil, errors.New("the hook is broken")
	case "nonsense":
		return "yes", nil
	case "later":
		return map[string]any{"hookStatus": "IN_PROGRESS", "callBackDelay": 45, "hookDetails": map[string]any{"tries": tries + 1}}, nil
	default:
		return map[string]any{"hookStatus": answer, "hookDetails": map[string]any{"tries": tries + 1}}, nil
	}
}

func main() { lambda.Start(handle) }
