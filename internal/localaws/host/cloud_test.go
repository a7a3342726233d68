package host_test

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/host"
	"github.com/pullback-dev/pullback/internal/localaws/sdkhttp"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

const (
	shop  = "111111111111"
	bank  = "222222222222"
	other = "333333333333"
)

// cloud is two accounts, of one organization, and a third one, in two regions.
type cloud struct {
	*host.Cloud
	t *testing.T
}

func openCloud(t *testing.T) cloud {
	t.Helper()
	c, err := host.StartCloud(t.Context(), host.CloudOptions{
		Options:       host.Options{World: world.Options{Mode: world.Manual, Seed: 7}},
		Homes:         []host.Home{{shop, "us-east-1"}, {shop, "eu-west-1"}, {bank, "us-east-1"}, {other, "us-east-1"}},
		Organizations: map[string]string{shop: "o-one", bank: "o-one"},
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return cloud{c, t}
}

// signed is how a client with these credentials calls a region.
func (c cloud) signed(region, id, secret, token string) aws.Config {
	return aws.Config{
		Region: region, HTTPClient: sdkhttp.Client(), BaseEndpoint: aws.String(c.URL()), RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: id, SecretAccessKey: secret, SessionToken: token}, nil
		}),
	}
}

// root is the root of an account, in a region.
func (c cloud) root(account, region string) aws.Config {
	return c.signed(region, account, "secret", "")
}

func (c cloud) advance(d time.Duration) {
	c.t.Helper()
	require.NoError(c.t, c.All()[0].World.Advance(c.t.Context(), d))
}

func policy(statements string) *string {
	return aws.String(`{"Version":"2012-10-17","Statement":[` + statements + `]}`)
}

// session is a session of a role of the shop that may do what the statements say.
func (c cloud) session(name, statements string) aws.Config {
	c.t.Helper()
	const account = shop
	roles := iam.NewFromConfig(c.root(account, "us-east-1"))
	made, err := roles.CreateRole(c.t.Context(), &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: policy(
		`{"Effect":"Allow","Principal":{"AWS":"` + account + `"},"Action":"sts:AssumeRole"}`)})
	require.NoError(c.t, err)
	if statements != "" {
		_, err = roles.PutRolePolicy(c.t.Context(), &iam.PutRolePolicyInput{RoleName: &name, PolicyName: aws.String("own"), PolicyDocument: policy(statements)})
		require.NoError(c.t, err)
	}
	out, err := sts.NewFromConfig(c.root(account, "us-east-1")).AssumeRole(c.t.Context(), &sts.AssumeRoleInput{RoleArn: made.Role.Arn, RoleSessionName: aws.String("me")})
	require.NoError(c.t, err)
	return c.signed("us-east-1", *out.Credentials.AccessKeyId, *out.Credentials.SecretAccessKey, *out.Credentials.SessionToken)
}

// in is the same caller in another region.
func in(region string, cfg aws.Config) aws.Config {
	cfg.Region = region
	return cfg
}

func TestARequestGoesToTheRegionAndTheAccountThatItIsSignedFor(t *testing.T) {
	c := openCloud(t)
	for _, a := range c.All() {
		cfg := c.root(a.World.Account, a.World.Region)
		made, err := sqs.NewFromConfig(cfg).CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("q-" + a.World.Region)})
		require.NoError(t, err)
		all, err := sqs.NewFromConfig(cfg).ListQueues(t.Context(), &sqs.ListQueuesInput{})
		require.NoError(t, err)
		assert.Equal(t, []string{*made.QueueUrl}, all.QueueUrls)
		assert.Equal(t, c.URL()+"/"+a.World.Account+"/q-"+a.World.Region, *made.QueueUrl)
	}
	assert.Len(t, c.All(), 6, "every account has every region")
	_, err := sqs.NewFromConfig(c.root(shop, "ap-south-1")).ListQueues(t.Context(), &sqs.ListQueuesInput{})
	require.ErrorContains(t, err, "Credential should be scoped to a valid region, not 'ap-south-1'")
}

func TestAnAccountsRolesAndKeysAreKnownInAllItsRegionsAndInNoOtherAccount(t *testing.T) {
	c := openCloud(t)
	ours := c.session("reader", `{"Effect":"Allow","Action":"sqs:ListQueues","Resource":"*"}`)
	for _, region := range []string{"us-east-1", "eu-west-1"} {
		who, err := sts.NewFromConfig(in(region, ours)).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
		require.NoError(t, err)
		assert.Equal(t, "arn:aws:sts::"+shop+":assumed-role/reader/me", *who.Arn)
		_, err = sqs.NewFromConfig(in(region, ours)).ListQueues(t.Context(), &sqs.ListQueuesInput{})
		require.NoError(t, err)
		_, err = sqs.NewFromConfig(in(region, ours)).CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("q")})
		require.ErrorContains(t, err, "is not authorized to perform: sqs:CreateQueue on resource: arn:aws:sqs:"+region+":"+shop+":q")
		_, err = iam.NewFromConfig(c.root(shop, region)).GetRole(t.Context(), &iam.GetRoleInput{RoleName: aws.String("reader")})
		require.NoError(t, err)
	}
	_, err := iam.NewFromConfig(c.root(bank, "us-east-1")).GetRole(t.Context(), &iam.GetRoleInput{RoleName: aws.String("reader")})
	require.ErrorContains(t, err, "NoSuchEntity")
}

func TestACloudHasOneClockAndOneOrder(t *testing.T) {
	play := func() (history []string) {
		c := openCloud(t)
		for _, a := range c.All() {
			for i := range 3 {
				a.World.Lock()
				a.World.After(time.Duration(i)*time.Minute, func() {
					history = append(history, a.World.Now().Format(time.TimeOnly)+" "+a.World.Account+" "+a.World.Region+" "+a.World.UUID())
				})
				a.World.Unlock()
			}
		}
		c.advance(90 * time.Second)
		late, err := c.Open(t.Context(), host.Home{Account: shop, Region: "sa-east-1"})
		require.NoError(t, err)
		late.World.Lock()
		history = append(history, late.World.Now().Format(time.TimeOnly)+" "+late.World.Region+" "+late.World.UUID())
		late.World.Unlock()
		c.advance(90 * time.Second)
		return history
	}
	first := play()
	assert.Equal(t, first, play(), "the same seed gives the same history")
	require.Len(t, first, 19)
	var heads []string
	for _, line := range first {
		heads = append(heads, line[:len(line)-37])
	}
	each := func(at string) []string {
		return []string{
			at + " " + shop + " us-east-1", at + " " + shop + " eu-west-1", at + " " + bank + " us-east-1",
			at + " " + bank + " eu-west-1", at + " " + other + " us-east-1", at + " " + other + " eu-west-1",
		}
	}
	want := append(append(each("09:00:00"), each("09:01:00")...), "09:01:30 sa-east-1")
	assert.Equal(t, append(want, each("09:02:00")...), heads)
}

func TestACloudIsOpenedOnlyWithWhatItKnows(t *testing.T) {
	_, err := host.StartCloud(t.Context(), host.CloudOptions{Options: host.Options{State: t.TempDir()}})
	require.ErrorContains(t, err, "the state of a cloud is not kept")
	_, err = host.StartCloud(t.Context(), host.CloudOptions{Homes: []host.Home{{Account: shop}}})
	require.ErrorContains(t, err, "it needs an account and a region")
}
