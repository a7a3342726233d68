// V2 is the bad release: it fails every third order.
package main

import "github.com/pullback-dev/pullback/internal/demo/sample"

func main() { sample.Start("2.0.0", 3) }
