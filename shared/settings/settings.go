// Package settings names every environment variable pullback reads. The stack
// writes them with Env and the functions read them with Load, so a variable
// that one side forgets is a failed test and not a failed rollback.
package settings

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Mode says whether pullback acts.
type Mode string

// The modes.
const (
	Enforce Mode = "enforce" // act
	Observe Mode = "observe" // record what it would have done, change nothing
)

// Settings is what a function needs to know before its first event.
type Settings struct {
	Account   string // AWS account that pullback runs in and watches
	Table     string // DynamoDB table that holds the ledger
	Topic     string // ARN of the SNS topic that hears notices; empty: none
	Signals   string // URL of the queue that signals wait in
	Rollbacks string // URL of the FIFO queue that rollbacks wait in
	Mode      Mode

	Bake        time.Duration // a revision that served alone this long without trouble is known good
	Verify      time.Duration // a rollback that has not succeeded after this long is escalated
	HookReserve time.Duration // part of a hook's time that is kept for its answer
	MaxPerDay   int           // automatic rollbacks per target in 24 h before it is halted

	Strict       bool    // hooks answer Failed where nothing could be judged
	MinRequests  float64 // requests to a new version below which nothing is judged
	MaxRatio     float64 // how many times the old version's error rate …
	Slack        float64 // … plus which share of requests is tolerated
	SmokePayload string  // JSON with which a new version is invoked before traffic
}

// Default returns the settings that nobody has changed (product.md §4).
func Default() Settings {
	return Settings{
		Mode: Enforce, Bake: 30 * time.Minute, Verify: 10 * time.Minute, HookReserve: 10 * time.Second, MaxPerDay: 2,
		MinRequests: 50, MaxRatio: 2, Slack: 0.01, SmokePayload: `{"pullback":"smoke"}`,
	}
}

// A field is one variable: how it is written and how it is read.
type field struct {
	name     string
	required bool
	write    func(Settings) string
	read     func(*Settings, string) error
}

// Env returns the variables that make Load return s.
func (s Settings) Env() map[string]string {
	env := make(map[string]string)
	for _, f := range fields() {
		env[f.name] = f.write(s)
	}
	return env
}

// Load reads the settings with get, which is os.Getenv outside tests. What is
// not set has its default. It reports everything that is wrong, not just the
// first thing.
func Load(get func(string) string) (Settings, error) {
	s := Default()
	var errs []error
	for _, f := range fields() {
		v := get(f.name)
		switch {
		case v == "" && f.required:
			errs = append(errs, fmt.Errorf("%s is not set", f.name))
		case v != "":
			if err := f.read(&s, v); err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", f.name, err))
			}
		}
	}
	if err := errors.Join(errs...); err != nil {
		return Settings{}, err
	}
	return s, nil
}

// fields is the only place that spells the names.
func fields() []field {
	return []field{
		text("PULLBACK_ACCOUNT", true, func(s *Settings) *string { return &s.Account }),
		text("PULLBACK_TABLE", true, func(s *Settings) *string { return &s.Table }),
		text("PULLBACK_TOPIC", false, func(s *Settings) *string { return &s.Topic }),
		text("PULLBACK_SIGNALS", true, func(s *Settings) *string { return &s.Signals }),
		text("PULLBACK_ROLLBACKS", true, func(s *Settings) *string { return &s.Rollbacks }),
		{name: "PULLBACK_MODE", write: func(s Settings) string { return string(s.Mode) }, read: readMode},
		duration("PULLBACK_BAKE", func(s *Settings) *time.Duration { return &s.Bake }),
		duration("PULLBACK_VERIFY", func(s *Settings) *time.Duration { return &s.Verify }),
		duration("PULLBACK_HOOK_RESERVE", func(s *Settings) *time.Duration { return &s.HookReserve }),
		{name: "PULLBACK_MAX_PER_DAY", write: func(s Settings) string { return strconv.Itoa(s.MaxPerDay) }, read: readMaxPerDay},
		{name: "PULLBACK_STRICT", write: func(s Settings) string { return strconv.FormatBool(s.Strict) }, read: readStrict},
		number("PULLBACK_MIN_REQUESTS", func(s *Settings) *float64 { return &s.MinRequests }),
		number("PULLBACK_MAX_RATIO", func(s *Settings) *float64 { return &s.MaxRatio }),
		number("PULLBACK_SLACK", func(s *Settings) *float64 { return &s.Slack }),
		{name: "PULLBACK_SMOKE_PAYLOAD", write: func(s Settings) string { return s.SmokePayload }, read: readSmoke},
	}
}

func text(name string, required bool, at func(*Settings) *string) field {
	return field{
		name: name, required: required,
		write: func(s Settings) string { return *at(&s) },
		read: func(s *Settings, v string) error {
			*at(s) = strings.TrimSpace(v)
			return nil
		},
	}
}

func duration(name string, at func(*Settings) *time.Duration) field {
	return field{
		name:  name,
		write: func(s Settings) string { return at(&s).String() },
		read: func(s *Settings, v string) error {
			d, err := time.ParseDuration(v)
			if err != nil || d <= 0 {
				return fmt.Errorf("%q is not a positive duration such as 10m", v)
			}
			*at(s) = d
			return nil
		},
	}
}

func number(name string, at func(*Settings) *float64) field {
	return field{
		name:  name,
		write: func(s Settings) string { return strconv.FormatFloat(*at(&s), 'g', -1, 64) },
		read: func(s *Settings, v string) error {
			f, err := strconv.ParseFloat(v, 64)
			if err != nil || !(f >= 0 && f < 1e12) {
				return fmt.Errorf("%q is not a number from 0 on", v)
			}
			*at(s) = f
			return nil
		},
	}
}

func readMode(s *Settings, v string) error {
	s.Mode = Mode(v)
	if s.Mode != Enforce && s.Mode != Observe {
		return fmt.Errorf("%q is neither enforce nor observe", v)
	}
	return nil
}

func readMaxPerDay(s *Settings, v string) error {
	n, err := strconv.Atoi(v)
	if err != nil || n < 1 {
		return fmt.Errorf("%q is not a number from 1 on", v)
	}
	s.MaxPerDay = n
	return nil
}

func readStrict(s *Settings, v string) error {
	b, err := strconv.ParseBool(v)
	if err != nil {
		return fmt.Errorf("%q is neither true nor false", v)
	}
	s.Strict = b
	return nil
}

func readSmoke(s *Settings, v string) error {
	if !json.Valid([]byte(v)) {
		return errors.New("not JSON")
	}
	s.SmokePayload = v
	return nil
}
