package emf_test

import (
	"fmt"
	"os"
	"time"

	"github.com/pullback-dev/pullback/shared/emf"
)

func Example() {
	metrics, err := emf.New(os.Stdout, emf.Options{
		Namespace: "Shop", Version: "8", // in a Lambda function: os.Getenv("AWS_LAMBDA_FUNCTION_VERSION")
		Dimensions: []emf.Dimension{{Name: "Service", Value: "checkout"}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	began := time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC) // time.Now()
	_ = metrics.Request(began, 12*time.Millisecond, false)
	_ = metrics.Request(began, 250*time.Millisecond, true)
	_ = metrics.Count(began, "Refunds", 0)
	_ = metrics.Flush()
	// Output:
	// {"_aws":{"Timestamp":1767603600000,"CloudWatchMetrics":[{"Namespace":"Shop","Dimensions":[["Service","Version"]],"Metrics":[{"Name":"Latency","Unit":"Milliseconds","StorageResolution":1},{"Name":"Requests","Unit":"Count","StorageResolution":1},{"Name":"Errors","Unit":"Count","StorageResolution":1},{"Name":"Refunds","Unit":"Count","StorageResolution":1}]}]},"Service":"checkout","Version":"8","Latency":[12,250],"Requests":2,"Errors":1,"Refunds":0}
}
