package pullback_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// releaseFile is what of .goreleaser.yaml has to agree with something else.
type releaseFile struct {
	Version int    `yaml:"version"`
	Dist    string `yaml:"dist"`
	Before  struct {
		Hooks []string `yaml:"hooks"`
	} `yaml:"before"`
	Builds []struct {
		Main    string   `yaml:"main"`
		Env     []string `yaml:"env"`
		Flags   []string `yaml:"flags"`
		Ldflags []string `yaml:"ldflags"`
		Goos    []string `yaml:"goos"`
		Goarch  []string `yaml:"goarch"`
	} `yaml:"builds"`
	Archives []struct {
		Files []string `yaml:"files"`
	} `yaml:"archives"`
	Checksum struct {
		Extra []globbed `yaml:"extra_files"`
	} `yaml:"checksum"`
	Release struct {
		Extra []globbed `yaml:"extra_files"`
	} `yaml:"release"`
}

type globbed struct {
	Glob string `yaml:"glob"`
}

func TestTheReleaseNamesWhatThereIs(t *testing.T) {
	text, err := os.ReadFile(".goreleaser.yaml")
	require.NoError(t, err)
	var f releaseFile
	require.NoError(t, yaml.Unmarshal(text, &f))
	assert.Equal(t, 2, f.Version)
	require.Len(t, f.Builds, 1)
	b := f.Builds[0]
	assert.FileExists(t, filepath.Join(b.Main, "main.go"))
	assert.Equal(t, []string{"CGO_ENABLED=0"}, b.Env)
	assert.Equal(t, []string{"-trimpath"}, b.Flags)
	assert.Equal(t, [][]string{{"linux", "darwin", "windows"}, {"amd64", "arm64"}}, [][]string{b.Goos, b.Goarch})
	for _, a := range f.Archives {
		for _, file := range a.Files {
			assert.FileExists(t, file)
		}
	}
	extra := []globbed{{"./dist/release/*"}}
	assert.Equal(t, [][]globbed{extra, extra}, [][]globbed{f.Checksum.Extra, f.Release.Extra})
	assert.NotEqual(t, "dist", f.Dist, "goreleaser empties its folder")

	makefile, err := os.ReadFile("Makefile")
	require.NoError(t, err)
	for _, hook := range f.Before.Hooks {
		targets, found := strings.CutSuffix(hook, " VERSION={{ .Tag }}")
		require.True(t, found, hook)
		for _, target := range strings.Fields(targets)[1:] {
			assert.Regexp(t, "(?m)^"+target+":", string(makefile))
		}
	}
}

// TestAReleaseSaysItsVersion builds the command line with the flags of the release.
func TestAReleaseSaysItsVersion(t *testing.T) {
	if testing.Short() {
		t.Skip("links the command line, which takes many seconds")
	}
	text, err := os.ReadFile(".goreleaser.yaml")
	require.NoError(t, err)
	var f releaseFile
	require.NoError(t, yaml.Unmarshal(text, &f))
	cli := filepath.Join(t.TempDir(), "pullback")
	flags := strings.ReplaceAll(f.Builds[0].Ldflags[0], "{{ .Tag }}", "v1.2.3")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-ldflags", flags, "-o", cli, f.Builds[0].Main).CombinedOutput()
	require.NoError(t, err, string(out))
	said, err := exec.CommandContext(t.Context(), cli, "version").Output()
	require.NoError(t, err)
	assert.Regexp(t, `^pullback v1\.2\.3( [0-9a-f]+)?\n$`, string(said))
}

// TestGoreleaserTakesTheFile asks goreleaser itself, where it is installed.
func TestGoreleaserTakesTheFile(t *testing.T) {
	cli, err := exec.LookPath("goreleaser")
	if err != nil {
		t.Skip("goreleaser is not installed")
	}
	out, err := exec.CommandContext(t.Context(), cli, "check").CombinedOutput()
	require.NoError(t, err, string(out))
}
