package cases_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/agent/cases"
)

// recorded are the cases that came from the real agent.
func recorded(t *testing.T) []cases.Case {
	t.Helper()
	b, err := os.ReadFile("../testdata/cases.json")
	require.NoError(t, err)
	read, err := cases.Read(bytes.NewReader(b))
	require.NoError(t, err)
	require.Len(t, read, 19)
	return read
}

// one is a fresh copy of a recorded case.
func one(t *testing.T, name string) cases.Case {
	t.Helper()
	all := recorded(t)
	i := slices.IndexFunc(all, func(c cases.Case) bool { return c.Name == name })
	require.GreaterOrEqual(t, i, 0, name)
	return all[i]
}

func play(t *testing.T, c cases.Case, unconfined bool) []cases.Difference {
	t.Helper()
	found, err := cases.Play(t.Context(), c, cases.Options{Dir: t.TempDir(), Unconfined: unconfined})
	if !unconfined && errors.Is(err, cases.ErrRefused) {
		t.Skip(err)
	}
	require.NoError(t, err)
	return found
}

func TestRecordedCasesComeOutTheSame(t *testing.T) {
	t.Parallel()
	for mode, unconfined := range map[string]bool{"confined": false, "unconfined": true} {
		for _, c := range recorded(t) {
			t.Run(mode+"/"+c.Name, func(t *testing.T) {
				t.Parallel()
				for _, d := range play(t, c, unconfined) {
					t.Error(d)
				}
			})
		}
	}
}

// Whatever is recorded wrongly is found, and nothing else.
func TestEveryRecordedFieldIsCompared(t *testing.T) {
	t.Parallel()
	const (
		hooks = "hook-to-revision-mapping-with-load-balancer"
		loss  = "loss-table-retain-overwrite-retain"
		tree  = "nested-directories"
		links = "symlinks-in-bundle"
		modes = "permissions-mode-pattern-except"
	)
	tests := map[string]struct {
		name   string
		at     int
		change func(*cases.Observation)
		field  string
	}{
		"result":                 {loss, 0, func(o *cases.Observation) { o.Result = "failed" }, "result"},
		"failed event":           {loss, 1, func(o *cases.Observation) { o.FailedEvent = "Install" }, "failed_event"},
		"error class":            {loss, 1, func(o *cases.Observation) { o.ErrorClass = "RuntimeError" }, "error_class"},
		"error code":             {loss, 1, func(o *cases.Observation) { o.ErrorCode = 3 }, "error_code"},
		"error":                  {loss, 1, func(o *cases.Observation) { o.Error += "." }, "error"},
		"events":                 {hooks, 0, func(o *cases.Observation) { o.Started = o.Started[1:] }, "events_started"},
		"script log":             {hooks, 1, func(o *cases.Observation) { o.ScriptLog[2] = "[stdout]BeforeBlockTraffic from r2" }, "script_log"},
		"order of a script log":  {hooks, 1, func(o *cases.Observation) { slices.Reverse(o.ScriptLog) }, "script_log"},
		"no target":              {loss, 0, func(o *cases.Observation) { o.Target = nil }, "target"},
		"empty target":           {loss, 0, func(o *cases.Observation) { o.Target = []cases.File{} }, "target a.txt"},
		"content":                {loss, 2, func(o *cases.Observation) { o.Target[1].Content = new("operator\n") }, "target conf.ini"},
		"time":                   {loss, 0, func(o *cases.Observation) { o.Target[1].MTime = "bundle" }, "target conf.ini"},
		"mode":                   {modes, 0, func(o *cases.Observation) { o.Target[1].Mode = "0644" }, "target bin/read.me"},
		"mode of a folder":       {modes, 0, func(o *cases.Observation) { o.Target[11].Mode = "0755" }, "target data/d"},
		"type":                   {links, 0, func(o *cases.Observation) { o.Target[1].Type = "file" }, "target dirlink"},
		"link":                   {links, 0, func(o *cases.Observation) { o.Target[0].Link = "TARGET/no/such/file" }, "target dangling"},
		"a file too many":        {tree, 3, func(o *cases.Observation) { o.Target = o.Target[:2] }, "target logs"},
		"a file that is missing": {tree, 3, func(o *cases.Observation) { o.Target = append(o.Target, cases.File{Path: "x", Type: "dir"}) }, "target x"},
		"last successful":        {loss, 1, func(o *cases.Observation) { o.LastSuccessful = new("D1") }, "last_successful"},
		"no last successful":     {loss, 0, func(o *cases.Observation) { o.LastSuccessful = nil }, "last_successful"},
		"most recent":            {loss, 1, func(o *cases.Observation) { o.MostRecent = new("D1") }, "most_recent"},
		"archives":               {modes, 5, func(o *cases.Observation) { o.Archives = append([]string{"D1"}, o.Archives...) }, "archives"},
		"no cleanup file":        {loss, 0, func(o *cases.Observation) { o.Cleanup = json.RawMessage("null") }, "cleanup"},
		"empty cleanup file":     {loss, 0, func(o *cases.Observation) { o.Cleanup = json.RawMessage("[]") }, "cleanup"},
		"order of cleanup":       {links, 0, func(o *cases.Observation) { o.Cleanup = swap(o.Cleanup, "TARGET/real.txt", "TARGET/link.txt") }, "cleanup"},
		"mixed blocks": {tree, 0, func(o *cases.Observation) {
			o.Cleanup = json.RawMessage(`["TARGET", {"any_order": [["TARGET/conf"], ["TARGET/conf/x.conf"], ["TARGET/logs", "TARGET/data"],
				["TARGET/data/flat.txt"], ["TARGET/data/sub"], ["TARGET/data/sub/deep.txt"], ["TARGET/logs/keep"]]}]`)
		}, "cleanup"},
		"a line too few": {tree, 0, func(o *cases.Observation) {
			o.Cleanup = json.RawMessage(`["TARGET", {"any_order": [["TARGET/conf", "TARGET/conf/x.conf"], ["TARGET/logs", "TARGET/logs/keep"]]}]`)
		}, "cleanup"},
		"a file that never was": {tree, 0, func(o *cases.Observation) {
			o.OtherGroups = map[string]cases.Group{"dg2": {}}
		}, "other_groups"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := one(t, test.name)
			test.change(c.Deployments[test.at].Observed)
			found := play(t, c, true)
			require.NotEmpty(t, found)
			assert.Equal(t, test.field, found[0].Field)
			for _, d := range found {
				assert.Equal(t, c.Deployments[test.at].ID, d.Deployment)
				assert.Equal(t, strings.Fields(test.field)[0], strings.Fields(d.Field)[0])
			}
		})
	}
}

