package codedeploy

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// revision is a registered application revision.
type revision struct {
	location    cdtypes.RevisionLocation // with its text
	description string
	registered  time.Time
	firstUsed   *time.Time
	lastUsed    *time.Time
}

// key says which revisions are the same: those with the same text or place.
func key(l *cdtypes.RevisionLocation) string {
	switch l.RevisionType {
	case cdtypes.RevisionLocationTypeAppSpecContent:
		return "AppSpecContent " + aws.ToString(l.AppSpecContent.Sha256)
	case cdtypes.RevisionLocationTypeString:
		return "String " + aws.ToString(l.String_.Sha256) //nolint:staticcheck // deprecated, and still accepted
	case cdtypes.RevisionLocationTypeGitHub:
		return "GitHub " + aws.ToString(l.GitHubLocation.Repository) + " " + aws.ToString(l.GitHubLocation.CommitId)
	default:
		o := l.S3Location
		return strings.Join([]string{"S3", aws.ToString(o.Bucket), aws.ToString(o.Key), aws.ToString(o.Version), aws.ToString(o.ETag), string(o.BundleType)}, " ")
	}
}

// text returns the AppSpec file of a revision that carries one.
func text(l *cdtypes.RevisionLocation) (string, bool) {
	var content *string
	switch {
	case l.AppSpecContent != nil:
		content = l.AppSpecContent.Content
	case l.String_ != nil: //nolint:staticcheck // deprecated, and still accepted
		content = l.String_.Content //nolint:staticcheck // deprecated, and still accepted
	}
	return aws.ToString(content), content != nil
}

// withoutText returns the revision as deployments show it: the hash, but not
// the content (observed in GetDeployment answers of AWS).
func withoutText(l *cdtypes.RevisionLocation) *cdtypes.RevisionLocation {
	if l == nil {
		return nil
	}
	k := *l
	if k.AppSpecContent != nil {
		k.AppSpecContent = &cdtypes.AppSpecContent{Sha256: k.AppSpecContent.Sha256}
	}
	if k.String_ != nil { //nolint:staticcheck // deprecated, and still accepted
		k.String_ = &cdtypes.RawString{Sha256: k.String_.Sha256} //nolint:staticcheck // deprecated, and still accepted
	}
	return &k
}

func invalidRevision(why string) error {
	return &cdtypes.InvalidRevisionException{Message: aws.String("The revision was specified in an invalid format: " + why)}
}

// normal checks a revision for a platform and returns it with its hash filled
// in. Instances get archives, from S3 or GitHub; Lambda and ECS need no more
// than the AppSpec file.
func normal(in *cdtypes.RevisionLocation, platform cdtypes.ComputePlatform) (cdtypes.RevisionLocation, error) {
	if in == nil {
		return cdtypes.RevisionLocation{}, &cdtypes.RevisionRequiredException{Message: aws.String("The revision ID was not specified.")}
	}
	if allowed := revisionTypes(platform); !slices.Contains(allowed, in.RevisionType) {
		return cdtypes.RevisionLocation{}, invalidRevision(fmt.Sprintf("revisionType must be one of %v for compute platform %s, not %s", allowed, platform, in.RevisionType))
	}
	out := cdtypes.RevisionLocation{RevisionType: in.RevisionType}
	var err error
	switch in.RevisionType {
	case cdtypes.RevisionLocationTypeAppSpecContent:
		if in.AppSpecContent == nil {
			return out, invalidRevision("appSpecContent is missing")
		}
		c := *in.AppSpecContent
		c.Sha256, err = hash(c.Content, c.Sha256)
		out.AppSpecContent = &c
	case cdtypes.RevisionLocationTypeString:
		if in.String_ == nil { //nolint:staticcheck // deprecated, and still accepted
			return out, invalidRevision("string is missing")
		}
		c := *in.String_ //nolint:staticcheck // deprecated, and still accepted
		c.Sha256, err = hash(c.Content, c.Sha256)
		out.String_ = &c //nolint:staticcheck // deprecated, and still accepted
	case cdtypes.RevisionLocationTypeS3:
		out.S3Location, err = object(in.S3Location, platform)
	case cdtypes.RevisionLocationTypeGitHub:
		out.GitHubLocation, err = commit(in.GitHubLocation)
	}
	return out, err
}

