// V3 is the fixed release.
package main

import "github.com/pullback-dev/pullback/internal/demo/sample"

func main() { sample.Start("3.0.0", 0) }
