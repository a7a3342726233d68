package host

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// File reads a file of an instance, which is empty if there is none. It stands for
// a request to what runs there.
func (a *AWS) File(instance, file string) (string, error) {
	a.World.Lock()
	defer a.World.Unlock()
	root, err := a.CodeDeploy.Root(instance)
	if err != nil {
		return "", fmt.Errorf("look at %s: %w", instance, err)
	}
	text, err := os.ReadFile(filepath.Join(root, file)) //nolint:gosec // of the local AWS's own folder
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return string(text), err
}
