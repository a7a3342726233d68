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

	"github.com/pullback-dev/pullback/shared/health"
)

// Mode says whether pullback acts.
type Mode string

// The modes.
const (
	Enforce Mode = "enforce" // act
	Observe Mode = "observe" // record what it would have done, change nothing
)

// SmokeOff is the SmokePayload that switches the smoke check off.
const SmokeOff = "off"

// Settings is what a function needs to know before its first event.
type Settings struct {
	Account   string // AWS account that pullback runs in and watches
	Table     string // DynamoDB table that holds the ledger
	Topic     string // ARN of the SNS topic that hears notices; empty: none
	Signals   string // URL of the queue that signals wait in
	Rollbacks string // URL of the FIFO queue that rollbacks wait in
	Watch     string // URL of the queue that looks at watched deployments wait in
	Config    string // name of the parameter that holds pullback.yaml; empty: there is none
	Hub       string // ARN of the event bus of the control plane that collects the records of all; empty: none
	Mode      Mode

	Bake        time.Duration // a revision that served alone this long without trouble is known good
	Verify      time.Duration // a rollback that has not succeeded after this long is escalated
	HookReserve time.Duration // part of a hook's time that is kept for its answer
	MaxPerDay   int           // automatic rollbacks per target in 24 h before it is halted

	Strict       bool   // hooks answer Failed where nothing could be judged
	SmokePayload string // JSON with which a new version is invoked before traffic, or SmokeOff

	Alpha   float64       // probability of calling a good version bad, per deployment
	Rho     float64       // tolerated odds ratio of failing
	Routing health.Mode   // how requests find their version
	Phi     float64       // dispersion where clients stick to a version
	Guard   int           // points by which a common outage may reach one version later than the other
	WarmUp  time.Duration // how much of a canary's beginning is not counted
	Latency bool          // judge latency, too
	Logs    bool          // read the log of functions while they are watched
}

// Default returns the settings that nobody has changed.
func Default() Settings {
	return Settings{
		Mode: Enforce, Bake: 30 * time.Minute, Verify: 10 * time.Minute, HookReserve: 10 * time.Second, MaxPerDay: 2,
		Alpha: 0.01, Rho: 1.25, Routing: health.PerRequest, Phi: 1, Logs: true, SmokePayload: `{"pullback":"smoke"}`,
	}
}

// Variable describes one environment variable, for the docs.
type Variable struct {
	Name    string
	About   string
	Default string // empty: the stack fills it in
}

// Variables returns all variables, in the order of the docs.
func Variables() []Variable {
	var all []Variable
	for _, f := range fields() {
		all = append(all, Variable{Name: f.name, About: f.about, Default: f.write(Default())})
	}
	return all
}

