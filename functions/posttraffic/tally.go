package posttraffic

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"

	"github.com/pullback-dev/pullback/events"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/outcome"
)

// Outcomes remembers what became of requests. What is added twice counts once.
type Outcomes interface {
	AddOutcomes(ctx context.Context, a deploy.Alias, parts []outcome.Part) error
}

// Tally counts the requests in what CloudWatch Logs delivers while an alias is
// watched. It judges nothing.
type Tally struct {
	Ledger Outcomes
	Log    *slog.Logger
}

// Add counts one batch of log events. An error means that nothing may be lost by
// trying again, which Lambda does twice before it gives the batch up; a batch that
// is of no use to anybody is none.
func (t Tally) Add(ctx context.Context, payload json.RawMessage) error {
	l, err := events.ParseLogs(payload)
	if err != nil {
		return fmt.Errorf("count outcomes: %w", err)
	}
	if len(l.Lines) == 0 {
		return nil // a control message
	}
	b, err := outcome.Read(l)
	if err != nil {
		t.drop(ctx, l, err.Error())
		return nil
	}
	if b.Malformed > 0 {
		t.Log.LogAttrs(ctx, slog.LevelWarn, "log lines not understood", slog.String("group", l.Group), slog.Int("lines", b.Malformed))
	}
	var errs []error
	for _, a := range t.aliases(ctx, l, b.Function) {
		if err := t.Ledger.AddOutcomes(ctx, a, b.Parts); err != nil {
			errs = append(errs, fmt.Errorf("count outcomes of %s: %w", a, err))
		}
	}
	return errors.Join(errs...)
}

// aliases returns for whom a batch was delivered, by the names of the filters,
// as far as it is their function's.
func (t Tally) aliases(ctx context.Context, l events.Logs, function string) []deploy.Alias {
	var found []deploy.Alias
	ours := false
	for _, filter := range l.Filters {
		a, ok := outcome.AliasOf(filter)
		ours = ours || ok
		// In a log group that several functions share, the stream names its function.
		if ok && (function == a.Function || function == "" && l.Group == "/aws/lambda/"+a.Function) {
			found = append(found, a)
		}
	}
	if !ours {
		t.drop(ctx, l, "no filter of pullback's has delivered it")
	}
	return found
}

func (t Tally) drop(ctx context.Context, l events.Logs, because string) {
	t.Log.LogAttrs(ctx, slog.LevelWarn, "log batch dropped", slog.String("group", l.Group), slog.String("because", because))
}
