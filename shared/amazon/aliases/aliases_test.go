package aliases_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/sdkhttp"
	"github.com/pullback-dev/pullback/shared/amazon/aliases"
	"github.com/pullback-dev/pullback/shared/amazon/keys"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
	"github.com/pullback-dev/pullback/shared/ledger/ledgertest"
)

// move is a move that was seen.
func move(id string, from, to deploy.Revision, since time.Time, status deploy.Status, ended time.Time) deploy.Deployment {
	return deploy.Deployment{
		ID: deploy.ID(id), Target: target, Alias: alias, From: from, To: to, Status: status,
		Created: since, Started: since, Shifted: since, Ended: ended,
	}
}

func TestTheFirstLookIsNoDeployment(t *testing.T) {
	c := newCloud(t)
	seen := c.now()
	assert.Empty(t, c.recent())
	c.pass(time.Hour)
	assert.Empty(t, c.recent())
	past, err := c.client.History(t.Context(), place)
	require.NoError(t, err)
	assert.Equal(t, []deploy.Success{{Deployment: "v1-20260301T120500Z", Revision: "1", Ended: seen}}, past, "but what served then is known to have")
}

func TestAMoveIsADeploymentSinceItWasSeen(t *testing.T) {
	c := newCloud(t)
	c.live()
	c.pass(time.Hour)
	c.serve("2", nil)
	seen := c.now()
	want := []deploy.Deployment{move("v2-20260301T130500Z", "1", "2", seen, deploy.Succeeded, seen)}
	assert.Equal(t, want, c.recent())
	c.pass(time.Hour)
	assert.Equal(t, want, c.recent(), "the same version seen again keeps its time")
	one, err := c.client.Get(t.Context(), target, want[0].ID)
	require.NoError(t, err)
	assert.Equal(t, want[0], one)
	_, err = c.client.Get(t.Context(), target, "v3-20260301T130500Z")
	require.ErrorIs(t, err, deploy.ErrUnknown)
}

func TestACanaryByHandIsOneDeployment(t *testing.T) {
	c := newCloud(t)
	c.serve("1", map[string]float64{"2": 0.1}) // the first that is seen
	began := c.now()
	running := []deploy.Deployment{move("v2-20260301T120500Z", "1", "2", began, deploy.InProgress, time.Time{})}
	assert.Equal(t, running, c.recent())
	c.pass(time.Minute)
	c.serve("1", map[string]float64{"2": 0.5})
	assert.Equal(t, running, c.recent())
	c.pass(time.Minute)
	c.serve("2", map[string]float64{"1": 0.1})
	assert.Equal(t, running, c.recent(), "whichever has the larger share")
	c.pass(time.Minute)
	c.serve("2", nil)
	assert.Equal(t, []deploy.Deployment{move("v2-20260301T120500Z", "1", "2", began, deploy.Succeeded, c.now())}, c.recent())
}

func TestAMoveBackIsARollbackAndToDoItAgainIsNot(t *testing.T) {
	c := newCloud(t)
	c.live()
	var seen []time.Time
	for _, version := range []string{"2", "1", "2"} {
		c.pass(time.Hour)
		c.serve(version, nil)
		seen = append(seen, c.now())
		c.live()
	}
	release := move("v2-20260301T130500Z", "1", "2", seen[0], deploy.Succeeded, seen[0])
	back := move("v1-20260301T140500Z", "2", "1", seen[1], deploy.Succeeded, seen[1])
	release.RolledBack, back.RollsBack = back.ID, release.ID
	again := move("v2-20260301T150500Z", "1", "2", seen[2], deploy.Succeeded, seen[2])
	assert.Equal(t, []deploy.Deployment{again, back, release}, c.recent())
	assert.False(t, again.IsRollback())
	assert.True(t, back.IsRollback())
}

