package scenario_test

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/iam/access"
	"github.com/pullback-dev/pullback/internal/scenario"
)

const (
	scripts = "../../testdata/scenarios"
	// table says for each grant of the template which story breaks without it.
	// "make golden" makes room for what is new, and with -search a story is looked for.
	table = "../../testdata/permissions.txt"
)

// searching makes -update look for stories, which takes many minutes.
var searching = flag.Bool("search", false, "with -update: look for stories that need what no story is known to need")

// errStopped ends a script that a probe plays.
var errStopped = errors.New("stopped")

// A probe is what testscript needs of a test, for a script that may fail.
type probe struct {
	failed bool
	text   strings.Builder
}

func (p *probe) Skip(args ...any)  { p.Fatal(args...) }
func (p *probe) Fatal(args ...any) { p.Log(args...); p.FailNow() }
func (p *probe) Parallel()         {}
func (p *probe) Log(args ...any)   { fmt.Fprintln(&p.text, args...) }
func (p *probe) FailNow()          { p.failed = true; panic(errStopped) }
func (p *probe) Verbose() bool     { return false }

func (p *probe) Run(_ string, do func(testscript.T)) {
	defer func() {
		if r := recover(); r != nil && r != errStopped { //nolint:errorlint // the very value that FailNow panics with
			panic(r)
		}
	}()
	do(p)
}

// play runs one script and returns why it failed, or nothing.
func play(ctx context.Context, o scenario.Options, script string) string {
	p := &probe{}
	p.Run(script, func(t testscript.T) {
		testscript.RunT(t, testscript.Params{Files: []string{filepath.Join(scripts, script+".txtar")}, Setup: scenario.Setup(ctx, o), Cmds: scenario.Commands(ctx)})
	})
	if !p.failed {
		return ""
	}
	return p.text.String() + "failed"
}

// built returns the options for the template as it is, or skips.
func built(t *testing.T) scenario.Options {
	t.Helper()
	o := scenario.Options{Template: absolute(t, *template), Dist: absolute(t, *dist)}
	for path, maker := range map[string]string{o.Template: "make synth", filepath.Join(o.Dist, "rollbacker", "bootstrap"): "make build"} {
		if _, err := os.Stat(path); err != nil {
			t.Skipf("%v (%s makes it; make test does both)", err, maker)
		}
	}
	return o
}

// TestNoPermissionIsUnused takes each grant away by itself and wants the story
// that the table names to break. A grant that none can need has a reason there.
func TestNoPermissionIsUnused(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("a story for each permission takes a minute")
	}
	o := built(t)
	all := granted(t, o.Template)
	if *update {
		write(t, o, all)
	}
	named := read(t)
	var want, got []string
	for _, g := range all {
		want = append(want, g.text)
	}
	for text := range named {
		got = append(got, text)
	}
	slices.Sort(got)
	require.Equal(t, want, got, "the table is not that of the template: make golden rewrites it")
	for _, g := range all {
		t.Run(g.text, func(t *testing.T) {
			t.Parallel()
			require.NotEqual(t, nothing, named[g.text], "no story shows that it is needed: go test ./internal/scenario -run NoPermission -update -search looks for one")
			if why, ok := strings.CutPrefix(named[g.text], nothing+" "); ok {
				t.Skip(why)
			}
			changed := o
			changed.Change = g.without
			why := play(t.Context(), changed, named[g.text])
			assert.NotEmpty(t, why, "%s goes well without it", named[g.text])
			t.Log(why) // for those who ask with -v
		})
	}
}

// collects matches what a fleet's hub is allowed besides.
var collects = regexp.MustCompile(`events:PutEvents on | on Records$| on Records for | for pullbackrecords$`)

