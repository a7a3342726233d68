// V1 is the release that has worked for months.
package main

import "github.com/pullback-dev/pullback/internal/demo/sample"

func main() { sample.Start("1.0.0", 0) }
