package ec2_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	localssm "github.com/pullback-dev/pullback/internal/localaws/ssm"
)

// launchTemplate makes a template with one version and returns its id.
func (b *bench) launchTemplate(name string, data ec2types.RequestLaunchTemplateData) string {
	b.t.Helper()
	out := must[*ec2.CreateLaunchTemplateOutput](b)(b.CreateLaunchTemplate(b.ctx, &ec2.CreateLaunchTemplateInput{
		LaunchTemplateName: &name, LaunchTemplateData: &data,
	}))
	return *out.LaunchTemplate.LaunchTemplateId
}

func web() ec2types.RequestLaunchTemplateData {
	return ec2types.RequestLaunchTemplateData{
		ImageId: aws.String(ami), InstanceType: ec2types.InstanceTypeT3Micro, UserData: aws.String("djE="),
		TagSpecifications: []ec2types.LaunchTemplateTagSpecificationRequest{{ResourceType: ec2types.ResourceTypeInstance, Tags: []ec2types.Tag{tag("app", "web")}}},
		BlockDeviceMappings: []ec2types.LaunchTemplateBlockDeviceMappingRequest{
			{DeviceName: aws.String("/dev/xvda"), Ebs: &ec2types.LaunchTemplateEbsBlockDeviceRequest{VolumeSize: aws.Int32(20), VolumeType: ec2types.VolumeTypeGp3}},
		},
	}
}

func TestAVersionInheritsWhatItDoesNotSay(t *testing.T) {
	b := newBench(t)
	id := b.launchTemplate("web", web())
	out := must[*ec2.CreateLaunchTemplateVersionOutput](b)(b.CreateLaunchTemplateVersion(b.ctx, &ec2.CreateLaunchTemplateVersionInput{
		LaunchTemplateId: &id, SourceVersion: aws.String("1"), VersionDescription: aws.String("second"),
		LaunchTemplateData: &ec2types.RequestLaunchTemplateData{UserData: aws.String("djI=")},
	}))
	assert.Equal(t, &ec2types.LaunchTemplateVersion{
		LaunchTemplateId: &id, LaunchTemplateName: aws.String("web"), VersionNumber: aws.Int64(2), VersionDescription: aws.String("second"),
		CreateTime: aws.Time(b.start), CreatedBy: aws.String("arn:aws:iam::123456789012:root"), DefaultVersion: aws.Bool(false),
		LaunchTemplateData: &ec2types.ResponseLaunchTemplateData{
			ImageId: aws.String(ami), InstanceType: ec2types.InstanceTypeT3Micro, UserData: aws.String("djI="),
			TagSpecifications: []ec2types.LaunchTemplateTagSpecification{{ResourceType: ec2types.ResourceTypeInstance, Tags: []ec2types.Tag{tag("app", "web")}}},
			BlockDeviceMappings: []ec2types.LaunchTemplateBlockDeviceMapping{
				{DeviceName: aws.String("/dev/xvda"), Ebs: &ec2types.LaunchTemplateEbsBlockDevice{VolumeSize: aws.Int32(20), VolumeType: ec2types.VolumeTypeGp3}},
			},
		},
	}, out.LaunchTemplateVersion)

	fresh := must[*ec2.CreateLaunchTemplateVersionOutput](b)(b.CreateLaunchTemplateVersion(b.ctx, &ec2.CreateLaunchTemplateVersionInput{
		LaunchTemplateName: aws.String("web"), LaunchTemplateData: &ec2types.RequestLaunchTemplateData{ImageId: aws.String(ami)},
	}))
	assert.Equal(t, &ec2types.ResponseLaunchTemplateData{ImageId: aws.String(ami)}, fresh.LaunchTemplateVersion.LaunchTemplateData, "without a source")
}

