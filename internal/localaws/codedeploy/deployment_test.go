package codedeploy_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/stretchr/testify/assert"
)

func TestCreateDeploymentIsChecked(t *testing.T) {
	t.Parallel()
	b := withGroup(t, nil)
	for want, change := range map[string]func(*sdk.CreateDeploymentInput){
		"ApplicationNameRequiredException":     func(in *sdk.CreateDeploymentInput) { in.ApplicationName = nil },
		"ApplicationDoesNotExistException":     func(in *sdk.CreateDeploymentInput) { in.ApplicationName = aws.String("other") },
		"DeploymentGroupNameRequiredException": func(in *sdk.CreateDeploymentInput) { in.DeploymentGroupName = nil },
		"DeploymentGroupDoesNotExistException": func(in *sdk.CreateDeploymentInput) { in.DeploymentGroupName = aws.String("other") },
		"RevisionRequiredException":            func(in *sdk.CreateDeploymentInput) { in.Revision = nil },
		"RevisionDoesNotExistException": func(in *sdk.CreateDeploymentInput) {
			in.Revision.AppSpecContent = &cdtypes.AppSpecContent{Sha256: aws.String("ab")}
		},
		"content is missing":                      func(in *sdk.CreateDeploymentInput) { in.Revision = revision("") },
		"sha256 does not match the content":       func(in *sdk.CreateDeploymentInput) { in.Revision.AppSpecContent.Sha256 = aws.String("ab") },
		"appSpecContent is missing":               func(in *sdk.CreateDeploymentInput) { in.Revision.AppSpecContent = nil },
		"for compute platform Lambda, not GitHub": func(in *sdk.CreateDeploymentInput) { in.Revision.RevisionType = cdtypes.RevisionLocationTypeGitHub },
		"bucket or key is missing":                func(in *sdk.CreateDeploymentInput) { in.Revision.RevisionType = cdtypes.RevisionLocationTypeS3 },
		"must be one of [YAML JSON] for compute platform Lambda, not zip": func(in *sdk.CreateDeploymentInput) {
			in.Revision = stored("x")
			in.Revision.S3Location.BundleType = "zip"
		},
		"DeploymentConfigDoesNotExistException":              func(in *sdk.CreateDeploymentInput) { in.DeploymentConfigName = aws.String("none") },
		"DescriptionTooLongException":                        func(in *sdk.CreateDeploymentInput) { in.Description = aws.String(strings.Repeat("x", 257)) },
		"InvalidTargetInstancesException":                    func(in *sdk.CreateDeploymentInput) { in.TargetInstances = &cdtypes.TargetInstances{} },
		"InvalidUpdateOutdatedInstancesOnlyValueException":   func(in *sdk.CreateDeploymentInput) { in.UpdateOutdatedInstancesOnly = true },
		"InvalidIgnoreApplicationStopFailuresValueException": func(in *sdk.CreateDeploymentInput) { in.IgnoreApplicationStopFailures = true },
		"InvalidFileExistsBehaviorException":                 func(in *sdk.CreateDeploymentInput) { in.FileExistsBehavior = "KEEP" },
		"InvalidAutoRollbackConfigException":                 func(in *sdk.CreateDeploymentInput) { in.AutoRollbackConfiguration = rollbackOn() },
		"InvalidAlarmConfigException":                        func(in *sdk.CreateDeploymentInput) { in.OverrideAlarmConfiguration = watch() },
	} {
		in := input(bare("1", "2"))
		change(in)
		assert.Contains(t, fails[sdk.CreateDeploymentOutput](b, "CreateDeployment", in), want)
	}
	assert.Empty(t, b.list())
}

func TestGroupHasOneActiveDeployment(t *testing.T) {
	t.Parallel()
	b := withGroup(t, nil)
	id := b.deploy(input(bare("1", "2")))
	second := func() string { return fails[sdk.CreateDeploymentOutput](b, "CreateDeployment", input(bare("1", "3"))) }
	want := "DeploymentLimitExceededException: The Deployment Group 'checkout' already has an active Deployment '" + id + "'"
	assert.Equal(t, want, second())
	b.advance(time.Minute)
	assert.Equal(t, want, second())
	b.advance(time.Hour)
	b.deploy(input(bare("2", "3")))
}

