package table

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
)

const (
	linePartition  = "line"
	hooksPartition = "open-hooks"
	roundPartition = "sweep"
)

// replace writes a value whatever is there.
func (t *Table) replace(ctx context.Context, at item, value any) error {
	row, err := at.with(value)
	if err != nil {
		return err
	}
	return t.put(ctx, row, condition{text: "attribute_not_exists(#pk) OR attribute_exists(#pk)"})
}

func overrideKey(t deploy.Target, d deploy.Digest) item {
	return key(targetPartition(t), "override#"+string(d))
}

// PutOverride implements the ledger.
func (t *Table) PutOverride(ctx context.Context, o ledger.Override) error {
	if err := t.replace(ctx, overrideKey(o.Target, o.Digest), o); err != nil {
		return fmt.Errorf("override %s on %s: %w", o.Digest, o.Target, err)
	}
	return nil
}

// OverrideOn implements the ledger.
func (t *Table) OverrideOn(ctx context.Context, target deploy.Target, d deploy.Digest) (ledger.Override, error) {
	row, err := t.get(ctx, overrideKey(target, d))
	if err != nil {
		return ledger.Override{}, fmt.Errorf("override of %s on %s: %w", d, target, err)
	}
	return read[ledger.Override](row)
}

func refusalKey(t deploy.Target, id deploy.ID) item {
	return key(targetPartition(t), "refusal#"+string(id))
}

// PutRefusal implements the ledger.
func (t *Table) PutRefusal(ctx context.Context, r ledger.Refusal) error {
	if err := t.replace(ctx, refusalKey(r.Target, r.Deployment), r); err != nil {
		return fmt.Errorf("refusal of %s of %s: %w", r.Deployment, r.Target, err)
	}
	return nil
}

// RefusalOf implements the ledger.
func (t *Table) RefusalOf(ctx context.Context, target deploy.Target, id deploy.ID) (ledger.Refusal, error) {
	row, err := t.get(ctx, refusalKey(target, id))
	if err != nil {
		return ledger.Refusal{}, fmt.Errorf("refusal of %s of %s: %w", id, target, err)
	}
	return read[ledger.Refusal](row)
}

func oneWayKey(t deploy.Target, r deploy.Revision) item {
	return key(targetPartition(t), "one-way#"+string(r))
}

// PutOneWay implements the ledger.
func (t *Table) PutOneWay(ctx context.Context, o ledger.OneWay) error {
	if err := t.replace(ctx, oneWayKey(o.Target, o.Revision), o); err != nil {
		return fmt.Errorf("mark %s of %s: %w", o.Revision, o.Target, err)
	}
	return nil
}

// OneWayOf implements the ledger.
func (t *Table) OneWayOf(ctx context.Context, target deploy.Target, r deploy.Revision) (ledger.OneWay, error) {
	row, err := t.get(ctx, oneWayKey(target, r))
	if err != nil {
		return ledger.OneWay{}, fmt.Errorf("mark of %s of %s: %w", r, target, err)
	}
	return read[ledger.OneWay](row)
}

// TakeSlot implements the ledger. The slots are tried in turn; whoever is first to
// write one has it.
func (t *Table) TakeSlot(ctx context.Context, s ledger.Slot, n int, window time.Duration) (bool, error) {
	from, to := beginning("slot#")
	rows, err := t.query(ctx, linePartition, from, to)
	if err != nil {
		return false, fmt.Errorf("take a slot for %s: %w", s.Target, err)
	}
	taken := make(map[string]bool) // and not free again before the window has passed
	for _, row := range rows {
		has, err := read[ledger.Slot](row)
		if err != nil {
			return false, err
		}
		if s.At.Sub(has.At) >= window {
			continue
		}
		if has.Target == s.Target {
			return true, nil
		}
		taken[row.text(SortKey)] = true
	}
	for i := range n {
		name := "slot#" + strconv.Itoa(i)
		if taken[name] {
			continue
		}
		at := key(linePartition, name)
		at[attrSince] = text(stamp(s.At))
		stands, err := t.keep(ctx, at, s, condition{
			"attribute_not_exists(#pk) OR #since <= :old", item{":old": text(stamp(s.At.Add(-window)))},
		})
		if err != nil {
			return false, fmt.Errorf("take slot %d for %s: %w", i, s.Target, err)
		}
		has, err := read[ledger.Slot](stands)
		if err != nil {
			return false, err
		}
		if has.Target == s.Target {
			return true, nil
		}
	}
	return false, nil
}

