package ecs_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/stretchr/testify/require"
)

// told is the history with names for the IDs of deployments: first, second, …
// in the order in which they appear.
func (b *bench) told() []string { return rename(b.history) }

func rename(lines []string) []string {
	var pairs []string
	for _, id := range regexp.MustCompile(`ecs-svc/\d+`).FindAllString(strings.Join(lines, "\n"), -1) {
		if n := len(pairs) / 2; !slices.Contains(pairs, id) {
			pairs = append(pairs, id, []string{"first", "second", "third", "fourth", "fifth", "sixth"}[n])
		}
	}
	var all []string
	for _, line := range lines {
		all = append(all, strings.NewReplacer(pairs...).Replace(line))
	}
	return all
}

// sets says what DescribeServices shows of the task sets.
func (b *bench) sets() []string {
	b.t.Helper()
	var all []string
	for _, x := range b.web().TaskSets {
		all = append(all, fmt.Sprintf("%s %s %s %d/%d running, %d pending", *x.Status, short(*x.TaskDefinition), x.StabilityStatus,
			x.RunningCount, x.ComputedDesiredCount, x.PendingCount))
	}
	return all
}

// rollout returns the newest service deployment of the service web.
func (b *bench) rollout() ecstypes.ServiceDeployment {
	b.t.Helper()
	return b.rollouts()[0]
}

// rollouts returns the service deployments of the service web, newest first.
func (b *bench) rollouts() []ecstypes.ServiceDeployment {
	b.t.Helper()
	list, err := b.ListServiceDeployments(b.t.Context(), &sdk.ListServiceDeploymentsInput{Cluster: aws.String("shop"), Service: aws.String("web")})
	require.NoError(b.t, err)
	in := &sdk.DescribeServiceDeploymentsInput{}
	for _, d := range list.ServiceDeployments {
		in.ServiceDeploymentArns = append(in.ServiceDeploymentArns, *d.ServiceDeploymentArn)
	}
	out, err := b.DescribeServiceDeployments(b.t.Context(), in)
	require.NoError(b.t, err)
	require.Len(b.t, out.ServiceDeployments, len(list.ServiceDeployments))
	return out.ServiceDeployments
}

// statuses returns the status of all service deployments, oldest first.
func (b *bench) statuses() []string {
	b.t.Helper()
	var all []string
	for _, r := range slices.Backward(b.rollouts()) {
		all = append(all, string(r.Status))
	}
	return all
}

// watch lets time pass and notes when status or stage of the newest service
// deployment change.
func (b *bench) watch(d time.Duration) {
	b.t.Helper()
	const step = 5 * time.Second
	last := ""
	for ; d > 0; d -= step {
		r := b.rollout()
		now := string(r.Status)
		if r.LifecycleStage != "" {
			now += " in " + string(r.LifecycleStage)
		}
		if now != last {
			b.log("%s", now)
		}
		last = now
		b.advance(step)
	}
}
