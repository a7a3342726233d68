package agent_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"io/fs"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/agent"
)

const installA = "version: 0.0\nos: linux\nfiles: [{source: a, destination: /srv/app}]\n"

func archived(t *testing.T, headers ...tar.Header) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range headers {
		content := h.Uname // stands for the content here
		h.Uname = ""
		h.Size = int64(len(content))
		require.NoError(t, w.WriteHeader(&h))
		_, err := w.Write([]byte(content))
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return b.Bytes()
}

func gzipped(t *testing.T, content []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write(content)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.Bytes()
}

func zipped(t *testing.T, names ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range names {
		h := &zip.FileHeader{Name: name, Method: zip.Deflate, Modified: time.Date(2020, 1, 2, 3, 4, 6, 0, time.UTC)}
		h.SetMode(0o750)
		f, err := w.CreateHeader(h)
		require.NoError(t, err)
		content := "content of " + name
		if name == "appspec.yml" || name == "release/appspec.yml" {
			content = installA
		}
		_, err = f.Write([]byte(content))
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return b.Bytes()
}

func TestBundlesOfEveryType(t *testing.T) {
	t.Parallel()
	plain := revision{"appspec.yml": installA, "a": "content of a"}.tar(t)
	leading := revision{"release-1/appspec.yml": installA, "release-1/a": "content of a"}.tar(t)
	for name, b := range map[string]agent.Bundle{
		"tar":                       {Type: "tar", Bytes: plain},
		"tgz":                       {Type: "tgz", Bytes: gzipped(t, plain)},
		"zip":                       {Type: "zip", Bytes: zipped(t, "appspec.yml", "a")},
		"tar with a leading folder": {Type: "tar", Bytes: leading},
		"tgz with a leading folder": {Type: "tgz", Bytes: gzipped(t, leading)},
		"zip with a leading folder": {Type: "zip", Bytes: zipped(t, "release/appspec.yml", "release/a")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, agent.Options{})
			require.Nil(t, h.deploy("d-1", nil, func(d *agent.Deployment) { d.Bundle = b }))
			require.Equal(t, []string{"a"}, h.names("/srv/app"))
			assert.Contains(t, h.read("/srv/app/a"), "content of ")
		})
	}
}

func TestZipKeepsModesAndTimes(t *testing.T) {
	t.Parallel()
	h := newHost(t, agent.Options{})
	require.Nil(t, h.deploy("d-1", nil, func(d *agent.Deployment) { d.Bundle = agent.Bundle{Type: "zip", Bytes: zipped(t, "appspec.yml", "a")} }))
	info, err := os.Stat(h.Root() + "/srv/app/a")
	require.NoError(t, err)
	assert.Equal(t, fs.FileMode(0o750), info.Mode())
	assert.True(t, info.ModTime().Equal(time.Date(2020, 1, 2, 3, 4, 6, 0, time.UTC)), info.ModTime())
}

// Only a folder with an AppSpec file in it is stripped, and only if it is
// alone.
func TestALeadingFolderStaysIfItIsNotTheRevision(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]revision{
		"no AppSpec file in it": {"release/a": ""},
		"not alone":             {"release/appspec.yml": installA, "release/a": "", "b": ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, agent.Options{})
			x := h.deploy("d-1", r)
			require.NotNil(t, x)
			assert.Contains(t, x.Message, "The CodeDeploy agent did not find an AppSpec file")
			assert.DirExists(t, h.Root()+agent.DefaultDir+"/group-id/d-1/deployment-archive/release")
		})
	}
}

func TestBrokenAndHostileBundles(t *testing.T) {
	t.Parallel()
	for name, b := range map[string]agent.Bundle{
		"no tar":              {Type: "tar", Bytes: []byte("not an archive, but long enough to be looked at as one")},
		"no gzip":             {Type: "tgz", Bytes: []byte("not an archive")},
		"no zip":              {Type: "zip", Bytes: []byte("not an archive")},
		"tar out of it":       {Type: "tar", Bytes: revision{"../../escaped": "x"}.tar(t)},
		"zip out of it":       {Type: "zip", Bytes: zipped(t, "../../escaped")},
		"link out of it":      {Type: "tar", Bytes: archived(t, tar.Header{Name: "d", Typeflag: tar.TypeSymlink, Linkname: "../../../../escaped"}, tar.Header{Name: "d/escaped", Mode: 0o644, Uname: "x"})},
		"hard link out of it": {Type: "tar", Bytes: archived(t, tar.Header{Name: "d", Typeflag: tar.TypeLink, Linkname: "../../escaped"})},
		"a device":            {Type: "tar", Bytes: archived(t, tar.Header{Name: "d", Typeflag: tar.TypeBlock})},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, agent.Options{})
			x := h.carryOut(agent.Deployment{ID: "d-1", GroupID: "group-id", Bundle: b}, "DownloadBundle")
			require.NotNil(t, x)
			assert.Contains(t, x.Message, "Error extracting "+map[bool]string{true: "zip", false: "tar"}[b.Type == "zip"]+" archive: ")
			assert.NoFileExists(t, h.Root()+agent.DefaultDir+"/group-id/escaped")
			assert.NoFileExists(t, h.Root()+agent.DefaultDir+"/group-id/d-1/escaped")
		})
	}
}

func TestHardLinksAndLaterMembersOfTheSameName(t *testing.T) {
	t.Parallel()
	h := newHost(t, agent.Options{})
	require.Nil(t, h.deploy("d-1", nil, func(d *agent.Deployment) {
		d.Bundle.Bytes = archived(t,
			tar.Header{Name: "./", Typeflag: tar.TypeDir, Mode: 0o755},
			tar.Header{Name: "./appspec.yml", Mode: 0o644, Uname: installA},
			tar.Header{Name: "./b", Mode: 0o644, Uname: "first"},
			tar.Header{Name: "./b", Mode: 0o644, Uname: "second"},
			tar.Header{Name: "./a", Typeflag: tar.TypeLink, Linkname: "./b"},
		)
	}))
	assert.Equal(t, "second", h.read("/srv/app/a"))
}

// Hooks look for the one name that they are told, Install for appspec.yaml as
// well: the guide says that the file "must be named appspec.yml" unless the
// deployment is a local one.
func TestNamesOfTheAppSpecFile(t *testing.T) {
	t.Parallel()
	h := newHost(t, agent.Options{})
	yaml := revision{"appspec.yaml": installA, "a": "1"}
	x := h.deploy("d-1", yaml)
	require.NotNil(t, x)
	assert.Contains(t, x.Message, `did not find an AppSpec file within the unpacked revision directory at revision-relative path "appspec.yml"`)
	require.Nil(t, h.carryOut(h.deployment("d-1", yaml), "Install"))
	require.Nil(t, h.deploy("d-2", yaml, func(d *agent.Deployment) { d.AppSpecFilename = "appspec.yaml" }))
	assert.Equal(t, "1", h.read("/srv/app/a"))
}
