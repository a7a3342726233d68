package definitions

import (
	"context"
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	ecrtypes "github.com/aws/aws-sdk-go-v2/service/ecr/types"
)

// host is how a private registry of ECR is called: by IPv4 alone, by IPv4 or
// IPv6, with or without FIPS, in each partition (ECR user guide, "Private
// registries", "Making requests over IPv6"; general reference, "Amazon ECR
// endpoints").
const host = `^(\d{12})\.dkr[.-]ecr(?:-fips)?\.([a-z0-9-]+)\.(?:amazonaws\.com(?:\.cn)?|on\.aws|on\.amazonwebservices\.com\.cn)$`

// image is an image of a repository of ECR.
type image struct {
	name        string // as the task definition says it
	repository  string
	tag, digest string // one of them may be empty; the digest rules
}

// ours reads the name of an image; ok is false if it is not of this account's
// registry in this region.
func (c *Client) ours(name string) (i image, ok bool) {
	registry, rest, named := strings.Cut(name, "/")
	parts := c.host.FindStringSubmatch(registry)
	if !named || parts == nil || parts[1] != c.account || parts[2] != c.region {
		return image{}, false
	}
	i = image{name: name}
	rest, i.digest, _ = strings.Cut(rest, "@")
	i.repository, i.tag, _ = strings.Cut(rest, ":")
	if i.tag == "" && i.digest == "" {
		i.tag = "latest"
	}
	return i, true
}

// find returns the digest of an image, empty if ECR does not have it.
func (c *Client) find(ctx context.Context, i image) (string, error) {
	id := ecrtypes.ImageIdentifier{ImageTag: &i.tag}
	if i.digest != "" {
		id = ecrtypes.ImageIdentifier{ImageDigest: &i.digest}
	}
	out, err := c.images.DescribeImages(ctx, &ecr.DescribeImagesInput{
		RegistryId: &c.account, RepositoryName: &i.repository, ImageIds: []ecrtypes.ImageIdentifier{id},
	})
	if _, missing := errors.AsType[*ecrtypes.ImageNotFoundException](err); missing {
		return "", nil
	}
	if _, missing := errors.AsType[*ecrtypes.RepositoryNotFoundException](err); missing {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	if len(out.ImageDetails) == 0 {
		return "", nil
	}
	return aws.ToString(out.ImageDetails[0].ImageDigest), nil
}
