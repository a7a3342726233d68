package stages_test

import (
	"testing"
	"time"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/target/targettest"
)

// moving is how long it takes an execution to get into the stage and begin to deploy.
const moving = 5 * time.Second

func TestStagesKeepTheContract(t *testing.T) {
	targettest.Run(t, func(t *testing.T) targettest.Scene {
		t.Helper()
		c := newCloud(t)
		c.upload("gone")
		ids := map[string]deploy.ID{"C": c.create(structure("line", prod()), on), "D": "00000000-0000-0000-0000-000000000000"}
		c.pass(10 * time.Minute)
		c.update(structure("line", asking("Beta"), prod())) // C belongs to the structure before
		c.update(structure("line", prod()))
		for _, name := range []string{"B", "A"} {
			ids[name] = c.release(name)
			c.pass(10 * time.Minute)
		}
		return targettest.Scene{
			Driver: c.client, Place: place, Now: c.now, StopOnly: true,
			Revision: func(name string) deploy.Revision { return deploy.Revision(ids[name]) },
			Deploy: func(name string) deploy.ID {
				ids[name] = c.release(name)
				return ids[name]
			},
			Shift:  func() { c.pass(moving) },
			Settle: func() { c.pass(10 * time.Minute) },
		}
	})
}
