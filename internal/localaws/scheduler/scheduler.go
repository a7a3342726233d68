// Package scheduler is EventBridge Scheduler in the local AWS: schedules in
// groups that call a target at a rate, by the calendar of a time zone or once,
// with retries and dead-letter queues, on the world's clock.
//
// Templated targets are Lambda functions, SQS queues, SNS topics, event buses
// and CodePipeline pipelines; universal targets are the operations that the
// local AWS has. Any other target is refused when it is put. It acts with the
// target's role, publishes no metrics of its own and encrypts nothing.
package scheduler

import (
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	schedulertypes "github.com/aws/aws-sdk-go-v2/service/scheduler/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// principal is the service that assumes a target's role.
const principal = "scheduler.amazonaws.com"

// defaultGroup is the group that every account has.
const defaultGroup = "default"

// API is how the targets are called.
type API interface {
	wire.Caller
	// Input returns an empty Input of an operation, or nil if there is none.
	Input(service, operation string) any
}

// Service is EventBridge Scheduler in one account and region.
type Service struct {
	w          *world.World
	api        API               `state:"-"`
	groups     map[string]*group // by name
	schedules  map[key]*entry
	executions []*execution // under way, in the order of their beginning
	lost       []error      `state:"-"`
}

// key names a schedule.
type key struct{ group, name string }

// New makes the service with the default group and no schedules.
func New(w *world.World, api API) *Service {
	s := &Service{w: w, api: api, groups: map[string]*group{}, schedules: map[key]*entry{}}
	s.groups[defaultGroup] = &group{name: defaultGroup, created: s.now(), modified: s.now()}
	return s
}

// Lost returns the errors of calls that were given up without a dead-letter
// queue to go to, oldest first. Call it with the world's lock held.
func (s *Service) Lost() []error { return s.lost }

const (
	schedulesPath = "/schedules"
	schedulePath  = schedulesPath + "/{Name}"
	groupsPath    = "/schedule-groups"
	groupPath     = groupsPath + "/{Name}"
	tagsPath      = "/tags/{ResourceArn}"
)

// Wire describes the service to the wire (EventBridge Scheduler API reference).
func (s *Service) Wire() wire.Service {
	inGroup := map[string]string{"groupName": "GroupName"}
	deletion := map[string]string{"groupName": "GroupName", "clientToken": "ClientToken"}
	groups := map[string]string{"MaxResults": "MaxResults", "NamePrefix": "NamePrefix", "NextToken": "NextToken"}
	schedules := map[string]string{
		"MaxResults": "MaxResults", "NamePrefix": "NamePrefix", "NextToken": "NextToken", "ScheduleGroup": "GroupName", "State": "State",
	}
	return wire.Service{
		Name: "scheduler", Protocol: wire.RESTJSON, Style: wire.Pascal,
		Status: map[string]int{
			"ConflictException": http.StatusConflict, "ResourceNotFoundException": http.StatusNotFound,
			"ServiceQuotaExceededException": http.StatusPaymentRequired, "ThrottlingException": http.StatusTooManyRequests,
		},
		Operations: []wire.Operation{
			wire.Op("CreateSchedule", s.createSchedule).Bind(wire.REST{Method: http.MethodPost, Path: schedulePath}),
			wire.Op("GetSchedule", s.getSchedule).Bind(wire.REST{Method: http.MethodGet, Path: schedulePath, Query: inGroup}),
			wire.Op("UpdateSchedule", s.updateSchedule).Bind(wire.REST{Method: http.MethodPut, Path: schedulePath}),
			wire.Op("DeleteSchedule", s.deleteSchedule).Bind(wire.REST{Method: http.MethodDelete, Path: schedulePath, Query: deletion}),
			wire.Op("ListSchedules", s.listSchedules).Bind(wire.REST{Method: http.MethodGet, Path: schedulesPath, Query: schedules}),
			wire.Op("CreateScheduleGroup", s.createGroup).Bind(wire.REST{Method: http.MethodPost, Path: groupPath}),
			wire.Op("GetScheduleGroup", s.getGroup).Bind(wire.REST{Method: http.MethodGet, Path: groupPath}),
			wire.Op("DeleteScheduleGroup", s.deleteGroup).
				Bind(wire.REST{Method: http.MethodDelete, Path: groupPath, Query: map[string]string{"clientToken": "ClientToken"}}),
			wire.Op("ListScheduleGroups", s.listGroups).Bind(wire.REST{Method: http.MethodGet, Path: groupsPath, Query: groups}),
			wire.Op("TagResource", s.tagResource).Bind(wire.REST{Method: http.MethodPost, Path: tagsPath}),
			wire.Op("UntagResource", s.untagResource).
				Bind(wire.REST{Method: http.MethodDelete, Path: tagsPath, Query: map[string]string{"TagKeys": "TagKeys"}}),
			wire.Op("ListTagsForResource", s.listTags).Bind(wire.REST{Method: http.MethodGet, Path: tagsPath}),
		},
	}
}

// now is the world's time in the precision that the API shows.
func (s *Service) now() time.Time { return s.w.Now().Truncate(time.Millisecond) }

func (s *Service) arn(resource string) string {
	return "arn:aws:scheduler:" + s.w.Region + ":" + s.w.Account + ":" + resource
}

func invalid(format string, args ...any) error {
	return &schedulertypes.ValidationException{Message: aws.String(fmt.Sprintf(format, args...))}
}

func notFound(format string, args ...any) error {
	return &schedulertypes.ResourceNotFoundException{Message: aws.String(fmt.Sprintf(format, args...))}
}

func conflict(format string, args ...any) error {
	return &schedulertypes.ConflictException{Message: aws.String(fmt.Sprintf(format, args...))}
}
