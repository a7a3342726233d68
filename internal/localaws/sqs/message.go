package sqs

import (
	"crypto/md5" //nolint:gosec // the digest that the SQS protocol asks for
	"encoding/binary"
	"encoding/hex"
	"hash"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// message is one message in one queue.
type message struct {
	id, body string
	attrs    map[string]sqstypes.MessageAttributeValue
	trace    *sqstypes.MessageSystemAttributeValue // AWSTraceHeader
	sender   string
	group    string
	dedup    string
	source   string // ARN of the queue that gave the message up
	seq      uint64

	sentAt   time.Time
	first    time.Time // when it was first received
	receives int       // over all queues, as shown
	here     int       // from this queue, as its redrive policy counts

	handle string    // of the latest receive
	until  time.Time // hidden before: delayed or in flight
	timer  *world.Timer
}

// hidden reports whether the message is delayed or in flight.
func (m *message) hidden(now time.Time) bool { return now.Before(m.until) }

// flying reports whether the message is in flight.
func (m *message) flying(now time.Time) bool { return m.handle != "" && m.hidden(now) }

// tally counts the messages of a queue by what can be seen of them.
func (q *queue) tally(now time.Time) (visible, flying, delayed int) {
	for _, m := range q.messages {
		switch {
		case m.flying(now):
			flying++
		case m.hidden(now):
			delayed++
		default:
			visible++
		}
	}
	return visible, flying, delayed
}

// Limits of message attributes (SQS developer guide, "Amazon SQS message metadata").
const (
	maxAttributes    = 10
	maxAttributeName = 256
)

// checkAttributeValues checks message attributes and returns their size.
func checkAttributeValues(attrs map[string]sqstypes.MessageAttributeValue) (int, error) {
	if len(attrs) > maxAttributes {
		return 0, invalid("Number of message attributes [%d] exceeds the allowed maximum [%d].", len(attrs), maxAttributes)
	}
	size := 0
	for _, name := range slices.Sorted(maps.Keys(attrs)) {
		v := attrs[name]
		if err := checkAttributeName(name); err != nil {
			return 0, err
		}
		kind, _, _ := strings.Cut(aws.ToString(v.DataType), ".")
		switch {
		case len(v.StringListValues)+len(v.BinaryListValues) > 0:
			return 0, invalid("Message attribute list values in SendMessage operation are not supported.")
		case kind != "String" && kind != "Number" && kind != "Binary":
			return 0, invalid("The type of message (user) attribute '%s' is invalid. You must use only the following supported type prefixes: "+
				"Binary, Number, String.", name)
		case kind == "Binary" && len(v.BinaryValue) == 0, kind != "Binary" && aws.ToString(v.StringValue) == "":
			return 0, invalid("Message (user) attribute '%s' must contain a non-empty value of type '%s'.", name, kind)
		}
		size += len(name) + len(*v.DataType) + len(v.BinaryValue) + len(aws.ToString(v.StringValue))
	}
	return size, nil
}

func checkAttributeName(name string) error {
	lower := strings.ToLower(name)
	bad := strings.IndexFunc(name, func(r rune) bool { return r != '.' && !isName(string(r), 1) }) >= 0
	if bad || name == "" || len(name) > maxAttributeName || strings.Contains(name, "..") ||
		strings.HasPrefix(name, ".") || strings.HasSuffix(name, ".") ||
		strings.HasPrefix(lower, "aws.") || strings.HasPrefix(lower, "amazon.") {
		return invalid("The message attribute name '%s' is invalid. Attribute names can contain A-Z, a-z, 0-9, underscore (_), "+
			"hyphen (-), and period (.) characters, must not start or end with a period, have periods in succession, "+
			"or start with AWS. or Amazon.", name)
	}
	return nil
}

// checkBody refuses the characters that SQS does not carry (SQS API reference,
// SendMessage).
func checkBody(body string) error {
	ok := utf8.ValidString(body) && strings.IndexFunc(body, func(r rune) bool {
		return r < 0x20 && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF
	}) < 0
	if !ok {
		return &sqstypes.InvalidMessageContents{Message: aws.String("Message contents contain characters outside the allowed set.")}
	}
	return nil
}

// digest is the MD5 of a body.
func digest(body string) *string {
	sum := md5.Sum([]byte(body)) //nolint:gosec // see the import
	return aws.String(hex.EncodeToString(sum[:]))
}

// digestAttributes is the MD5 of message attributes (SQS developer guide,
// "Calculating the MD5 message digest for message attributes"). It is nil if
// there are none.
func digestAttributes(attrs map[string]sqstypes.MessageAttributeValue) *string {
	if len(attrs) == 0 {
		return nil
	}
	h := md5.New() //nolint:gosec // see the import
	for _, name := range slices.Sorted(maps.Keys(attrs)) {
		v := attrs[name]
		field(h, []byte(name))
		field(h, []byte(aws.ToString(v.DataType)))
		if strings.HasPrefix(aws.ToString(v.DataType), "Binary") {
			h.Write([]byte{2}) // transport type binary
			field(h, v.BinaryValue)
			continue
		}
		h.Write([]byte{1}) // transport type string
		field(h, []byte(aws.ToString(v.StringValue)))
	}
	return aws.String(hex.EncodeToString(h.Sum(nil)))
}

// field writes a value after its length as four bytes.
func field(h hash.Hash, value []byte) {
	_ = binary.Write(h, binary.BigEndian, uint32(len(value))) //nolint:gosec // far below 4 GiB
	h.Write(value)
}

// systemDigest is the MD5 of the only message system attribute that can be sent.
func systemDigest(trace *sqstypes.MessageSystemAttributeValue) *string {
	if trace == nil {
		return nil
	}
	return digestAttributes(map[string]sqstypes.MessageAttributeValue{
		traceHeader: {DataType: trace.DataType, StringValue: trace.StringValue, BinaryValue: trace.BinaryValue},
	})
}
