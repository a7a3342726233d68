// Bootstrap is the pretraffic Lambda function.
package main

import (
	"github.com/pullback-dev/pullback/functions/pretraffic"
	"github.com/pullback-dev/pullback/shared/lambdaboot"
)

func main() { lambdaboot.Main(pretraffic.Setup) }
