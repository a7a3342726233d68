package scenario

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/pullback-dev/pullback/internal/demo/shop"
)

// code gives functions of the control plane the code of another version, as a
// deployment of pullback itself does: code previous|current [FUNCTION …], all of them
// if none is named.
func (s *Story) code(ctx context.Context, args []string) error {
	from := map[string]string{"previous": s.options.Previous, "current": s.options.Dist}
	if len(args) == 0 || from[args[0]] == "" {
		return fmt.Errorf("want: code previous|current [FUNCTION …]; the version before this one is in %q", s.options.Previous)
	}
	named := args[1:]
	for _, folder := range slices.Sorted(maps.Keys(functions())) {
		name := functions()[folder]
		if len(named) > 0 && !slices.Contains(named, folder) {
			continue
		}
		program, err := os.ReadFile(filepath.Join(from[args[0]], folder, "bootstrap")) //nolint:gosec // make built it
		if err != nil {
			return fmt.Errorf("code of %s (make test builds it): %w", folder, err)
		}
		content, err := shop.Pack(program)
		if err != nil {
			return fmt.Errorf("code of %s: %w", folder, err)
		}
		if _, err := s.clients.lambda.UpdateFunctionCode(ctx, &lambda.UpdateFunctionCodeInput{FunctionName: &name, ZipFile: content}); err != nil {
			return fmt.Errorf("code of %s: %w", folder, err)
		}
	}
	return nil
}
