package ec2

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go"
)

// refuse makes an error of EC2. The codes are those of the EC2 API Reference,
// "Error codes for the Amazon EC2 API".
func refuse(code, format string, args ...any) error {
	return &smithy.GenericAPIError{Code: code, Message: fmt.Sprintf(format, args...), Fault: smithy.FaultClient}
}

func missing(parameter string) error {
	return refuse("MissingParameter", "The request must contain the parameter %s", parameter)
}

// dryRun is the answer to a request that only asks whether it would be allowed.
func dryRun(asked *bool) error {
	if aws.ToBool(asked) {
		return refuse("DryRunOperation", "Request would have succeeded, but DryRun flag is set.")
	}
	return nil
}

// kind is a sort of resource, as ids and errors name it.
type kind struct {
	prefix string // of its ids
	code   string // of its errors: "InvalidInstanceID"
	noun   string // in messages: "instance ID"
	typ    string // in tags: "instance"
}

// kindOf finds a kind by an id.
func kindOf(id string) (kind, bool) {
	for _, k := range []kind{instanceKind(), volumeKind(), snapshotKind(), templateKind(), rootTaskKind()} {
		if strings.HasPrefix(id, k.prefix+"-") {
			return k, true
		}
	}
	return kind{}, false
}

func instanceKind() kind {
	return kind{prefix: "i", code: "InvalidInstanceID", noun: "instance ID", typ: "instance"}
}

func volumeKind() kind {
	return kind{prefix: "vol", code: "InvalidVolume", noun: "volume", typ: "volume"}
}

// check refuses an id that is none of this kind.
func (k kind) check(id string) error {
	if regexp.MustCompile(`^` + k.prefix + `-([0-9a-f]{8}|[0-9a-f]{17})$`).MatchString(id) {
		return nil
	}
	code := k.code + ".Malformed"
	if k.code == "InvalidVolume" {
		code = "InvalidParameterValue"
	}
	return refuse(code, "Invalid id: %q (expecting \"%s-...\")", id, k.prefix)
}

// notFound says which ids are not there.
func (k kind) notFound(ids ...string) error {
	if len(ids) > 1 {
		return refuse(k.code+".NotFound", "The %ss '%s' do not exist", k.noun, strings.Join(ids, ", "))
	}
	return refuse(k.code+".NotFound", "The %s '%s' does not exist", k.noun, ids[0])
}

// find returns the items with the given ids, in their order, or all if there
// are none. Every id must be well formed and there.
func find[T any](k kind, all []T, id func(T) string, ids []string) ([]T, error) {
	if len(ids) == 0 {
		return all, nil
	}
	byID := map[string]T{}
	for _, x := range all {
		byID[id(x)] = x
	}
	var found []T
	var gone []string
	for _, i := range ids {
		if err := k.check(i); err != nil {
			return nil, err
		}
		if x, ok := byID[i]; ok {
			found = append(found, x)
		} else {
			gone = append(gone, i)
		}
	}
	if len(gone) > 0 {
		return nil, k.notFound(gone...)
	}
	return found, nil
}
