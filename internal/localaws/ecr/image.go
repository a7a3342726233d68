package ecr

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	ecrtypes "github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// image is a manifest with its tags.
type image struct {
	digest    string
	manifest  string
	mediaType string
	pushed    time.Time
	size      int64
	tags      []string
}

// putImage notes a manifest. An image is what its digest says: the same
// manifest again is the same image, perhaps with another tag.
func (s *Service) putImage(_ *wire.Call, in *ecr.PutImageInput) (*ecr.PutImageOutput, error) {
	r, err := s.find(in.RepositoryName, in.RegistryId)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte(aws.ToString(in.ImageManifest)))
	digest := "sha256:" + hex.EncodeToString(sum[:])
	if in.ImageDigest != nil && *in.ImageDigest != digest {
		return nil, &ecrtypes.ImageDigestDoesNotMatchException{Message: aws.String(
			"The provided digest '" + *in.ImageDigest + "' does not match the digest '" + digest + "' of the image")}
	}
	fresh, err := readManifest(aws.ToString(in.ImageManifest), in.ImageManifestMediaType)
	if err != nil {
		return nil, err
	}
	tag := aws.ToString(in.ImageTag)
	if err := r.checkTag(tag, digest); err != nil {
		return nil, err
	}
	i := r.image(ecrtypes.ImageIdentifier{ImageDigest: &digest})
	if i == nil {
		i = fresh
		i.digest, i.pushed = digest, s.world.Now().Truncate(time.Second)
		r.images = append(r.images, i)
	}
	if tag != "" {
		for _, o := range r.images {
			o.tags = slices.DeleteFunc(o.tags, func(t string) bool { return t == tag })
		}
		i.tags = append(i.tags, tag)
		slices.Sort(i.tags)
	}
	out := s.describeImage(r, i)
	out.ImageId.ImageTag = in.ImageTag
	return &ecr.PutImageOutput{Image: out}, nil
}

// checkTag refuses a tag that is taken.
func (r *repository) checkTag(tag, digest string) error {
	taken := r.image(ecrtypes.ImageIdentifier{ImageTag: &tag})
	switch {
	case tag == "" && r.image(ecrtypes.ImageIdentifier{ImageDigest: &digest}) != nil, taken != nil && taken.digest == digest:
		return &ecrtypes.ImageAlreadyExistsException{Message: aws.String(
			"Image with digest '" + digest + "' and tag '" + tag + "' already exists in the repository with name '" + r.name + "'")}
	case taken != nil && r.mutability == ecrtypes.ImageTagMutabilityImmutable:
		return &ecrtypes.ImageTagAlreadyExistsException{Message: aws.String(
			"The image tag '" + tag + "' already exists in the '" + r.name + "' repository and cannot be overwritten because the tag is immutable.")}
	default:
		return nil
	}
}

// readManifest reads what a manifest says about its type and size. There are
// no layers to look for.
func readManifest(text string, mediaType *string) (*image, error) {
	var m struct {
		MediaType string `json:"mediaType"`
		Config    struct {
			Size int64 `json:"size"`
		} `json:"config"`
		Layers []struct {
			Size int64 `json:"size"`
		} `json:"layers"`
	}
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		return nil, invalid("Invalid parameter at 'ImageManifest' failed to satisfy constraint: 'Invalid JSON syntax'")
	}
	if mediaType != nil {
		m.MediaType = *mediaType
	}
	if m.MediaType == "" {
		return nil, invalid("Invalid parameter at 'ImageManifestMediaType' failed to satisfy constraint: 'must be specified'")
	}
	i := &image{manifest: text, mediaType: m.MediaType, size: m.Config.Size}
	for _, l := range m.Layers {
		i.size += l.Size
	}
	return i, nil
}

// image finds an image by its digest, its tag or both.
func (r *repository) image(id ecrtypes.ImageIdentifier) *image {
	n := slices.IndexFunc(r.images, func(i *image) bool {
		return (id.ImageDigest == nil || i.digest == *id.ImageDigest) && (id.ImageTag == nil || slices.Contains(i.tags, *id.ImageTag))
	})
	if n < 0 || id.ImageDigest == nil && id.ImageTag == nil {
		return nil
	}
	return r.images[n]
}

func (s *Service) describeImage(r *repository, i *image) *ecrtypes.Image {
	return &ecrtypes.Image{
		ImageId: &ecrtypes.ImageIdentifier{ImageDigest: &i.digest}, ImageManifest: &i.manifest, ImageManifestMediaType: &i.mediaType,
		RegistryId: &s.world.Account, RepositoryName: &r.name,
	}
}

func notFound(id ecrtypes.ImageIdentifier) ecrtypes.ImageFailure {
	return ecrtypes.ImageFailure{ImageId: &id, FailureCode: ecrtypes.ImageFailureCodeImageNotFound, FailureReason: aws.String("Requested image not found")}
}

