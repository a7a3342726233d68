package instances_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/shared/amazon/instances"
	"github.com/pullback-dev/pullback/shared/deploy"
)

func fileExists(b cdtypes.FileExistsBehavior) func(*codedeploy.CreateDeploymentInput) {
	return func(in *codedeploy.CreateDeploymentInput) { in.FileExistsBehavior = b }
}

// scripts skips a test on a machine where the scripts of instances cannot run.
func (c *cloud) scripts(d deploy.Deployment) {
	c.t.Helper()
	out := ok[*codedeploy.BatchGetDeploymentTargetsOutput](c.t)(c.deploys.BatchGetDeploymentTargets(c.t.Context(), &codedeploy.BatchGetDeploymentTargetsInput{
		DeploymentId: aws.String(string(d.ID)), TargetIds: c.instances[:1],
	}))
	for _, e := range out.DeploymentTargets[0].InstanceTarget.LifecycleEvents {
		if e.Diagnostics != nil && strings.Contains(aws.ToString(e.Diagnostics.Message), "cannot confine") {
			c.t.Skip("this machine cannot confine scripts")
		}
	}
}

func TestABadRevisionThatCannotBeStoppedBlocksItsRollbackOnce(t *testing.T) {
	c := newCloud(t)
	c.launch(2, "web")
	c.group()
	good, bad := c.bundle("good.zip", nil), c.bundle("bad.zip", map[string]string{"ApplicationStop": "exit 1"})
	require.Equal(t, deploy.Succeeded, c.to(good).Status)
	require.Equal(t, deploy.Succeeded, c.to(bad).Status)

	first := c.restore(deploy.Restore{From: name(bad), To: name(good), Attempt: 1})
	c.scripts(first)
	assert.Equal(t, []any{deploy.Failed, "ApplicationStop", true}, []any{first.Status, first.FailedIn, first.Blocked()})
	assert.Equal(t, deploy.Live{Place: place, Version: name(bad)}, c.live(), "nothing has changed")
	assert.Zero(t, first.Shifted)

	second := c.restore(deploy.Restore{From: name(bad), To: name(good), Attempt: 2})
	assert.Equal(t, []any{deploy.Succeeded, "", false}, []any{second.Status, second.FailedIn, second.Blocked()})
	assert.Equal(t, deploy.Live{Place: place, Version: name(good)}, c.live())
	for _, i := range c.instances {
		assert.Equal(t, "good.zip", c.page(i))
	}
}

func TestAFleetThatADeploymentLeftHalfwayIsMendedByAnother(t *testing.T) {
	c := newCloud(t)
	c.launch(3, "web")
	c.group()
	good, bad := c.bundle("good.zip", nil), c.bundle("bad.zip", map[string]string{"ApplicationStart": "exit 1"})
	first := c.to(good)
	d := c.to(bad)
	c.scripts(d)
	assert.Equal(t, deploy.Deployment{
		ID: d.ID, Target: place.Target, Platform: deploy.OnServer, Status: deploy.Failed, Creator: "user", From: name(good), To: name(bad),
		Created: d.Created, Started: d.Created.Add(time.Second), Shifted: d.Created.Add(4 * time.Second), Ended: d.Ended,
		Cause: "HEALTH_CONSTRAINTS", FailedIn: "ApplicationStart", Content: first.Content,
	}, d)
	assert.False(t, d.Blocked())
	live := c.live()
	assert.Equal(t, name(good), live.Version, "%+v", live)
	assert.InDeltaMapValues(t, map[deploy.Revision]float64{name(bad): 1.0 / 3}, live.Weights, 0.001)
	assert.Empty(t, live.Stuck)
	require.ErrorContains(t, c.driver.Heal(t.Context(), live, name(good)), "never stuck")

	assert.Equal(t, deploy.Succeeded, c.restore(deploy.Restore{From: name(bad), To: name(good), Attempt: 1}).Status)
	assert.Equal(t, deploy.Live{Place: place, Version: name(good)}, c.live())
}

func TestWhatRunsIsKnownInstanceByInstance(t *testing.T) {
	c := newCloud(t)
	c.launch(2, "web")
	c.group()
	assert.Equal(t, deploy.Live{Place: place}, c.live(), "nothing was deployed yet")
	a, b := c.bundle("a.zip", nil), c.bundle("b.zip", nil)
	c.begin(a)
	assert.Equal(t, deploy.Live{Place: place}, c.live(), "it has not started")
	c.settle()
	assert.Equal(t, deploy.Live{Place: place, Version: name(a)}, c.live())

	c.begin(b)
	c.advance(1500 * time.Millisecond)
	assert.Equal(t, deploy.Live{Place: place, Version: name(a)}, c.live(), "it is at ApplicationStop")
	c.advance(4 * time.Second)
	live := c.live()
	assert.Equal(t, name(a), live.Version)
	assert.Equal(t, map[deploy.Revision]float64{name(b): 0.5}, live.Weights)
	c.settle()
	c.launch(1, "web")
	c.to(a, func(in *codedeploy.CreateDeploymentInput) { in.UpdateOutdatedInstancesOnly = true })
	assert.Equal(t, deploy.Live{Place: place, Version: name(a)}, c.live())
	_, err := c.driver.Live(t.Context(), deploy.Place{Target: deploy.Target{Application: "shop", Group: "nobody"}, Platform: deploy.OnServer})
	require.ErrorIs(t, err, deploy.ErrUnknown)
}

