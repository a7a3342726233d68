// Bootstrap is the rollbacker Lambda function.
package main

import (
	"github.com/pullback-dev/pullback/functions/rollbacker"
	"github.com/pullback-dev/pullback/shared/lambdaboot"
)

func main() { lambdaboot.Main(rollbacker.Setup) }
