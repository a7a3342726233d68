package host_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// queue makes a queue that lets everybody send, and returns its URL and ARN.
func (c cloud) queue(cfg aws.Config, account, name string) (url, arn string) {
	c.t.Helper()
	arn = "arn:aws:sqs:" + cfg.Region + ":" + account + ":" + name
	out, err := sqs.NewFromConfig(cfg).CreateQueue(c.t.Context(), &sqs.CreateQueueInput{QueueName: &name, Attributes: map[string]string{
		"Policy": *policy(`{"Effect":"Allow","Principal":"*","Action":"sqs:SendMessage","Resource":"` + arn + `"}`),
	}})
	require.NoError(c.t, err)
	return *out.QueueUrl, arn
}

// received takes everything out of a queue.
func (c cloud) received(cfg aws.Config, url string) []sqstypes.Message {
	c.t.Helper()
	out, err := sqs.NewFromConfig(cfg).ReceiveMessage(c.t.Context(), &sqs.ReceiveMessageInput{
		QueueUrl: &url, MaxNumberOfMessages: 10, MessageAttributeNames: []string{"All"},
	})
	require.NoError(c.t, err)
	return out.Messages
}

// bus makes a bus that everybody hears, with a policy, and returns its ARN and the
// queue of what it hears.
func (c cloud) bus(account, region, statements string) (arn, queue string) {
	c.t.Helper()
	cfg, ctx, name := c.root(account, region), c.t.Context(), aws.String("fleet")
	events := eventbridge.NewFromConfig(cfg)
	made, err := events.CreateEventBus(ctx, &eventbridge.CreateEventBusInput{Name: name})
	require.NoError(c.t, err)
	if statements != "" {
		_, err = events.PutPermission(ctx, &eventbridge.PutPermissionInput{EventBusName: name, Policy: policy(statements)})
		require.NoError(c.t, err)
	}
	url, heard := c.queue(cfg, account, "heard")
	c.hear(cfg, name, ebtypes.Target{Id: aws.String("1"), Arn: &heard})
	return *made.EventBusArn, url
}

// hear lets a target hear what a bus gets.
func (c cloud) hear(cfg aws.Config, bus *string, target ebtypes.Target) {
	c.t.Helper()
	events, rule := eventbridge.NewFromConfig(cfg), aws.String("all")
	_, err := events.PutRule(c.t.Context(), &eventbridge.PutRuleInput{Name: rule, EventBusName: bus, EventPattern: aws.String(`{"source":["shop"]}`)})
	require.NoError(c.t, err)
	out, err := events.PutTargets(c.t.Context(), &eventbridge.PutTargetsInput{Rule: rule, EventBusName: bus, Targets: []ebtypes.Target{target}})
	require.NoError(c.t, err)
	require.Zero(c.t, out.FailedEntryCount)
}

func order(bus string) ebtypes.PutEventsRequestEntry {
	return ebtypes.PutEventsRequestEntry{EventBusName: &bus, Source: aws.String("shop"), DetailType: aws.String("Order"), Detail: aws.String(`{"account":"999999999999"}`)}
}

// envelopes are the events in a queue.
func (c cloud) envelopes(cfg aws.Config, url string) []string {
	c.t.Helper()
	var all []string
	for _, m := range c.received(cfg, url) {
		var e struct {
			Source  string `json:"source"`
			Account string `json:"account"`
			Region  string `json:"region"`
		}
		require.NoError(c.t, json.Unmarshal([]byte(*m.Body), &e))
		all = append(all, e.Source+" "+e.Account+" "+e.Region)
	}
	return all
}

func statement(principal, condition string) string {
	return `{"Sid":"In","Effect":"Allow","Principal":` + principal + `,"Action":"events:PutEvents","Resource":"arn:aws:events:us-east-1:` + bank + `:event-bus/fleet"` + condition + `}`
}

