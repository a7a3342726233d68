package codedeploy_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	sdk "github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/stretchr/testify/assert"
)

func TestAlarmStopsADeploymentToInstances(t *testing.T) {
	t.Parallel()
	b := newServerBench(t)
	b.fleet(3)
	b.alarms["errors"] = cwtypes.StateValueOk
	b.group(func(in *sdk.CreateDeploymentGroupInput) {
		in.AlarmConfiguration = watch("errors")
		in.AutoRollbackConfiguration = rollbackOn(cdtypes.AutoRollbackEventDeploymentStopOnAlarm)
	})
	b.deploy(of(b.upload("one", site("one", ""))))
	b.advance(time.Minute)
	id := b.deploy(of(b.upload("two", site("two", ""))))
	b.advance(9 * time.Second)
	b.alarms["errors"] = cwtypes.StateValueAlarm
	b.advance(3 * time.Second)
	assert.Equal(t, cdtypes.DeploymentStatusStopped, b.get(id).Status)
	assert.Equal(t, cdtypes.ErrorCodeAlarmActive, b.get(id).ErrorInformation.Code)
	assert.Equal(t, "i-0000000a Succeeded, i-0000000b Failed, i-0000000c Skipped", b.statuses(id))
	assert.Contains(t, b.on(id, "i-0000000b"), "-Install .AfterInstall")
	b.advance(time.Hour)
	assert.Equal(t, "one one one", b.pages("i-0000000a", "i-0000000b", "i-0000000c"))
	red := b.deploy(of(b.upload("three", site("three", ""))))
	b.advance(time.Hour)
	assert.Equal(t, cdtypes.DeploymentStatusStopped, b.get(red).Status, "the alarm is in ALARM from the start")
	in := of(b.upload("three", site("three", "")))
	in.OverrideAlarmConfiguration = &cdtypes.AlarmConfiguration{}
	over := b.deploy(in)
	b.advance(time.Hour)
	assert.Equal(t, cdtypes.DeploymentStatusSucceeded, b.get(over).Status)
}

func TestStopOfADeploymentToInstances(t *testing.T) {
	t.Parallel()
	b := newServerBench(t)
	ids := b.fleet(2)
	b.group(nil)
	b.deploy(of(b.upload("one", site("one", ""))))
	b.advance(time.Minute)
	id := b.deploy(of(b.upload("two", site("two", ""))))
	b.advance(4500 * time.Millisecond)
	do[sdk.StopDeploymentOutput](b.bench, "StopDeployment", &sdk.StopDeploymentInput{DeploymentId: aws.String(id), AutoRollbackEnabled: aws.Bool(true)})
	b.advance(time.Minute)
	assert.Equal(t, cdtypes.ErrorCodeManualStop, b.get(id).ErrorInformation.Code)
	assert.Equal(t, "+ApplicationStop +DownloadBundle +BeforeInstall -Install .AfterInstall .ApplicationStart .ValidateService", b.on(id, ids[0]))
	assert.Equal(t, "one one", b.pages(ids...))
	assert.Equal(t, cdtypes.DeploymentStatusSucceeded, b.get(b.list()[2]).Status)
}

func TestBrokenStopScriptOfTheOldRevisionBlocksUntilItIsIgnored(t *testing.T) {
	t.Parallel()
	b := newServerBench(t)
	ids := b.fleet(1)
	b.group(nil)
	b.deploy(of(b.upload("one", site("one", hookOf("ApplicationStop", "bad.sh")))))
	b.advance(time.Minute)
	id := b.deploy(of(b.upload("two", site("two", ""))))
	b.advance(time.Minute)
	assert.Equal(t, "-ApplicationStop"+skipped[len(".ApplicationStop"):], b.on(id, ids[0]))
	in := of(b.upload("two", site("two", "")))
	in.IgnoreApplicationStopFailures = true
	id = b.deploy(in)
	b.advance(time.Minute)
	assert.Equal(t, "-ApplicationStop"+installed[len("+ApplicationStop"):], b.on(id, ids[0]))
	assert.Equal(t, cdtypes.DeploymentStatusSucceeded, b.get(id).Status)
	assert.Equal(t, "two", b.page(ids[0]))
}

func TestRevisionsThatCannotBeDownloaded(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		revision func(b *serverBench) *cdtypes.RevisionLocation
		want     string
	}{
		"no such object": {func(b *serverBench) *cdtypes.RevisionLocation {
			r := b.upload("one", site("one", ""))
			r.S3Location.Key = aws.String("two.zip")
			return r
		}, "The specified key does not exist."},
		"another ETag": {func(b *serverBench) *cdtypes.RevisionLocation {
			r := b.upload("one", site("one", ""))
			r.S3Location.ETag = aws.String("e2")
			return r
		}, `the ETag of s3://revisions/one.zip is "e1", not e2`},
		"wrong type": {func(b *serverBench) *cdtypes.RevisionLocation {
			r := b.upload("one", site("one", ""))
			r.S3Location.BundleType = cdtypes.BundleTypeTarGZip
			return r
		}, "Error extracting tar archive"},
		"from GitHub": {func(*serverBench) *cdtypes.RevisionLocation {
			return &cdtypes.RevisionLocation{RevisionType: cdtypes.RevisionLocationTypeGitHub, GitHubLocation: &cdtypes.GitHubLocation{
				Repository: aws.String("octo/shop"), CommitId: aws.String("c0ffee"),
			}}
		}, "the revision c0ffee of octo/shop cannot be downloaded: this local AWS has no way to GitHub"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newServerBench(t)
			b.fleet(1)
			b.group(nil)
			id := b.deploy(of(c.revision(b)))
			b.advance(time.Minute)
			i := b.instance(id, "i-0000000a")
			assert.Equal(t, "+ApplicationStop -DownloadBundle .BeforeInstall .Install .AfterInstall .ApplicationStart .ValidateService", events(i.LifecycleEvents))
			assert.Contains(t, *i.LifecycleEvents[1].Diagnostics.Message, c.want)
			assert.Equal(t, cdtypes.LifecycleErrorCodeUnknownError, i.LifecycleEvents[1].Diagnostics.ErrorCode)
		})
	}
}
