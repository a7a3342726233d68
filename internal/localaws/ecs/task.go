package ecs

import (
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// The states of a task (developer guide, "Amazon ECS task lifecycle"; API:
// lastStatus).
const (
	provisioning   = "PROVISIONING"
	pending        = "PENDING"
	running        = "RUNNING"
	deactivating   = "DEACTIVATING"
	stopping       = "STOPPING"
	deprovisioning = "DEPROVISIONING"
	stopped        = "STOPPED"
)

// How long a task takes for its ways. None of these times is documented.
const (
	provisionTime   = 2 * time.Second // for the network interface
	startTime       = 3 * time.Second // from PENDING to RUNNING, unless a label says otherwise
	stopTime        = time.Second     // for SIGTERM; containers here obey at once
	deprovisionTime = 2 * time.Second
	drainPoll       = 5 * time.Second // how often a task that is DEACTIVATING looks whether its targets are drained
)

// keepStopped is how long a stopped task can be described: "at least an hour".
const keepStopped = time.Hour

// aliveAfter is how long a task without any health check runs before it counts
// as healthy (API reference, DeploymentConfiguration, minimumHealthyPercent).
const aliveAfter = 40 * time.Second

// task is one task.
type task struct {
	info     ecstypes.Task
	cluster  *cluster
	service  *service
	work     *workload
	fails    bool   // does not start
	ip       string // empty if it has no network interface of its own
	targets  []target
	joined   bool // its targets are registered
	healthy  bool // by its load balancers and container health checks, or because it has run for long enough
	passed   bool // was healthy once
	due      time.Time
	timer    *world.Timer
	patience time.Time // health checks are ignored until then
}

func (t *task) arn() string { return *t.info.TaskArn }

func (t *task) id() string { return last(t.arn()) }

func (t *task) is(status string) bool { return *t.info.LastStatus == status }

func (t *task) alive() bool { return *t.info.DesiredStatus == running }

func (t *task) running() bool { return t.alive() && t.is(running) }

func (t *task) starting() bool { return t.alive() && !t.is(running) }

func (t *task) stopped() bool { return t.is(stopped) }

// sound says whether a task counts as healthy.
func (t *task) sound() bool { return t.running() && t.healthy }

// start starts a task of a workload.
func (s *Service) start(svc *service, w *workload) *task {
	c := svc.cluster
	s.forget(c)
	d := w.definition
	t := &task{cluster: c, service: svc, work: w, fails: d.behaviour.failures < 0 || w.started < d.behaviour.failures}
	id := s.hex32()
	t.info = ecstypes.Task{
		TaskArn: aws.String(s.arn("task/" + c.name + "/" + id)), ClusterArn: c.info.ClusterArn, TaskDefinitionArn: aws.String(d.arn()),
		Group: aws.String("service:" + svc.name), StartedBy: aws.String(w.id), CreatedAt: aws.Time(s.w.Now()), Version: 1,
		DesiredStatus: aws.String(running), LastStatus: aws.String(provisioning), HealthStatus: ecstypes.HealthStatusUnknown,
		LaunchType: w.launch.kind, CapacityProviderName: w.launch.provider(), PlatformVersion: w.launch.platform, PlatformFamily: w.launch.family(d),
		Cpu: d.info.Cpu, Memory: d.info.Memory, EphemeralStorage: d.info.EphemeralStorage, AvailabilityZone: aws.String(s.w.Region + "a"),
		EnableExecuteCommand: svc.info.EnableExecuteCommand, Overrides: &ecstypes.TaskOverride{ContainerOverrides: []ecstypes.ContainerOverride{}},
		Attachments: []ecstypes.Attachment{}, Attributes: []ecstypes.Attribute{},
	}
	if d.info.NetworkMode == ecstypes.NetworkModeAwsvpc {
		t.ip = s.address()
		t.info.Attachments = []ecstypes.Attachment{s.networkInterface(t.ip)}
	}
	for _, def := range d.info.ContainerDefinitions {
		t.info.Containers = append(t.info.Containers, s.container(t, id, def))
	}
	s.tagTask(t)
	w.started++
	w.tasks = append(w.tasks, t)
	c.tasks = append(c.tasks, t)
	s.wait(t, provisionTime)
	return t
}

func (s *Service) networkInterface(ip string) ecstypes.Attachment {
	return ecstypes.Attachment{
		Id: aws.String(s.w.UUID()), Type: aws.String("ElasticNetworkInterface"), Status: aws.String("ATTACHED"),
		Details: []ecstypes.KeyValuePair{{Name: aws.String("privateIPv4Address"), Value: aws.String(ip)}},
	}
}

func (s *Service) container(t *task, taskID string, d ecstypes.ContainerDefinition) ecstypes.Container {
	c := ecstypes.Container{
		ContainerArn: aws.String(s.arn("container/" + t.cluster.name + "/" + taskID + "/" + s.w.UUID())), TaskArn: t.info.TaskArn,
		Name: d.Name, Image: d.Image, LastStatus: aws.String(pending), HealthStatus: ecstypes.HealthStatusUnknown,
		Cpu: aws.String(itoa(d.Cpu)), NetworkInterfaces: []ecstypes.NetworkInterface{},
	}
	if d.Memory != nil {
		c.Memory = aws.String(itoa(*d.Memory))
	}
	if t.ip != "" {
		c.NetworkInterfaces = append(c.NetworkInterfaces, ecstypes.NetworkInterface{
			AttachmentId: t.info.Attachments[0].Id, PrivateIpv4Address: aws.String(t.ip),
		})
	}
	return c
}

// tagTask gives a task the tags that its service propagates.
func (s *Service) tagTask(t *task) {
	from := ""
	switch t.service.info.PropagateTags {
	case ecstypes.PropagateTagsService:
		from = t.service.arn()
	case ecstypes.PropagateTagsTaskDefinition:
		from = t.work.definition.arn()
	case ecstypes.PropagateTagsNone:
	}
	if all := s.tags[from]; from != "" && len(all) > 0 {
		s.tags[t.arn()] = slices.Clone(all)
	}
}

// forget drops the tasks that stopped long ago.
func (s *Service) forget(c *cluster) {
	c.tasks = slices.DeleteFunc(c.tasks, func(t *task) bool {
		old := t.stopped() && s.w.Now().Sub(*t.info.StoppedAt) > keepStopped
		if old {
			delete(s.tags, t.arn())
		}
		return old
	})
}

// wait lets a task take its next step after d.
func (s *Service) wait(t *task, d time.Duration) {
	s.w.Stop(t.timer)
	t.due = s.w.Now().Add(d)
	at := s.w.At
	if t.service.endless() { // what comes again for ever is no reason for a fast clock to run
		at = s.w.Tick
	}
	t.timer = at(t.due, func() { s.step(t) })
}

// become changes the state of a task and of its containers.
func (s *Service) become(t *task, status, containers string) {
	t.info.LastStatus = aws.String(status)
	t.info.Version++
	t.info.Containers = slices.Clone(t.info.Containers) // answers have the old ones
	for i := range t.info.Containers {
		t.info.Containers[i].LastStatus = aws.String(containers)
	}
}
