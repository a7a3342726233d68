package template

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

func (e *evaluator) base64(arg any, path string) any {
	text, ok := e.text(arg, path, "Fn::Base64")
	if !ok {
		return Unknown{}
	}
	return base64.StdEncoding.EncodeToString([]byte(text))
}

// getAZs gives the three zones that the local AWS pretends to have, of the
// region that is named or of the stack's own.
func (e *evaluator) getAZs(arg any, path string) any {
	region, ok := e.text(arg, path, "Fn::GetAZs")
	if !ok {
		return Unknown{}
	}
	if region == "" {
		region, _ = Text(e.scope.values["AWS::Region"])
	}
	return []any{region + "a", region + "b", region + "c"}
}

// length and toJSON belong to the transform AWS::LanguageExtensions
// (CloudFormation template reference, "Fn::Length", "Fn::ToJsonString").
func (e *evaluator) length(arg any, path string) any {
	if !e.scope.extended {
		return e.fault(path, "Fn::Length: needs the transform "+languageExtensions)
	}
	list, ok := e.items(arg, path, "Fn::Length")
	if !ok {
		return Unknown{}
	}
	return json.Number(strconv.Itoa(len(list)))
}

func (e *evaluator) toJSON(arg any, path string) any {
	if !e.scope.extended {
		return e.fault(path, "Fn::ToJsonString: needs the transform "+languageExtensions)
	}
	v := e.value(arg, path)
	if holdsUnknown(v) {
		return Unknown{}
	}
	text, err := json.Marshal(v)
	if err != nil {
		return e.fault(path, "Fn::ToJsonString: "+err.Error())
	}
	return string(text)
}

// holdsUnknown says whether any part of v is known only later.
func holdsUnknown(v any) bool {
	switch v := v.(type) {
	case Unknown:
		return true
	case []any:
		return slices.ContainsFunc(v, holdsUnknown)
	case map[string]any:
		return slices.ContainsFunc(slices.Collect(maps.Values(v)), holdsUnknown)
	default:
		return false
	}
}

// The limits of Fn::Cidr (CloudFormation template reference, "Fn::Cidr").
const mostBlocks = 256

// cidr divides a block into count blocks with bits host bits each.
func (e *evaluator) cidr(arg any, path string) any {
	const function = "Fn::Cidr"
	args, _ := arg.([]any)
	if len(args) != 2 && len(args) != 3 {
		return e.fault(path, function+": wants a block, a count and the bits of a host")
	}
	block, known := e.text(args[0], path, function)
	count, ok := e.text(args[1], path, function)
	bits := "8"
	if len(args) == 3 {
		var has bool
		bits, has = e.text(args[2], path, function)
		ok = ok && has
	}
	if !known || !ok {
		return Unknown{}
	}
	list, err := divide(block, count, bits)
	if err != nil {
		return e.fault(path, function+": "+err.Error())
	}
	return list
}

func divide(block, count, bits string) ([]any, error) {
	prefix, err := netip.ParsePrefix(block)
	if err != nil || !prefix.Addr().Is4() {
		return nil, fmt.Errorf("%q is not a block of IPv4 addresses", block)
	}
	n, err := strconv.Atoi(count)
	if err != nil || n < 1 || n > mostBlocks {
		return nil, fmt.Errorf("count %q is not between 1 and %d", count, mostBlocks)
	}
	host, err := strconv.Atoi(bits)
	if err != nil || host < 1 || host > 32-prefix.Bits() {
		return nil, fmt.Errorf("%q is not a number of bits of a host in %s", bits, block)
	}
	if n > 1<<(32-prefix.Bits()-host) {
		return nil, fmt.Errorf("%s has no room for %d blocks of %d bits", block, n, host)
	}
	four := prefix.Masked().Addr().As4()
	first := binary.BigEndian.Uint32(four[:])
	var list []any
	for i := range n {
		binary.BigEndian.PutUint32(four[:], first+uint32(i)<<host)
		list = append(list, netip.PrefixFrom(netip.AddrFrom4(four), 32-host).String())
	}
	return list, nil
}

// resolve replaces {{resolve:service:key}} (CloudFormation user guide, "Get
// values stored in other services using dynamic references").
func (e *evaluator) resolve(text, path string) any {
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(text, "{{resolve:")
		out.WriteString(before)
		if !found {
			return out.String()
		}
		reference, after, closed := strings.Cut(rest, "}}")
		service, key, _ := strings.Cut(reference, ":")
		if !closed || service != "ssm" || e.scope.Resolve == nil {
			return e.fault(path, fmt.Sprintf("dynamic reference {{resolve:%s}} is not supported here", reference))
		}
		v, err := e.scope.Resolve(key)
		if err != nil {
			return e.fault(path, fmt.Sprintf("{{resolve:%s}}: %v", reference, err))
		}
		out.WriteString(v)
		text = after
	}
}

// Reference is one name that a value refers to.
type Reference struct {
	Name      string // of a resource or parameter
	Attribute string // of Fn::GetAtt; else empty
}

// References lists what a value that is not evaluated refers to, whatever its
// conditions are, in the order in which it is written.
func References(v any) []Reference {
	switch v := v.(type) {
	case []any:
		var out []Reference
		for _, one := range v {
			out = append(out, References(one)...)
		}
		return out
	case map[string]any:
		if name, arg, ok := intrinsic(v); ok {
			return referenceOf(name, arg)
		}
		var out []Reference
		for _, name := range sortedKeys(v) {
			out = append(out, References(v[name])...)
		}
		return out
	default:
		return nil
	}
}

func referenceOf(function string, arg any) []Reference {
	switch arg := arg.(type) {
	case string:
		switch function {
		case "Ref":
			return []Reference{{Name: arg}}
		case "Fn::GetAtt":
			name, attribute, _ := cut(arg)
			return []Reference{{Name: name, Attribute: attribute}}
		case "Fn::Sub":
			return variables(arg)
		}
	case []any:
		if name, ok := first[string](arg); ok && function == "Fn::GetAtt" && len(arg) == 2 {
			attribute, _ := arg[1].(string)
			return []Reference{{Name: name, Attribute: attribute}}
		}
		if text, ok := first[string](arg); ok && function == "Fn::Sub" && len(arg) == 2 {
			return append(variables(text), References(arg[1])...)
		}
	}
	return References(arg)
}

func first[T any](list []any) (T, bool) {
	var none T
	if len(list) == 0 {
		return none, false
	}
	v, ok := list[0].(T)
	return v, ok
}

// variables lists the names in the text of Fn::Sub.
func variables(text string) []Reference {
	var out []Reference
	for {
		_, rest, found := strings.Cut(text, "${")
		if !found {
			return out
		}
		name, after, _ := strings.Cut(rest, "}")
		text = after
		if !strings.HasPrefix(name, "!") {
			id, attribute, _ := cut(strings.TrimSpace(name))
			out = append(out, Reference{Name: id, Attribute: attribute})
		}
	}
}
