package eventbridge_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const all = `{"source":["shop"]}`

func TestEventReachesEveryTargetInItsEnvelope(t *testing.T) {
	b := newBench(t)
	b.rule("a", all, target(function), target(queueARN, func(x *ebtypes.Target) { x.Id = aws.String("2") }))
	b.rule("b", all, target(topic))
	b.rule("c", `{"source":["other"]}`, target(topic))
	out := b.put(entry())
	want := fmt.Sprintf(`{"version":"0","id":"%s","detail-type":"Order","source":"shop","account":"123456789012",`+
		`"time":"2026-01-05T09:00:00Z","region":"us-east-1","resources":["r1"],"detail":{"n":1,"id":"<a>"}}`, *out.Entries[0].EventId)
	assert.Equal(t, []string{want}, b.observed)
	assert.Empty(t, b.got, "delivery takes a moment")
	b.advance(time.Second)
	assert.Equal(t, []string{"Event " + function + " " + want, "events.amazonaws.com " + topic + " " + want}, b.got)
	assert.Equal(t, []string{want}, bodies(b.queued("q")))
}

func TestFIFOQueueGetsTheGroup(t *testing.T) {
	b := newBench(t)
	fifo := queueARN + ".fifo"
	_, err := b.PutRule(t.Context(), &sdk.PutRuleInput{Name: aws.String("a"), EventPattern: aws.String(all)})
	require.NoError(t, err)
	_, err = b.PutTargets(t.Context(), &sdk.PutTargetsInput{Rule: aws.String("a"), Targets: []ebtypes.Target{target(fifo)}})
	require.ErrorContains(t, err, "Parameter(s) SqsParameters must be specified for target: t.")
	b.target("a", target(fifo, func(x *ebtypes.Target) { x.SqsParameters = &ebtypes.SqsParameters{MessageGroupId: aws.String("g")} }))
	b.put(entry())
	b.advance(time.Second)
	got := b.queued("q.fifo")
	require.Len(t, got, 1)
	assert.Equal(t, "g", got[0].Attributes["MessageGroupId"])
}

func TestEntriesFailOneByOne(t *testing.T) {
	b := newBench(t)
	out := b.put(
		entry(),
		entry(func(e *ebtypes.PutEventsRequestEntry) { e.Source = nil }),
		entry(func(e *ebtypes.PutEventsRequestEntry) { e.Source = aws.String("aws.codedeploy") }),
		entry(func(e *ebtypes.PutEventsRequestEntry) { e.Detail = aws.String(`[]`) }),
		entry(func(e *ebtypes.PutEventsRequestEntry) { e.EventBusName = aws.String("none") }),
	)
	assert.Equal(t, int32(4), out.FailedEntryCount)
	var got []string
	for _, e := range out.Entries[1:] {
		got = append(got, *e.ErrorCode+": "+*e.ErrorMessage)
	}
	assert.Equal(t, []string{
		"InvalidArgument: Parameter Source is not valid. Reason: Source is a required argument.",
		"NotAuthorizedForSourceException: Not authorized for the source.",
		"MalformedDetail: Detail is malformed.",
		"InvalidArgument: Event bus none does not exist.",
	}, got)
	assert.Len(t, b.observed, 1)
}

func TestServiceMayUseAnAWSSource(t *testing.T) {
	b := newBench(t)
	out := call[sdk.PutEventsOutput](b, "events", "PutEvents", &sdk.PutEventsInput{Entries: []ebtypes.PutEventsRequestEntry{
		entry(func(e *ebtypes.PutEventsRequestEntry) { e.Source = aws.String("aws.codedeploy") }),
	}})
	assert.Zero(t, out.FailedEntryCount)
}

func TestOneMiBOfEventsFitsAndNoMore(t *testing.T) {
	b := newBench(t)
	detail := func(n int) *string { return aws.String(`{"a":"` + strings.Repeat("x", n-8) + `"}`) }
	rest := len("shop") + len("Order") + len("r1")
	b.put(entry(func(e *ebtypes.PutEventsRequestEntry) { e.Detail = detail(1<<20 - rest) }))
	_, err := b.PutEvents(t.Context(), &sdk.PutEventsInput{Entries: []ebtypes.PutEventsRequestEntry{
		entry(func(e *ebtypes.PutEventsRequestEntry) { e.Detail = detail(1<<20 - rest + 1) }),
	}})
	require.ErrorContains(t, err, "ValidationException: Total size of the entries in the request is over the limit.")
}