func (s *Service) batchGetImage(_ *wire.Call, in *ecr.BatchGetImageInput) (*ecr.BatchGetImageOutput, error) {
	if err := wire.Only(in, "RepositoryName", "RegistryId", "ImageIds", "AcceptedMediaTypes"); err != nil {
		return nil, err
	}
	r, err := s.find(in.RepositoryName, in.RegistryId)
	if err != nil {
		return nil, err
	}
	out := &ecr.BatchGetImageOutput{Images: []ecrtypes.Image{}, Failures: []ecrtypes.ImageFailure{}}
	for _, id := range in.ImageIds {
		i := r.image(id)
		if i == nil || len(in.AcceptedMediaTypes) > 0 && !slices.Contains(in.AcceptedMediaTypes, i.mediaType) {
			out.Failures = append(out.Failures, notFound(id))
			continue
		}
		one := s.describeImage(r, i)
		one.ImageId.ImageTag = id.ImageTag
		out.Images = append(out.Images, *one)
	}
	return out, nil
}

func (s *Service) describeImages(_ *wire.Call, in *ecr.DescribeImagesInput) (*ecr.DescribeImagesOutput, error) {
	if err := wire.Only(in, "RepositoryName", "RegistryId", "ImageIds"); err != nil {
		return nil, err
	}
	r, err := s.find(in.RepositoryName, in.RegistryId)
	if err != nil {
		return nil, err
	}
	images := r.images
	if len(in.ImageIds) > 0 {
		images = nil
	}
	for _, id := range in.ImageIds {
		i := r.image(id)
		if i == nil {
			return nil, &ecrtypes.ImageNotFoundException{Message: aws.String("The image with imageId {imageDigest:'" + orNull(id.ImageDigest) +
				"', imageTag:'" + orNull(id.ImageTag) + "'} does not exist within the repository with name '" + r.name +
				"' in the registry with id '" + s.world.Account + "'")}
		}
		images = append(images, i)
	}
	out := &ecr.DescribeImagesOutput{ImageDetails: []ecrtypes.ImageDetail{}}
	for _, i := range images {
		out.ImageDetails = append(out.ImageDetails, ecrtypes.ImageDetail{
			ImageDigest: &i.digest, ImageManifestMediaType: &i.mediaType, ImagePushedAt: &i.pushed, ImageSizeInBytes: &i.size,
			ImageTags: slices.Clone(i.tags), RegistryId: &s.world.Account, RepositoryName: &r.name,
		})
	}
	return out, nil
}

func orNull(v *string) string {
	if v == nil {
		return "null"
	}
	return *v
}

func (s *Service) listImages(_ *wire.Call, in *ecr.ListImagesInput) (*ecr.ListImagesOutput, error) {
	if err := wire.Only(in, "RepositoryName", "RegistryId"); err != nil {
		return nil, err
	}
	r, err := s.find(in.RepositoryName, in.RegistryId)
	if err != nil {
		return nil, err
	}
	out := &ecr.ListImagesOutput{ImageIds: []ecrtypes.ImageIdentifier{}}
	for _, i := range r.images {
		for _, tag := range i.tags {
			out.ImageIds = append(out.ImageIds, ecrtypes.ImageIdentifier{ImageDigest: &i.digest, ImageTag: &tag})
		}
		if len(i.tags) == 0 {
			out.ImageIds = append(out.ImageIds, ecrtypes.ImageIdentifier{ImageDigest: &i.digest})
		}
	}
	return out, nil
}

// batchDeleteImage removes images by digest, and tags by tag; an image without
// any tag left goes too (ECR API reference, BatchDeleteImage).
func (s *Service) batchDeleteImage(_ *wire.Call, in *ecr.BatchDeleteImageInput) (*ecr.BatchDeleteImageOutput, error) {
	r, err := s.find(in.RepositoryName, in.RegistryId)
	if err != nil {
		return nil, err
	}
	out := &ecr.BatchDeleteImageOutput{ImageIds: []ecrtypes.ImageIdentifier{}, Failures: []ecrtypes.ImageFailure{}}
	for _, id := range in.ImageIds {
		i := r.image(id)
		if i == nil {
			out.Failures = append(out.Failures, notFound(id))
			continue
		}
		if id.ImageDigest == nil {
			i.tags = slices.DeleteFunc(i.tags, func(t string) bool { return t == *id.ImageTag })
		}
		if id.ImageDigest != nil || len(i.tags) == 0 {
			r.images = slices.DeleteFunc(r.images, func(o *image) bool { return o == i })
		}
		out.ImageIds = append(out.ImageIds, ecrtypes.ImageIdentifier{ImageDigest: &i.digest, ImageTag: id.ImageTag})
	}
	return out, nil
}
