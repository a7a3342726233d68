package codepipeline

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cptypes "github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// reading is how long a source action takes; assumed.
const reading = 2 * time.Second

// polling is how often sources are looked at; assumed.
const polling = time.Minute

// s3Page is where the console shows what a source action read (API reference,
// example of GetPipelineState).
const s3Page = "https://console.aws.amazon.com/s3/home?#"

// read copies the object that is the source into the artifact store.
func (s *Service) read(ctx context.Context, a *actionRun) {
	object, body, err := s.object(ctx, a)
	if err != nil {
		s.refused(ctx, a, err)
		return
	}
	out := &a.outputs[0]
	put := &s3.PutObjectInput{Bucket: aws.String(out.bucket), Key: aws.String(out.key), Body: bytes.NewReader(body), ContentType: object.ContentType}
	if k := a.e.store().EncryptionKey; k != nil {
		put.ServerSideEncryption, put.SSEKMSKeyId = s3types.ServerSideEncryptionAwsKms, k.Id
	}
	written, err := wire.Do[s3.PutObjectOutput](ctx, s.c, s.as(a.e.p, *a.e.declaration().RoleArn), "s3", "PutObject", put)
	if err != nil {
		s.refused(ctx, a, err)
		return
	}
	version := aws.ToString(object.VersionId)
	etag := strings.Trim(aws.ToString(object.ETag), `"`)
	out.etag, out.revision = aws.ToString(written.ETag), version
	a.found = &revision{
		action: a.name, artifact: out.name, id: version, change: etag, created: aws.ToTime(object.LastModified), summary: "Amazon S3 version id: " + version,
	}
	a.summary, a.externalID = a.found.summary, version
	a.variables = map[string]string{
		"BucketName": a.config["S3Bucket"], "ObjectKey": a.config["S3ObjectKey"], "ETag": etag, "VersionId": version,
	}
	a.e.note(*a.found)
	a.e.p.seen[a.name] = version
	s.done(ctx, a)
}

// note keeps what a source action found last.
func (e *execution) note(r revision) {
	for i := range e.revisions {
		if e.revisions[i].action == r.action {
			e.revisions[i] = r
			return
		}
	}
	e.revisions = append(e.revisions, r)
}

// object reads the version that is asked for, or the newest. The bucket must have
// versioning on (user guide, "Amazon S3 source action reference").
func (s *Service) object(ctx context.Context, a *actionRun) (*s3.GetObjectOutput, []byte, error) {
	who, err := s.agent(ctx, a)
	if err != nil {
		return nil, nil, err
	}
	bucket := aws.String(a.config["S3Bucket"])
	versioning, err := wire.Do[s3.GetBucketVersioningOutput](ctx, s.c, who, "s3", "GetBucketVersioning", &s3.GetBucketVersioningInput{Bucket: bucket})
	if err != nil {
		return nil, nil, err
	}
	if versioning.Status != s3types.BucketVersioningStatusEnabled {
		return nil, nil, errors.New("Amazon S3 bucket '" + *bucket + "' does not have versioning enabled.")
	}
	in := &s3.GetObjectInput{Bucket: bucket, Key: aws.String(a.config["S3ObjectKey"])}
	for _, o := range a.e.overrides {
		if *o.ActionName != a.name {
			continue
		}
		if o.RevisionType == cptypes.SourceRevisionTypeS3ObjectKey {
			in.Key = o.RevisionValue
			a.config["S3ObjectKey"] = *o.RevisionValue
		} else {
			in.VersionId = o.RevisionValue
		}
	}
	out, err := wire.Do[s3.GetObjectOutput](ctx, s.c, who, "s3", "GetObject", in)
	if err != nil {
		return nil, nil, err
	}
	if out.Body == nil {
		return out, nil, nil
	}
	body, err := io.ReadAll(out.Body)
	return out, body, err
}

// checkOverrides checks the source revisions that an execution is started with.
func (p *pipeline) checkOverrides(all []cptypes.SourceRevisionOverride) error {
	for _, o := range all {
		a := p.source(aws.ToString(o.ActionName))
		switch {
		case a == nil:
			return invalid("Source action '%s' does not exist in pipeline '%s'", aws.ToString(o.ActionName), p.name)
		case aws.ToString(o.RevisionValue) == "":
			return invalid("The revision of source action '%s' is empty", *o.ActionName)
		case o.RevisionType == cptypes.SourceRevisionTypeS3ObjectVersionId:
		case o.RevisionType == cptypes.SourceRevisionTypeS3ObjectKey && a.Configuration["AllowOverrideForS3ObjectKey"] == "true":
		case o.RevisionType == cptypes.SourceRevisionTypeS3ObjectKey:
			return invalid("Source action '%s' does not allow to override the object key", *o.ActionName)
		default:
			return invalid("Revision type %s is not valid for source action '%s'", o.RevisionType, *o.ActionName)
		}
	}
	return nil
}

// source finds a source action.
func (p *pipeline) source(name string) *cptypes.ActionDeclaration {
	for i, a := range p.current().Stages[0].Actions {
		if *a.Name == name {
			return &p.current().Stages[0].Actions[i]
		}
	}
	return nil
}

// watch looks for new revisions every minute, unless all sources say that they
// are not to be polled: "If you omit PollForSourceChanges, CodePipeline defaults
// to polling" (user guide, "Amazon S3 source action reference").
func (s *Service) watch(ctx context.Context, p *pipeline) {
	s.calm(&p.poll)
	for _, a := range p.current().Stages[0].Actions {
		if polled(&a) {
			s.wakeBy(&p.poll, s.w.Now().Add(polling), func() { s.look(ctx, p) })
			return
		}
	}
}

func polled(a *cptypes.ActionDeclaration) bool {
	return !strings.EqualFold(a.Configuration["PollForSourceChanges"], "false")
}

// look starts an execution if a source has a new version. What cannot be read now
// is looked at again a minute later.
func (s *Service) look(ctx context.Context, p *pipeline) {
	found := ""
	for _, a := range p.current().Stages[0].Actions {
		if !polled(&a) {
			continue
		}
		who, err := s.who(ctx, p.current(), a.RoleArn)
		if err != nil {
			continue
		}
		out, err := wire.Do[s3.HeadObjectOutput](ctx, s.c, who, "s3", "HeadObject", &s3.HeadObjectInput{
			Bucket: aws.String(a.Configuration["S3Bucket"]), Key: aws.String(a.Configuration["S3ObjectKey"]),
		})
		if err != nil {
			continue
		}
		if v := aws.ToString(out.VersionId); v != p.seen[*a.Name] {
			p.seen[*a.Name], found = v, *a.Name
		}
	}
	s.watch(ctx, p)
	if found != "" && p.full() == nil {
		s.begin(ctx, s.newExecution(p, cptypes.ExecutionTrigger{TriggerType: cptypes.TriggerTypePollForSourceChanges, TriggerDetail: aws.String(found)}))
	}
}
