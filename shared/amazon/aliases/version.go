package aliases

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go"

	"github.com/pullback-dev/pullback/shared/deploy"
)

// latest is the version that changes (developer guide, "Manage Lambda function
// versions").
const latest = "$LATEST"

// Digest returns the hash of a version's code: deploy.ErrUnknown.
func (c *Client) Digest(ctx context.Context, p deploy.Place, r deploy.Revision) (deploy.Digest, error) {
	out, err := c.version(ctx, p.Target.Application, r)
	if err != nil {
		return "", err
	}
	return deploy.Digest(aws.ToString(out.CodeSha256)), nil
}

func (c *Client) version(ctx context.Context, function string, r deploy.Revision) (*lambda.GetFunctionConfigurationOutput, error) {
	out, err := c.api.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{
		FunctionName: &function, Qualifier: aws.String(string(r)),
	})
	if err != nil {
		return nil, fmt.Errorf("get version %s of %s: %w", r, function, classify(err))
	}
	return out, nil
}

// Ready says whether a version could serve now: deploy.ErrUnknown if there is no
// such version, deploy.ErrNotReady if it is asleep or broken, its role is gone, or its
// key could not be used. Of images, subnets and file systems it knows what Lambda
// says.
func (c *Client) Ready(ctx context.Context, p deploy.Place, r deploy.Revision) error {
	function := p.Target.Application
	if r == latest {
		return fmt.Errorf("version %s of %s is no version: what it is changes; "+
			"publish one (aws lambda publish-version --function-name %s): %w", r, function, function, deploy.ErrNotReady)
	}
	out, err := c.version(ctx, function, r)
	if err != nil {
		return err
	}
	if err := serves(function, r, out); err != nil {
		return err
	}
	if err := c.role(ctx, function, r, aws.ToString(out.Role)); err != nil {
		return err
	}
	return c.key(ctx, function, r, aws.ToString(out.KMSKeyArn))
}

// serves says why a version would not answer. One that is Pending, Inactive or
// Failed does not answer its first invocations (developer guide, "Lambda function
// states").
func serves(function string, r deploy.Revision, v *lambda.GetFunctionConfigurationOutput) error {
	state, code, reason := string(v.State), string(v.StateReasonCode), aws.ToString(v.StateReason)
	if v.State == lambdatypes.StateActive {
		s := v.LastUpdateStatus
		if s == lambdatypes.LastUpdateStatusSuccessful || s == "" {
			return nil
		}
		state, code, reason = "last updated with "+string(s), string(v.LastUpdateStatusReasonCode), aws.ToString(v.LastUpdateStatusReason)
	}
	text := strings.Join(strings.Fields(code+" "+reason), " ")
	return fmt.Errorf("version %s of %s is %s (%s)%s: %w", r, function, state, cmp.Or(text, "Lambda does not say why"), mend(function, r, v), deploy.ErrNotReady)
}

// mend says what would help, where that is known.
func mend(function string, r deploy.Revision, v *lambda.GetFunctionConfigurationOutput) string {
	code := string(v.StateReasonCode) + string(v.LastUpdateStatusReasonCode)
	switch {
	case v.State == lambdatypes.StateInactive:
		// It wakes up when it is invoked (ibid.).
		return fmt.Sprintf("; wake it: aws lambda invoke --function-name %s --qualifier %s /dev/null", function, r)
	case strings.Contains(code, "KMSKey"):
		key := aws.ToString(v.KMSKeyArn)
		return fmt.Sprintf("; look at its key: aws kms describe-key --key-id %s", cmp.Or(key, "KEY"))
	case strings.Contains(code, "Image"):
		return "; push its image again, by digest"
	case strings.Contains(code, "Role"):
		return fmt.Sprintf("; look at its role: aws iam get-role --role-name %s", roleName(aws.ToString(v.Role)))
	default:
		return ""
	}
}

// role says whether a version's execution role exists. The version keeps the role
// that it was published with, so deleting a role that the newest version no longer
// uses breaks the older ones, and Lambda's state does not show it.
func (c *Client) role(ctx context.Context, function string, r deploy.Revision, arn string) error {
	name := roleName(arn)
	_, err := c.roles.GetRole(ctx, &iam.GetRoleInput{RoleName: &name})
	if failed, ok := errors.AsType[smithy.APIError](err); ok && (failed.ErrorCode() == "NoSuchEntity" || failed.ErrorCode() == "NoSuchEntityException") {
		return fmt.Errorf("version %s of %s has lost its execution role %s; make it again under that name: %w", r, function, name, deploy.ErrNotReady)
	}
	if err != nil {
		return fmt.Errorf("get role %s of version %s of %s: %w", name, r, function, err)
	}
	return nil
}

// key says why what a version's environment is encrypted with could not be read. A
// version whose key was taken away stays active until it is to start again.
func (c *Client) key(ctx context.Context, function string, r deploy.Revision, name string) error {
	if c.keys == nil || name == "" {
		return nil
	}
	lost, err := c.keys.Key(ctx, name)
	if err != nil {
		return fmt.Errorf("is version %s of %s ready: %w", r, function, err)
	}
	if lost != "" {
		return fmt.Errorf("version %s of %s cannot start: its %s: %w", r, function, lost, deploy.ErrNotReady)
	}
	return nil
}

// roleName is the last part of a role's ARN; what is before it is a path.
func roleName(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }
