package fleets_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/host"
	"github.com/pullback-dev/pullback/internal/localaws/sdkhttp"
	"github.com/pullback-dev/pullback/internal/localaws/world"
	"github.com/pullback-dev/pullback/shared/amazon/fleets"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/target/targettest"
)

const size = 4 // instances of the group

var place = deploy.Place{Target: deploy.Target{Kind: deploy.KindScaling, Group: "fleet"}}

// cloud is a local AWS with a launch template "web" and an Auto Scaling group
// "fleet" of it.
type cloud struct {
	*host.AWS
	t        *testing.T
	config   aws.Config
	scaling  *autoscaling.Client
	machines *ec2.Client
	roles    *iam.Client
	driver   *fleets.Client
	template string // its id
}

func newCloud(t *testing.T) *cloud {
	t.Helper()
	local, err := host.Start(t.Context(), host.Options{World: world.Options{Mode: world.Manual, Seed: 7}})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, local.Close()) })
	config := aws.Config{
		Region: "us-east-1", HTTPClient: sdkhttp.Client(), BaseEndpoint: aws.String(local.URL()), RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
		}),
	}
	c := &cloud{AWS: local, t: t, config: config, scaling: autoscaling.NewFromConfig(config), machines: ec2.NewFromConfig(config), roles: iam.NewFromConfig(config)}
	c.driver = fleets.New(c.scaling, c.machines, c.roles)
	c.template = *ok[*ec2.CreateLaunchTemplateOutput](t)(c.machines.CreateLaunchTemplate(t.Context(), &ec2.CreateLaunchTemplateInput{
		LaunchTemplateName: aws.String("web"), LaunchTemplateData: &ec2types.RequestLaunchTemplateData{
			ImageId: aws.String("ami-00000001"), InstanceType: ec2types.InstanceTypeT3Micro,
		},
	})).LaunchTemplate.LaunchTemplateId
	return c
}

// ok returns the result of a call that has to succeed.
func ok[O any](t *testing.T) func(O, error) O {
	t.Helper()
	return func(out O, err error) O {
		t.Helper()
		require.NoError(t, err)
		return out
	}
}

// version makes a version of the template with an image.
func (c *cloud) version(image string) deploy.Revision {
	c.t.Helper()
	out := ok[*ec2.CreateLaunchTemplateVersionOutput](c.t)(c.machines.CreateLaunchTemplateVersion(c.t.Context(), &ec2.CreateLaunchTemplateVersionInput{
		LaunchTemplateId: &c.template, SourceVersion: aws.String("1"), LaunchTemplateData: &ec2types.RequestLaunchTemplateData{ImageId: &image},
	}))
	return c.revision(int(*out.LaunchTemplateVersion.VersionNumber))
}

func (c *cloud) revision(number int) deploy.Revision {
	return deploy.Revision(fmt.Sprint(c.template, ":", number))
}

func (c *cloud) spec(version string) *astypes.LaunchTemplateSpecification {
	return &astypes.LaunchTemplateSpecification{LaunchTemplateId: &c.template, Version: &version}
}

// group makes the group and waits until its instances serve.
func (c *cloud) group(version string) {
	c.t.Helper()
	ok[*autoscaling.CreateAutoScalingGroupOutput](c.t)(c.scaling.CreateAutoScalingGroup(c.t.Context(), &autoscaling.CreateAutoScalingGroupInput{
		AutoScalingGroupName: aws.String("fleet"), MinSize: aws.Int32(0), MaxSize: aws.Int32(size), DesiredCapacity: aws.Int32(size),
		AvailabilityZones: []string{"us-east-1a", "us-east-1b"}, LaunchTemplate: c.spec(version),
		Tags: []astypes.Tag{
			{Key: aws.String("pullback:enabled"), Value: aws.String("true")},
			{Key: aws.String("pullback:alarms"), Value: aws.String("errors, latency")},
			{Key: aws.String("team"), Value: aws.String("shop")},
		},
	}))
	c.advance(5 * time.Minute)
}

func (c *cloud) advance(d time.Duration) {
	c.t.Helper()
	require.NoError(c.t, c.World.Advance(c.t.Context(), d))
}

func (c *cloud) now() time.Time {
	c.World.Lock()
	defer c.World.Unlock()
	return c.World.Now()
}

// refresh starts a refresh to a version, or to what the group says.
func (c *cloud) refresh(version string) deploy.ID {
	c.t.Helper()
	in := &autoscaling.StartInstanceRefreshInput{AutoScalingGroupName: aws.String("fleet"), Preferences: &astypes.RefreshPreferences{
		MinHealthyPercentage: aws.Int32(50), InstanceWarmup: aws.Int32(120),
	}}
	if version != "" {
		in.DesiredConfiguration = &astypes.DesiredConfiguration{LaunchTemplate: c.spec(version)}
	}
	return deploy.ID(*ok[*autoscaling.StartInstanceRefreshOutput](c.t)(c.scaling.StartInstanceRefresh(c.t.Context(), in)).InstanceRefreshId)
}

// update gives the group another version without a refresh.
func (c *cloud) update(version string) {
	c.t.Helper()
	ok[*autoscaling.UpdateAutoScalingGroupOutput](c.t)(c.scaling.UpdateAutoScalingGroup(c.t.Context(), &autoscaling.UpdateAutoScalingGroupInput{
		AutoScalingGroupName: aws.String("fleet"), LaunchTemplate: c.spec(version),
	}))
}

func (c *cloud) get(id deploy.ID) deploy.Deployment {
	c.t.Helper()
	return ok[deploy.Deployment](c.t)(c.driver.Get(c.t.Context(), place.Target, id))
}

func (c *cloud) live() deploy.Live {
	c.t.Helper()
	return ok[deploy.Live](c.t)(c.driver.Live(c.t.Context(), place))
}

// settle lets time pass until no refresh is under way.
func (c *cloud) settle() {
	c.t.Helper()
	for range 200 {
		c.advance(time.Minute)
		all := ok[[]deploy.Deployment](c.t)(c.driver.Recent(c.t.Context(), place.Target, time.Time{}))
		if len(all) == 0 || !all[0].Running() {
			return
		}
	}
	c.t.Fatal("the refresh does not end")
}

func TestContract(t *testing.T) {
	targettest.Run(t, func(t *testing.T) targettest.Scene {
		t.Helper()
		c := newCloud(t)
		revisions := map[string]deploy.Revision{
			"A": c.revision(1), "B": c.version("ami-00000002"), "C": c.version("ami-00000003"), "D": c.revision(99),
		}
		ok[*ec2.DeregisterImageOutput](t)(c.machines.DeregisterImage(t.Context(), &ec2.DeregisterImageInput{ImageId: aws.String("ami-00000003")}))
		c.group("1")
		numbers := map[string]string{"A": "1", "B": "2"}
		c.refresh(numbers["A"])
		c.settle()
		return targettest.Scene{
			Driver: c.driver, Place: place, Now: c.now, Settle: c.settle,
			Revision: func(name string) deploy.Revision { return revisions[name] },
			Deploy:   func(name string) deploy.ID { return c.refresh(numbers[name]) },
			Shift:    func() { c.advance(2 * time.Minute) },
		}
	})
}