func TestBusForwardsToAnotherBusButNotFurther(t *testing.T) {
	b := newBench(t)
	for _, name := range []string{"two", "three"} {
		_, err := b.CreateEventBus(t.Context(), &sdk.CreateEventBusInput{Name: aws.String(name)})
		require.NoError(t, err)
	}
	bus := "arn:aws:events:us-east-1:" + account + ":event-bus/"
	put := func(on string, targets ...ebtypes.Target) {
		_, err := b.PutRule(t.Context(), &sdk.PutRuleInput{Name: aws.String("r"), EventBusName: &on, EventPattern: aws.String(all)})
		require.NoError(t, err)
		_, err = b.PutTargets(t.Context(), &sdk.PutTargetsInput{Rule: aws.String("r"), EventBusName: &on, Targets: targets})
		require.NoError(t, err)
	}
	put("default", target(bus+"two"))
	put("two", target(bus+"three"), target(queueARN, func(x *ebtypes.Target) { x.Id = aws.String("2") }))
	put("three", target(function))
	out := b.put(entry())
	b.advance(time.Second)
	got := bodies(b.queued("q"))
	require.Len(t, got, 1)
	assert.Contains(t, got[0], *out.Entries[0].EventId)
	assert.Empty(t, b.got)
}

func TestInputOfATarget(t *testing.T) {
	transformer := func(template string, paths map[string]string) func(*ebtypes.Target) {
		return func(x *ebtypes.Target) {
			x.InputTransformer = &ebtypes.InputTransformer{InputTemplate: &template, InputPathsMap: paths}
		}
	}
	paths := map[string]string{
		"state": "$.detail.state", "n": "$.detail.n", "list": "$.detail.list", "first": "$.detail.list[0].a", "each": "$.detail.list[*].a", "no": "$.detail.no",
	}
	for name, c := range map[string]struct {
		change func(*ebtypes.Target)
		want   string
	}{
		"constant":   {func(x *ebtypes.Target) { x.Input = aws.String(`{"a": 1}`) }, `{"a": 1}`},
		"path":       {func(x *ebtypes.Target) { x.InputPath = aws.String("$.detail.list") }, `[{"a":"x"},{"a":"y"}]`},
		"plain text": {transformer(`<state> is <n><no>`, paths), `run "fast" is 7`},
		"JSON string": {
			transformer(`"state <state>, n <n>"`, paths), `"state run \"fast\", n 7"`,
		},
		"JSON object": {
			transformer(`{"s":<state>,"t":"is <state>","n":<n>,"l":<list>,"f":<first>,"e":<each>}`, paths),
			`{"s":"run \"fast\"","t":"is run \"fast\"","n":7,"l":[{"a":"x"},{"a":"y"}],"f":"x","e":["x","y"]}`,
		},
		"object in quotes": {transformer(`{"l":"<list>"}`, paths), `{"l":"[{\"a\":\"x\"},{\"a\":\"y\"}]"}`},
		"predefined": {
			transformer(`{"r":"<aws.events.rule-name>","a":<aws.events.rule-arn>,"t":<aws.events.event.ingestion-time>}`, nil),
			`{"r":"rule","a":"arn:aws:events:us-east-1:123456789012:rule/rule","t":"2026-01-05T09:00:00Z"}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.rule("rule", all, target(queueARN, c.change))
			b.put(entry(func(e *ebtypes.PutEventsRequestEntry) {
				e.Detail = aws.String(`{"state":"run \"fast\"","n":7,"list":[{"a":"x"},{"a":"y"}]}`)
			}))
			b.advance(time.Second)
			assert.Equal(t, []string{c.want}, bodies(b.queued("q")))
		})
	}
}

func TestWholeEventAsVariable(t *testing.T) {
	b := newBench(t)
	b.rule("rule", all, target(queueARN, func(x *ebtypes.Target) {
		x.InputTransformer = &ebtypes.InputTransformer{InputTemplate: aws.String(`{"e":<aws.events.event.json>}`)}
	}))
	b.put(entry())
	b.advance(time.Second)
	assert.Equal(t, []string{`{"e":` + b.observed[0] + `}`}, bodies(b.queued("q")))
}
