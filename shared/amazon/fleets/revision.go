package fleets

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"github.com/pullback-dev/pullback/shared/deploy"
)

// version is a version of a launch template.
type version struct {
	template string // its id
	number   int64
}

func (v version) revision() deploy.Revision {
	return deploy.Revision(v.template + ":" + strconv.FormatInt(v.number, 10))
}

// parse reads a revision: deploy.ErrUnknown if it is none.
func parse(r deploy.Revision) (version, error) {
	template, number, _ := strings.Cut(string(r), ":")
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 1 || template == "" {
		return version{}, fmt.Errorf("revision %s is not LAUNCH-TEMPLATE-ID:NUMBER: %w", r, deploy.ErrUnknown)
	}
	return version{template, n}, nil
}

// pinned returns the revision that a specification names, and nothing if it
// names $Latest, $Default (which is what no version means) or no template.
func pinned(s *astypes.LaunchTemplateSpecification) deploy.Revision {
	if s == nil || s.LaunchTemplateId == nil {
		return ""
	}
	n, err := strconv.ParseInt(aws.ToString(s.Version), 10, 64)
	if err != nil {
		return ""
	}
	return version{*s.LaunchTemplateId, n}.revision()
}

// launches returns what a group launches instances by.
func launches(g astypes.AutoScalingGroup) *astypes.LaunchTemplateSpecification {
	if p := g.MixedInstancesPolicy; p != nil && p.LaunchTemplate != nil {
		return p.LaunchTemplate.LaunchTemplateSpecification
	}
	return g.LaunchTemplate
}

// brings returns what a refresh launches instances by: nothing if that is what
// the group says.
func brings(r astypes.InstanceRefresh) *astypes.LaunchTemplateSpecification {
	d := r.DesiredConfiguration
	switch {
	case d == nil:
		return nil
	case d.MixedInstancesPolicy != nil && d.MixedInstancesPolicy.LaunchTemplate != nil:
		return d.MixedInstancesPolicy.LaunchTemplate.LaunchTemplateSpecification
	default:
		return d.LaunchTemplate
	}
}

// of returns what an instance was launched from. One of a launch configuration
// has a revision that cannot be put back, and says so.
func of(i astypes.Instance) deploy.Revision {
	if i.LaunchConfigurationName != nil {
		return deploy.Revision("launch-configuration/" + *i.LaunchConfigurationName)
	}
	return pinned(i.LaunchTemplate)
}

// serving counts the instances in service by revision.
func serving(g astypes.AutoScalingGroup) map[deploy.Revision]int {
	n := make(map[deploy.Revision]int)
	for _, i := range g.Instances {
		if i.LifecycleState == astypes.LifecycleStateInService {
			n[of(i)]++
		}
	}
	return n
}

// most returns the revision of most instances, without that of one; of two that
// have as many, the one that is first in the alphabet.
func most(n map[deploy.Revision]int, without deploy.Revision) deploy.Revision {
	all := slices.Sorted(maps.Keys(n))
	all = slices.DeleteFunc(all, func(r deploy.Revision) bool { return r == without })
	if len(all) == 0 {
		return ""
	}
	return slices.MaxFunc(all, func(a, b deploy.Revision) int { return cmp.Or(cmp.Compare(n[a], n[b]), cmp.Compare(b, a)) })
}
