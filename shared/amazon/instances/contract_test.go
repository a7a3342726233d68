package instances_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/target/targettest"
)

// scene is revision A in service, and B, C and D as the contract says.
func (c *cloud) scene(shift func()) targettest.Scene {
	c.t.Helper()
	bundles := map[string]*cdtypes.S3Location{"A": c.bundle("a.zip", nil), "B": c.bundle("b.zip", nil), "C": c.bundle("c.zip", nil)}
	ok[*s3.DeleteObjectOutput](c.t)(c.store.DeleteObject(c.t.Context(), &s3.DeleteObjectInput{
		Bucket: aws.String("bundles"), Key: bundles["C"].Key, VersionId: bundles["C"].Version,
	}))
	c.to(bundles["A"])
	return targettest.Scene{
		Driver: c.driver, Place: place, Now: c.now, Settle: c.settle, Shift: shift,
		Revision: func(n string) deploy.Revision {
			if n == "D" {
				return "s3://bundles/d.zip?bundleType=zip"
			}
			return name(bundles[n])
		},
		Deploy: func(n string) deploy.ID { return c.begin(bundles[n]) },
	}
}

func (c *cloud) now() time.Time {
	c.World.Lock()
	defer c.World.Unlock()
	return c.World.Now()
}

func TestContractInPlace(t *testing.T) {
	targettest.Run(t, func(t *testing.T) targettest.Scene {
		t.Helper()
		c := newCloud(t)
		c.launch(2, "web")
		c.group()
		return c.scene(func() { c.advance(6 * time.Second) })
	})
}

// The original instances stay for half an hour, in which the deployment can still
// be taken back.
func TestContractBlueGreen(t *testing.T) {
	targettest.Run(t, func(t *testing.T) targettest.Scene {
		t.Helper()
		c := newCloud(t)
		c.balance()
		c.group(replacing(cdtypes.GreenFleetProvisioningActionCopyAutoScalingGroup, terminated(30)), c.scale(1))
		return c.scene(func() { c.advance(10 * time.Minute) })
	})
}