func TestACanaryThatIsStoppedIsTakenBackByTheNextMove(t *testing.T) {
	for name, stop := range map[string]func(*cloud, deploy.Deployment) error{
		"by hand":       func(c *cloud, _ deploy.Deployment) error { c.serve("1", nil); return nil },
		"by the driver": func(c *cloud, d deploy.Deployment) error { return c.client.Stop(c.t.Context(), d) },
		"when the larger share was moved already": func(c *cloud, d deploy.Deployment) error {
			c.serve("2", map[string]float64{"1": 0.1})
			return c.client.Stop(c.t.Context(), d)
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCloud(t)
			c.live()
			c.pass(time.Hour)
			c.serve("1", map[string]float64{"2": 0.1})
			began := c.now()
			d := c.recent()[0]
			c.pass(time.Hour)
			require.NoError(t, stop(c, d))
			assert.True(t, c.live().Only("1"))
			bad := move("v2-20260301T130500Z", "1", "2", began, deploy.Stopped, c.now())
			back := move("v1-20260301T140500Z", "2", "1", c.now(), deploy.Succeeded, c.now())
			bad.RolledBack, back.RollsBack = back.ID, bad.ID
			assert.Equal(t, []deploy.Deployment{back, bad}, c.recent())
		})
	}
}

func TestOnlyWhatIsUnderWayIsStopped(t *testing.T) {
	c := newCloud(t)
	c.serve("1", map[string]float64{"2": 0.1})
	d := c.recent()[0]
	for _, now := range []func(){
		func() { c.serve("2", nil) },
		func() { c.serve("3", nil) },
		func() { c.serve("1", map[string]float64{"3": 0.1}) },
		func() { c.serve("2", map[string]float64{"3": 0.1}) },
	} {
		now()
		before := c.live()
		require.ErrorIs(t, c.client.Stop(t.Context(), d), deploy.ErrEnded)
		assert.Equal(t, before, c.live())
	}
}

// between is Lambda with somebody who is faster.
type between struct {
	*lambda.Client

	do func() // after the alias was read
}

func (b *between) GetAlias(ctx context.Context, in *lambda.GetAliasInput, o ...func(*lambda.Options)) (*lambda.GetAliasOutput, error) {
	out, err := b.Client.GetAlias(ctx, in, o...)
	if do := b.do; do != nil {
		b.do = nil
		do()
	}
	return out, err
}

func TestAnotherHandIsNotOverwritten(t *testing.T) {
	c := newCloud(t)
	c.serve("1", map[string]float64{"2": 0.1})
	d := c.recent()[0]
	fast := &between{Client: c.lambda}
	slow := aliases.New(fast, c.roles, c.ledger, c.now)

	fast.do = func() { c.serve("3", nil) }
	require.ErrorIs(t, slow.Stop(t.Context(), d), deploy.ErrChanged)
	assert.True(t, c.live().Only("3"))

	c.serve("2", nil)
	fast.do = func() { c.serve("3", nil) }
	_, err := slow.Restore(t.Context(), deploy.Restore{Place: place, From: "2", To: "1"})
	require.ErrorIs(t, err, deploy.ErrChanged)
	assert.True(t, c.live().Only("3"))

	c.serve("2", nil)
	fast.do = func() { c.serve("1", nil) }
	id, err := slow.Restore(t.Context(), deploy.Restore{Place: place, From: "2", To: "1"})
	require.NoError(t, err, "who did the same is not in the way")
	assert.Equal(t, c.recent()[0].ID, id)
}

func TestALookThatCameTooLateIsNoMove(t *testing.T) {
	c := newCloud(t)
	c.live()
	c.serve("2", nil)
	fast := &between{Client: c.lambda}
	slow := aliases.New(fast, c.roles, c.ledger, c.now)
	fast.do = func() {
		c.serve("3", nil)
		c.live() // another look sees it first, within the same second
	}
	live, err := slow.Live(t.Context(), place)
	require.NoError(t, err)
	assert.True(t, live.Only("3"), "%+v", live)
	all := c.recent()
	require.Len(t, all, 1)
	assert.Equal(t, deploy.Revision("1"), all[0].From, "nobody has seen version 2")
}

// busy is a memory that somebody else always writes to.
type busy struct{ ledgertest.Memory }

func (*busy) SaveSighting(context.Context, ledger.Sighting) (ledger.Sighting, error) {
	return ledger.Sighting{}, ledger.ErrFenced
}

