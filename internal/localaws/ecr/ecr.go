// Package ecr is the registry of container images of the local AWS: its
// repositories with their settings, and the manifests of images, so that tags
// and digests can be looked up. It holds no layers, so nothing can be pulled
// or run from it, and it scans nothing.
package ecr

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	ecrtypes "github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// Service is the registry.
type Service struct {
	world        *world.World
	repositories map[string]*repository // by name
}

// repository is one repository.
type repository struct {
	name       string
	created    time.Time
	mutability ecrtypes.ImageTagMutability
	scanOnPush bool
	encryption *ecrtypes.EncryptionConfiguration
	lifecycle  string
	policy     string
	tags       map[string]string
	images     []*image // the oldest first
}

// New makes a registry without repositories. ECR calls no other service.
func New(w *world.World, _ wire.Caller) *Service {
	return &Service{world: w, repositories: map[string]*repository{}}
}

// Wire lists the operations.
func (s *Service) Wire() wire.Service {
	return wire.Service{
		Name: "ecr", Protocol: wire.JSON11, Target: "AmazonEC2ContainerRegistry_V20150921", Style: wire.Camel,
		Operations: []wire.Operation{
			wire.Op("BatchDeleteImage", s.batchDeleteImage),
			wire.Op("BatchGetImage", s.batchGetImage),
			wire.Op("CreateRepository", s.createRepository),
			wire.Op("DeleteLifecyclePolicy", s.deleteLifecycle),
			wire.Op("DeleteRepository", s.deleteRepository),
			wire.Op("DeleteRepositoryPolicy", s.deletePolicy),
			wire.Op("DescribeImages", s.describeImages),
			wire.Op("DescribeRepositories", s.describeRepositories),
			wire.Op("GetLifecyclePolicy", s.getLifecycle),
			wire.Op("GetRepositoryPolicy", s.getPolicy),
			wire.Op("ListImages", s.listImages),
			wire.Op("ListTagsForResource", s.listTags),
			wire.Op("PutImage", s.putImage),
			wire.Op("PutImageScanningConfiguration", s.putScanning),
			wire.Op("PutImageTagMutability", s.putMutability),
			wire.Op("PutLifecyclePolicy", s.putLifecycle),
			wire.Op("SetRepositoryPolicy", s.setPolicy),
			wire.Op("TagResource", s.tagResource),
			wire.Op("UntagResource", s.untagResource),
		},
	}
}

// nameForm is what a repository's name may look like (ECR API reference,
// CreateRepository).
const nameForm = `^(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*$`

func invalid(message string) error { return &ecrtypes.InvalidParameterException{Message: &message} }

// find returns the repository that a request names. The registry is the
// account's own.
func (s *Service) find(name, registry *string) (*repository, error) {
	r := s.repositories[aws.ToString(name)]
	if r == nil || registry != nil && *registry != s.world.Account {
		return nil, &ecrtypes.RepositoryNotFoundException{Message: aws.String(
			"The repository with name '" + aws.ToString(name) + "' does not exist in the registry with id '" + s.registry(registry) + "'")}
	}
	return r, nil
}

func (s *Service) registry(given *string) string {
	if given != nil {
		return *given
	}
	return s.world.Account
}

func (s *Service) arn(r *repository) string {
	return "arn:aws:ecr:" + s.world.Region + ":" + s.world.Account + ":repository/" + r.name
}

// byARN finds a repository for the operations on tags.
func (s *Service) byARN(arn *string) (*repository, error) {
	_, name, _ := strings.Cut(aws.ToString(arn), ":repository/")
	return s.find(&name, nil)
}

func (s *Service) describe(r *repository) *ecrtypes.Repository {
	return &ecrtypes.Repository{
		CreatedAt: &r.created, EncryptionConfiguration: r.encryption, ImageTagMutability: r.mutability,
		ImageScanningConfiguration: &ecrtypes.ImageScanningConfiguration{ScanOnPush: r.scanOnPush},
		RegistryId:                 &s.world.Account, RepositoryArn: aws.String(s.arn(r)), RepositoryName: &r.name,
		RepositoryUri: aws.String(s.world.Account + ".dkr.ecr." + s.world.Region + ".amazonaws.com/" + r.name),
	}
}