// granted lists what the template allows, and after that what those allow besides whose
// functions keep data, or collect records: the stories of that are played with them.
func granted(t *testing.T, template string) []grant {
	t.Helper()
	var all []grant
	known := map[string]bool{}
	hub := filepath.Join(filepath.Dir(template), "fleet", "123456789012-eu-west-1.template.json")
	for _, path := range []string{template, scenario.Keeping(template), hub} {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		found, err := grants(text)
		require.NoError(t, err)
		for _, g := range found {
			// The fleet's stacks know their account and region, and spell everything with them.
			if !known[g.text] && (path != hub || collects.MatchString(g.text)) {
				all = append(all, g)
			}
			known[g.text] = true
		}
	}
	slices.SortStableFunc(all, func(a, b grant) int { return strings.Compare(a.text, b.text) })
	return all
}

// read reads the table: a grant and, after a tab, a story.
func read(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile(table)
	require.NoError(t, err)
	named := map[string]string{}
	for line := range strings.Lines(string(text)) {
		grant, story, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		require.True(t, ok, line)
		named[grant] = story
	}
	return named
}

// run is what happened in one story of the template as it is.
type run struct {
	script string
	took   time.Duration
	used   map[int]bool // grants
}

// write finds a story for the grants that the table has none for: it plays all
// stories to see which of them use what, and then looks for the fastest that
// breaks without the grant. What is found is kept at once: it takes long.
func write(t *testing.T, o scenario.Options, all []grant) {
	t.Helper()
	known := read(t)
	names := make([]string, len(all))
	for i, g := range all {
		names[i] = cmp.Or(known[g.text], nothing)
	}
	save(t, all, names)
	if slices.Contains(names, nothing) && *searching {
		search(t, o, all, names)
	}
}

// save writes the table.
func save(t *testing.T, all []grant, names []string) {
	t.Helper()
	var text strings.Builder
	for i, g := range all {
		fmt.Fprintf(&text, "%s\t%s\n", g.text, names[i])
	}
	assert.NoError(t, os.WriteFile(table, []byte(text.String()), 0o600))
}

// nothing stands in the table for a grant of which no story is known that needs it,
// and before the reason for one that no story can show to be needed.
const nothing = "-"

// search looks for what is missing among the names.
func search(t *testing.T, o scenario.Options, all []grant, names []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(scripts, "*.txtar"))
	require.NoError(t, err)
	var both sync.Mutex
	var runs []run
	pairwise(len(files), func(i int) {
		r := watch(t, o, all, strings.TrimSuffix(filepath.Base(files[i]), ".txtar"))
		both.Lock()
		defer both.Unlock()
		runs = append(runs, r)
	})
	slices.SortFunc(runs, func(a, b run) int { return int(a.took - b.took) })
	pairwise(len(all), func(i int) {
		if names[i] != nothing {
			return
		}
		name := breaks(t, o, all[i], i, runs)
		both.Lock()
		defer both.Unlock()
		names[i] = name
		save(t, all, names)
	})
}

// pairwise does n things, two at a time.
func pairwise(n int, do func(i int)) {
	var wait sync.WaitGroup
	slots := make(chan struct{}, 2)
	for i := range n {
		wait.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			do(i)
		})
	}
	wait.Wait()
}

// tries is how many stories are played without a grant that they use: one that few of
// them need is no better for that.
const tries = 5

// breaks names a fast story that uses a grant and fails without it, or [nothing].
func breaks(t *testing.T, o scenario.Options, g grant, i int, runs []run) string {
	t.Helper()
	o.Change = g.without
	var used []string
	for _, r := range runs {
		if !r.used[i] {
			continue
		}
		if used = append(used, r.script); len(used) > tries {
			break
		}
		if play(t.Context(), o, r.script) != "" {
			return r.script
		}
	}
	t.Logf("%s: no story breaks without it (used by %s)", g.text, strings.Join(used, ", "))
	return nothing
}

// watch plays a story and notes which grants it used.
func watch(t *testing.T, o scenario.Options, all []grant, script string) run {
	t.Helper()
	r := run{script: script, used: map[int]bool{}}
	o.Observe = func(d access.Decision) {
		for i, g := range all {
			if g.decided(d) {
				r.used[i] = true
			}
		}
	}
	begun := time.Now()
	assert.Empty(t, play(t.Context(), o, script), script)
	r.took = time.Since(begun)
	return r
}
