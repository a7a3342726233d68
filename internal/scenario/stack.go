package scenario

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/pullback-dev/pullback/internal/demo"
	"github.com/pullback-dev/pullback/internal/localaws/cloudformation"
	"github.com/pullback-dev/pullback/shared/amazon/table"
)

// Keeping is the template that was synthesized with testdata/keeping.yaml, whose
// functions may keep data.
func Keeping(template string) string {
	return filepath.Join(filepath.Dir(template), "keeping", filepath.Base(template))
}

// Fleet is the template that was synthesized with examples/fleet for an account in a
// region.
func Fleet(template, account, region string) string {
	return filepath.Join(filepath.Dir(template), "fleet", account+"-"+region+".template.json")
}

// controlPlane deploys the stack: control-plane [keeping|fleet] [VARIABLE=VALUE …]. The
// variables replace those of every function.
func (s *Story) controlPlane(ctx context.Context, args []string) error {
	if s.options.Deploy != nil {
		var err error
		if s.stack, err = s.options.Deploy(ctx, s.aws); err != nil {
			return err
		}
		return s.readLedger()
	}
	template := s.options.Template
	switch {
	case len(args) > 0 && args[0] == "keeping":
		args, template = args[1:], Keeping(template)
	case len(args) > 0 && args[0] == "fleet":
		args, template = args[1:], Fleet(template, s.aws.World.Account, s.aws.World.Region)
	}
	in, err := cloudformation.ReadTemplate(template)
	if err != nil {
		return fmt.Errorf("read the template (make synth writes it): %w", err)
	}
	in.StackName = "pullback" // whatever the file's name
	in.Options.Replace = demo.LocalCode(s.options.Dist)
	if in.Template, err = configure(in.Template, args); err != nil {
		return err
	}
	if s.options.Change != nil {
		if in.Template, err = s.options.Change(in.Template); err != nil {
			return err
		}
	}
	if s.stack, err = s.aws.Deploy(ctx, in); err != nil {
		return err
	}
	return s.readLedger()
}

// readLedger connects to the ledger of the stack.
func (s *Story) readLedger() error {
	name, err := s.resource("AWS::DynamoDB::Table", "Ledger")
	if err != nil {
		return err
	}
	s.ledger = table.New(dynamodb.NewFromConfig(s.config), name)
	return nil
}

// configure sets environment variables in a template.
func configure(text []byte, variables []string) ([]byte, error) {
	if len(variables) == 0 {
		return text, nil
	}
	var t map[string]any
	if err := json.Unmarshal(text, &t); err != nil {
		return nil, fmt.Errorf("read the template: %w", err)
	}
	resources, _ := t["Resources"].(map[string]any)
	for _, r := range resources {
		env := inside(r, "Properties", "Environment", "Variables")
		for _, v := range variables {
			name, value, ok := strings.Cut(v, "=")
			if _, known := env[name]; env != nil && (!ok || !known) {
				return nil, fmt.Errorf("%q is not VARIABLE=VALUE of a variable that the functions read", v)
			}
			if env != nil {
				env[name] = value
			}
		}
	}
	out, err := json.Marshal(t)
	if err != nil {
		return nil, fmt.Errorf("write the template: %w", err)
	}
	return out, nil
}

// inside follows a path through objects; nil if there is no such object.
func inside(v any, path ...string) map[string]any {
	object, _ := v.(map[string]any)
	for _, key := range path {
		object, _ = object[key].(map[string]any)
	}
	return object
}

// logicalHash is how long the hash is that CDK appends to a logical ID.
const logicalHash = 8

// resource returns the physical ID of a resource by the name that the stack's
// source gives it.
func (s *Story) resource(kind, name string) (string, error) {
	for _, r := range s.stack.Resources {
		if r.Type == kind && len(r.LogicalID) > logicalHash && r.LogicalID[:len(r.LogicalID)-logicalHash] == name {
			return r.PhysicalID, nil
		}
	}
	return "", fmt.Errorf("the stack has no %s %s (is it deployed? control-plane does that)", kind, name)
}

// lose disables rules, so that what they would have told is lost: lose RULE …
func (s *Story) lose(ctx context.Context, args []string) error {
	for _, name := range args {
		if _, err := s.clients.events.DisableRule(ctx, &eventbridge.DisableRuleInput{Name: &name}); err != nil {
			return fmt.Errorf("disable rule %s: %w", name, err)
		}
	}
	return nil
}

// repeat makes every rule deliver each event that many times: repeat 3. It
// gives the rule further targets that are the same queue.
func (s *Story) repeat(ctx context.Context, args []string) error {
	times, err := number(args)
	if err != nil {
		return err
	}
	rules, err := s.clients.events.ListRules(ctx, &eventbridge.ListRulesInput{})
	if err != nil {
		return fmt.Errorf("list rules: %w", err)
	}
	for _, r := range rules.Rules {
		have, err := s.clients.events.ListTargetsByRule(ctx, &eventbridge.ListTargetsByRuleInput{Rule: r.Name})
		if err != nil {
			return fmt.Errorf("list targets of %s: %w", *r.Name, err)
		}
		for i := range times - 1 {
			t := have.Targets[0]
			t.Id = aws.String(fmt.Sprintf("again-%d", i))
			have.Targets = append(have.Targets, t)
		}
		if _, err := s.clients.events.PutTargets(ctx, &eventbridge.PutTargetsInput{Rule: r.Name, Targets: have.Targets}); err != nil {
			return fmt.Errorf("put targets of %s: %w", *r.Name, err)
		}
	}
	return nil
}

// pause keeps a function from its queue: pause rollbacker.
func (s *Story) pause(ctx context.Context, args []string) error { return s.poll(ctx, args, false) }

// resume ends a pause: resume rollbacker.
func (s *Story) resume(ctx context.Context, args []string) error { return s.poll(ctx, args, true) }

func (s *Story) poll(ctx context.Context, args []string, on bool) error {
	if len(args) != 1 {
		return errors.New("want the function's name")
	}
	name := "pullback_" + args[0]
	if args[0] == "posttraffic" { // which is a hook, too
		name = "CodeDeployHook_" + name
	}
	out, err := s.clients.lambda.ListEventSourceMappings(ctx, &lambda.ListEventSourceMappingsInput{FunctionName: &name})
	if err != nil {
		return fmt.Errorf("event source mappings of %s: %w", args[0], err)
	}
	if len(out.EventSourceMappings) != 1 {
		return fmt.Errorf("%s has %d event source mappings", args[0], len(out.EventSourceMappings))
	}
	_, err = s.clients.lambda.UpdateEventSourceMapping(ctx, &lambda.UpdateEventSourceMappingInput{UUID: out.EventSourceMappings[0].UUID, Enabled: &on})
	if err != nil {
		return fmt.Errorf("update the event source mapping of %s: %w", args[0], err)
	}
	return nil
}
