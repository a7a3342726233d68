package tasksets_test

import (
	"testing"
	"time"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/target/targettest"
)

func TestAServiceThatCodeDeployDeploysIsATarget(t *testing.T) {
	targettest.Run(t, func(t *testing.T) targettest.Scene {
		t.Helper()
		s := serve(t)
		return targettest.Scene{
			Driver: s.driver, Place: place,
			Revision: func(name string) deploy.Revision {
				return map[string]deploy.Revision{"A": "web:1", "B": "web:2", "C": "web:3", "D": "web:99"}[name]
			},
			Deploy: func(name string) deploy.ID { return s.deploy(map[string]string{"A": "web:1", "B": "web:2"}[name]) },
			Shift:  func() { s.Advance(2 * time.Minute) },
			Settle: s.settle, Now: s.Now,
		}
	})
}
