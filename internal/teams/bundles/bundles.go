// Package bundles is what teams whose releases are bundles of files have in common:
// a bucket with versions, and a zip file with an AppSpec file for each release.
//
// It deploys nothing.
package bundles

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/pullback-dev/pullback/internal/teams"
	"github.com/pullback-dev/pullback/shared/deploy"
)

// File is what every bundle installs, below the root of an instance: the name of
// its release.
const File = "srv/shop/release"

// Unstoppable is a release whose ApplicationStop script fails, so that nothing can
// be deployed over it.
const Unstoppable = "unstoppable"

// Store is where a team keeps its bundles.
type Store struct {
	teams.Common
	s3        *s3.Client
	published map[string]object
	order     []string // of publication
}

// object is what a release was uploaded as.
type object struct{ key, etag, version string }

// New returns the store of a team.
func New(c teams.Common) *Store {
	return &Store{Common: c, s3: s3.NewFromConfig(c.Config, func(o *s3.Options) { o.UsePathStyle = true }), published: map[string]object{}}
}

// Bucket is its name.
func (s *Store) Bucket() string { return s.Name + "-bundles" }

// Create makes the bucket.
func (s *Store) Create(ctx context.Context) error {
	if _, err := s.s3.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String(s.Bucket())}); err != nil {
		return fmt.Errorf("create bucket %s: %w", s.Bucket(), err)
	}
	_, err := s.s3.PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{
		Bucket: aws.String(s.Bucket()), VersioningConfiguration: &s3types.VersioningConfiguration{Status: s3types.BucketVersioningStatusEnabled},
	})
	if err != nil {
		return fmt.Errorf("let bucket %s have versions: %w", s.Bucket(), err)
	}
	return nil
}

// Publish uploads the bundle of a release, unless that has been done.
func (s *Store) Publish(ctx context.Context, release string) (*cdtypes.RevisionLocation, error) {
	o, done := s.published[release]
	if !done {
		bundle, err := Pack(release)
		if err != nil {
			return nil, err
		}
		o.key = release + ".zip"
		out, err := s.s3.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String(s.Bucket()), Key: &o.key, Body: bytes.NewReader(bundle)})
		if err != nil {
			return nil, fmt.Errorf("upload %s: %w", o.key, err)
		}
		o.etag, o.version = strings.Trim(aws.ToString(out.ETag), `"`), aws.ToString(out.VersionId)
		s.published[release] = o
		s.order = append(s.order, release)
	}
	return &cdtypes.RevisionLocation{RevisionType: cdtypes.RevisionLocationTypeS3, S3Location: &cdtypes.S3Location{
		Bucket: aws.String(s.Bucket()), Key: &o.key, BundleType: cdtypes.BundleTypeZip, ETag: &o.etag, Version: &o.version,
	}}, nil
}

// Releases are those that were published, in their order.
func (s *Store) Releases() []string { return s.order }

// ReleaseOf names the release of a revision; empty if there is none.
func (s *Store) ReleaseOf(r deploy.Revision) string {
	u, err := url.Parse(string(r))
	if err != nil || u.Host != s.Bucket() {
		return ""
	}
	for release, o := range s.published {
		if strings.TrimPrefix(u.Path, "/") == o.key {
			return release
		}
	}
	return ""
}

// Withdraw deletes the version of the object that a release is.
func (s *Store) Withdraw(ctx context.Context, release string) error {
	o := s.published[release]
	_, err := s.s3.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: aws.String(s.Bucket()), Key: &o.key, VersionId: &o.version})
	if err != nil {
		return fmt.Errorf("delete %s: %w", o.key, err)
	}
	return nil
}

// scripts are those of a release, by their lifecycle events. Good ones have none,
// so that they can be deployed where the system cannot confine a script.
func scripts(release string) map[string]string {
	switch release {
	case teams.Broken:
		return map[string]string{"ValidateService": "exit 1"}
	case teams.Crashing:
		return map[string]string{"ApplicationStart": "exit 1"}
	case Unstoppable:
		return map[string]string{"ApplicationStop": "exit 1"}
	default:
		return nil
	}
}

// Pack makes the bundle of a release.
func Pack(release string) ([]byte, error) {
	files := map[string]string{"release": release}
	var spec strings.Builder
	spec.WriteString("version: 0.0\nos: linux\nfiles:\n  - source: release\n    destination: /srv/shop\n")
	hooks := scripts(release)
	if len(hooks) > 0 {
		spec.WriteString("hooks:\n")
	}
	for _, event := range slices.Sorted(maps.Keys(hooks)) {
		files[event+".sh"] = "#!/bin/sh\n" + hooks[event] + "\n"
		fmt.Fprintf(&spec, "  %s:\n    - location: %s.sh\n      timeout: 60\n      runas: root\n", event, event)
	}
	files["appspec.yml"] = spec.String()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		header := &zip.FileHeader{Name: name, Method: zip.Store}
		header.SetMode(0o755)
		w, err := z.CreateHeader(header)
		if err == nil {
			_, err = w.Write([]byte(files[name]))
		}
		if err != nil {
			return nil, fmt.Errorf("zip %s: %w", release, err)
		}
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("zip %s: %w", release, err)
	}
	return b.Bytes(), nil
}