// Halt implements the ledger.
func (t *Table) Halt(ctx context.Context, now time.Time, window time.Duration) (bool, error) {
	at := key(linePartition, "halt")
	at[attrSince] = text(stamp(now))
	write := rand.Text()
	at[attrID] = text(write)
	stands, err := t.keep(ctx, at, now, condition{
		"attribute_not_exists(#pk) OR #since <= :old", item{":old": text(stamp(now.Add(-window)))},
	})
	if err != nil {
		return false, fmt.Errorf("halt the line: %w", err)
	}
	return stands.text(attrID) == write, nil
}

// hookKey names the call without saying what its bearer could answer it with.
func hookKey(h ledger.HookCall) item {
	sum := sha256.Sum256([]byte(h.Execution))
	return key(hooksPartition, string(h.Deployment)+"#"+h.Function+"#"+hex.EncodeToString(sum[:6]))
}

// PutHook implements the ledger.
func (t *Table) PutHook(ctx context.Context, h ledger.HookCall) error {
	if _, err := t.keep(ctx, hookKey(h), h, absent()); err != nil {
		return fmt.Errorf("remember hook of %s: %w", h.Deployment, err)
	}
	return nil
}

// CloseHook implements the ledger.
func (t *Table) CloseHook(ctx context.Context, h ledger.HookCall) error {
	if err := t.all(ctx, rand.Text(), t.stepDelete(hookKey(h))); err != nil {
		return fmt.Errorf("forget hook of %s: %w", h.Deployment, err)
	}
	return nil
}

// OpenHooks implements the ledger.
func (t *Table) OpenHooks(ctx context.Context) ([]ledger.HookCall, error) {
	from, to := beginning("d-")
	rows, err := t.query(ctx, hooksPartition, from, to)
	if err != nil {
		return nil, fmt.Errorf("hooks that wait: %w", err)
	}
	open, err := readAll[ledger.HookCall](rows)
	slices.SortFunc(open, func(a, b ledger.HookCall) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Deployment, b.Deployment), cmp.Compare(a.Execution, b.Execution))
	})
	return open, err
}

// SeeReadiness implements the ledger. Two at once may both think that they bring
// news, which costs a second notice.
func (t *Table) SeeReadiness(ctx context.Context, r ledger.Readiness) (ledger.Readiness, error) {
	at := key(targetPartition(r.Target), "readiness")
	row, err := t.get(ctx, at)
	if errors.Is(err, ledger.ErrNotFound) {
		return ledger.Readiness{}, t.replace(ctx, at, r)
	}
	if err != nil {
		return ledger.Readiness{}, fmt.Errorf("readiness of %s: %w", r.Target, err)
	}
	before, err := read[ledger.Readiness](row)
	if err != nil || before.Revision == r.Revision && before.Problem == r.Problem {
		return before, err
	}
	return before, t.replace(ctx, at, r)
}

// Round implements the ledger.
func (t *Table) Round(ctx context.Context) (ledger.Round, error) {
	row, err := t.get(ctx, key(roundPartition, "round"))
	if errors.Is(err, ledger.ErrNotFound) {
		return ledger.Round{}, nil
	}
	if err != nil {
		return ledger.Round{}, fmt.Errorf("round of the sweep: %w", err)
	}
	return read[ledger.Round](row)
}

// SaveRound implements the ledger.
func (t *Table) SaveRound(ctx context.Context, r ledger.Round) error {
	if err := t.replace(ctx, key(roundPartition, "round"), r); err != nil {
		return fmt.Errorf("save round of the sweep: %w", err)
	}
	return nil
}