func TestALookGivesUpInTheEnd(t *testing.T) {
	c := newCloud(t)
	_, err := aliases.New(c.lambda, c.roles, new(busy), c.now).Live(t.Context(), place)
	require.ErrorContains(t, err, "look at alias:checkout/live: others keep seeing something else")
}

func TestRestoreReplacesOnlyWhatItWasToldTo(t *testing.T) {
	c := newCloud(t)
	c.live()
	back := deploy.Restore{Place: place, From: "2", To: "1"}
	c.serve("3", nil)
	_, err := c.client.Restore(t.Context(), back)
	require.ErrorIs(t, err, deploy.ErrChanged)
	require.ErrorContains(t, err, "it serves version 3 and not 2")

	c.serve("2", map[string]float64{"3": 0.1})
	_, err = c.client.Restore(t.Context(), back)
	require.ErrorIs(t, err, deploy.ErrBusy)
	require.ErrorContains(t, err, "version 3 has a share")

	c.serve("2", nil)
	_, err = c.client.Restore(t.Context(), deploy.Restore{Place: place, From: "2", To: "9"})
	require.ErrorIs(t, err, deploy.ErrUnknown)
	assert.True(t, c.live().Only("2"))
}

func TestRestoreIsFoundUnderItsNameAndDoneOnce(t *testing.T) {
	c := newCloud(t)
	c.live()
	c.pass(time.Hour)
	c.serve("1", map[string]float64{"2": 0.5})
	bad := c.recent()[0]
	c.pass(time.Hour)
	back := deploy.Restore{Place: place, From: "2", To: "1"}
	id, err := c.client.Restore(t.Context(), back)
	require.NoError(t, err)
	assert.True(t, c.live().Only("1"))
	c.pass(time.Hour)
	again, err := c.client.Restore(t.Context(), back)
	require.NoError(t, err)
	assert.Equal(t, id, again)
	assert.Equal(t, id, c.recent()[0].ID)
	assert.Equal(t, bad.ID, c.recent()[0].RollsBack)
}

// refusing is a Lambda that does not move aliases.
type refusing struct {
	*lambda.Client

	err error
}

func (r *refusing) UpdateAlias(context.Context, *lambda.UpdateAliasInput, ...func(*lambda.Options)) (*lambda.UpdateAliasOutput, error) {
	return nil, r.err
}

func TestARefusalIsOneOfOurs(t *testing.T) {
	c := newCloud(t)
	c.serve("2", nil)
	tests := map[error]error{
		&lambdatypes.InvalidParameterValueException{}: deploy.ErrNotReady,
		&lambdatypes.ResourceConflictException{}:      deploy.ErrBusy,
		&lambdatypes.ResourceNotFoundException{}:      deploy.ErrUnknown,
		&lambdatypes.PreconditionFailedException{}:    deploy.ErrChanged,
		context.Canceled: context.Canceled,
	}
	for refusal, want := range tests {
		_, err := aliases.New(&refusing{c.lambda, refusal}, c.roles, c.ledger, c.now).Restore(t.Context(), deploy.Restore{Place: place, From: "2", To: "1"})
		require.ErrorIs(t, err, want)
	}
}

func TestAVersionIsReadyIfItCouldServeAndItsRoleIsThere(t *testing.T) {
	c := newCloud(t)
	require.NoError(t, c.client.Ready(t.Context(), place, "1"))
	err := c.client.Ready(t.Context(), place, "$LATEST")
	require.ErrorIs(t, err, deploy.ErrNotReady)
	require.ErrorContains(t, err, "publish one (aws lambda publish-version --function-name checkout)")

	c.role("newer")
	_, err = c.lambda.UpdateFunctionConfiguration(t.Context(), &lambda.UpdateFunctionConfigurationInput{
		FunctionName: &alias.Function, Role: aws.String("arn:aws:iam::123456789012:role/newer"),
	})
	require.NoError(t, err)
	c.publish()
	_, err = c.roles.DeleteRole(t.Context(), &iam.DeleteRoleInput{RoleName: aws.String("checkout")})
	require.NoError(t, err)
	require.NoError(t, c.client.Ready(t.Context(), place, "4"))
	err = c.client.Ready(t.Context(), place, "1")
	require.ErrorIs(t, err, deploy.ErrNotReady)
	require.ErrorContains(t, err, "version 1 of checkout has lost its execution role checkout")
}