func TestAnInstanceThatNothingIsKnownOfCountsForNoRevision(t *testing.T) {
	c := newCloud(t)
	c.launch(3, "web")
	ok[*ec2.CreateTagsOutput](t)(c.machines.CreateTags(t.Context(), &ec2.CreateTagsInput{
		Resources: c.instances[2:], Tags: []ec2types.Tag{{Key: aws.String("local-aws:codedeploy-agent"), Value: aws.String("absent")}},
	}))
	c.group()
	a := c.bundle("a.zip", nil)
	assert.Equal(t, deploy.Succeeded, c.to(a).Status, "OneAtATime lets the last one fail")
	live := c.live()
	assert.Equal(t, name(a), live.Version)
	assert.InDeltaMapValues(t, map[deploy.Revision]float64{"": 1.0 / 3}, live.Weights, 0.001)
}

func TestWhatWasThereBeforeIsTheLastThatSucceeded(t *testing.T) {
	c := newCloud(t)
	c.launch(1, "web")
	c.group()
	a, b := c.bundle("a.zip", nil), c.bundle("b.zip", nil)
	gone := c.bundle("gone.zip", nil)
	ok[*s3.DeleteObjectOutput](t)(c.store.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: gone.Bucket, Key: gone.Key, VersionId: gone.Version}))
	first, second, failed, third := c.to(a), c.to(b), c.to(gone), c.to(a)
	assert.Equal(t, [][]deploy.Revision{{"", name(a)}, {name(a), name(b)}, {name(b), name(gone)}, {name(b), name(a)}}, [][]deploy.Revision{
		{first.From, first.To}, {second.From, second.To}, {failed.From, failed.To}, {third.From, third.To},
	})
	assert.Equal(t, "DownloadBundle", failed.FailedIn)
}

func TestFilesThatWereRetainedAreGoneAfterARollback(t *testing.T) {
	c := newCloud(t)
	c.launch(1, "web")
	c.group()
	own := c.path(c.instances[0], "var/www/index.html")
	require.NoError(t, os.MkdirAll(filepath.Dir(own), 0o750))
	require.NoError(t, os.WriteFile(own, []byte("made by hand"), 0o600))
	good := c.to(c.bundle("good.zip", nil), fileExists(cdtypes.FileExistsBehaviorRetain))
	require.Equal(t, "made by hand", c.page(c.instances[0]))
	bad := c.to(c.bundle("bad.zip", map[string]string{"ApplicationStart": "exit 1"}), fileExists(cdtypes.FileExistsBehaviorOverwrite))
	c.scripts(bad)
	assert.Contains(t, deploy.ContentLost(bad, good.Content), "the rollback removes them and does not bring them back")

	back := c.restore(deploy.Restore{From: bad.To, To: good.To, Attempt: 1, Content: good.Content})
	assert.Equal(t, []any{deploy.Succeeded, "RETAIN"}, []any{back.Status, back.Content})
	assert.NotEqual(t, "made by hand", c.page(c.instances[0]), "as the warning says")
}

func TestABundleIsReadyWhenItIsThereAsItWas(t *testing.T) {
	c := newCloud(t)
	c.launch(1, "web")
	c.group()
	at := c.bundle("web app/ä+b.zip", nil)
	pinned := func(version, tag *string) deploy.Revision {
		return c.to(&cdtypes.S3Location{Bucket: at.Bucket, Key: at.Key, BundleType: at.BundleType, Version: version, ETag: tag}).To
	}
	both, byTag, loose := pinned(at.Version, at.ETag), pinned(nil, at.ETag), pinned(nil, nil)
	assert.Equal(t, deploy.Revision("s3://bundles/web%20app/%C3%A4+b.zip?bundleType=zip"), loose, "stored, must not change")
	for _, r := range []deploy.Revision{both, byTag, loose, "github://shop/web@7f3c2a1"} {
		require.NoError(t, c.driver.Ready(t.Context(), place, r), r)
	}
	ok[*s3.PutObjectOutput](t)(c.store.PutObject(t.Context(), &s3.PutObjectInput{Bucket: at.Bucket, Key: at.Key, Body: strings.NewReader("other")}))
	require.NoError(t, c.driver.Ready(t.Context(), place, both), "the version is still there")
	err := c.driver.Ready(t.Context(), place, byTag)
	require.ErrorIs(t, err, deploy.ErrNotReady)
	require.ErrorContains(t, err, "it has been overwritten")
	require.NoError(t, c.driver.Ready(t.Context(), place, loose), "whatever is there is what it means")

	ok[*s3.DeleteObjectOutput](t)(c.store.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: at.Bucket, Key: at.Key, VersionId: at.Version}))
	ok[*s3.DeleteObjectOutput](t)(c.store.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: at.Bucket, Key: at.Key}))
	err = c.driver.Ready(t.Context(), place, both)
	require.ErrorIs(t, err, deploy.ErrUnknown)
	require.ErrorContains(t, err, "S3 does not have version "+*at.Version+" of the object web app/ä+b.zip in bucket bundles any more")
	err = c.driver.Ready(t.Context(), place, loose)
	require.ErrorIs(t, err, deploy.ErrUnknown)
	require.ErrorContains(t, err, "S3 does not have the object web app/ä+b.zip in bucket bundles any more")

	digest := ok[deploy.Digest](t)(c.driver.Digest(t.Context(), place, both))
	assert.Equal(t, deploy.Digest("etag:"+*at.ETag), digest, "also of one that is gone")
	assert.Equal(t, deploy.Digest("commit:7f3c2a1"), ok[deploy.Digest](t)(c.driver.Digest(t.Context(), place, "github://shop/web@7f3c2a1")))
}

