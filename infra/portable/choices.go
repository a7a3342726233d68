package portable

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
)

// code lets functions be made of zips in a bucket that the deployer names.
func (s *shape) code() error {
	var errs []error
	for _, id := range s.of("AWS::Lambda::Function") {
		folder, _ := member(s.template.Resources[id], "Metadata")["pullback:function"].(string)
		zip, ok := s.release.Zips[folder]
		if !ok {
			errs = append(errs, fmt.Errorf("no file for the code of %s (%q)", id, folder))
		}
		s.properties(id)["Code"] = map[string]any{"S3Bucket": ref(assetsBucket), "S3Key": join(ref(assetsPrefix), zip)}
	}
	return errors.Join(errs...)
}

// ledger makes the table only where none is named that is there already.
func (s *shape) ledger() error {
	id, err := s.one("AWS::DynamoDB::Table")
	if err != nil {
		return err
	}
	s.template.Resources = replaceAll(s.template.Resources, map[string]any{
		key(ref(id)): either(newLedger, ref(id), ref(existingLedger)),
		key(attribute(id, "Arn")): either(newLedger, attribute(id, "Arn"),
			map[string]any{"Fn::Sub": "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${" + existingLedger + "}"}),
	})
	s.template.Outputs = replaceAll(s.template.Outputs, map[string]any{key(ref(id)): either(newLedger, ref(id), ref(existingLedger))})
	s.template.Resources[id]["Condition"] = newLedger
	return nil
}

// accounts lets in others' control planes, if any are named. An account alone means the
// same as the ARN of its root (IAM user guide, "AWS JSON policy elements: Principal").
func (s *shape) accounts() error {
	id, err := s.one("AWS::Events::EventBusPolicy")
	if err != nil {
		return err
	}
	statement := member(s.properties(id), "Statement")
	if statement == nil || !mentions(statement["Principal"], Account) {
		return fmt.Errorf("%s lets in other accounts than %s, for which a parameter stands", id, Account)
	}
	statement["Principal"] = map[string]any{"AWS": ref(accounts)}
	statement["Sid"], s.properties(id)["StatementId"] = "accounts", "accounts"
	policy := s.template.Resources[id]
	policy["Condition"] = hasAccounts
	delete(s.template.Resources, id)
	s.template.Resources["BusPolicy"] = policy
	return nil
}

// configuration is stored only if there is one, and read only then.
func (s *shape) configuration() error {
	id, err := s.one("AWS::SSM::Parameter")
	if err != nil {
		return err
	}
	if s.properties(id)["Value"] != Configuration {
		return fmt.Errorf("%s is %q, and not %q, for which a parameter stands", id, s.properties(id)["Value"], Configuration)
	}
	s.properties(id)["Value"] = ref(pullbackYAML)
	s.template.Resources[id]["Condition"] = hasConfiguration
	s.guard(hasConfiguration, func(v any) bool { return mentions(v, id) })
	for _, o := range s.template.Outputs {
		if mentions(o["Value"], id) {
			o["Condition"] = hasConfiguration
		}
	}
	return s.set("PULLBACK_CONFIG", either(hasConfiguration, ref(id), ""))
}

// buses lets the functions write to those of others: to the hub's, if one is named, and
// to the peers'. A hub itself has no hub.
func (s *shape) buses() error {
	if mentions(s.template.Resources, Hub) {
		s.optional = append(s.optional, hub)
	}
	found := false
	for _, statements := range s.policies() {
		var all []any
		for _, one := range *statements {
			statement, _ := one.(map[string]any)
			if !mentions(statement["Resource"], Hub) && !mentions(statement["Resource"], Peer) {
				all = append(all, one)
				continue
			}
			found = true
			all = append(all, apart(statement)...)
		}
		*statements = all
	}
	if !found {
		return errors.New("nothing may write to the buses for which parameters stand: synthesize with this package's Hub and Configuration")
	}
	s.template.Resources = replaceAll(s.template.Resources, map[string]any{key(Hub): ref(hub)})
	return nil
}

// apart makes statements of one: for the hub, for the peers, and for what else it is about.
func apart(statement map[string]any) []any {
	var all, rest []any
	on, ok := statement["Resource"].([]any)
	if !ok {
		on = []any{statement["Resource"]}
	}
	with := func(resource any) map[string]any {
		one := maps.Clone(statement)
		one["Resource"] = resource
		return one
	}
	for _, r := range on {
		switch r {
		case Hub:
			all = append(all, either(hasHub, with(ref(hub)), noValue()))
		case Peer:
			all = append(all, either(hasPeers, with(ref(peers)), noValue()))
		default:
			rest = append(rest, r)
		}
	}
	if len(rest) > 0 {
		all = append(all, with(rest))
	}
	return all
}

// numbers are choices that are a value at one place.
func (s *shape) numbers() error {
	for _, id := range s.of("AWS::Logs::LogGroup") {
		s.properties(id)["RetentionInDays"] = ref(logRetention)
	}
	reserved := map[string]bool{}
	for _, id := range s.of("AWS::Lambda::Function") {
		p := s.properties(id)
		folder, _ := member(s.template.Resources[id], "Metadata")["pullback:function"].(string)
		name := map[string]string{"alarmrouter": routerReserved, "rollbacker": rollbackerReserved}[folder]
		if p["ReservedConcurrentExecutions"] != nil {
			p["ReservedConcurrentExecutions"] = either("Has"+name, ref(name), noValue())
			reserved[name] = true
		}
	}
	if want := map[string]bool{routerReserved: true, rollbackerReserved: true}; !maps.Equal(reserved, want) {
		return fmt.Errorf("executions are set aside for %q, and not for %q", slices.Sorted(maps.Keys(reserved)), slices.Sorted(maps.Keys(want)))
	}
	if slices.Contains(s.optional, hub) {
		return errors.Join(s.set("PULLBACK_MODE", ref(mode)), s.set("PULLBACK_HUB", ref(hub)))
	}
	return s.set("PULLBACK_MODE", ref(mode))
}

// set gives all functions a variable that they have already.
func (s *shape) set(name string, value any) error {
	for _, id := range s.of("AWS::Lambda::Function") {
		variables := member(member(s.properties(id), "Environment"), "Variables")
		if _, ok := variables[name]; !ok {
			return fmt.Errorf("%s has no variable %s", id, name)
		}
		variables[name] = value
	}
	return nil
}

// guard takes what policies allow on something out of them where a condition does not
// hold: the resource, or the statement if it has no other.
func (s *shape) guard(condition string, about func(any) bool) {
	for _, statements := range s.policies() {
		for i, one := range *statements {
			statement, _ := one.(map[string]any)
			on, several := statement["Resource"].([]any)
			for j := range on {
				if about(on[j]) {
					on[j] = either(condition, on[j], noValue())
				}
			}
			if !several && about(statement["Resource"]) {
				(*statements)[i] = either(condition, statement, noValue())
			}
		}
	}
}

// policies calls back with the statements of each policy of a role.
func (s *shape) policies() iter.Seq2[string, *[]any] {
	return func(yield func(string, *[]any) bool) {
		for _, id := range slices.Sorted(maps.Keys(s.template.Resources)) {
			document := member(s.properties(id), "PolicyDocument")
			statements, ok := document["Statement"].([]any)
			if !ok || s.template.Resources[id]["Type"] != "AWS::IAM::Policy" {
				continue
			}
			more := yield(id, &statements)
			document["Statement"] = statements
			if !more {
				return
			}
		}
	}
}
