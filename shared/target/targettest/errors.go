package targettest

import "errors"

func errorIsAny(err error, any ...error) bool {
	for _, want := range any {
		if errors.Is(err, want) {
			return true
		}
	}
	return false
}