func swap(m json.RawMessage, a, b string) json.RawMessage {
	return json.RawMessage(strings.NewReplacer(a, b, b, a).Replace(string(m)))
}

func TestBlocksOfACleanupFileMayComeInAnyOrder(t *testing.T) {
	t.Parallel()
	c := one(t, "nested-directories")
	c.Deployments = c.Deployments[:1]
	c.Deployments[0].Observed.Cleanup = json.RawMessage(`["TARGET", {"any_order": [["TARGET/logs", "TARGET/logs/keep"],
		["TARGET/data", {"any_order": [["TARGET/data/sub", "TARGET/data/sub/deep.txt"], ["TARGET/data/flat.txt"]]}], ["TARGET/conf", "TARGET/conf/x.conf"]]}]`)
	assert.Empty(t, play(t, c, true))
}

// Where the words are Ruby's, the kind of an error and the paths in it count.
func TestTheWordsOfInexactErrorsAreNotCompared(t *testing.T) {
	t.Parallel()
	c := one(t, "directory-with-runtime-file-back-to-file-disallow")
	o := c.Deployments[1].Observed
	o.ErrorExact = new(false)
	o.Error = "File exists @ rb_sysopen - TARGET/thing"
	assert.Empty(t, play(t, c, true))
	o.Error = "File exists @ rb_sysopen - TARGET/other"
	assert.Equal(t, []cases.Difference{
		{Case: c.Name, Deployment: "D2", Field: "error (paths)", Want: []string{"TARGET/other"}, Got: []string{"TARGET/thing"}},
	}, play(t, c, true))
}

