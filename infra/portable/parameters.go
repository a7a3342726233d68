package portable

import "slices"

// The names of the parameters and conditions.
const (
	assetsBucket       = "AssetsBucket"
	assetsPrefix       = "AssetsPrefix"
	mode               = "Mode"
	pullbackYAML       = "PullbackYAML"
	existingLedger     = "ExistingLedger"
	logRetention       = "LogRetentionDays"
	routerReserved     = "RouterReserved"
	rollbackerReserved = "RollbackerReserved"
	hub                = "Hub"
	accounts           = "Accounts"
	peers              = "Peers"

	newLedger        = "MakesLedger"
	hasConfiguration = "HasPullbackYAML"
	hasHub           = "HasHub"
	hasAccounts      = "HasAccounts"
	hasPeers         = "HasPeers"
)

// parameter is one, in the words of the CloudFormation user guide, "Parameters section".
type parameter struct {
	Type                  string `json:"Type"`
	Description           string `json:"Description"`
	Default               any    `json:"Default,omitempty"`
	AllowedValues         []any  `json:"AllowedValues,omitempty"`
	AllowedPattern        string `json:"AllowedPattern,omitempty"`
	ConstraintDescription string `json:"ConstraintDescription,omitempty"`
	MinValue              *int   `json:"MinValue,omitempty"`
	MaxValue              *int   `json:"MaxValue,omitempty"`
	NoEcho                bool   `json:"NoEcho,omitempty"`
}

// named is a parameter under its name and a heading.
type named struct {
	group, name string
	parameter
}

// retentions are what CloudWatch Logs takes (API reference, PutRetentionPolicy).
func retentions() []any {
	return []any{1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}
}

// parameters returns all that a template of a version can have, in the order in which
// consoles show them. Nothing in them is secret.
func parameters(version string) []named {
	zero, most := 0, 1000
	return []named{
		{"Where the code is", assetsBucket, parameter{
			Type: "String", Description: "S3 bucket with the zips of the functions, in the region of the stack: Lambda takes code of no other.",
			AllowedPattern: `^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`, ConstraintDescription: "the name of a bucket",
		}},
		{"Where the code is", assetsPrefix, parameter{
			Type: "String", Description: "What the keys of the zips begin with; with a slash at its end.", Default: "pullback/" + version + "/",
			AllowedPattern: `^(|.*/)$`, ConstraintDescription: "nothing, or something that ends with a slash",
		}},
		{"What pullback does", mode, parameter{
			Type: "String", Description: "enforce: take bad deployments back. observe: only record what would be done.", Default: "enforce",
			AllowedValues: []any{"enforce", "observe"},
		}},
		{"What pullback does", pullbackYAML, parameter{
			Type: "String", Description: "Text of pullback.yaml, up to 4096 bytes; empty: defaults. pullback config lint says what is wrong with it.", Default: "",
		}},
		{"What pullback does", existingLedger, parameter{
			Type: "String", Description: "Name of a table that an earlier control plane left; empty: one is made, and stays when the stack goes.", Default: "",
			AllowedPattern: `^(|[a-zA-Z0-9_.-]{3,255})$`, ConstraintDescription: "nothing, or the name of a DynamoDB table",
		}},
		{"What it takes", logRetention, parameter{
			Type: "Number", Description: "Days for which the logs of the functions are kept.", Default: 365, AllowedValues: retentions(),
		}},
		{"What it takes", routerReserved, parameter{
			Type: "Number", Description: "Executions set aside for deciding; 0: none, as in accounts with a limit of 100 or less.", Default: 10, MinValue: &zero, MaxValue: &most,
		}},
		{"What it takes", rollbackerReserved, parameter{
			Type: "Number", Description: "Executions set aside for taking back; 0: none.", Default: 10, MinValue: &zero, MaxValue: &most,
		}},
		{"Fleet", hub, parameter{
			Type: "String", Description: "ARN of the event bus of the control plane that collects records; empty: they stay here.", Default: "",
			AllowedPattern: `^(|arn:aws[a-z-]*:events:[a-z0-9-]+:[0-9]{12}:event-bus/[A-Za-z0-9._-]+)$`, ConstraintDescription: "nothing, or what the hub's stack puts out as EventBus",
		}},
		{"Fleet", accounts, parameter{
			Type: "CommaDelimitedList", Description: "Other accounts whose control planes may write to this one's bus.", Default: "",
			AllowedPattern: `^(|[0-9]{12})$`, ConstraintDescription: "accounts of twelve digits, with commas between",
		}},
		{"Fleet", peers, parameter{
			Type: "CommaDelimitedList", Description: "ARNs of the event buses that pullback.yaml names as peers, to which this one may write.", Default: "",
			AllowedPattern: `^(|arn:aws[a-z-]*:events:[a-z0-9-]+:[0-9]{12}:event-bus/[A-Za-z0-9._-]+)$`, ConstraintDescription: "ARNs of event buses, with commas between",
		}},
	}
}

// describe adds parameters, conditions and what the template is to it.
func (s *shape) describe() {
	s.template.Description = "pullback " + s.release.Version + ": takes bad deployments back."
	if s.template.Parameters = map[string]parameter{}; s.template.Conditions == nil {
		s.template.Conditions = map[string]any{}
	}
	var groups []any
	heading, names := "", []any(nil)
	end := func() {
		if len(names) > 0 {
			groups = append(groups, map[string]any{"Label": map[string]any{"default": heading}, "Parameters": names})
		}
	}
	for _, p := range parameters(s.release.Version) {
		if p.name == hub && !slices.Contains(s.optional, hub) {
			continue
		}
		if p.group != heading {
			end()
			heading, names = p.group, nil
		}
		names = append(names, p.name)
		s.template.Parameters[p.name] = p.parameter
	}
	end()
	s.conditions()
	if s.template.Metadata == nil {
		s.template.Metadata = map[string]any{}
	}
	s.template.Metadata["pullback"] = map[string]any{"version": s.release.Version}
	s.template.Metadata["AWS::CloudFormation::Interface"] = map[string]any{"ParameterGroups": groups}
}

func (s *shape) conditions() {
	all := s.template.Conditions
	all[newLedger] = equals(ref(existingLedger), "")
	all[hasConfiguration] = not(equals(ref(pullbackYAML), ""))
	for name, list := range map[string]string{hasAccounts: accounts, hasPeers: peers} {
		all[name] = not(equals(map[string]any{"Fn::Join": []any{"", ref(list)}}, ""))
	}
	for _, name := range []string{routerReserved, rollbackerReserved} {
		all["Has"+name] = not(equals(ref(name), 0))
	}
	if slices.Contains(s.optional, hub) {
		all[hasHub] = not(equals(ref(hub), ""))
	}
}
