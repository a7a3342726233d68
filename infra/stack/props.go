package stack

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/aws-cdk-go/awscdk/v2/regioninfo"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/pullback-dev/pullback/shared/amazon/table"
	"github.com/pullback-dev/pullback/shared/config"
	"github.com/pullback-dev/pullback/shared/settings"
)

// Props are the choices a platform team makes. Only Dist has to be there.
type Props struct {
	Config   string            // text of pullback.yaml, without a mistake; empty: there is none
	Dist     string            // folder with one sub-folder per function, each holding an arm64 bootstrap
	Settings settings.Settings // of the functions; zero: settings.Default(). Where things are is filled in by the stack

	Name   string                // begins the names of functions, rules and the bus: 1 to 32 of a-z, 0-9, _ and -; empty: pullback
	Key    awskms.IKey           // customer-managed key of the table, the queues, the topic and the logs; nil: keys that AWS keeps
	Ledger awsdynamodb.ITable    // a table that is there already, as another control plane left it; nil: one is made
	Keep   awslogs.RetentionDays // how long the functions' logs are kept; empty: a year

	Reserved Reserved
	Fleet    Fleet
}

// Reserved is how many executions at once are set aside for a function on the way to a
// rollback, so that nothing else in the account can take them, and how many it has at
// most. AWS leaves at least 100 to all other functions (Lambda developer guide,
// "Configuring reserved concurrency"), so that an account whose limit is 100 or less,
// as new ones have, can set nothing aside: None.
type Reserved struct {
	Router, Rollbacker int  // zero: 10
	None               bool // nothing is set aside
}

// Fleet says what this control plane has to do with those of other accounts and
// regions. Nothing on the way to a rollback needs any of it.
type Fleet struct {
	Hub      string   // ARN of the event bus of the control plane that collects records; empty: none
	Collects bool     // this is that control plane
	Accounts []string // other accounts whose control planes may write to this one's bus
}

// reservedDefault is enough for as many targets in trouble at once as are taken back
// before the line is stopped, with a reserve.
const reservedDefault = 10