// What the recorded cases do not need is there all the same.
func TestOtherGroupsAndLostArchives(t *testing.T) {
	t.Parallel()
	revision := cases.Revision{
		AppSpec: new("version: 0.0\nos: linux\nfiles: [{source: a, destination: TARGET/$}]\nhooks: {ApplicationStop: [{location: none.sh}]}\n"),
		Files:   []cases.File{{Path: "a", Content: new("a"), Mode: "0600"}},
	}
	two := revision
	two.AppSpec = new(strings.ReplaceAll(*revision.AppSpec, "$", "two"))
	revision.AppSpec = new(strings.ReplaceAll(*revision.AppSpec, "$", "one"))
	content := new("a")
	all := []string{"ApplicationStop", "DownloadBundle", "BeforeInstall", "Install", "AfterInstall", "ApplicationStart", "ValidateService"}
	first := cases.Group{Cleanup: json.RawMessage(`["TARGET/one", "TARGET/one/a"]`), LastSuccessful: new("D1"), MostRecent: new("D1"), Archives: []string{"D1"}}
	one := []cases.File{{Path: "one", Type: "dir", Mode: "0755"}, {Path: "one/a", Type: "file", Mode: "0600", Content: content, MTime: "bundle"}}
	both := append(slices.Clone(one), cases.File{Path: "two", Type: "dir", Mode: "0755"}, cases.File{Path: "two/a", Type: "file", Mode: "0600", Content: content, MTime: "bundle"})
	second := cases.Group{Cleanup: json.RawMessage(`["TARGET/two", "TARGET/two/a"]`), LastSuccessful: new("D2"), MostRecent: new("D2"), Archives: []string{"D2"}}
	c := cases.Case{
		Name: "two groups", TargetExists: true, Revisions: map[string]cases.Revision{"r1": revision, "r2": two},
		Deployments: []cases.Deployment{
			{ID: "D1", Revision: "r1", Observed: &cases.Observation{Result: "ok", Target: one, Started: all, ScriptLog: []string{}, Group: first}},
			{ID: "D2", Revision: "r2", Group: "dg2", Observed: &cases.Observation{
				Result: "ok", Target: both, Started: all, ScriptLog: []string{}, Group: second, OtherGroups: map[string]cases.Group{"dg1": first},
			}},
			{ID: "D3", Revision: "r2", Group: "dg2", Before: []cases.Operation{{Op: "delete_archive", Deployment: "D2"}}, Observed: &cases.Observation{
				Result: "failed", FailedEvent: "ApplicationStop", ErrorClass: "RuntimeError",
				Error: `The CodeDeploy agent did not find an AppSpec file within the unpacked revision directory at revision-relative path "appspec.yml". ` +
					`The revision was unpacked to directory "ROOT/dg2/D2/deployment-archive", and the AppSpec file was expected but not found at path ` +
					`"ROOT/dg2/D2/deployment-archive/appspec.yml". Consult the AWS CodeDeploy Appspec documentation for more information at ` +
					`http://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file.html`,
				Target: both, Started: all[:1], ScriptLog: []string{},
				Group: cases.Group{Cleanup: second.Cleanup, LastSuccessful: new("D2"), MostRecent: new("D2"), Archives: []string{}},
			}},
		},
	}
	assert.Empty(t, play(t, c, true))

	wrong := first
	wrong.MostRecent = new("D2")
	c.Deployments[1].Observed.OtherGroups = map[string]cases.Group{"dg1": wrong}
	assert.Equal(t, []cases.Difference{
		{Case: "two groups", Deployment: "D2", Field: "other_groups dg1 most_recent", Want: new("D2"), Got: new("D1")},
	}, play(t, c, true))
}

func TestFilesThatAreNoCases(t *testing.T) {
	t.Parallel()
	const case1 = `[{"name": "n", "pre_existing": [], "revisions": {"r1": {"appspec": null, "files": []}}, "deployments": [{"id": "D1", "revision": "r1", "file_exists_behavior": "", "observed": {}}]}]`
	_, err := cases.Read(strings.NewReader(case1))
	require.NoError(t, err)
	for name, text := range map[string]string{
		"nothing":                    ``,
		"no list":                    `{}`,
		"no cases":                   `[]`,
		"no deployments":             `[{"name": "n"}]`,
		"something after it":         case1 + `[]`,
		"an unknown field":           strings.ReplaceAll(case1, `"observed": {`, `"observed": {"colour": "blue"`),
		"an unknown revision":        strings.ReplaceAll(case1, `"revision": "r1"`, `"revision": "r2"`),
		"nothing observed":           strings.ReplaceAll(case1, `, "observed": {}`, ``),
		"a strange cleanup":          strings.ReplaceAll(case1, `"observed": {`, `"observed": {"cleanup": [{"all_orders": []}]`),
		"a path out of TARGET":       strings.ReplaceAll(case1, `"pre_existing": []`, `"pre_existing": [{"path": "../x"}]`),
		"an unknown operation":       strings.ReplaceAll(case1, `"observed"`, `"before": [{"op": "reboot"}], "observed"`),
		"an operation out of TARGET": strings.ReplaceAll(case1, `"observed"`, `"before": [{"op": "delete", "path": "/etc"}], "observed"`),
		"no archive to delete":       strings.ReplaceAll(case1, `"observed"`, `"before": [{"op": "delete_archive"}], "observed"`),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := cases.Read(strings.NewReader(text))
			assert.Error(t, err)
		})
	}
}
