package ec2

import (
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// parameterImage is how an image id in a launch template names a parameter of
// Systems Manager instead (EC2 user guide, "Use a Systems Manager parameter
// instead of an AMI ID").
const parameterImage = "resolve:ssm:"

// image resolves an image id, and checks that it looks like one.
func (s *Service) image(c *wire.Call, id string) (string, error) {
	if name, ok := strings.CutPrefix(id, parameterImage); ok {
		out, err := wire.Do[ssm.GetParameterOutput](c.Context, s.c, c.Principal, "ssm", "GetParameter", &ssm.GetParameterInput{Name: &name})
		if err != nil {
			return "", refuse("InvalidParameterValue", "The image ID parameter %s could not be resolved: %v", name, err)
		}
		id = aws.ToString(out.Parameter.Value)
	}
	if !regexp.MustCompile(`^ami-([0-9a-f]{8}|[0-9a-f]{17})$`).MatchString(id) {
		return "", refuse("InvalidAMIID.Malformed", "Invalid id: %q (expecting \"ami-...\")", id)
	}
	return id, nil
}

// registered refuses an image that was deregistered. All others are there.
func (s *Service) registered(id string) error {
	if slices.Contains(s.deregistered, id) {
		return refuse("InvalidAMIID.NotFound", "The image id '[%s]' does not exist", id)
	}
	return nil
}

// describeImages describes images by their ids. All of them cannot be listed:
// every one exists.
func (s *Service) describeImages(c *wire.Call, in *ec2.DescribeImagesInput) (*ec2.DescribeImagesOutput, error) {
	if err := wire.Only(in, "DryRun", "ImageIds"); err != nil {
		return nil, err
	}
	if err := dryRun(in.DryRun); err != nil {
		return nil, err
	}
	if len(in.ImageIds) == 0 {
		return nil, missing("ImageIds")
	}
	out := &ec2.DescribeImagesOutput{}
	for _, id := range in.ImageIds {
		if _, err := s.image(c, id); err != nil {
			return nil, err
		}
		if err := s.registered(id); err != nil {
			return nil, err
		}
		out.Images = append(out.Images, ec2types.Image{
			ImageId: &id, State: ec2types.ImageStateAvailable, Architecture: ec2types.ArchitectureValuesX8664, ImageType: ec2types.ImageTypeValuesMachine,
			OwnerId: aws.String(s.w.Account), RootDeviceName: aws.String(rootDevice), RootDeviceType: ec2types.DeviceTypeEbs,
			VirtualizationType: ec2types.VirtualizationTypeHvm,
		})
	}
	return out, nil
}

// deregisterImage takes an image away: instances that run stay, none is launched
// any more (EC2 user guide, "Deregister an Amazon EC2 AMI").
func (s *Service) deregisterImage(c *wire.Call, in *ec2.DeregisterImageInput) (*ec2.DeregisterImageOutput, error) {
	if err := wire.Only(in, "DryRun", "ImageId"); err != nil {
		return nil, err
	}
	id := aws.ToString(in.ImageId)
	if id == "" {
		return nil, missing("ImageId")
	}
	if _, err := s.image(c, id); err != nil {
		return nil, err
	}
	if err := s.registered(id); err != nil {
		return nil, err
	}
	if err := dryRun(in.DryRun); err != nil {
		return nil, err
	}
	s.deregistered = append(s.deregistered, id)
	return &ec2.DeregisterImageOutput{Return: aws.Bool(true)}, nil
}
