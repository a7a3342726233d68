package state

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// A Keeper is a service whose state can be kept.
type Keeper interface {
	// Kept returns a pointer to the struct that holds the state, and what its
	// interfaces may hold.
	Kept() (root any, members Union)
	// Resume sets the timers again and makes what is no state, once a state was
	// loaded into a new service. It is called with the world's lock held, after all
	// services have their states.
	Resume(ctx context.Context) error
}

// Store keeps documents in a folder.
type Store struct {
	db   *bbolt.DB
	last map[string]Document // what is written
}

// fileName is the one file of a store; lockWait is how long another program that
// has it open is waited for.
const (
	fileName = "localaws.db"
	lockWait = time.Second
)

// The buckets of the file.
func documents() []byte { return []byte("documents") }
func blobs() []byte     { return []byte("blobs") }

// OpenStore opens the store in a folder, which it makes if need be. One program at
// a time can have it open.
func OpenStore(dir string) (*Store, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("open state: %w", err)
	}
	file := filepath.Join(dir, fileName)
	db, err := bbolt.Open(file, 0o600, &bbolt.Options{Timeout: lockWait})
	if errors.Is(err, berrors.ErrTimeout) {
		return nil, fmt.Errorf("the state in %s is in use: stop the other local AWS, or choose another folder", dir)
	}
	if err != nil {
		return nil, fmt.Errorf("open state %s (if it is damaged, delete it): %w", file, err)
	}
	return &Store{db: db, last: map[string]Document{}}, nil
}

// Close closes the store.
func (s *Store) Close() error {
	if err := s.db.Close(); err != nil {
		return fmt.Errorf("close state: %w", err)
	}
	return nil
}

// Put keeps documents, all or none, instead of those that were there. What has
// not changed is not written again.
func (s *Store) Put(all map[string]Document) error {
	err := s.db.Update(func(tx *bbolt.Tx) error {
		docs, err := tx.CreateBucketIfNotExists(documents())
		if err != nil {
			return err
		}
		bodies, err := tx.CreateBucketIfNotExists(blobs())
		if err != nil {
			return err
		}
		if err := s.putDocuments(docs, all); err != nil {
			return err
		}
		return putBlobs(bodies, all)
	})
	if err != nil {
		return fmt.Errorf("write state: %w", err)
	}
	s.last = all
	return nil
}

func (s *Store) putDocuments(docs *bbolt.Bucket, all map[string]Document) error {
	for _, name := range slices.Sorted(maps.Keys(all)) {
		d := all[name]
		if was := s.last[name]; was.Shape == d.Shape && bytes.Equal(was.Text, d.Text) {
			continue
		}
		value, err := json.Marshal(map[string]any{"shape": d.Shape, "text": json.RawMessage(d.Text)})
		if err != nil {
			return err
		}
		if err := docs.Put([]byte(name), value); err != nil {
			return err
		}
	}
	return nil
}

// putBlobs writes the blobs that are new and deletes those that nobody has.
func putBlobs(bodies *bbolt.Bucket, all map[string]Document) error {
	wanted := map[string][]byte{}
	for _, d := range all {
		maps.Copy(wanted, d.Blobs)
	}
	var gone [][]byte
	err := bodies.ForEach(func(k, _ []byte) error {
		if wanted[string(k)] == nil {
			gone = append(gone, bytes.Clone(k))
		}
		delete(wanted, string(k)) // it is there
		return nil
	})
	if err != nil {
		return err
	}
	for _, k := range gone {
		if err := bodies.Delete(k); err != nil {
			return err
		}
	}
	for _, digest := range slices.Sorted(maps.Keys(wanted)) {
		if err := bodies.Put([]byte(digest), wanted[digest]); err != nil {
			return err
		}
	}
	return nil
}

// Get returns the documents that are kept; none from a new store.
func (s *Store) Get() (map[string]Document, error) {
	all := map[string]Document{}
	err := s.db.View(func(tx *bbolt.Tx) error {
		docs, bodies := tx.Bucket(documents()), tx.Bucket(blobs())
		if docs == nil {
			return nil
		}
		found := map[string][]byte{}
		if err := bodies.ForEach(func(k, v []byte) error {
			found[string(k)] = bytes.Clone(v)
			return nil
		}); err != nil {
			return err
		}
		return docs.ForEach(func(k, v []byte) error {
			var d struct {
				Shape string          `json:"shape"`
				Text  json.RawMessage `json:"text"`
			}
			if err := json.Unmarshal(v, &d); err != nil {
				return fmt.Errorf("%s: %w", k, err)
			}
			all[string(k)] = Document{Shape: d.Shape, Text: bytes.Clone(d.Text), Blobs: found}
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("read state: %w", err)
	}
	return all, nil
}