func TestTargetsExistOnceTheDeploymentStarted(t *testing.T) {
	t.Parallel()
	b := withGroup(t, nil)
	id := aws.String(b.deploy(input(bare("1", "2"))))
	list := &sdk.ListDeploymentTargetsInput{DeploymentId: id}
	assert.Contains(t, fails[sdk.ListDeploymentTargetsOutput](b, "ListDeploymentTargets", list), "DeploymentNotStartedException")
	b.advance(time.Minute)
	assert.Equal(t, []string{"checkout"}, do[sdk.ListDeploymentTargetsOutput](b, "ListDeploymentTargets", list).TargetIds)
	list.TargetFilters = map[string][]string{"TargetStatus": {"Failed"}}
	assert.Empty(t, do[sdk.ListDeploymentTargetsOutput](b, "ListDeploymentTargets", list).TargetIds)
	list.TargetFilters = map[string][]string{"Colour": {"Blue"}}
	assert.Contains(t, fails[sdk.ListDeploymentTargetsOutput](b, "ListDeploymentTargets", list), "InvalidTargetFilterNameException")
	batch := do[sdk.BatchGetDeploymentTargetsOutput](b, "BatchGetDeploymentTargets", &sdk.BatchGetDeploymentTargetsInput{DeploymentId: id, TargetIds: []string{"checkout"}})
	assert.Equal(t, []cdtypes.DeploymentTarget{{DeploymentTargetType: "LambdaTarget", LambdaTarget: b.target(*id)}}, batch.DeploymentTargets)
	for name, want := range map[string]string{"": "DeploymentTargetIdRequiredException", "other": "DeploymentTargetDoesNotExistException"} {
		assert.Contains(t, fails[sdk.GetDeploymentTargetOutput](b, "GetDeploymentTarget", &sdk.GetDeploymentTargetInput{DeploymentId: id, TargetId: aws.String(name)}), want)
	}
}

func TestContinueIsNotForLambdaDeployments(t *testing.T) {
	t.Parallel()
	b := withGroup(t, nil)
	in := &sdk.ContinueDeploymentInput{DeploymentId: aws.String(b.deploy(input(bare("1", "2")))), DeploymentWaitType: "READY_WAIT"}
	assert.Contains(t, fails[sdk.ContinueDeploymentOutput](b, "ContinueDeployment", in), "UnsupportedActionForDeploymentTypeException")
	b.advance(time.Hour)
	assert.Contains(t, fails[sdk.ContinueDeploymentOutput](b, "ContinueDeployment", in), "DeploymentAlreadyCompletedException")
	in.DeploymentWaitType = "LONG_WAIT"
	assert.Contains(t, fails[sdk.ContinueDeploymentOutput](b, "ContinueDeployment", in), "InvalidDeploymentWaitTypeException")
}

func TestDeploymentsAreListedNewestFirst(t *testing.T) {
	t.Parallel()
	b := withGroup(t, func(in *sdk.CreateDeploymentGroupInput) { in.DeploymentConfigName = nil })
	var ids []string
	for i := range 103 {
		ids = append(ids, b.deploy(input(bare(fmt.Sprint(1+i%2), fmt.Sprint(2-i%2)))))
		b.advance(10 * time.Second)
	}
	slices.Reverse(ids)
	list := func(in *sdk.ListDeploymentsInput) *sdk.ListDeploymentsOutput {
		return do[sdk.ListDeploymentsOutput](b, "ListDeployments", in)
	}
	first := list(&sdk.ListDeploymentsInput{})
	assert.Equal(t, ids[:100], first.Deployments)
	running := b.deploy(input(bare("2", "3")))
	second := list(&sdk.ListDeploymentsInput{NextToken: first.NextToken})
	assert.Equal(t, ids[100:], second.Deployments, "a new deployment does not shift the pages")
	assert.Nil(t, second.NextToken)
	assert.Equal(t, []string{running}, list(&sdk.ListDeploymentsInput{
		ApplicationName: aws.String(app), DeploymentGroupName: aws.String(grp), IncludeOnlyStatuses: []cdtypes.DeploymentStatus{"Created", "InProgress"},
	}).Deployments)
	at := func(n int) *time.Time { return aws.Time(b.epoch.Add(time.Duration(n) * 10 * time.Second)) }
	assert.Equal(t, ids[97:100], list(&sdk.ListDeploymentsInput{CreateTimeRange: &cdtypes.TimeRange{Start: at(3), End: at(5)}}).Deployments)
	assert.Empty(t, list(&sdk.ListDeploymentsInput{ExternalId: aws.String("stack")}).Deployments)
	for want, in := range map[string]*sdk.ListDeploymentsInput{
		"DeploymentGroupNameRequiredException": {ApplicationName: aws.String(app)},
		"ApplicationNameRequiredException":     {DeploymentGroupName: aws.String(grp)},
		"DeploymentGroupDoesNotExistException": {ApplicationName: aws.String(app), DeploymentGroupName: aws.String("other")},
		"InvalidDeploymentStatusException":     {IncludeOnlyStatuses: []cdtypes.DeploymentStatus{"Great"}},
		"InvalidTimeRangeException":            {CreateTimeRange: &cdtypes.TimeRange{Start: at(5), End: at(3)}},
		"InvalidNextTokenException":            {NextToken: aws.String("x")},
	} {
		assert.Contains(t, fails[sdk.ListDeploymentsOutput](b, "ListDeployments", in), want)
	}
}

