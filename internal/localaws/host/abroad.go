package host

import (
	"errors"
	"reflect"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	localbus "github.com/pullback-dev/pullback/internal/localaws/eventbridge"
	"github.com/pullback-dev/pullback/internal/localaws/iam/access"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// Where the parts of an ARN are.
const (
	partsOfARN   = 6
	regionOfARN  = 3
	accountOfARN = 4
)

// abroad lets a call about something that belongs to another account go on there,
// in the same region: what a queue's URL, an ARN of a topic, function, role or bus
// names. Of everything else a call sees its own account's.
func (a *AWS) abroad(c *wire.Call, service, operation string, in any, goOn func() (any, error)) (any, error) {
	if puts, ok := in.(*eventbridge.PutEventsInput); ok {
		return a.putAbroad(c, puts, goOn)
	}
	owner := a.owner(named(service, in))
	if owner == nil {
		return goOn()
	}
	return owner.Mux.Relay(c, service, operation, in)
}

// named is what a call to a service is about, as far as it may be another
// account's.
func named(service string, in any) string {
	members := map[string][]string{"sqs": {"QueueUrl"}, "sns": {"TopicArn", "TargetArn"}, "lambda": {"FunctionName"}, "sts": {"RoleArn"}}
	for _, member := range members[service] {
		f := reflect.ValueOf(in).Elem().FieldByName(member)
		if !f.IsValid() {
			continue
		}
		if name, ok := reflect.TypeAssert[*string](f); ok && name != nil {
			return *name
		}
	}
	return ""
}

// owner is the home of another account, in this region, that a name speaks of;
// nil if the name is this account's, or tells of no account.
func (a *AWS) owner(name string) *AWS {
	account := accountOf(name)
	if strings.HasPrefix(name, "http") { // the URL of a queue: https://HOST/ACCOUNT/NAME
		parts := strings.Split(strings.TrimRight(name, "/"), "/")
		account = parts[max(0, len(parts)-2)]
	} else if parts := strings.SplitN(name, ":", partsOfARN); len(parts) == partsOfARN && parts[regionOfARN] != "" && parts[regionOfARN] != a.World.Region {
		return nil
	}
	if account == a.World.Account {
		return nil
	}
	return a.cloud.At(Home{account, a.World.Region})
}

// accountOf is the account that an ARN names; empty if it is none.
func accountOf(arn string) string {
	if parts := strings.SplitN(arn, ":", partsOfARN); len(parts) == partsOfARN && parts[0] == "arn" {
		return parts[accountOfARN]
	}
	return ""
}

// putAbroad lets the events of a request that are for buses of other accounts go
// there, one by one: each is accepted or refused alone (EventBridge API reference,
// PutEvents, PutEventsResultEntry). A client reaches buses in the region that it
// calls; an event that a bus hands on also reaches other regions.
func (a *AWS) putAbroad(c *wire.Call, in *eventbridge.PutEventsInput, goOn func() (any, error)) (any, error) {
	owners := make([]*AWS, len(in.Entries))
	some := false
	for i, e := range in.Entries {
		owners[i] = a.ownerOfBus(aws.ToString(e.EventBusName), localbus.Forwarded(c.Context))
		some = some || owners[i] != nil
	}
	const most = 10 // events in a request, which the operation refuses
	if !some || len(in.Entries) > most {
		return goOn()
	}
	all := &eventbridge.PutEventsOutput{}
	for i, e := range in.Entries {
		owner := owners[i]
		if owner == nil {
			owner = a
		}
		one := *in
		one.Entries = []ebtypes.PutEventsRequestEntry{e}
		result, err := owner.put(c, &one)
		if err != nil {
			return nil, err
		}
		if result.ErrorCode != nil {
			all.FailedEntryCount++
		}
		all.Entries = append(all.Entries, result)
	}
	return all, nil
}

// ownerOfBus is the home of a bus that is not here.
func (a *AWS) ownerOfBus(name string, anywhere bool) *AWS {
	if !anywhere {
		return a.owner(name)
	}
	parts := strings.SplitN(name, ":", partsOfARN)
	if len(parts) != partsOfARN || parts[regionOfARN] == a.World.Region && parts[accountOfARN] == a.World.Account {
		return nil
	}
	return a.cloud.At(Home{parts[accountOfARN], parts[regionOfARN]})
}

// put puts one event. That it is not allowed is said of the event alone.
func (a *AWS) put(c *wire.Call, in *eventbridge.PutEventsInput) (ebtypes.PutEventsResultEntry, error) {
	out, err := a.Mux.Relay(c, "events", "PutEvents", in)
	if denied, ok := errors.AsType[*access.DeniedError](err); ok {
		code, message := refusedEvent(denied)
		return ebtypes.PutEventsResultEntry{ErrorCode: &code, ErrorMessage: &message}, nil
	}
	if err != nil {
		return ebtypes.PutEventsResultEntry{}, err
	}
	done, _ := out.(*eventbridge.PutEventsOutput)
	return done.Entries[0], nil
}

// refusedEvent says why an event is not allowed onto a bus, as PutEventsResultEntry
// does: NotAuthorizedForSourceException is "You do not have permissions to publish
// events with this source onto this event bus".
func refusedEvent(d *access.DeniedError) (code, message string) {
	if near := d.Decision.Near; near != nil {
		if strings.HasSuffix(near.Misses, " on events:source is not met") {
			return "NotAuthorizedForSourceException", d.Message
		}
		if strings.HasSuffix(near.Misses, " on events:detail-type is not met") {
			return "NotAuthorizedForDetailTypeException", d.Message
		}
	}
	return "AccessDeniedException", d.Message
}