// revisionTypes are the types of revisions of a platform (API reference,
// RevisionLocation).
func revisionTypes(platform cdtypes.ComputePlatform) []cdtypes.RevisionLocationType {
	switch platform {
	case cdtypes.ComputePlatformServer:
		return []cdtypes.RevisionLocationType{cdtypes.RevisionLocationTypeS3, cdtypes.RevisionLocationTypeGitHub}
	default:
		return []cdtypes.RevisionLocationType{
			cdtypes.RevisionLocationTypeS3, cdtypes.RevisionLocationTypeString, cdtypes.RevisionLocationTypeAppSpecContent,
		}
	}
}

// hash computes the hash of the content and compares it with a given one. A
// hash without content refers to a revision that is registered already.
func hash(content, sum *string) (*string, error) {
	if aws.ToString(content) == "" {
		if aws.ToString(sum) == "" {
			return nil, invalidRevision("content is missing")
		}
		return sum, nil
	}
	raw := sha256.Sum256([]byte(*content))
	is := hex.EncodeToString(raw[:])
	if aws.ToString(sum) != "" && !strings.EqualFold(*sum, is) {
		return nil, invalidRevision("sha256 does not match the content")
	}
	return aws.String(is), nil
}

// object checks where in S3 a revision is.
func object(o *cdtypes.S3Location, platform cdtypes.ComputePlatform) (*cdtypes.S3Location, error) {
	allowed := []cdtypes.BundleType{cdtypes.BundleTypeYaml, cdtypes.BundleTypeJson}
	if platform == cdtypes.ComputePlatformServer {
		allowed = []cdtypes.BundleType{cdtypes.BundleTypeTar, cdtypes.BundleTypeTarGZip, cdtypes.BundleTypeZip}
	}
	switch {
	case o == nil, aws.ToString(o.Bucket) == "", aws.ToString(o.Key) == "":
		return nil, invalidRevision("bucket or key is missing")
	case !slices.Contains(allowed, o.BundleType):
		return nil, invalidRevision(fmt.Sprintf("bundleType must be one of %v for compute platform %s, not %s", allowed, platform, o.BundleType))
	}
	k := *o
	return &k, nil
}

// commit checks where on GitHub a revision is: owner/repository and the SHA1
// of a commit.
func commit(l *cdtypes.GitHubLocation) (*cdtypes.GitHubLocation, error) {
	owner, repository, ok := strings.Cut(aws.ToString(repositoryOf(l)), "/")
	switch {
	case !ok, owner == "", repository == "", strings.Contains(repository, "/"):
		return nil, invalidRevision("repository must be the GitHub account and repository name, as in account/repository")
	case aws.ToString(l.CommitId) == "":
		return nil, invalidRevision("commitId is missing")
	}
	k := *l
	return &k, nil
}

func repositoryOf(l *cdtypes.GitHubLocation) *string {
	if l == nil {
		return nil
	}
	return l.Repository
}

// find finds a registered revision.
func (a *application) find(l *cdtypes.RevisionLocation) *revision {
	i := slices.IndexFunc(a.revisions, func(r *revision) bool { return key(&r.location) == key(l) })
	if i < 0 {
		return nil
	}
	return a.revisions[i]
}

// register finds or registers a revision. One that is only known by its hash
// must be registered already.
func (s *Service) register(a *application, l cdtypes.RevisionLocation) (*revision, error) {
	if r := a.find(&l); r != nil {
		return r, nil
	}
	if _, ok := text(&l); !ok && l.S3Location == nil && l.GitHubLocation == nil {
		return nil, &cdtypes.RevisionDoesNotExistException{Message: aws.String("The named revision does not exist with the user or Amazon Web Services account.")}
	}
	r := &revision{location: l, registered: s.w.Now()}
	a.revisions = append(a.revisions, r)
	return r, nil
}

