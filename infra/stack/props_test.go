package stack_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/infra/stack"
	"github.com/pullback-dev/pullback/shared/settings"
)

// code is a folder with code for the functions that nobody had to build.
func code(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, folder := range []string{"pretraffic", "posttraffic", "alarmrouter", "rollbacker"} {
		require.NoError(t, os.MkdirAll(filepath.Join(dir, folder), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, folder, "bootstrap"), []byte(folder), 0o755))
	}
	return dir
}

func TestBadPropertiesAreNamedEachWithItsRemedy(t *testing.T) {
	observing := settings.Default()
	observing.Mode, observing.Table = "watch", "ledger"
	dir := code(t)
	for name, c := range map[string]struct {
		props stack.Props
		want  []string
	}{
		"all is well": {stack.Props{Dist: dir, Settings: settings.Default(), Fleet: stack.Fleet{Collects: true, Accounts: []string{"111111111111"}}}, nil},
		"nothing is set": {stack.Props{}, []string{
			"stack.Props.Dist: it is not set: name the folder that holds the built functions, one sub-folder each (make build fills dist/arm64)",
		}},
		"nothing is built": {stack.Props{Dist: "no-such-folder"}, []string{
			"stack.Props.Dist: there is no file no-such-folder/pretraffic/bootstrap: make build makes it",
			"stack.Props.Dist: there is no file no-such-folder/posttraffic/bootstrap: make build makes it",
			"stack.Props.Dist: there is no file no-such-folder/alarmrouter/bootstrap: make build makes it",
			"stack.Props.Dist: there is no file no-such-folder/rollbacker/bootstrap: make build makes it",
		}},
		"a long name": {stack.Props{Dist: dir, Name: "the-control-plane-of-our-great-company"}, []string{
			`stack.Props.Name: "the-control-plane-of-our-great-company" has to be 1 to 32 of a-z, 0-9, _ and -, and begin with a letter: ` +
				"the names of functions are made of it, which have 64 characters at most",
		}},
		"a file that is wrong": {stack.Props{Dist: dir, Config: "apiVersion: pullback.dev/v1\ndefaults: {bkae: 1m}\n"}, []string{
			"stack.Props.Config: pullback.yaml:2:12: defaults.bkae: unknown key; did you mean bake?",
		}},
		"a contradiction": {stack.Props{Dist: dir, Reserved: stack.Reserved{Router: 5, None: true}}, []string{
			"stack.Props.Reserved: None contradicts Router and Rollbacker: leave one of them out",
		}},
		"fewer than none": {stack.Props{Dist: dir, Reserved: stack.Reserved{Rollbacker: -1}}, []string{
			"stack.Props.Reserved: 0 and -1: at least one execution is needed; to set none aside, set None",
		}},
		"a hub that has a hub": {stack.Props{Dist: dir, Fleet: stack.Fleet{Hub: "arn:aws:events:eu-west-1:111111111111:event-bus/pullback", Collects: true}}, []string{
			"stack.Props.Fleet: Hub contradicts Collects: the hub keeps its own records anyway; leave Hub out",
		}},
		"a hub that is no bus, and accounts that are none": {stack.Props{Dist: dir, Fleet: stack.Fleet{Hub: "hub", Accounts: []string{"us"}}}, []string{
			`stack.Props.Fleet.Hub: "hub" is not the ARN of an event bus, such as arn:aws:events:eu-west-1:123456789012:event-bus/pullback, which the hub's stack puts out as EventBus`,
			`stack.Props.Fleet.Accounts: "us" is not an account: it has twelve digits`,
		}},
		"settings that the stack fills in, and one that is wrong": {stack.Props{Dist: dir, Settings: observing}, []string{
			`stack.Props.Settings: PULLBACK_TABLE is "ledger", but the stack fills it in: leave it out`,
			`stack.Props.Settings: PULLBACK_MODE: "watch" is neither enforce nor observe`,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			if err := c.props.Check(); err != nil {
				got = strings.Split(err.Error(), "\n")
			}
			assert.Equal(t, c.want, got)
		})
	}
}
