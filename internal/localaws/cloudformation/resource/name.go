package resource

import (
	"maps"
	"slices"
	"strings"

	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// The random part of a generated name (CloudFormation user guide, "Name type":
// mystack-mydb-1apsmzcyihz4).
const (
	randomLength   = 13
	randomAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
)

// random returns the random part of a generated name.
func random(w *world.World) string {
	var b strings.Builder
	for range randomLength {
		b.WriteByte(randomAlphabet[w.Rand().IntN(len(randomAlphabet))])
	}
	return b.String()
}

// name makes up a physical name <stack>-<logical id>-<random>. If that is too
// long, stack and logical id are shortened to equal shares, so that both can
// still be told.
func (e env) name(logicalID string, limit int, dry bool) string {
	end := strings.Repeat("0", randomLength)
	if !dry {
		end = random(e.world)
	}
	stack, id := e.StackName, logicalID
	if room := limit - len("--") - randomLength; len(stack)+len(id) > room {
		half := room / 2
		short := max(half, room-len(id))
		stack = stack[:min(len(stack), short)]
		id = id[:min(len(id), room-len(stack))]
	}
	return stack + "-" + id + "-" + end
}

// arn spells the name of something in this account and region.
func (p *Provider) arn(service, resource string) string {
	return ARN(p.world, service, resource)
}

// ARN spells the name of something in the world's account and region.
func ARN(w *world.World, service, resource string) string {
	return strings.Join([]string{"arn", Partition(w.Region), service, w.Region, w.Account, resource}, ":")
}

// Partition returns the partition of a region (AWS General Reference, "Amazon
// Resource Names").
func Partition(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov"
	default:
		return "aws"
	}
}

// Suffix returns the domain of a region (CloudFormation template reference,
// "Pseudo parameters", AWS::URLSuffix).
func Suffix(region string) string {
	if strings.HasPrefix(region, "cn-") {
		return "amazonaws.com.cn"
	}
	return "amazonaws.com"
}

// keys returns the keys of m in order.
func keys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