func TestTheBusOfAnotherAccountTakesWhatItsPolicyAllows(t *testing.T) {
	const (
		may   = `{"Effect":"Allow","Action":"events:PutEvents","Resource":"*"}`
		shops = `{"AWS":"arn:aws:iam::` + shop + `:root"}`
	)
	for name, k := range map[string]struct {
		bus, role string
		code      string // of the failed entry; empty if it is heard
	}{
		"without a policy":          {"", may, "AccessDeniedException"},
		"with its account's":        {statement(shops, ""), may, ""},
		"with another account's":    {statement(`{"AWS":"`+other+`"}`, ""), may, "AccessDeniedException"},
		"without its own role's":    {statement(shops, ""), "", "AccessDeniedException"},
		"with its source":           {statement(shops, `,"Condition":{"StringEquals":{"events:source":"shop"}}`), may, ""},
		"with another source":       {statement(shops, `,"Condition":{"StringEquals":{"events:source":"pullback"}}`), may, "NotAuthorizedForSourceException"},
		"with another detail type":  {statement(shops, `,"Condition":{"StringEquals":{"events:detail-type":["Refund"]}}`), may, "NotAuthorizedForDetailTypeException"},
		"of its organization":       {statement(`"*"`, `,"Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-one"}}`), may, ""},
		"of another organization":   {statement(`"*"`, `,"Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-two"}}`), may, "AccessDeniedException"},
		"of one of the accounts":    {statement(`"*"`, `,"Condition":{"StringEquals":{"aws:PrincipalAccount":["`+shop+`"]}}`), may, ""},
		"of none of the accounts":   {statement(`"*"`, `,"Condition":{"StringEquals":{"aws:PrincipalAccount":["`+other+`"]}}`), may, "AccessDeniedException"},
		"although denied elsewhere": {statement(shops, "") + `,{"Effect":"Deny","Principal":"*","Action":"events:*","Resource":"*"}`, may, "AccessDeniedException"},
	} {
		t.Run(name, func(t *testing.T) {
			c := openCloud(t)
			bus, heard := c.bus(bank, "us-east-1", k.bus)
			out, err := eventbridge.NewFromConfig(c.session("teller", k.role)).PutEvents(t.Context(), &eventbridge.PutEventsInput{Entries: []ebtypes.PutEventsRequestEntry{order(bus)}})
			require.NoError(t, err)
			c.advance(time.Minute)
			got := c.envelopes(c.root(bank, "us-east-1"), heard)
			assert.Equal(t, k.code, aws.ToString(out.Entries[0].ErrorCode), aws.ToString(out.Entries[0].ErrorMessage))
			if k.code == "" {
				assert.Equal(t, []string{"shop " + shop + " us-east-1"}, got, "the account is the sender's")
				return
			}
			assert.Empty(t, got)
			assert.EqualValues(t, 1, out.FailedEntryCount)
		})
	}
}

func TestEventsForSeveralAccountsAreAcceptedOrRefusedOneByOne(t *testing.T) {
	c := openCloud(t)
	theirs, heard := c.bus(bank, "us-east-1", statement(`{"AWS":"`+shop+`"}`, `,"Condition":{"StringEquals":{"events:source":"shop"}}`))
	ours, own := c.bus(shop, "us-east-1", "")
	far, _ := c.bus(shop, "eu-west-1", "")
	forged := order(theirs)
	forged.Source = aws.String("pullback")
	out, err := eventbridge.NewFromConfig(c.root(shop, "us-east-1")).PutEvents(t.Context(), &eventbridge.PutEventsInput{
		Entries: []ebtypes.PutEventsRequestEntry{order(ours), forged, order(theirs), order(far)},
	})
	require.NoError(t, err)
	var codes []string
	for _, e := range out.Entries {
		codes = append(codes, aws.ToString(e.ErrorCode))
	}
	assert.Equal(t, []string{"", "NotAuthorizedForSourceException", "", "InvalidArgument"}, codes, "a bus of another region is not reached")
	c.advance(time.Minute)
	assert.Len(t, c.envelopes(c.root(bank, "us-east-1"), heard), 1)
	assert.Len(t, c.envelopes(c.root(shop, "us-east-1"), own), 1)
}

