//go:build !linux

package agent

import "errors"

// startConfined needs namespaces, which other systems do not have.
func startConfined(*agent) (here, error) {
	return here{}, errors.New("only Linux can")
}
