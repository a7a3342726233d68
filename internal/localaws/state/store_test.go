package state_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/state"
)

func store(t *testing.T, dir string) *state.Store {
	t.Helper()
	s, err := state.OpenStore(dir)
	require.NoError(t, err)
	return s
}

func TestAStoreKeepsDocumentsAndTheirBlobs(t *testing.T) {
	dir := t.TempDir()
	s := store(t, dir)
	empty, err := s.Get()
	require.NoError(t, err)
	assert.Empty(t, empty)
	require.NoError(t, s.Put(map[string]state.Document{
		"a": {Shape: "1", Text: []byte(`[{"x":1}]`), Blobs: map[string][]byte{"d1": []byte("one"), "d2": []byte("two")}},
		"b": {Shape: "2", Text: []byte(`[]`)},
	}))
	require.NoError(t, s.Put(map[string]state.Document{
		"a": {Shape: "1", Text: []byte(`[{"x":2}]`), Blobs: map[string][]byte{"d2": []byte("two")}},
		"b": {Shape: "2", Text: []byte(`[]`)},
	}))
	require.NoError(t, s.Close())

	s = store(t, dir)
	defer s.Close() //nolint:errcheck // only read
	got, err := s.Get()
	require.NoError(t, err)
	kept := map[string][]byte{"d2": []byte("two")}
	assert.Equal(t, map[string]state.Document{
		"a": {Shape: "1", Text: []byte(`[{"x":2}]`), Blobs: kept},
		"b": {Shape: "2", Text: []byte(`[]`), Blobs: kept},
	}, got)
}

func TestAStoreIsOpenOnce(t *testing.T) {
	dir := t.TempDir()
	s := store(t, dir)
	defer s.Close() //nolint:errcheck // only opened
	_, err := state.OpenStore(dir)
	assert.EqualError(t, err, "the state in "+dir+" is in use: stop the other local AWS, or choose another folder")
}
