package scenario

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// instances finds what the team's customers reach.
func (s *Story) instances(ctx context.Context) ([]string, error) {
	t, ok := s.crew.team.(interface {
		Instances(ctx context.Context) ([]string, error)
	})
	if !ok {
		return nil, s.lacks("servers")
	}
	return t.Instances(ctx)
}

// leave puts a file onto every instance, as somebody with a shell would: leave
// srv/shop/release 'by hand'.
func (s *Story) leave(ctx context.Context, args []string) error {
	if len(args) != 2 {
		return errors.New("want: leave FILE TEXT")
	}
	all, err := s.instances(ctx)
	if err != nil {
		return err
	}
	s.aws.World.Lock()
	defer s.aws.World.Unlock()
	for _, i := range all {
		root, err := s.aws.CodeDeploy.Root(i)
		if err != nil {
			return fmt.Errorf("leave a file on %s: %w", i, err)
		}
		name := filepath.Join(root, args[0])
		if err := os.MkdirAll(filepath.Dir(name), 0o750); err != nil {
			return fmt.Errorf("leave a file on %s: %w", i, err)
		}
		if err := os.WriteFile(name, []byte(args[1]), 0o600); err != nil {
			return fmt.Errorf("leave a file on %s: %w", i, err)
		}
	}
	return nil
}

// shows checks what a file of every instance is; one that is not there is empty:
// shows srv/shop/release v1.
func (s *Story) shows(ctx context.Context, args []string) error {
	if len(args) != 2 {
		return errors.New("want: shows FILE TEXT")
	}
	all, err := s.instances(ctx)
	if err != nil {
		return err
	}
	for _, i := range all {
		text, err := s.aws.File(i, args[0])
		if err != nil {
			return err
		}
		if strings.TrimSpace(text) != args[1] {
			return differs("%s shows %q", i, text)
		}
	}
	return nil
}

// gate is a stage that can be closed.
type gate interface {
	Close(ctx context.Context, reason string) error
	Open(ctx context.Context) error
	Closed(ctx context.Context) (string, error)
}

// shutStage closes the way into the stage: close REASON.
func (s *Story) shutStage(ctx context.Context, args []string) error {
	g, ok := s.crew.team.(gate)
	if !ok || len(args) != 1 {
		return errors.New("want: close REASON, of a stage")
	}
	return g.Close(ctx, args[0])
}

// openStage opens the way into the stage: open.
func (s *Story) openStage(ctx context.Context, _ []string) error {
	g, ok := s.crew.team.(gate)
	if !ok {
		return s.lacks("stage")
	}
	return g.Open(ctx)
}

// closed checks that nothing may go into the stage, and why: closed [PATTERN].
func (s *Story) closed(ctx context.Context, args []string) error {
	g, ok := s.crew.team.(gate)
	if !ok || len(args) > 1 {
		return errors.New("want: closed [PATTERN], of a stage")
	}
	reason, err := g.Closed(ctx)
	if err != nil {
		return err
	}
	if reason == "" {
		return differs("the way into %s is open", s.crew.name)
	}
	if len(args) == 1 {
		told, err := regexp.MatchString(args[0], reason)
		if err != nil {
			return fmt.Errorf("pattern: %w", err)
		}
		if !told {
			return differs("the way into %s is closed: %s", s.crew.name, reason)
		}
	}
	return nil
}

// restructure makes the pipeline anew: update-pipeline.
func (s *Story) restructure(ctx context.Context, _ []string) error {
	t, ok := s.crew.team.(interface {
		Update(ctx context.Context) error
	})
	if !ok {
		return s.lacks("pipeline")
	}
	return t.Update(ctx)
}