func TestATemplateLaunchesTheVersionThatIsAskedFor(t *testing.T) {
	b := newBench(t)
	id := b.launchTemplate("web", web())
	must[*ec2.CreateLaunchTemplateVersionOutput](b)(b.CreateLaunchTemplateVersion(b.ctx, &ec2.CreateLaunchTemplateVersionInput{
		LaunchTemplateId: &id, SourceVersion: aws.String("1"), LaunchTemplateData: &ec2types.RequestLaunchTemplateData{InstanceType: ec2types.InstanceTypeM5Large},
	}))
	launch := func(version *string, change ...func(*ec2.RunInstancesInput)) ec2types.Instance {
		id := b.run(1, append([]func(*ec2.RunInstancesInput){func(in *ec2.RunInstancesInput) {
			in.ImageId, in.InstanceType = nil, ""
			in.LaunchTemplate = &ec2types.LaunchTemplateSpecification{LaunchTemplateName: aws.String("web"), Version: version}
		}}, change...)...)[0]
		return b.instance(id)
	}
	first := launch(nil)
	assert.Equal(t, ec2types.InstanceTypeT3Micro, first.InstanceType)
	assert.Equal(t, []ec2types.Tag{tag("app", "web"), tag("aws:ec2launchtemplate:id", id), tag("aws:ec2launchtemplate:version", "1")}, first.Tags)
	assert.Equal(t, ec2types.InstanceTypeM5Large, launch(aws.String("$Latest")).InstanceType)
	assert.Equal(t, ec2types.InstanceTypeC5Large, launch(aws.String("2"), func(in *ec2.RunInstancesInput) { in.InstanceType = ec2types.InstanceTypeC5Large }).InstanceType,
		"the request overrides the template")

	must[*ec2.ModifyLaunchTemplateOutput](b)(b.ModifyLaunchTemplate(b.ctx, &ec2.ModifyLaunchTemplateInput{LaunchTemplateId: &id, DefaultVersion: aws.String("2")}))
	assert.Equal(t, ec2types.InstanceTypeM5Large, launch(nil).InstanceType)
	assert.Equal(t, ec2types.InstanceTypeT3Micro, launch(aws.String("1")).InstanceType)

	_, err := b.RunInstances(b.ctx, &ec2.RunInstancesInput{
		MinCount: aws.Int32(1), MaxCount: aws.Int32(1), LaunchTemplate: &ec2types.LaunchTemplateSpecification{LaunchTemplateId: &id, Version: aws.String("9")},
	})
	assert.Equal(t, "InvalidLaunchTemplateId.VersionNotFound: Could not find launch template version 9", code(t, err))
}

func TestVersionsAreListedNewestFirst(t *testing.T) {
	b := newBench(t)
	id := b.launchTemplate("web", web())
	other := b.launchTemplate("other", web())
	for range 2 {
		must[*ec2.CreateLaunchTemplateVersionOutput](b)(b.CreateLaunchTemplateVersion(b.ctx, &ec2.CreateLaunchTemplateVersionInput{
			LaunchTemplateId: &id, SourceVersion: aws.String("1"), LaunchTemplateData: &ec2types.RequestLaunchTemplateData{KeyName: aws.String("key")},
		}))
	}
	list := func(in ec2.DescribeLaunchTemplateVersionsInput) []int64 {
		var all []int64
		for _, v := range must[*ec2.DescribeLaunchTemplateVersionsOutput](b)(b.DescribeLaunchTemplateVersions(b.ctx, &in)).LaunchTemplateVersions {
			all = append(all, *v.VersionNumber)
		}
		return all
	}
	assert.Equal(t, []int64{3, 2, 1}, list(ec2.DescribeLaunchTemplateVersionsInput{LaunchTemplateId: &id}))
	assert.Equal(t, []int64{2}, list(ec2.DescribeLaunchTemplateVersionsInput{LaunchTemplateId: &id, MinVersion: aws.String("2"), MaxVersion: aws.String("2")}))
	assert.Equal(t, []int64{3, 1}, list(ec2.DescribeLaunchTemplateVersionsInput{LaunchTemplateId: &id, Versions: []string{"$Latest", "$Default"}}))
	assert.Equal(t, []int64{3, 1}, list(ec2.DescribeLaunchTemplateVersionsInput{Versions: []string{"$Latest"}}), "of all templates")
	must[*ec2.DeleteLaunchTemplateOutput](b)(b.DeleteLaunchTemplate(b.ctx, &ec2.DeleteLaunchTemplateInput{LaunchTemplateId: &other}))
	out := must[*ec2.DescribeLaunchTemplatesOutput](b)(b.DescribeLaunchTemplates(b.ctx, &ec2.DescribeLaunchTemplatesInput{}))
	assert.Equal(t, []ec2types.LaunchTemplate{{
		LaunchTemplateId: &id, LaunchTemplateName: aws.String("web"), CreateTime: aws.Time(b.start), CreatedBy: aws.String("arn:aws:iam::123456789012:root"),
		DefaultVersionNumber: aws.Int64(1), LatestVersionNumber: aws.Int64(3), Tags: []ec2types.Tag{},
	}}, out.LaunchTemplates)
}

func TestAnImageMayBeAParameter(t *testing.T) {
	b := newBench(t)
	parameters := localssm.New(b.w, b.mux)
	b.mux.Handle(parameters.Wire())
	data := web()
	data.ImageId = aws.String("resolve:ssm:/golden")
	id := b.launchTemplate("golden", data)
	in := func(in *ec2.RunInstancesInput) {
		in.ImageId, in.LaunchTemplate = nil, &ec2types.LaunchTemplateSpecification{LaunchTemplateId: &id}
	}
	bad := &ec2.RunInstancesInput{MinCount: aws.Int32(1), MaxCount: aws.Int32(1)}
	in(bad)
	_, err := b.RunInstances(b.ctx, bad)
	assert.Contains(t, code(t, err), "InvalidParameterValue: The image ID parameter /golden could not be resolved")

	b.w.Lock()
	b.w.After(time.Second, func() {
		_, err := b.mux.Call(b.ctx, principal(), "ssm", "PutParameter", &ssm.PutParameterInput{Name: aws.String("/golden"), Value: aws.String(ami), Type: "String"})
		assert.NoError(t, err)
	})
	b.w.Unlock()
	b.advance(time.Second)
	assert.Equal(t, ami, *b.instance(b.run(1, in)[0]).ImageId)
	out := must[*ec2.DescribeLaunchTemplateVersionsOutput](b)(b.DescribeLaunchTemplateVersions(b.ctx, &ec2.DescribeLaunchTemplateVersionsInput{LaunchTemplateId: &id, ResolveAlias: aws.Bool(true)}))
	assert.Equal(t, ami, *out.LaunchTemplateVersions[0].LaunchTemplateData.ImageId)
}