func (s *Service) registerApplicationRevision(_ *wire.Call, in *codedeploy.RegisterApplicationRevisionInput) (*codedeploy.RegisterApplicationRevisionOutput, error) {
	a, err := s.application(in.ApplicationName)
	if err != nil {
		return nil, err
	}
	if err := checkDescription(in.Description); err != nil {
		return nil, err
	}
	l, err := normal(in.Revision, a.platform)
	if err != nil {
		return nil, err
	}
	r, err := s.register(a, l)
	if err != nil {
		return nil, err
	}
	if in.Description != nil {
		r.description = *in.Description
	}
	return &codedeploy.RegisterApplicationRevisionOutput{}, nil
}

// info returns what the application knows about a revision.
func (a *application) about(r *revision) *cdtypes.GenericRevisionInfo {
	info := &cdtypes.GenericRevisionInfo{
		DeploymentGroups: []string{}, RegisterTime: aws.Time(r.registered), FirstUsedTime: r.firstUsed, LastUsedTime: r.lastUsed,
	}
	if r.description != "" {
		info.Description = aws.String(r.description)
	}
	for _, name := range names(a.groups) {
		if a.groups[name].targets(r) {
			info.DeploymentGroups = append(info.DeploymentGroups, name)
		}
	}
	return info
}

// targets reports whether a revision is the target revision of the group.
func (g *group) targets(r *revision) bool {
	return g.succeeded != nil && key(g.succeeded.info.Revision) == key(&r.location)
}

func (s *Service) lookUp(applicationName *string, in *cdtypes.RevisionLocation) (*application, *revision, error) {
	a, err := s.application(applicationName)
	if err != nil {
		return nil, nil, err
	}
	l, err := normal(in, a.platform)
	if err != nil {
		return nil, nil, err
	}
	r := a.find(&l)
	if r == nil {
		return nil, nil, &cdtypes.RevisionDoesNotExistException{Message: aws.String("The named revision does not exist with the user or Amazon Web Services account.")}
	}
	return a, r, nil
}

func (s *Service) getApplicationRevision(_ *wire.Call, in *codedeploy.GetApplicationRevisionInput) (*codedeploy.GetApplicationRevisionOutput, error) {
	a, r, err := s.lookUp(in.ApplicationName, in.Revision)
	if err != nil {
		return nil, err
	}
	l := r.location
	return &codedeploy.GetApplicationRevisionOutput{ApplicationName: aws.String(a.name), Revision: &l, RevisionInfo: a.about(r)}, nil
}

func (s *Service) batchGetApplicationRevisions(_ *wire.Call, in *codedeploy.BatchGetApplicationRevisionsInput) (*codedeploy.BatchGetApplicationRevisionsOutput, error) {
	if err := tooMany(len(in.Revisions), batchTargets); err != nil {
		return nil, err
	}
	if len(in.Revisions) == 0 {
		return nil, &cdtypes.RevisionRequiredException{Message: aws.String("The revision ID was not specified.")}
	}
	out := &codedeploy.BatchGetApplicationRevisionsOutput{ApplicationName: in.ApplicationName, Revisions: []cdtypes.RevisionInfo{}}
	for i := range in.Revisions {
		a, r, err := s.lookUp(in.ApplicationName, &in.Revisions[i])
		if err != nil {
			return nil, err
		}
		l := r.location
		out.Revisions = append(out.Revisions, cdtypes.RevisionInfo{RevisionLocation: &l, GenericRevisionInfo: a.about(r)})
	}
	return out, nil
}

func compareTimes(a, b *time.Time) int {
	return aws.ToTime(a).Compare(aws.ToTime(b))
}