// A field is one variable: how it is written and how it is read.
type field struct {
	name     string
	about    string
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
		text("PULLBACK_ACCOUNT", "AWS account that is watched", true, func(s *Settings) *string { return &s.Account }),
		text("PULLBACK_TABLE", "DynamoDB table of the ledger", true, func(s *Settings) *string { return &s.Table }),
		text("PULLBACK_TOPIC", "ARN of the SNS topic for notices; empty: nobody is told", false, func(s *Settings) *string { return &s.Topic }),
		text("PULLBACK_SIGNALS", "URL of the signals queue", true, func(s *Settings) *string { return &s.Signals }),
		text("PULLBACK_ROLLBACKS", "URL of the rollbacks queue", true, func(s *Settings) *string { return &s.Rollbacks }),
		text("PULLBACK_WATCH", "URL of the watch queue", true, func(s *Settings) *string { return &s.Watch }),
		text("PULLBACK_CONFIG", "name of the parameter of Parameter Store that holds pullback.yaml, which is stronger than what follows; empty: there is none", false,
			func(s *Settings) *string { return &s.Config }),
		text("PULLBACK_HUB", "ARN of the event bus of the control plane that collects the records of all; empty: records stay here", false, func(s *Settings) *string { return &s.Hub }),
		{
			name: "PULLBACK_MODE", about: "`enforce`, or `observe`: record what would be done and change nothing",
			write: func(s Settings) string { return string(s.Mode) }, read: readMode,
		},
		duration("PULLBACK_BAKE", "a version that served alone this long without trouble is known good; for as long a finished deployment can be blamed",
			func(s *Settings) *time.Duration { return &s.Bake }),
		duration("PULLBACK_VERIFY", "a rollback that has not succeeded after this long is escalated", func(s *Settings) *time.Duration { return &s.Verify }),
		duration("PULLBACK_HOOK_RESERVE", "part of a hook's time that is kept for its answer", func(s *Settings) *time.Duration { return &s.HookReserve }),
		{
			name: "PULLBACK_MAX_PER_DAY", about: "automatic rollbacks of one target in 24 h; after that it is held and a human called",
			write: func(s Settings) string { return strconv.Itoa(s.MaxPerDay) }, read: readMaxPerDay,
		},
		yesNo("PULLBACK_STRICT", "hooks refuse what could not be judged", func(s *Settings) *bool { return &s.Strict }),
		number("PULLBACK_ALPHA", "probability of taking a good version back, per deployment (see judging.md)", 1e-6, 0.5, func(s *Settings) *float64 { return &s.Alpha }),
		number("PULLBACK_RHO", "tolerated odds ratio: a new version may fail this many times as often", 1, 100, func(s *Settings) *float64 { return &s.Rho }),
		{
			name: "PULLBACK_ROUTING", about: "`request`, or `sticky`: clients stick to a version, so their requests fail together",
			write: func(s Settings) string { return string(s.Routing) }, read: readRouting,
		},
		number("PULLBACK_PHI", "how many times more than by chance the old version's errors vary from minute to minute, with sticky routing", 1, 1000, func(s *Settings) *float64 { return &s.Phi }),
		{
			name: "PULLBACK_GUARD", about: "points (of 10 s or 60 s) by which an outage of something common may reach one version later than the other; costs as much delay",
			write: func(s Settings) string { return strconv.Itoa(s.Guard) }, read: readGuard,
		},
		{
			name: "PULLBACK_WARM_UP", about: "how much of a canary's beginning is not counted, for cold starts",
			write: func(s Settings) string { return s.WarmUp.String() }, read: readWarmUp,
		},
		yesNo("PULLBACK_LATENCY", "judge latency, too", func(s *Settings) *bool { return &s.Latency }),
		yesNo("PULLBACK_LOGS", "read the log of functions while they are watched, by a subscription: finds trouble in seconds instead of minutes", func(s *Settings) *bool { return &s.Logs }),
		{
			name: "PULLBACK_SMOKE_PAYLOAD", about: "JSON with which a new version is invoked before it has traffic; `off`: it is not invoked",
			write: func(s Settings) string { return s.SmokePayload }, read: readSmoke,
		},
	}
}

func text(name, about string, required bool, at func(*Settings) *string) field {
	return field{
		name: name, about: about, required: required,
		write: func(s Settings) string { return *at(&s) },
		read: func(s *Settings, v string) error {
			*at(s) = strings.TrimSpace(v)
			return nil
		},
	}
}

func duration(name, about string, at func(*Settings) *time.Duration) field {
	return field{
		name: name, about: about,
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

func number(name, about string, low, high float64, at func(*Settings) *float64) field {
	return field{
		name: name, about: about,
		write: func(s Settings) string { return strconv.FormatFloat(*at(&s), 'g', -1, 64) },
		read: func(s *Settings, v string) error {
			f, err := strconv.ParseFloat(v, 64)
			if err != nil || !(f >= low && f <= high) {
				return fmt.Errorf("%q is not a number from %v to %v", v, low, high)
			}
			*at(s) = f
			return nil
		},
	}
}

func yesNo(name, about string, at func(*Settings) *bool) field {
	return field{
		name: name, about: about,
		write: func(s Settings) string { return strconv.FormatBool(*at(&s)) },
		read: func(s *Settings, v string) error {
			b, err := strconv.ParseBool(v)
			if err != nil {
				return fmt.Errorf("%q is neither true nor false", v)
			}
			*at(s) = b
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

func readRouting(s *Settings, v string) error {
	s.Routing = health.Mode(v)
	if s.Routing != health.PerRequest && s.Routing != health.PerClient {
		return fmt.Errorf("%q is neither request nor sticky", v)
	}
	return nil
}

func readGuard(s *Settings, v string) error {
	n, err := strconv.Atoi(v)
	if err != nil || n < 0 || n > 12 {
		return fmt.Errorf("%q is not a number from 0 to 12", v)
	}
	s.Guard = n
	return nil
}

func readWarmUp(s *Settings, v string) error {
	d, err := time.ParseDuration(v)
	if err != nil || d < 0 {
		return fmt.Errorf("%q is not a duration such as 1m, or 0s", v)
	}
	s.WarmUp = d
	return nil
}

func readSmoke(s *Settings, v string) error {
	if v != SmokeOff && !json.Valid([]byte(v)) {
		return fmt.Errorf("neither JSON nor %s", SmokeOff)
	}
	s.SmokePayload = v
	return nil
}
