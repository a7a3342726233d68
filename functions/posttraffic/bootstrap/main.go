// Bootstrap is the posttraffic Lambda function.
package main

import (
	"github.com/pullback-dev/pullback/functions/posttraffic"
	"github.com/pullback-dev/pullback/shared/lambdaboot"
)

func main() { lambdaboot.Main(posttraffic.Setup) }
