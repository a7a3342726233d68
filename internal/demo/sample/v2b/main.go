// V2b is a release that is as bad as v2, and other code.
package main

import "github.com/pullback-dev/pullback/internal/demo/sample"

func main() { sample.Start("2.0.1", 3) }
