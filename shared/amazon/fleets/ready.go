package fleets

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/smithy-go"

	"github.com/pullback-dev/pullback/shared/deploy"
)

// data returns what a version of a launch template launches: deploy.ErrUnknown.
// Parameters are resolved if they shall be.
func (c *Client) data(ctx context.Context, r deploy.Revision, resolve bool) (ec2types.ResponseLaunchTemplateData, error) {
	v, err := parse(r)
	if err != nil {
		return ec2types.ResponseLaunchTemplateData{}, err
	}
	in := &ec2.DescribeLaunchTemplateVersionsInput{LaunchTemplateId: &v.template, Versions: []string{strconv.FormatInt(v.number, 10)}}
	if resolve {
		in.ResolveAlias = aws.Bool(true)
	}
	out, err := c.templates.DescribeLaunchTemplateVersions(ctx, in)
	if err != nil {
		return ec2types.ResponseLaunchTemplateData{}, fmt.Errorf("version of launch template %s: %w", r, classify(err))
	}
	if len(out.LaunchTemplateVersions) == 0 || out.LaunchTemplateVersions[0].LaunchTemplateData == nil {
		return ec2types.ResponseLaunchTemplateData{}, fmt.Errorf("version of launch template %s: there is none: %w", r, deploy.ErrUnknown)
	}
	return *out.LaunchTemplateVersions[0].LaunchTemplateData, nil
}

// Digest returns a hash over all that a version of a launch template says: image,
// user data, instance type and so on. Two versions that say the same are the same
// code: deploy.ErrUnknown.
func (c *Client) Digest(ctx context.Context, _ deploy.Place, r deploy.Revision) (deploy.Digest, error) {
	data, err := c.data(ctx, r, false)
	if err != nil {
		return "", err
	}
	text, err := canonical(data)
	if err != nil {
		return "", fmt.Errorf("digest of %s: %w", r, err)
	}
	sum := sha256.Sum256(text)
	return deploy.Digest("sha256:" + hex.EncodeToString(sum[:])), nil
}

// canonical writes what is set, in the order of its names, so that a later SDK
// that knows of more writes the same. Digests are stored.
func canonical(data ec2types.ResponseLaunchTemplateData) ([]byte, error) {
	text, err := json.Marshal(data)
	if err != nil {
		return nil, err
	}
	var tree any
	if err := json.Unmarshal(text, &tree); err != nil {
		return nil, err
	}
	return json.Marshal(set(tree))
}

// set leaves out what is not set; nil if nothing is.
func set(tree any) any {
	switch x := tree.(type) {
	case map[string]any:
		for k, v := range x {
			if x[k] = set(v); x[k] == nil {
				delete(x, k)
			}
		}
		if len(x) == 0 {
			return nil
		}
	case []any:
		for i := range x {
			x[i] = set(x[i])
		}
		if len(x) == 0 {
			return nil
		}
	case string:
		if x == "" {
			return nil
		}
	}
	return tree
}

// parameterImage begins the name of a parameter in the place of an image's id (EC2
// user guide, "Use a Systems Manager parameter instead of an AMI ID").
const parameterImage = "resolve:ssm:"

// Ready says why a version of a launch template could not be launched now:
// deploy.ErrUnknown if there is no such version; deploy.ErrNotReady if its image
// is gone, or is a parameter that may have been given another value since: such a
// version is not what it was; if its instance profile is gone or has no role; or if
// the key of a disk that it names could not be used. Keys of the image's own disks
// are not looked at.
//
// It looks at the version alone. A group that launches $Latest or $Default cannot
// be rolled back while a refresh runs; Group says so.
func (c *Client) Ready(ctx context.Context, _ deploy.Place, r deploy.Revision) error {
	data, err := c.data(ctx, r, false)
	if err != nil {
		return err
	}
	image := aws.ToString(data.ImageId)
	if name, ok := strings.CutPrefix(image, parameterImage); ok {
		if !fixed(name) {
			return fmt.Errorf("launch template %s takes its image from the parameter %s, which may name another image by now: name the image, or a version of the parameter (%s%s:VERSION): %w",
				r, name, parameterImage, name, deploy.ErrNotReady)
		}
		if data, err = c.data(ctx, r, true); err != nil {
			return fmt.Errorf("launch template %s: read its image from the parameter %s: %w", r, name, err)
		}
		image = aws.ToString(data.ImageId)
	}
	if image == "" {
		return fmt.Errorf("launch template %s has no image: %w", r, deploy.ErrNotReady)
	}
	if err := c.image(ctx, r, image); err != nil {
		return err
	}
	if err := c.profile(ctx, r, data.IamInstanceProfile); err != nil {
		return err
	}
	return c.disks(ctx, r, data.BlockDeviceMappings)
}