func TestTemplatesAreRefused(t *testing.T) {
	b := newBench(t)
	b.launchTemplate("web", web())
	for want, in := range map[string]*ec2.CreateLaunchTemplateInput{
		"InvalidLaunchTemplateName.AlreadyExistsException: Launch template name already in use.": {LaunchTemplateName: aws.String("web")},
		"UnsupportedParameter: the local AWS does not support member KernelId of RequestLaunchTemplateData": {
			LaunchTemplateName: aws.String("other"), LaunchTemplateData: &ec2types.RequestLaunchTemplateData{KernelId: aws.String("aki-1")},
		},
		"InvalidParameterValue: 'fleet' is not a valid taggable resource type for this operation.": {
			LaunchTemplateName: aws.String("other"), LaunchTemplateData: &ec2types.RequestLaunchTemplateData{
				TagSpecifications: []ec2types.LaunchTemplateTagSpecificationRequest{{ResourceType: ec2types.ResourceTypeFleet}},
			},
		},
	} {
		if in.LaunchTemplateData == nil {
			in.LaunchTemplateData = &ec2types.RequestLaunchTemplateData{}
		}
		_, err := b.CreateLaunchTemplate(b.ctx, in)
		assert.Equal(t, want, code(t, err))
	}
	_, err := b.DescribeLaunchTemplates(b.ctx, &ec2.DescribeLaunchTemplatesInput{LaunchTemplateNames: []string{"nobody"}})
	assert.Equal(t, "InvalidLaunchTemplateName.NotFoundException: The specified launch template, with template name nobody, does not exist.", code(t, err))
}

func TestAVersionThatWasDeletedIsGone(t *testing.T) {
	b := newBench(t)
	id := b.launchTemplate("web", web())
	data := web()
	another := func() {
		must[*ec2.CreateLaunchTemplateVersionOutput](b)(b.CreateLaunchTemplateVersion(b.ctx, &ec2.CreateLaunchTemplateVersionInput{
			LaunchTemplateId: &id, LaunchTemplateData: &data,
		}))
	}
	another()
	another()
	out := must[*ec2.DeleteLaunchTemplateVersionsOutput](b)(b.DeleteLaunchTemplateVersions(b.ctx, &ec2.DeleteLaunchTemplateVersionsInput{
		LaunchTemplateId: &id, Versions: []string{"3", "1"},
	}))
	assert.Equal(t, []ec2types.DeleteLaunchTemplateVersionsResponseSuccessItem{
		{LaunchTemplateId: &id, LaunchTemplateName: aws.String("web"), VersionNumber: aws.Int64(3)},
	}, out.SuccessfullyDeletedLaunchTemplateVersions)
	assert.Equal(t, []ec2types.DeleteLaunchTemplateVersionsResponseErrorItem{{
		LaunchTemplateId: &id, LaunchTemplateName: aws.String("web"), VersionNumber: aws.Int64(1), ResponseError: &ec2types.ResponseError{
			Code: "unexpectedError", Message: aws.String("The default version of a launch template cannot be deleted. Make another version the default first."),
		},
	}}, out.UnsuccessfullyDeletedLaunchTemplateVersions)
	latest := must[*ec2.DescribeLaunchTemplateVersionsOutput](b)(b.DescribeLaunchTemplateVersions(b.ctx, &ec2.DescribeLaunchTemplateVersionsInput{
		LaunchTemplateId: &id, Versions: []string{"$Latest"},
	}))
	assert.Equal(t, int64(2), *latest.LaunchTemplateVersions[0].VersionNumber)
	_, err := b.DescribeLaunchTemplateVersions(b.ctx, &ec2.DescribeLaunchTemplateVersionsInput{LaunchTemplateId: &id, Versions: []string{"3"}})
	require.ErrorContains(t, err, "InvalidLaunchTemplateId.VersionNotFound")
	another()
	_, err = b.DescribeLaunchTemplateVersions(b.ctx, &ec2.DescribeLaunchTemplateVersionsInput{LaunchTemplateId: &id, Versions: []string{"4"}})
	require.NoError(t, err)
}
