package ledgertest

import (
	"encoding/json"
	"fmt"
)

// A document is a value as it is stored: JSON.
type document []byte

func put[K comparable, V any](to *map[K]document, key K, value V) error {
	doc, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("store %v: %w", key, err)
	}
	if *to == nil {
		*to = make(map[K]document)
	}
	(*to)[key] = doc
	return nil
}

func read[V any](doc document) (V, error) {
	var v V
	if err := json.Unmarshal(doc, &v); err != nil {
		return v, fmt.Errorf("read %T: %w", v, err)
	}
	return v, nil
}

func readAll[V any](docs []document) ([]V, error) {
	var all []V
	for _, doc := range docs {
		v, err := read[V](doc)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, nil
}