func TestTheKeyOfAVersionIsLookedAt(t *testing.T) {
	c := newCloud(t)
	locks := kms.New(kms.Options{Region: "us-east-1", HTTPClient: sdkhttp.Client(), BaseEndpoint: aws.String(c.URL()), Credentials: credentials.NewStaticCredentialsProvider("test", "test", "")})
	key, err := locks.CreateKey(t.Context(), &kms.CreateKeyInput{})
	require.NoError(t, err)
	_, err = c.lambda.UpdateFunctionConfiguration(t.Context(), &lambda.UpdateFunctionConfigurationInput{FunctionName: &alias.Function, KMSKeyArn: key.KeyMetadata.Arn})
	require.NoError(t, err)
	c.publish()
	client := c.client.With(keys.New(locks, nil, "123456789012", "us-east-1"))
	require.NoError(t, client.Ready(t.Context(), place, "4"))
	_, err = locks.ScheduleKeyDeletion(t.Context(), &kms.ScheduleKeyDeletionInput{KeyId: key.KeyMetadata.KeyId})
	require.NoError(t, err)
	err = client.Ready(t.Context(), place, "4")
	require.ErrorIs(t, err, deploy.ErrNotReady)
	require.ErrorContains(t, err, "version 4 of checkout cannot start: its key "+*key.KeyMetadata.Arn+" is to be deleted on ")
	require.ErrorContains(t, err, "aws kms cancel-key-deletion --key-id "+*key.KeyMetadata.KeyId)
	require.NoError(t, client.Ready(t.Context(), place, "1"), "it was published without that key")
}

// stub is a Lambda with one answer.
type stub struct {
	*lambda.Client

	configuration lambda.GetFunctionConfigurationOutput
}

func (s *stub) GetFunctionConfiguration(context.Context, *lambda.GetFunctionConfigurationInput, ...func(*lambda.Options)) (*lambda.GetFunctionConfigurationOutput, error) {
	return &s.configuration, nil
}

// noRoles is an IAM that may not be asked.
type noRoles struct{ err error }

func (n noRoles) GetRole(context.Context, *iam.GetRoleInput, ...func(*iam.Options)) (*iam.GetRoleOutput, error) {
	return nil, n.err
}

func TestWhatIsNotReadySaysWhatToDo(t *testing.T) {
	denied := errors.New("denied")
	tests := map[string]struct {
		lambda.GetFunctionConfigurationOutput
		ready bool // or not known to be
		want  string
	}{
		"asleep": {
			lambda.GetFunctionConfigurationOutput{State: lambdatypes.StateInactive, StateReasonCode: lambdatypes.StateReasonCodeIdle, StateReason: aws.String("idle")},
			false, "version 7 of checkout is Inactive (Idle idle); wake it: aws lambda invoke --function-name checkout --qualifier 7 /dev/null",
		},
		"no key": {
			lambda.GetFunctionConfigurationOutput{State: lambdatypes.StateFailed, StateReasonCode: lambdatypes.StateReasonCodeDisabledKMSKey, KMSKeyArn: aws.String("arn:k")},
			false, "is Failed (DisabledKMSKey); look at its key: aws kms describe-key --key-id arn:k",
		},
		"no image": {
			lambda.GetFunctionConfigurationOutput{State: lambdatypes.StateFailed, StateReasonCode: lambdatypes.StateReasonCodeImageDeleted},
			false, "push its image again, by digest",
		},
		"no permission": {
			lambda.GetFunctionConfigurationOutput{State: lambdatypes.StateFailed, StateReasonCode: lambdatypes.StateReasonCodeInsufficientRolePermissions, Role: aws.String("arn:aws:iam::1:role/a/b")},
			false, "aws iam get-role --role-name b",
		},
		"badly updated": {
			lambda.GetFunctionConfigurationOutput{State: lambdatypes.StateActive, LastUpdateStatus: lambdatypes.LastUpdateStatusFailed},
			false, "is last updated with Failed (Lambda does not say why)",
		},
		"active": {
			lambda.GetFunctionConfigurationOutput{State: lambdatypes.StateActive, Role: aws.String("arn:aws:iam::1:role/a/b")},
			true, "get role b of version 7 of checkout: denied",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			err := aliases.New(&stub{configuration: test.GetFunctionConfigurationOutput}, noRoles{denied}, nil, nil).Ready(t.Context(), place, "7")
			require.ErrorContains(t, err, test.want)
			assert.Equal(t, test.ready, !errors.Is(err, deploy.ErrNotReady))
		})
	}
}