var (
	namePattern    = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,31}$`)
	busPattern     = regexp.MustCompile(`^arn:aws[a-z-]*:events:([a-z0-9-]+):([0-9]{12}):event-bus/([A-Za-z0-9._-]+)$`)
	accountPattern = regexp.MustCompile(`^[0-9]{12}$`)
)

// Check says everything that is wrong with the properties, each with its name and what
// to do. It looks at the files in Dist, and needs no Node.js.
func (p Props) Check() error {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf("stack.Props."+format, args...)) }
	if p.Name != "" && !namePattern.MatchString(p.Name) {
		wrong("Name: %q has to be 1 to 32 of a-z, 0-9, _ and -, and begin with a letter: the names of functions are made of it, which have 64 characters at most", p.Name)
	}
	if p.Dist == "" {
		wrong("Dist: it is not set: name the folder that holds the built functions, one sub-folder each (make build fills dist/arm64)")
	}
	for _, n := range names(p.Name) {
		if file := filepath.Join(p.Dist, n.folder, "bootstrap"); p.Dist != "" && !isFile(file) {
			wrong("Dist: there is no file %s: make build makes it", file)
		}
	}
	if _, err := config.Parse([]byte(p.Config)); p.Config != "" && err != nil {
		wrong("Config: %w", err)
	}
	return errors.Join(append(errs, p.Reserved.check(), p.Fleet.check(), checkSettings(p.Settings))...)
}

func (r Reserved) check() error {
	switch {
	case r.Router < 0 || r.Rollbacker < 0:
		return fmt.Errorf("stack.Props.Reserved: %d and %d: at least one execution is needed; to set none aside, set None", r.Router, r.Rollbacker)
	case r.None && r.Router+r.Rollbacker > 0:
		return errors.New("stack.Props.Reserved: None contradicts Router and Rollbacker: leave one of them out")
	default:
		return nil
	}
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

func (f Fleet) check() error {
	var errs []error
	if f.Hub != "" && !busPattern.MatchString(f.Hub) {
		errs = append(errs, fmt.Errorf("stack.Props.Fleet.Hub: %q is not the ARN of an event bus, such as arn:aws:events:eu-west-1:123456789012:event-bus/pullback, which the hub's stack puts out as EventBus", f.Hub))
	}
	if f.Hub != "" && f.Collects {
		errs = append(errs, errors.New("stack.Props.Fleet: Hub contradicts Collects: the hub keeps its own records anyway; leave Hub out"))
	}
	for _, a := range f.Accounts {
		if !accountPattern.MatchString(a) {
			errs = append(errs, fmt.Errorf("stack.Props.Fleet.Accounts: %q is not an account: it has twelve digits", a))
		}
	}
	return errors.Join(errs...)
}

// checkSettings says what the functions would say when they start.
func checkSettings(s settings.Settings) error {
	if s == (settings.Settings{}) {
		return nil
	}
	env, filled := s.Env(), located(s).Env()
	nothing, where := settings.Settings{}.Env(), located(settings.Settings{}).Env()
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(env)) {
		if env[name] != "" && where[name] != nothing[name] {
			errs = append(errs, fmt.Errorf("stack.Props.Settings: %s is %q, but the stack fills it in: leave it out", name, env[name]))
		}
	}
	if _, err := settings.Load(func(name string) string { return filled[name] }); err != nil {
		errs = append(errs, fmt.Errorf("stack.Props.Settings: %w", err))
	}
	return errors.Join(errs...)
}

// located returns settings with something where the stack fills in what it makes.
func located(s settings.Settings) settings.Settings {
	for _, at := range []*string{&s.Account, &s.Table, &s.Topic, &s.Signals, &s.Rollbacks, &s.Watch, &s.Config, &s.Hub} {
		*at = "-"
	}
	return s
}

// check says what is wrong besides, now that it is known where the stack goes.
func (p Props) check(c constructs.Construct) error {
	errs := []error{p.Check()}
	s := awscdk.Stack_Of(c)
	known := *regioninfo.RegionInfo_Regions()
	exists := func(region string) bool {
		return slices.ContainsFunc(known, func(r regioninfo.RegionInfo) bool { return *r.Name() == region })
	}
	if region := *s.Region(); !*awscdk.Token_IsUnresolved(region) && !exists(region) {
		errs = append(errs, fmt.Errorf("StackProps.Env.Region: %q is no region that this version of the CDK knows: look for a slip, or take a newer awscdk", region))
	}
	if bus := busPattern.FindStringSubmatch(p.Fleet.Hub); bus != nil && !exists(bus[1]) {
		errs = append(errs, fmt.Errorf("stack.Props.Fleet.Hub: %q is in no region that this version of the CDK knows: look for a slip, or take a newer awscdk", p.Fleet.Hub))
	}
	return errors.Join(append(errs, p.checkLedger(s))...)
}

// checkLedger looks at a table that is there already as far as the app knows it. One
// that is imported by name is known by nothing else.
func (p Props) checkLedger(s awscdk.Stack) error {
	if p.Ledger == nil {
		return nil
	}
	var errs []error
	if e := p.Ledger.Env(); !same(e.Account, s.Account()) || !same(e.Region, s.Region()) {
		errs = append(errs, fmt.Errorf("stack.Props.Ledger: it is in %s/%s and the stack in %s/%s: a control plane keeps its ledger where it is", *e.Account, *e.Region, *s.Account(), *s.Region()))
	}
	made, ok := p.Ledger.Node().DefaultChild().(awsdynamodb.CfnTable)
	if !ok {
		return errors.Join(errs...)
	}
	keys := s.Resolve(made.KeySchema())
	want := []any{
		map[string]any{"attributeName": table.PartitionKey, "keyType": "HASH"}, map[string]any{"attributeName": table.SortKey, "keyType": "RANGE"},
	}
	if fmt.Sprint(keys) != fmt.Sprint(want) {
		errs = append(errs, fmt.Errorf("stack.Props.Ledger: its keys are %v, and not the texts %s and %s: leave it out, and a table is made", keys, table.PartitionKey, table.SortKey))
	}
	if ttl := fmt.Sprint(s.Resolve(made.TimeToLiveSpecification())); !strings.Contains(ttl, "attributeName:"+table.TimeToLive) {
		errs = append(errs, fmt.Errorf("stack.Props.Ledger: nothing in it expires: set its TimeToLiveAttribute to %s", table.TimeToLive))
	}
	return errors.Join(errs...)
}

func same(a, b *string) bool {
	return *awscdk.Token_IsUnresolved(a) || *awscdk.Token_IsUnresolved(b) || *a == *b
}

// filled returns the properties with their defaults.
func (p Props) filled() Props {
	if p.Name == "" {
		p.Name = "pullback"
	}
	if p.Settings == (settings.Settings{}) {
		p.Settings = settings.Default()
	}
	if p.Keep == "" {
		p.Keep = awslogs.RetentionDays_ONE_YEAR
	}
	if p.Reserved.Router == 0 && !p.Reserved.None {
		p.Reserved.Router = reservedDefault
	}
	if p.Reserved.Rollbacker == 0 && !p.Reserved.None {
		p.Reserved.Rollbacker = reservedDefault
	}
	return p
}

// number returns a number as constructs want it, or nothing for zero.
func number(n int) *float64 {
	if n == 0 {
		return nil
	}
	return jsii.Number(n)
}