// disks says why the disks of an instance could not be read. The instance is not
// refused then: it ends as soon as it has begun, "Client.InternalError: Client error
// on launch" (Auto Scaling user guide, "Troubleshoot Amazon EC2 Auto Scaling: EC2
// instance launch failures").
func (c *Client) disks(ctx context.Context, r deploy.Revision, disks []ec2types.LaunchTemplateBlockDeviceMapping) error {
	if c.keys == nil {
		return nil
	}
	var seen []string
	for _, d := range disks {
		if d.Ebs == nil || d.Ebs.KmsKeyId == nil || slices.Contains(seen, *d.Ebs.KmsKeyId) {
			continue
		}
		seen = append(seen, *d.Ebs.KmsKeyId)
		lost, err := c.keys.Key(ctx, *d.Ebs.KmsKeyId)
		if err != nil {
			return fmt.Errorf("is launch template %s ready: %w", r, err)
		}
		if lost != "" {
			return fmt.Errorf("launch template %s needs the disk %s, which could not be read: its %s: %w", r, aws.ToString(d.DeviceName), lost, deploy.ErrNotReady)
		}
	}
	return nil
}

// profile says why instances could not have their role. A role that is deleted
// was taken out of its profile before (IAM API reference, DeleteRole).
func (c *Client) profile(ctx context.Context, r deploy.Revision, p *ec2types.LaunchTemplateIamInstanceProfileSpecification) error {
	if p == nil {
		return nil
	}
	name := aws.ToString(p.Name)
	if name == "" {
		arn := aws.ToString(p.Arn)
		name = arn[strings.LastIndex(arn, "/")+1:]
	}
	out, err := c.profiles.GetInstanceProfile(ctx, &iam.GetInstanceProfileInput{InstanceProfileName: &name})
	if _, gone := errors.AsType[*iamtypes.NoSuchEntityException](err); gone {
		return fmt.Errorf("launch template %s needs the instance profile %s, which is gone: aws iam create-instance-profile --instance-profile-name %s, and add its role: %w",
			r, name, name, deploy.ErrNotReady)
	}
	if err != nil {
		return fmt.Errorf("instance profile %s of launch template %s: %w", name, r, err)
	}
	if out.InstanceProfile == nil || len(out.InstanceProfile.Roles) == 0 {
		return fmt.Errorf("launch template %s needs the instance profile %s, which has no role: aws iam add-role-to-instance-profile --instance-profile-name %s --role-name ROLE: %w",
			r, name, name, deploy.ErrNotReady)
	}
	return nil
}

// fixed says whether the name of a parameter ends in a number: that of a version,
// which cannot be given another value. A label can.
func fixed(parameter string) bool {
	_, version, _ := strings.Cut(parameter, ":")
	_, err := strconv.ParseInt(version, 10, 64)
	return err == nil
}

// image says why an image could not be launched.
func (c *Client) image(ctx context.Context, r deploy.Revision, id string) error {
	out, err := c.templates.DescribeImages(ctx, &ec2.DescribeImagesInput{ImageIds: []string{id}})
	gone := fmt.Errorf("launch template %s needs the image %s, which has been deregistered or is not shared with this account any more: restore it, or make a version with another: %w",
		r, id, deploy.ErrNotReady)
	if failed, ok := errors.AsType[smithy.APIError](err); ok && strings.HasPrefix(failed.ErrorCode(), "InvalidAMIID.") {
		return gone
	}
	if err != nil {
		return fmt.Errorf("image %s of launch template %s: %w", id, r, err)
	}
	if len(out.Images) == 0 {
		return gone
	}
	if s := out.Images[0].State; s != ec2types.ImageStateAvailable {
		return fmt.Errorf("launch template %s needs the image %s, which is %s: %w", r, id, s, deploy.ErrNotReady)
	}
	return nil
}
