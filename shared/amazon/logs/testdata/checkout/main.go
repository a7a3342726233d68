// Command checkout takes orders, and does badly with every third as its variable
// DO says.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
)

type order struct{ Order int }

func handle(_ context.Context, o order) (string, error) {
	fmt.Println(`order taken {"errorMessage":"none","errorType":"none"}`)
	if o.Order%3 != 0 {
		return "thank you", nil
	}
	switch os.Getenv("DO") {
	case "error":
		return "", errors.New("no stock")
	case "panic":
		panic("no stock")
	case "exit":
		os.Exit(3)
	}
	return "thank you", nil
}

func main() { lambda.Start(handle) }
