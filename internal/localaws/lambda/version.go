package lambda

import (
	"reflect"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// publish makes a version out of the latest one. "Lambda doesn't publish a
// version if the function's configuration and code haven't changed since the
// last version" (Lambda API reference, PublishVersion): it answers with that
// one then.
func (s *Service) publish(f *function, description *string) *version {
	if n := len(f.published); n > 0 {
		if v := f.published[n-1]; v.name() == strconv.Itoa(f.last) && reflect.DeepEqual(essence(v), essence(f.latest)) {
			return v
		}
	}
	f.last++
	v := &version{fn: f, config: f.latest.config, code: f.latest.code}
	v.config.Version = aws.String(strconv.Itoa(f.last))
	v.config.FunctionArn = aws.String(f.arn + ":" + v.name())
	v.config.RevisionId = aws.String(s.w.UUID())
	v.config.LastModified = aws.String(s.w.Now().Format(timestamp))
	if aws.ToString(description) != "" {
		v.config.Description = description
	}
	f.published = append(f.published, v)
	return v
}

// essence is a configuration without what makes each version differ from each
// other one.
func essence(v *version) lambdatypes.FunctionConfiguration {
	c := v.config
	c.Version, c.FunctionArn, c.RevisionId, c.LastModified, c.Description = nil, nil, nil, nil, nil
	return c
}

func (s *Service) publishVersion(_ *wire.Call, in *lambda.PublishVersionInput) (*lambda.PublishVersionOutput, error) {
	if err := refuse(in, "PublishTo"); err != nil {
		return nil, err
	}
	f, err := s.unqualified(in.FunctionName)
	if err != nil {
		return nil, err
	}
	if err := precondition(in.RevisionId, f.latest.config.RevisionId, "GetFunction"); err != nil {
		return nil, err
	}
	if in.CodeSha256 != nil && *in.CodeSha256 != "" && *in.CodeSha256 != f.latest.code.sha {
		return nil, invalid("CodeSHA256 (%s) is different from current CodeSHA256 in $LATEST (%s). Please try again with the "+
			"CodeSHA256 in $LATEST.", *in.CodeSha256, f.latest.code.sha)
	}
	return shape[lambda.PublishVersionOutput](&s.publish(f, in.Description).config), nil
}

func (s *Service) listVersions(_ *wire.Call, in *lambda.ListVersionsByFunctionInput) (*lambda.ListVersionsByFunctionOutput, error) {
	f, err := s.unqualified(in.FunctionName)
	if err != nil {
		return nil, err
	}
	page, next, err := paginate(f.versions(), in.Marker, in.MaxItems)
	return &lambda.ListVersionsByFunctionOutput{Versions: page, NextMarker: next}, err
}
