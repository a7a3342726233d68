package definitions

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/pullback-dev/pullback/shared/deploy"
)

// Digest returns what a task definition is, whatever it is called:
// deploy.ErrUnknown.
//
// It is a hash of all that was registered, with the digest of an image in the
// place of its name where ECR has it. So two registrations of the same content
// have the same digest, in any family, and a tag that was moved makes another
// one. What is around the image counts, because it can be what is bad: a new
// variable, a smaller limit, another role. Where that differs from stage to
// stage, so does the digest.
func (c *Client) Digest(ctx context.Context, r deploy.Revision) (deploy.Digest, error) {
	d, err := c.definition(ctx, r)
	if err != nil {
		return "", err
	}
	content := *d
	// What AWS has added.
	content.TaskDefinitionArn, content.Family, content.Revision, content.Status = nil, nil, 0, ""
	content.RegisteredAt, content.RegisteredBy, content.DeregisteredAt = nil, nil, nil
	content.Compatibilities, content.RequiresAttributes = nil, nil
	content.ContainerDefinitions = slices.Clone(d.ContainerDefinitions)
	for i := range content.ContainerDefinitions {
		if err := c.settle(ctx, &content.ContainerDefinitions[i]); err != nil {
			return "", fmt.Errorf("digest of task definition %s: %w", r, err)
		}
	}
	text, err := canonical(content)
	if err != nil {
		return "", fmt.Errorf("digest of task definition %s: %w", r, err)
	}
	sum := sha256.Sum256(text)
	return deploy.Digest("sha256:" + hex.EncodeToString(sum[:])), nil
}

// settle names a container's image by its digest, and puts what has no order
// into one.
func (c *Client) settle(ctx context.Context, d *ecstypes.ContainerDefinition) error {
	if i, ok := c.ours(aws.ToString(d.Image)); ok {
		digest, err := c.find(ctx, i)
		if err != nil {
			return fmt.Errorf("look image %s up: %w", i.name, err)
		}
		if digest = cmp.Or(digest, i.digest); digest != "" {
			d.Image = &digest
		}
	}
	d.Environment, d.Secrets = slices.Clone(d.Environment), slices.Clone(d.Secrets)
	slices.SortStableFunc(d.Environment, func(a, b ecstypes.KeyValuePair) int {
		return cmp.Compare(aws.ToString(a.Name), aws.ToString(b.Name))
	})
	slices.SortStableFunc(d.Secrets, func(a, b ecstypes.Secret) int {
		return cmp.Compare(aws.ToString(a.Name), aws.ToString(b.Name))
	})
	return nil
}

// canonical writes a value as JSON without what is not set, so that a member
// that a later SDK adds changes nothing as long as nobody uses it.
func canonical(v any) ([]byte, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	var tree any
	if err := json.Unmarshal(text, &tree); err != nil {
		return nil, err
	}
	return json.Marshal(prune(tree))
}

// prune takes out of a tree what is zero or empty; nil if nothing is left.
func prune(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			if member = prune(member); member == nil {
				delete(v, name)
			} else {
				v[name] = member
			}
		}
		if len(v) == 0 {
			return nil
		}
	case []any:
		for i := range v { // an element that is empty keeps its place
			v[i] = prune(v[i])
		}
		if len(v) == 0 {
			return nil
		}
	default:
		if v == nil || reflect.ValueOf(v).IsZero() {
			return nil
		}
	}
	return v
}
