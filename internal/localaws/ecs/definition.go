package ecs

import (
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// family is all revisions of a task definition.
type family struct {
	name      string
	revisions []*definition // oldest first
}

// definition is one revision of a task definition.
type definition struct {
	info      ecstypes.TaskDefinition
	behaviour behaviour
}

func (d *definition) arn() string { return *d.info.TaskDefinitionArn }

func (d *definition) active() bool { return d.info.Status == ecstypes.TaskDefinitionStatusActive }

// revision finds a revision by "family:revision" or its ARN, and the latest
// active one by the family's name alone.
func (s *Service) revision(ref string) *definition {
	if rest, ok := s.own(ref, "task-definition"); ok {
		ref = rest
	}
	name, number, exact := strings.Cut(ref, ":")
	for _, f := range s.families {
		if f.name != name {
			continue
		}
		for _, d := range slices.Backward(f.revisions) {
			if exact && strconv.Itoa(int(d.info.Revision)) == number || !exact && d.active() {
				return d
			}
		}
	}
	return nil
}

// usable finds a revision that tasks may be started from.
func (s *Service) usable(ref *string) (*definition, error) {
	d := s.revision(aws.ToString(ref))
	switch {
	case d == nil:
		return nil, refused("TaskDefinition not found.")
	case !d.active():
		return nil, refused("TaskDefinition is inactive")
	}
	return d, nil
}

func (s *Service) registerTaskDefinition(c *wire.Call, in *ecs.RegisterTaskDefinitionInput) (*ecs.RegisterTaskDefinitionOutput, error) {
	if err := checkDefinition(in); err != nil {
		return nil, err
	}
	if len(in.InferenceAccelerators) > 0 { //nolint:staticcheck // refused, because AWS does
		return nil, refused("Elastic Inference accelerators are no longer available.")
	}
	b, err := behaviourOf(in.ContainerDefinitions)
	if err != nil {
		return nil, err
	}
	f := s.family(*in.Family)
	number := count(len(f.revisions)) + 1
	d := &definition{behaviour: b, info: ecstypes.TaskDefinition{
		TaskDefinitionArn: aws.String(s.arn("task-definition/" + f.name + ":" + itoa(number))),
		Family:            aws.String(f.name), Revision: number, Status: ecstypes.TaskDefinitionStatusActive,
		ContainerDefinitions: containersOf(in), Volumes: append([]ecstypes.Volume{}, in.Volumes...),
		TaskRoleArn: in.TaskRoleArn, ExecutionRoleArn: in.ExecutionRoleArn, NetworkMode: in.NetworkMode,
		PlacementConstraints:    append([]ecstypes.TaskDefinitionPlacementConstraint{}, in.PlacementConstraints...),
		RequiresCompatibilities: slices.Clone(in.RequiresCompatibilities), Compatibilities: compatibilitiesOf(in),
		Cpu: in.Cpu, Memory: in.Memory, PidMode: in.PidMode, IpcMode: in.IpcMode, ProxyConfiguration: in.ProxyConfiguration,
		EphemeralStorage: in.EphemeralStorage,
		RuntimePlatform:  in.RuntimePlatform, EnableFaultInjection: in.EnableFaultInjection,
		RegisteredAt: aws.Time(s.w.Now()), RegisteredBy: aws.String(c.Principal.ARN),
	}}
	if err := s.tag(d.arn(), in.Tags); err != nil {
		return nil, err
	}
	f.revisions = append(f.revisions, d)
	info := d.info
	return &ecs.RegisterTaskDefinitionOutput{TaskDefinition: &info, Tags: s.tagsOf(d.arn())}, nil
}

// family finds or makes a family. Families are kept in the order of their
// names.
func (s *Service) family(name string) *family {
	i, ok := slices.BinarySearchFunc(s.families, name, func(f *family, name string) int { return strings.Compare(f.name, name) })
	if !ok {
		s.families = slices.Insert(s.families, i, &family{name: name})
	}
	return s.families[i]
}

// checkDefinition refuses what ECS refuses. The texts are AWS's where they are
// known (MODEL.md).
func checkDefinition(in *ecs.RegisterTaskDefinitionInput) error {
	switch {
	case aws.ToString(in.Family) == "":
		return refused("Family should not be blank.")
	case !named(*in.Family):
		return refused("Family contains invalid characters.")
	case len(in.ContainerDefinitions) == 0:
		return refused("Container list cannot be empty.")
	}
	var seen []string
	for _, c := range in.ContainerDefinitions {
		if err := checkContainer(c, in.Memory); err != nil {
			return err
		}
		if slices.Contains(seen, *c.Name) {
			return refused("Container names must be unique within a task definition: %s", *c.Name)
		}
		seen = append(seen, *c.Name)
	}
	if !slices.ContainsFunc(in.ContainerDefinitions, func(c ecstypes.ContainerDefinition) bool { return c.Essential == nil || *c.Essential }) {
		return refused("At least one container of a task definition must be essential.")
	}
	return checkFargate(in)
}

func checkContainer(c ecstypes.ContainerDefinition, memory *string) error {
	name := aws.ToString(c.Name)
	switch {
	case name == "":
		return refused("Container.name should not be null or empty.")
	case aws.ToString(c.Image) == "":
		return refused("Container.image should not be null or empty.")
	case c.Memory == nil && c.MemoryReservation == nil && memory == nil:
		return refused("Invalid setting for container '%s'. At least one of 'memory' or 'memoryReservation' must be specified.", name)
	}
	return nil
}

func checkFargate(in *ecs.RegisterTaskDefinitionInput) error {
	if !slices.Contains(in.RequiresCompatibilities, ecstypes.CompatibilityFargate) {
		return nil
	}
	switch {
	case in.NetworkMode != ecstypes.NetworkModeAwsvpc:
		return refused("Fargate only supports network mode ‘awsvpc’.")
	case in.Cpu == nil:
		return refused("Fargate requires that 'cpu' be defined at the task level.")
	case in.Memory == nil:
		return refused("Fargate requires that 'memory' be defined at the task level.")
	}
	return nil
}

// containersOf adds the defaults that ECS shows.
func containersOf(in *ecs.RegisterTaskDefinitionInput) []ecstypes.ContainerDefinition {
	all := slices.Clone(in.ContainerDefinitions)
	for i := range all {
		c := &all[i]
		if c.Essential == nil {
			c.Essential = aws.Bool(true)
		}
		c.Environment = append([]ecstypes.KeyValuePair{}, c.Environment...)
		c.MountPoints = append([]ecstypes.MountPoint{}, c.MountPoints...)
		c.VolumesFrom = append([]ecstypes.VolumeFrom{}, c.VolumesFrom...)
		c.SystemControls = append([]ecstypes.SystemControl{}, c.SystemControls...)
		c.PortMappings = append([]ecstypes.PortMapping{}, c.PortMappings...)
		for j := range c.PortMappings {
			p := &c.PortMappings[j]
			if p.Protocol == "" {
				p.Protocol = ecstypes.TransportProtocolTcp
			}
			if p.HostPort == nil && in.NetworkMode == ecstypes.NetworkModeAwsvpc {
				p.HostPort = p.ContainerPort
			}
		}
	}
	return all
}

func compatibilitiesOf(in *ecs.RegisterTaskDefinitionInput) []ecstypes.Compatibility {
	all := []ecstypes.Compatibility{ecstypes.CompatibilityEc2}
	if in.NetworkMode == ecstypes.NetworkModeAwsvpc && in.Cpu != nil && in.Memory != nil {
		all = append(all, ecstypes.CompatibilityFargate)
	}
	return all
}
