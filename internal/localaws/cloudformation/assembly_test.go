package cloudformation_test

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/cloudformation"
)

// write makes the files of a directory and returns it.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		file := filepath.Join(dir, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o700))
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	}
	return dir
}

func TestReadAssemblyReadsOneStackOfSeveral(t *testing.T) {
	t.Parallel()
	dir := write(t, map[string]string{
		"manifest.json": `{"artifacts": {
			"A": {"type": "aws:cloudformation:stack", "properties": {"templateFile": "A.template.json"}},
			"B": {"type": "aws:cloudformation:stack", "dependencies": ["A", "B.assets"],
				"properties": {"templateFile": "B.template.json", "stackName": "bee", "parameters": {"Size": "1"}}},
			"B.assets": {"type": "cdk:asset-manifest", "properties": {"file": "B.assets.json"}},
			"Stage": {"type": "cdk:cloud-assembly", "properties": {"directoryName": "stage"}},
			"Tree": {"type": "cdk:tree", "properties": {"file": "tree.json"}}}}`,
		"A.template.json": "a",
		"B.template.json": "b",
		"B.assets.json": `{"files": {"1": {"source": {"path": "asset.1", "packaging": "zip"},
			"destinations": {"here": {"bucketName": "bucket-${AWS::Region}", "objectKey": "1.zip"}}}}}`,
		"stage/manifest.json":   `{"artifacts": {"C": {"type": "aws:cloudformation:stack", "properties": {"templateFile": "C.template.json"}}}}`,
		"stage/C.template.json": "c",
	})
	bee := cloudformation.Input{
		StackName: "bee", Template: []byte("b"), Parameters: map[string]string{"Size": "1"},
		Assets: cloudformation.Assets{{Path: filepath.Join(dir, "asset.1"), Packaging: "zip", Bucket: "bucket-${AWS::Region}", Key: "1.zip"}},
	}
	for _, name := range []string{"bee", "B"} {
		got, err := cloudformation.ReadAssembly(dir, name)
		require.NoError(t, err)
		assert.Equal(t, bee, got)
	}
	nested, err := cloudformation.ReadAssembly(dir, "C")
	require.NoError(t, err)
	assert.Equal(t, cloudformation.Input{StackName: "C", Template: []byte("c"), Parameters: map[string]string{}}, nested)

	for _, name := range []string{"", "D"} {
		_, err := cloudformation.ReadAssembly(dir, name)
		require.ErrorContains(t, err, `want one stack "`+name+`", it has: A, bee, C`)
	}
	_, err = cloudformation.ReadAssembly(filepath.Join(dir, "stage", "none"), "")
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestReadTemplateFindsTheAssetsBesideIt(t *testing.T) {
	t.Parallel()
	in, err := cloudformation.ReadTemplate("testdata/canary.out/canary.template.json")
	require.NoError(t, err)
	whole := canary(t)
	whole.Parameters = nil
	assert.Equal(t, whole, in)

	dir := write(t, map[string]string{"plain.json": "{}"})
	in, err = cloudformation.ReadTemplate(filepath.Join(dir, "plain.json"))
	require.NoError(t, err)
	assert.Equal(t, cloudformation.Input{StackName: "plain", Template: []byte("{}")}, in)
}

func TestAssetsThatCannotBeMadeAreRefused(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"dockerImages": {"1": {}}}`:                            "container image assets are not supported",
		`{"files": {"1": {"source": {"executable": ["make"]}}}}`: "asset 1: only assets with a path are supported",
		`{"files": {"1": {"source": {"packaging": "zip"}}}}`:     "asset 1: only assets with a path are supported",
		`{"files": [`: "unexpected end of JSON input",
	} {
		dir := write(t, map[string]string{"s.template.json": "{}", "s.assets.json": text})
		_, err := cloudformation.ReadTemplate(filepath.Join(dir, "s.template.json"))
		require.ErrorContains(t, err, want)
	}
}

func TestZipIsTheSameForTheSameFiles(t *testing.T) {
	t.Parallel()
	files := map[string]string{"bootstrap": "run", "b/c": "1", "b.txt": "2", "a/b/c": "3", ".hidden": "4"}
	pack := func() []byte {
		dir := write(t, files)
		require.NoError(t, os.Chmod(filepath.Join(dir, "bootstrap"), 0o755))
		require.NoError(t, os.Symlink(filepath.Join(dir, "b", "c"), filepath.Join(dir, "link")))
		body, err := cloudformation.Zip(dir)
		require.NoError(t, err)
		return body
	}
	first := pack()
	assert.Equal(t, first, pack())

	z, err := zip.NewReader(bytes.NewReader(first), int64(len(first)))
	require.NoError(t, err)
	var names []string
	for _, f := range z.File {
		names = append(names, f.Mode().String()+" "+f.Name)
	}
	assert.Equal(t, []string{
		"-rw------- .hidden", "-rw------- a/b/c", "-rw------- b.txt", "-rw------- b/c", "-rwxr-xr-x bootstrap", "-rw------- link",
	}, names)
}

func TestZipRefusesACircleOfLinks(t *testing.T) {
	t.Parallel()
	dir := write(t, map[string]string{"a": "1"})
	require.NoError(t, os.Symlink(dir, filepath.Join(dir, "self")))
	_, err := cloudformation.Zip(dir)
	require.Error(t, err)
}