func TestDeploymentsAreReadInBatches(t *testing.T) {
	t.Parallel()
	b := withGroup(t, nil)
	id := b.deploy(input(bare("1", "2")))
	batch := func(ids ...string) *sdk.BatchGetDeploymentsInput {
		return &sdk.BatchGetDeploymentsInput{DeploymentIds: ids}
	}
	assert.Equal(t, []cdtypes.DeploymentInfo{*b.get(id)}, do[sdk.BatchGetDeploymentsOutput](b, "BatchGetDeployments", batch(id)).DeploymentsInfo)
	for want, in := range map[string]*sdk.BatchGetDeploymentsInput{
		"DeploymentIdRequiredException": batch(),
		"InvalidDeploymentIdException: Specified DeploymentId is not in the valid format: bogus-deployment": batch("bogus-deployment"),
		"DeploymentDoesNotExistException: The deployment d-AAAAAAAAA could not be found":                    batch(id, "d-AAAAAAAAA"),
		"(25) was exceeded": batch(slices.Repeat([]string{id}, 26)...),
	} {
		assert.Contains(t, fails[sdk.BatchGetDeploymentsOutput](b, "BatchGetDeployments", in), want)
	}
}

func TestRevisionsKeepTheirText(t *testing.T) {
	t.Parallel()
	b := withGroup(t, nil)
	text := bare("1", "2").Text()
	id := b.deploy(input(bare("1", "2")))
	shown := b.get(id).Revision
	assert.Nil(t, shown.AppSpecContent.Content)
	get := &sdk.GetApplicationRevisionInput{ApplicationName: aws.String(app), Revision: shown}
	whole := revision(text)
	whole.AppSpecContent.Sha256 = shown.AppSpecContent.Sha256
	info := &cdtypes.GenericRevisionInfo{
		DeploymentGroups: []string{}, RegisterTime: aws.Time(b.epoch), FirstUsedTime: aws.Time(b.epoch), LastUsedTime: aws.Time(b.epoch),
	}
	out := do[sdk.GetApplicationRevisionOutput](b, "GetApplicationRevision", get)
	assert.Equal(t, whole, out.Revision)
	assert.Equal(t, info, out.RevisionInfo)
	b.advance(time.Hour)
	info.DeploymentGroups = []string{grp}
	assert.Equal(t, []cdtypes.RevisionInfo{{RevisionLocation: whole, GenericRevisionInfo: info}},
		do[sdk.BatchGetApplicationRevisionsOutput](b, "BatchGetApplicationRevisions", &sdk.BatchGetApplicationRevisionsInput{
			ApplicationName: aws.String(app), Revisions: []cdtypes.RevisionLocation{*shown},
		}).Revisions)
	do[sdk.RegisterApplicationRevisionOutput](b, "RegisterApplicationRevision", &sdk.RegisterApplicationRevisionInput{
		ApplicationName: aws.String(app), Revision: stored("next.yaml"), Description: aws.String("next"),
	})
	list := func(in *sdk.ListApplicationRevisionsInput) []cdtypes.RevisionLocation {
		in.ApplicationName = aws.String(app)
		return do[sdk.ListApplicationRevisionsOutput](b, "ListApplicationRevisions", in).Revisions
	}
	assert.Equal(t, []cdtypes.RevisionLocation{*shown, *stored("next.yaml")}, list(&sdk.ListApplicationRevisionsInput{}))
	assert.Equal(t, []cdtypes.RevisionLocation{*stored("next.yaml"), *shown}, list(&sdk.ListApplicationRevisionsInput{SortBy: "registerTime", SortOrder: "descending"}))
	assert.Equal(t, []cdtypes.RevisionLocation{*stored("next.yaml"), *shown}, list(&sdk.ListApplicationRevisionsInput{SortBy: "lastUsedTime"}))
	assert.Equal(t, []cdtypes.RevisionLocation{*shown}, list(&sdk.ListApplicationRevisionsInput{Deployed: "include"}))
	assert.Equal(t, []cdtypes.RevisionLocation{*stored("next.yaml")}, list(&sdk.ListApplicationRevisionsInput{Deployed: "exclude"}))
	assert.Equal(t, []cdtypes.RevisionLocation{*stored("next.yaml")}, list(&sdk.ListApplicationRevisionsInput{S3Bucket: aws.String("revisions"), S3KeyPrefix: aws.String("next")}))
	get.Revision = stored("other.yaml")
	assert.Contains(t, fails[sdk.GetApplicationRevisionOutput](b, "GetApplicationRevision", get), "RevisionDoesNotExistException")
}

func TestRevisionIsDeployedAgainByItsHash(t *testing.T) {
	t.Parallel()
	b := withGroup(t, nil)
	id := b.deploy(input(bare("1", "2")))
	b.advance(time.Hour)
	b.version = "1"
	in := input(bare("1", "2"))
	in.Revision = b.get(id).Revision
	b.deploy(in)
	b.advance(time.Hour)
	assert.Equal(t, "2", b.version)
}
