package ecs

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// task finds a task of a cluster by its ID or ARN.
func (s *Service) task(c *cluster, ref string) *task {
	s.forget(c)
	for _, t := range c.tasks {
		if t.id() == ref || t.arn() == ref {
			return t
		}
	}
	return nil
}

func (s *Service) taskByARN(arn string) *task {
	for _, c := range s.clusters {
		if t := s.task(c, arn); t != nil && t.arn() == arn {
			return t
		}
	}
	return nil
}

func (s *Service) describeTask(t *task, tags bool) ecstypes.Task {
	info := t.info
	if tags {
		info.Tags = s.tagsOf(t.arn())
	}
	return info
}

func (s *Service) describeTasks(_ *wire.Call, in *ecs.DescribeTasksInput) (*ecs.DescribeTasksOutput, error) {
	c, err := s.cluster(in.Cluster)
	if err != nil {
		return nil, err
	}
	switch {
	case len(in.Tasks) == 0:
		return nil, invalid("Tasks cannot be empty.")
	case len(in.Tasks) > pageSize:
		return nil, invalid("Tasks cannot have more than %d elements", pageSize)
	}
	out := &ecs.DescribeTasksOutput{Tasks: []ecstypes.Task{}, Failures: []ecstypes.Failure{}}
	for _, ref := range in.Tasks {
		if t := s.task(c, ref); t != nil {
			out.Tasks = append(out.Tasks, s.describeTask(t, slices.Contains(in.Include, ecstypes.TaskFieldTags)))
			continue
		}
		if !strings.HasPrefix(ref, "arn:") {
			ref = s.arn("task/" + c.name + "/" + ref)
		}
		out.Failures = append(out.Failures, missing(ref))
	}
	return out, nil
}

func (s *Service) listTasks(_ *wire.Call, in *ecs.ListTasksInput) (*ecs.ListTasksOutput, error) {
	if err := wire.Only(in, "Cluster", "ServiceName", "Family", "StartedBy", "DesiredStatus", "LaunchType", "MaxResults", "NextToken"); err != nil {
		return nil, err
	}
	c, err := s.cluster(in.Cluster)
	if err != nil {
		return nil, err
	}
	s.forget(c)
	var svc *service
	if in.ServiceName != nil {
		if svc = s.anyService(c, *in.ServiceName); svc == nil {
			return nil, noService()
		}
	}
	var all []string
	for _, t := range c.tasks {
		if t.matches(in) && (svc == nil || t.service == svc) {
			all = append(all, t.arn())
		}
	}
	part, next, err := page(all, pageSize, in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	return &ecs.ListTasksOutput{TaskArns: part, NextToken: next}, nil
}

// matches says whether a task has what a list is asked for.
func (t *task) matches(in *ecs.ListTasksInput) bool {
	status := in.DesiredStatus
	if status == "" {
		status = ecstypes.DesiredStatusRunning
	}
	return *t.info.DesiredStatus == string(status) &&
		(in.Family == nil || aws.ToString(t.work.definition.info.Family) == *in.Family) &&
		(in.StartedBy == nil || aws.ToString(t.info.StartedBy) == *in.StartedBy) &&
		(in.LaunchType == "" || t.info.LaunchType == in.LaunchType)
}

func (s *Service) stopTask(_ *wire.Call, in *ecs.StopTaskInput) (*ecs.StopTaskOutput, error) {
	c, err := s.cluster(in.Cluster)
	if err != nil {
		return nil, err
	}
	t := s.task(c, aws.ToString(in.Task))
	if t == nil {
		return nil, invalid("The referenced task was not found.")
	}
	reason := aws.ToString(in.Reason)
	if reason == "" {
		reason = "Task stopped by user"
	}
	s.halt(t, ecstypes.TaskStopCodeUserInitiated, reason)
	s.poke(t.service)
	info := s.describeTask(t, false)
	return &ecs.StopTaskOutput{Task: &info}, nil
}