func TestWhatIsNoRevisionIsUnknown(t *testing.T) {
	c := newCloud(t)
	for _, r := range []deploy.Revision{"", "7", "s3://", "s3://bundles", "s3://bundles/", "s3:///key", "s3://b u/k", "github://shop/web", "github://@7", "https://bundles/a.zip"} {
		require.ErrorIs(t, c.driver.Ready(t.Context(), place, r), deploy.ErrUnknown, r)
		_, err := c.driver.Digest(t.Context(), place, r)
		require.ErrorIs(t, err, deploy.ErrUnknown, r)
		_, err = c.driver.Restore(t.Context(), deploy.Restore{Place: place, To: r, Attempt: 1})
		require.ErrorIs(t, err, deploy.ErrUnknown, r)
	}
}

func TestARevisionIsDeployedFromWhereItsTextSays(t *testing.T) {
	c := newCloud(t)
	c.launch(1, "web")
	c.group()
	for _, key := range []string{"a.zip", "web app/ä+b.zip", "a?b=c&d#e%20f.zip"} {
		at := c.bundle(key, nil)
		d := c.to(at)
		back := c.restore(deploy.Restore{From: d.To, To: d.To, Attempt: 1})
		assert.Equal(t, []any{deploy.Succeeded, d.To}, []any{back.Status, back.To}, key)
		info := ok[*codedeploy.GetDeploymentOutput](t)(c.deploys.GetDeployment(t.Context(), &codedeploy.GetDeploymentInput{DeploymentId: aws.String(string(back.ID))}))
		assert.Equal(t, at, info.DeploymentInfo.Revision.S3Location)
		assert.Equal(t, "CodeDeployDefault.AllAtOnce", *info.DeploymentInfo.DeploymentConfigName)
	}
}

func TestABundleThatMayNotBeSeenIsNotCalledGone(t *testing.T) {
	c := newCloud(t)
	c.launch(1, "web")
	c.group()
	at, users := c.bundle("a.zip", nil), iam.NewFromConfig(c.config)
	ok[*iam.CreateUserOutput](t)(users.CreateUser(t.Context(), &iam.CreateUserInput{UserName: aws.String("blind")}))
	key := ok[*iam.CreateAccessKeyOutput](t)(users.CreateAccessKey(t.Context(), &iam.CreateAccessKeyInput{UserName: aws.String("blind")})).AccessKey
	blind := s3.NewFromConfig(c.config, func(o *s3.Options) {
		o.UsePathStyle = true
		o.Credentials = credentials.NewStaticCredentialsProvider(*key.AccessKeyId, *key.SecretAccessKey, "")
	})
	err := instances.New(c.deploys, blind).Ready(t.Context(), place, name(at))
	require.ErrorContains(t, err, "S3 does not let pullback see version")
	require.NotErrorIs(t, err, deploy.ErrUnknown)
	require.NotErrorIs(t, err, deploy.ErrNotReady)
}

func TestAnInstanceThatJoinsRunsWhatTheOthersDo(t *testing.T) {
	c := newCloud(t)
	c.group(c.scale(1))
	a, b := c.bundle("a.zip", nil), c.bundle("b.zip", map[string]string{"ApplicationStart": "exit 1"})
	require.Equal(t, deploy.Succeeded, c.to(a).Status)
	ok[*autoscaling.SetDesiredCapacityOutput](t)(autoscaling.NewFromConfig(c.config).SetDesiredCapacity(t.Context(), &autoscaling.SetDesiredCapacityInput{
		AutoScalingGroupName: aws.String("web"), DesiredCapacity: aws.Int32(2),
	}))
	c.advance(10 * time.Minute)
	recent := ok[[]deploy.Deployment](t)(c.driver.Recent(t.Context(), place.Target, time.Time{}))
	require.Len(t, recent, 2)
	assert.Equal(t, []bool{true, false}, []bool{recent[0].Aside(), recent[1].Aside()})
	assert.Equal(t, deploy.Live{Place: place, Version: name(a)}, c.live())
	d := c.to(b)
	assert.Equal(t, name(a), d.From)
	assert.Equal(t, map[deploy.Revision]float64{name(b): 0.5}, c.live().Weights, "it is one of two")
}