func TestAGroupIsWhatTheTagsOfItsFunctionSay(t *testing.T) {
	c := newCloud(t)
	tags := map[string]string{"pullback:enabled": "true", "pullback:aliases": "live beta", "pullback:alarms": "errors", "pullback:alarms:live": "latency errors"}
	g, err := c.client.Group(t.Context(), target)
	require.NoError(t, err)
	assert.Equal(t, deploy.Group{Target: target, Enabled: true, Alarms: []string{"errors", "latency"}, Alias: alias, Tags: tags}, g)

	_, err = c.lambda.CreateAlias(t.Context(), &lambda.CreateAliasInput{FunctionName: &alias.Function, Name: aws.String("old"), FunctionVersion: aws.String("1")})
	require.NoError(t, err)
	old := deploy.Target{Kind: deploy.KindAlias, Application: "checkout", Group: "old"}
	g, err = c.client.Group(t.Context(), old)
	require.NoError(t, err)
	assert.Equal(t, deploy.Group{Target: old, Alarms: []string{"errors"}, Alias: deploy.Alias{Function: "checkout", Name: "old"}, Tags: tags}, g, "it is not named")
}

func TestASurveyFindsTheNamedAliasesInParts(t *testing.T) {
	c := newCloud(t)
	c.function("plain", nil)
	c.function("off", map[string]string{"pullback:enabled": "false", "pullback:aliases": "live"})
	c.function("shop", map[string]string{"pullback:enabled": "true", "pullback:aliases": "live"})
	for calls, parts := range map[int]int{1: 4, 3: 2, 100: 1} {
		var found []string
		n, from := 0, ""
		for ; n == 0 || from != ""; n++ {
			groups, next, err := c.client.Survey(t.Context(), from, calls)
			require.NoError(t, err)
			for _, g := range groups {
				found = append(found, g.Target.String())
			}
			from = next
		}
		assert.Equal(t, parts, n)
		assert.Equal(t, []string{"alias:checkout/live", "alias:checkout/beta", "alias:shop/live"}, found)
	}
}

func TestWhatIsGoneIsNotActive(t *testing.T) {
	c := newCloud(t)
	c.serve("1", map[string]float64{"2": 0.1})
	gone := deploy.Target{Kind: deploy.KindAlias, Application: "checkout", Group: "gone"}
	found, err := c.client.Active(t.Context(), []deploy.Target{gone, target}, c.now().Add(time.Hour))
	require.NoError(t, err)
	require.Len(t, found, 1)
	assert.Equal(t, target, found[0].Target)
}

func TestNothingIsHealed(t *testing.T) {
	c := newCloud(t)
	c.serve("1", map[string]float64{"2": 0.1})
	require.ErrorContains(t, c.client.Heal(t.Context(), c.live(), "1"), "heal alias:checkout/live: an alias is never stuck")
	assert.Equal(t, map[deploy.Revision]float64{"2": 0.1}, c.live().Weights)
}

// forgetful remembers nothing new.
type forgetful struct {
	ledgertest.Memory

	err error
}

func (f *forgetful) SaveSighting(context.Context, ledger.Sighting) (ledger.Sighting, error) {
	return ledger.Sighting{}, f.err
}

func TestARestoreThatIsNotRememberedSaysThatItWasDone(t *testing.T) {
	c := newCloud(t)
	c.serve("2", nil)
	full := errors.New(http.StatusText(http.StatusInsufficientStorage))
	_, err := aliases.New(c.lambda, c.roles, &forgetful{err: full}, c.now).Restore(t.Context(), deploy.Restore{Place: place, From: "2", To: "1"})
	require.ErrorIs(t, err, full)
	require.ErrorContains(t, err, "alias:checkout/live serves version 1 again")
	assert.True(t, c.live().Only("1"))
}
