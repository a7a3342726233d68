package scheduler

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	schedulertypes "github.com/aws/aws-sdk-go-v2/service/scheduler/types"

	"github.com/pullback-dev/pullback/internal/localaws/eventbridge/schedule"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// entry is one schedule.
type entry struct {
	key
	settings
	token             string // of the request that created it
	created, modified time.Time
	planned           time.Time // when it comes due next; zero if never
	timer             *world.Timer
}

// settings are what a schedule's creation or update says. An update replaces
// all of them (API reference, UpdateSchedule).
type settings struct {
	after       schedulertypes.ActionAfterCompletion
	description *string
	start, end  *time.Time
	window      schedulertypes.FlexibleTimeWindow
	expression  string
	zone        string
	state       schedulertypes.ScheduleState
	target      schedulertypes.Target
	schedule    schedule.Schedule `state:"-"` // of expression and zone
}

func (s *Service) scheduleARN(k key) string { return s.arn("schedule/" + k.group + "/" + k.name) }

// entry finds a schedule.
func (s *Service) entry(groupName, name *string) (*entry, error) {
	g, err := s.group(groupName)
	if err != nil {
		return nil, err
	}
	if e := s.schedules[key{g.name, aws.ToString(name)}]; e != nil {
		return e, nil
	}
	return nil, notFound("Schedule %s does not exist.", aws.ToString(name))
}

func (s *Service) createSchedule(_ *wire.Call, in *scheduler.CreateScheduleInput) (*scheduler.CreateScheduleOutput, error) {
	g, err := s.group(in.GroupName)
	if err != nil {
		return nil, err
	}
	if err := checkName("name", aws.ToString(in.Name)); err != nil {
		return nil, err
	}
	k := key{g.name, *in.Name}
	out := &scheduler.CreateScheduleOutput{ScheduleArn: aws.String(s.scheduleARN(k))}
	if old := s.schedules[k]; old != nil {
		if in.ClientToken == nil || *in.ClientToken != old.token {
			return nil, conflict("Schedule %s already exists.", k.name)
		}
		return out, nil // the same request once more
	}
	wanted, err := s.read(in)
	if err != nil {
		return nil, err
	}
	e := &entry{key: k, settings: wanted, token: aws.ToString(in.ClientToken), created: s.now(), modified: s.now()}
	s.schedules[k] = e
	after := s.w.Now()
	switch e.schedule.(type) {
	case schedule.Rate, schedule.Once: // now is not too late for them: a rate without a start date begins at once
		after = after.Add(-1)
	}
	s.plan(e, after)
	return out, nil
}

func (s *Service) updateSchedule(_ *wire.Call, in *scheduler.UpdateScheduleInput) (*scheduler.UpdateScheduleOutput, error) {
	e, err := s.entry(in.GroupName, in.Name)
	if err != nil {
		return nil, err
	}
	wanted, err := s.read(&scheduler.CreateScheduleInput{
		ActionAfterCompletion: in.ActionAfterCompletion, Description: in.Description, StartDate: in.StartDate, EndDate: in.EndDate,
		FlexibleTimeWindow: in.FlexibleTimeWindow, KmsKeyArn: in.KmsKeyArn, ScheduleExpression: in.ScheduleExpression,
		ScheduleExpressionTimezone: in.ScheduleExpressionTimezone, State: in.State, Target: in.Target,
	})
	if err != nil {
		return nil, err
	}
	e.settings, e.modified = wanted, s.now()
	s.plan(e, s.w.Now())
	return &scheduler.UpdateScheduleOutput{ScheduleArn: aws.String(s.scheduleARN(e.key))}, nil
}

func (s *Service) getSchedule(_ *wire.Call, in *scheduler.GetScheduleInput) (*scheduler.GetScheduleOutput, error) {
	e, err := s.entry(in.GroupName, in.Name)
	if err != nil {
		return nil, err
	}
	window, target := e.window, e.target
	return &scheduler.GetScheduleOutput{
		ActionAfterCompletion: e.after, Arn: aws.String(s.scheduleARN(e.key)), CreationDate: aws.Time(e.created), Description: e.description,
		EndDate: e.end, FlexibleTimeWindow: &window, GroupName: aws.String(e.group), LastModificationDate: aws.Time(e.modified),
		Name: aws.String(e.name), ScheduleExpression: aws.String(e.expression), ScheduleExpressionTimezone: aws.String(e.zone),
		StartDate: e.start, State: e.state, Target: &target,
	}, nil
}

func (s *Service) deleteSchedule(_ *wire.Call, in *scheduler.DeleteScheduleInput) (*scheduler.DeleteScheduleOutput, error) {
	e, err := s.entry(in.GroupName, in.Name)
	if err != nil {
		return nil, err
	}
	s.remove(e)
	return &scheduler.DeleteScheduleOutput{}, nil
}

// remove forgets a schedule. Calls under way go on.
func (s *Service) remove(e *entry) {
	s.w.Stop(e.timer)
	delete(s.schedules, e.key)
}

// sorted are all schedules, by group and name.
func (s *Service) sorted() []*entry {
	return slices.SortedFunc(maps.Values(s.schedules), func(a, b *entry) int {
		return cmp.Or(cmp.Compare(a.group, b.group), cmp.Compare(a.name, b.name))
	})
}

func (s *Service) listSchedules(_ *wire.Call, in *scheduler.ListSchedulesInput) (*scheduler.ListSchedulesOutput, error) {
	if in.GroupName != nil {
		if _, err := s.group(in.GroupName); err != nil {
			return nil, err
		}
	}
	var found []*entry
	for _, e := range s.sorted() {
		if (in.GroupName == nil || e.group == *in.GroupName) && (in.State == "" || e.state == in.State) &&
			strings.HasPrefix(e.name, aws.ToString(in.NamePrefix)) {
			found = append(found, e)
		}
	}
	// A space sorts before whatever a name may hold.
	found, next, err := page(found, func(e *entry) string { return e.group + " " + e.name }, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &scheduler.ListSchedulesOutput{NextToken: next, Schedules: []schedulertypes.ScheduleSummary{}}
	for _, e := range found {
		out.Schedules = append(out.Schedules, schedulertypes.ScheduleSummary{
			Arn: aws.String(s.scheduleARN(e.key)), CreationDate: aws.Time(e.created), GroupName: aws.String(e.group),
			LastModificationDate: aws.Time(e.modified), Name: aws.String(e.name), State: e.state,
			Target: &schedulertypes.TargetSummary{Arn: e.target.Arn},
		})
	}
	return out, nil
}
