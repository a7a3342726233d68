// Bootstrap is the alarmrouter Lambda function.
package main

import (
	"github.com/pullback-dev/pullback/functions/alarmrouter"
	"github.com/pullback-dev/pullback/shared/lambdaboot"
)

func main() { lambdaboot.Main(alarmrouter.Setup) }
