package lambda

import (
	"archive/zip"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"github.com/pullback-dev/pullback/internal/localaws/lambda/sandbox"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// code is a deployment package.
type code struct {
	sha string // base64, as Lambda shows it
	zip []byte
}

// use gives a version its code.
func (v *version) use(c *code) {
	v.code = c
	v.config.CodeSha256 = aws.String(c.sha)
	v.config.CodeSize = int64(len(c.zip))
}

// load takes a deployment package out of a request or from S3, where Lambda
// reads it with the rights of the caller.
func (s *Service) load(c *wire.Call, in *lambdatypes.FunctionCode) (*code, error) {
	if err := refuse(in, "ImageUri", "SourceKMSKeyArn"); err != nil {
		return nil, err
	}
	if in.S3ObjectStorageMode != "" && in.S3ObjectStorageMode != "COPY" {
		return nil, invalid("S3ObjectStorageMode %s is not supported by the local AWS", in.S3ObjectStorageMode)
	}
	contents, err := s.contents(c, in)
	if err != nil {
		return nil, err
	}
	const unreadable = "Could not unzip uploaded file. Please check your file, then try to upload again."
	switch err := sandbox.Check(contents); {
	case errors.Is(err, sandbox.ErrTooLarge):
		return nil, invalid("Unzipped size must be smaller than 262144000 bytes")
	case errors.Is(err, zip.ErrFormat):
		return nil, invalid(unreadable)
	case err != nil:
		return nil, invalid(unreadable+" (%v)", err)
	}
	sum := sha256.Sum256(contents)
	return &code{sha: base64.StdEncoding.EncodeToString(sum[:]), zip: contents}, nil
}

// contents gets the deployment package from where the request says.
func (s *Service) contents(c *wire.Call, in *lambdatypes.FunctionCode) ([]byte, error) {
	switch fromS3 := in.S3Bucket != nil || in.S3Key != nil; {
	case fromS3 && len(in.ZipFile) > 0:
		return nil, invalid("Please do not provide other FunctionCode parameters when providing a ZipFile.")
	case fromS3:
		return s.download(c, in)
	case len(in.ZipFile) == 0:
		return nil, invalid("Please provide a source for function code.")
	default:
		return in.ZipFile, nil
	}
}

// download gets a deployment package from S3.
func (s *Service) download(c *wire.Call, in *lambdatypes.FunctionCode) ([]byte, error) {
	out, err := wire.Do[s3.GetObjectOutput](c.Context, s.caller, c.Principal, "s3", "GetObject",
		&s3.GetObjectInput{Bucket: in.S3Bucket, Key: in.S3Key, VersionId: in.S3ObjectVersion})
	if err != nil {
		if api, ok := errors.AsType[smithy.APIError](err); ok {
			return nil, invalid("Error occurred while GetObject. S3 Error Code: %s. S3 Error Message: %s", api.ErrorCode(), api.ErrorMessage())
		}
		return nil, err
	}
	contents, err := io.ReadAll(out.Body)
	return contents, errors.Join(err, out.Body.Close())
}

func (s *Service) updateFunctionCode(c *wire.Call, in *lambda.UpdateFunctionCodeInput) (*lambda.UpdateFunctionCodeOutput, error) {
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
	code, err := s.load(c, shape[lambdatypes.FunctionCode](in))
	if err != nil {
		return nil, err
	}
	v := &version{fn: f, config: f.latest.config}
	v.use(code)
	if len(in.Architectures) > 0 {
		v.config.Architectures = in.Architectures
	}
	if in.DryRun {
		return shape[lambda.UpdateFunctionCodeOutput](&v.config), nil
	}
	s.replace(f, v)
	if in.Publish {
		v = s.publish(f, nil)
	}
	return shape[lambda.UpdateFunctionCodeOutput](&v.config), nil
}