func (s *Service) createRepository(_ *wire.Call, in *ecr.CreateRepositoryInput) (*ecr.CreateRepositoryOutput, error) {
	err := wire.Only(in, "RepositoryName", "EncryptionConfiguration", "ImageScanningConfiguration", "ImageTagMutability", "RegistryId", "Tags")
	if err != nil {
		return nil, err
	}
	name := aws.ToString(in.RepositoryName)
	if len(name) < 2 || len(name) > 256 || !regexp.MustCompile(nameForm).MatchString(name) {
		return nil, invalid("Invalid parameter at 'repositoryName' failed to satisfy constraint: 'must satisfy regular expression '" + nameForm + "''")
	}
	if s.repositories[name] != nil {
		return nil, &ecrtypes.RepositoryAlreadyExistsException{Message: aws.String(
			"The repository with name '" + name + "' already exists in the registry with id '" + s.world.Account + "'")}
	}
	if err := checkMutability(in.ImageTagMutability); err != nil {
		return nil, err
	}
	r := &repository{
		name: name, created: s.world.Now().Truncate(time.Second), mutability: in.ImageTagMutability, tags: map[string]string{},
		encryption: &ecrtypes.EncryptionConfiguration{EncryptionType: ecrtypes.EncryptionTypeAes256},
	}
	if r.mutability == "" {
		r.mutability = ecrtypes.ImageTagMutabilityMutable
	}
	if in.EncryptionConfiguration != nil {
		r.encryption = in.EncryptionConfiguration
	}
	if in.ImageScanningConfiguration != nil {
		r.scanOnPush = in.ImageScanningConfiguration.ScanOnPush
	}
	for _, t := range in.Tags {
		r.tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	s.repositories[name] = r
	return &ecr.CreateRepositoryOutput{Repository: s.describe(r)}, nil
}

// checkMutability refuses exclusion filters, which there are none of.
func checkMutability(m ecrtypes.ImageTagMutability) error {
	switch m {
	case "", ecrtypes.ImageTagMutabilityMutable, ecrtypes.ImageTagMutabilityImmutable:
		return nil
	default:
		return invalid("imageTagMutability " + string(m) + " is not supported by the local ECR")
	}
}

func (s *Service) deleteRepository(_ *wire.Call, in *ecr.DeleteRepositoryInput) (*ecr.DeleteRepositoryOutput, error) {
	r, err := s.find(in.RepositoryName, in.RegistryId)
	if err != nil {
		return nil, err
	}
	if len(r.images) > 0 && !in.Force {
		return nil, &ecrtypes.RepositoryNotEmptyException{Message: aws.String("The repository with name '" + r.name +
			"' in registry with id '" + s.world.Account + "' cannot be deleted because it still contains images")}
	}
	delete(s.repositories, r.name)
	return &ecr.DeleteRepositoryOutput{Repository: s.describe(r)}, nil
}

func (s *Service) describeRepositories(_ *wire.Call, in *ecr.DescribeRepositoriesInput) (*ecr.DescribeRepositoriesOutput, error) {
	if err := wire.Only(in, "RepositoryNames", "RegistryId"); err != nil {
		return nil, err
	}
	names := in.RepositoryNames
	if len(names) == 0 {
		names = slices.Sorted(maps.Keys(s.repositories))
	}
	out := &ecr.DescribeRepositoriesOutput{Repositories: []ecrtypes.Repository{}}
	for _, name := range names {
		r, err := s.find(&name, in.RegistryId)
		if err != nil {
			return nil, err
		}
		out.Repositories = append(out.Repositories, *s.describe(r))
	}
	return out, nil
}

func (s *Service) tagResource(_ *wire.Call, in *ecr.TagResourceInput) (*ecr.TagResourceOutput, error) {
	r, err := s.byARN(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	for _, t := range in.Tags {
		r.tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	return &ecr.TagResourceOutput{}, nil
}

func (s *Service) untagResource(_ *wire.Call, in *ecr.UntagResourceInput) (*ecr.UntagResourceOutput, error) {
	r, err := s.byARN(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	for _, key := range in.TagKeys {
		delete(r.tags, key)
	}
	return &ecr.UntagResourceOutput{}, nil
}

func (s *Service) listTags(_ *wire.Call, in *ecr.ListTagsForResourceInput) (*ecr.ListTagsForResourceOutput, error) {
	r, err := s.byARN(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	out := &ecr.ListTagsForResourceOutput{Tags: []ecrtypes.Tag{}}
	for _, key := range slices.Sorted(maps.Keys(r.tags)) {
		out.Tags = append(out.Tags, ecrtypes.Tag{Key: aws.String(key), Value: aws.String(r.tags[key])})
	}
	return out, nil
}
