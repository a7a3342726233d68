// Package stacks reads from CloudFormation which stack a resource belongs to and
// what that stack was deployed with last, and from S3 what code a template names.
// It writes nothing and decides nothing.
package stacks

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"github.com/pullback-dev/pullback/internal/drift"
	"github.com/pullback-dev/pullback/internal/drift/template"
	"github.com/pullback-dev/pullback/shared/deploy"
)

// formation is the part of *cloudformation.Client that this package uses.
type formation interface {
	DescribeStackResources(context.Context, *cloudformation.DescribeStackResourcesInput, ...func(*cloudformation.Options)) (*cloudformation.DescribeStackResourcesOutput, error)
	ListStackResources(context.Context, *cloudformation.ListStackResourcesInput, ...func(*cloudformation.Options)) (*cloudformation.ListStackResourcesOutput, error)
	DescribeStacks(context.Context, *cloudformation.DescribeStacksInput, ...func(*cloudformation.Options)) (*cloudformation.DescribeStacksOutput, error)
	GetTemplate(context.Context, *cloudformation.GetTemplateInput, ...func(*cloudformation.Options)) (*cloudformation.GetTemplateOutput, error)
}

// Client reads stacks.
type Client struct {
	api       formation
	objects   *s3.Client
	templates *ec2.Client
}

// New returns a client of one account and region.
func New(cfg aws.Config) *Client {
	return &Client{api: cloudformation.NewFromConfig(cfg), objects: s3.NewFromConfig(cfg, quiet), templates: ec2.NewFromConfig(cfg)}
}

// quiet lets S3's client not log that an object has no checksum of its own: the
// digest is what it is read for.
func quiet(o *s3.Options) { o.DisableLogOutputChecksumValidationSkipped = true }

// Owner returns what a resource's stack was deployed with last, by the resource's
// physical id, or nil if it belongs to no stack of this account and region.
func (c *Client) Owner(ctx context.Context, physical string) (*template.Template, error) {
	out, err := c.api.DescribeStackResources(ctx, &cloudformation.DescribeStackResourcesInput{PhysicalResourceId: &physical})
	if refused, ok := errors.AsType[smithy.APIError](err); ok && refused.ErrorCode() == "ValidationError" && strings.Contains(refused.ErrorMessage(), "does not exist") {
		return nil, nil //nolint:nilnil // no stack is an answer
	}
	if err != nil {
		return nil, fmt.Errorf("find the stack of %s: %w", physical, err)
	}
	if len(out.StackResources) == 0 {
		return nil, nil //nolint:nilnil // no stack is an answer
	}
	return c.read(ctx, aws.ToString(out.StackResources[0].StackId))
}

// read returns what a stack was deployed with last.
func (c *Client) read(ctx context.Context, id string) (*template.Template, error) {
	body, err := c.api.GetTemplate(ctx, &cloudformation.GetTemplateInput{StackName: &id, TemplateStage: cfntypes.TemplateStageProcessed})
	if err != nil {
		return nil, fmt.Errorf("template of stack %s: %w", id, err)
	}
	t, err := template.Parse([]byte(aws.ToString(body.TemplateBody)))
	if err != nil {
		return nil, fmt.Errorf("template of stack %s: %w", id, err)
	}
	if t.Of, err = c.stack(ctx, id); err != nil {
		return nil, err
	}
	return t, c.latest(ctx, t)
}

// stack is what there is of a stack.
func (c *Client) stack(ctx context.Context, id string) (template.Stack, error) {
	out, err := c.api.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &id})
	if err != nil {
		return template.Stack{}, fmt.Errorf("stack %s: %w", id, err)
	}
	if len(out.Stacks) == 0 {
		return template.Stack{}, fmt.Errorf("stack %s is gone", id)
	}
	s := template.Stack{Name: aws.ToString(out.Stacks[0].StackName), Physical: make(map[string]string), Parameters: make(map[string]string), Attributes: make(map[string]string)}
	if name, err := arn.Parse(aws.ToString(out.Stacks[0].StackId)); err == nil {
		s.Partition, s.Region, s.Account = name.Partition, name.Region, name.AccountID
	}
	for _, p := range out.Stacks[0].Parameters {
		s.Parameters[aws.ToString(p.ParameterKey)] = aws.ToString(p.ParameterValue)
		if p.ResolvedValue != nil {
			s.Parameters[aws.ToString(p.ParameterKey)] = *p.ResolvedValue
		}
	}
	pages := cloudformation.NewListStackResourcesPaginator(c.api, &cloudformation.ListStackResourcesInput{StackName: &id})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return template.Stack{}, fmt.Errorf("resources of stack %s: %w", id, err)
		}
		for _, r := range page.StackResourceSummaries {
			if r.PhysicalResourceId != nil {
				s.Physical[aws.ToString(r.LogicalResourceId)] = *r.PhysicalResourceId
			}
		}
	}
	return s, nil
}

// latest looks up the numbers of launch templates' versions, which templates refer
// to by Fn::GetAtt.
func (c *Client) latest(ctx context.Context, t *template.Template) error {
	ids := t.Having("AWS::EC2::LaunchTemplate")
	for logical, id := range ids {
		out, err := c.templates.DescribeLaunchTemplates(ctx, &ec2.DescribeLaunchTemplatesInput{LaunchTemplateIds: []string{id}})
		if err != nil {
			return fmt.Errorf("launch template %s: %w", id, err)
		}
		for _, l := range out.LaunchTemplates {
			t.Of.Attributes[logical+".LatestVersionNumber"] = strconv.FormatInt(aws.ToInt64(l.LatestVersionNumber), 10)
			t.Of.Attributes[logical+".DefaultVersionNumber"] = strconv.FormatInt(aws.ToInt64(l.DefaultVersionNumber), 10)
			t.Of.Attributes[logical+".LaunchTemplateId"] = id
		}
	}
	return nil
}

// Digest returns what Lambda would call the CodeSha256 of an object: the SHA-256 of
// a deployment package (Lambda API reference, FunctionConfiguration). It is empty
// if the object is not there yet.
func (c *Client) Digest(ctx context.Context, o drift.Object) (deploy.Digest, error) {
	in := &s3.GetObjectInput{Bucket: &o.Bucket, Key: &o.Key}
	if o.Version != "" {
		in.VersionId = &o.Version
	}
	out, err := c.objects.GetObject(ctx, in)
	if refused, ok := errors.AsType[smithy.APIError](err); ok && (refused.ErrorCode() == "NoSuchKey" || refused.ErrorCode() == "NoSuchBucket" || refused.ErrorCode() == "NotFound") {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read s3://%s/%s: %w", o.Bucket, o.Key, err)
	}
	sum := sha256.New()
	_, err = io.Copy(sum, out.Body)
	if err = errors.Join(err, out.Body.Close()); err != nil {
		return "", fmt.Errorf("read s3://%s/%s: %w", o.Bucket, o.Key, err)
	}
	return deploy.Digest(base64.StdEncoding.EncodeToString(sum.Sum(nil))), nil
}