func TestARuleSendsToBusesOfOtherAccountsAndRegionsWithItsRole(t *testing.T) {
	const trust = `{"Effect":"Allow","Principal":{"Service":"events.amazonaws.com"},"Action":"sts:AssumeRole"}`
	for name, k := range map[string]struct {
		account, region, bus, role string
		dead                       string // the error code in the dead-letter queue; empty if the event is heard
	}{
		"to another region":                   {shop, "eu-west-1", "", `{"Effect":"Allow","Action":"events:PutEvents","Resource":"*"}`, ""},
		"to another region without":           {shop, "eu-west-1", "", `{"Effect":"Allow","Action":"sqs:*","Resource":"*"}`, "NO_PERMISSIONS"},
		"to another account":                  {bank, "us-east-1", statement(`{"AWS":"`+shop+`"}`, `,"Condition":{"ArnEquals":{"aws:SourceArn":"arn:aws:events:us-east-1:`+shop+`:rule/all"}}`), `{"Effect":"Allow","Action":"events:PutEvents","Resource":"*"}`, ""},
		"to another account that lets nobody": {bank, "us-east-1", "", `{"Effect":"Allow","Action":"events:PutEvents","Resource":"*"}`, "NO_PERMISSIONS"},
	} {
		t.Run(name, func(t *testing.T) {
			c := openCloud(t)
			bus, heard := c.bus(k.account, k.region, k.bus)
			us := c.root(shop, "us-east-1")
			made, err := iam.NewFromConfig(us).CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String("sender"), AssumeRolePolicyDocument: policy(trust)})
			require.NoError(t, err)
			_, err = iam.NewFromConfig(us).PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: aws.String("sender"), PolicyName: aws.String("own"), PolicyDocument: policy(k.role)})
			require.NoError(t, err)
			dead, deadARN := c.queue(us, shop, "dead")
			c.hear(us, nil, ebtypes.Target{Id: aws.String("1"), Arn: &bus, RoleArn: made.Role.Arn, DeadLetterConfig: &ebtypes.DeadLetterConfig{Arn: &deadARN}})
			_, err = eventbridge.NewFromConfig(us).PutEvents(t.Context(), &eventbridge.PutEventsInput{Entries: []ebtypes.PutEventsRequestEntry{order("default")}})
			require.NoError(t, err)
			c.advance(time.Minute)
			got, buried := c.envelopes(c.root(k.account, k.region), heard), c.received(us, dead)
			if k.dead == "" {
				assert.Equal(t, []string{"shop " + shop + " us-east-1"}, got, "account and region are those where it was put")
				assert.Empty(t, buried)
				return
			}
			assert.Empty(t, got)
			require.Len(t, buried, 1)
			assert.Equal(t, k.dead, *buried[0].MessageAttributes["ERROR_CODE"].StringValue)
		})
	}
}

func TestATargetInAnotherRegionNeedsARole(t *testing.T) {
	c := openCloud(t)
	far, _ := c.bus(shop, "eu-west-1", "")
	events := eventbridge.NewFromConfig(c.root(shop, "us-east-1"))
	_, err := events.PutRule(t.Context(), &eventbridge.PutRuleInput{Name: aws.String("r"), EventPattern: aws.String(`{"source":["shop"]}`)})
	require.NoError(t, err)
	_, err = events.PutTargets(t.Context(), &eventbridge.PutTargetsInput{Rule: aws.String("r"), Targets: []ebtypes.Target{{Id: aws.String("1"), Arn: &far}}})
	require.ErrorContains(t, err, "RoleArn is required for target "+far)
}
