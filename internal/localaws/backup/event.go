package backup

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	backuptypes "github.com/aws/aws-sdk-go-v2/service/backup/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// batch is how often events go out: "AWS Backup emits events to EventBridge in a
// best effort manner every 5 minutes" (AWS Backup developer guide, "Monitoring
// AWS Backup events using Amazon EventBridge").
const batch = 5 * time.Minute

// notice is an event that waits for the next delivery.
type notice struct {
	kind      string
	at        time.Time
	resources []string
	detail    string
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// report notes that a job has changed its state.
func (s *Service) report(j *job) {
	detail := map[string]any{
		"backupJobId": j.id, "backupVaultArn": j.vaultARN, "backupVaultName": j.vault, "bytesTransferred": "0", "creationDate": stamp(j.created),
		"iamRoleArn": j.role, "resourceArn": j.resource, "resourceType": j.kind(), "state": string(j.state), "startBy": stamp(j.startBy),
		"percentDone": number(s.percent(j)), "retryCount": 0,
	}
	if j.message != "" {
		detail["statusMessage"] = j.message
	}
	if !j.completed.IsZero() {
		detail["completionDate"] = stamp(j.completed)
	}
	var resources []string
	if j.state == backuptypes.BackupJobStateCompleted {
		resources = []string{j.point}
	}
	s.post("Backup Job State Change", resources, detail)
}

func (s *Service) reportRestore(r *restore) {
	detail := map[string]any{
		"restoreJobId": r.id, "backupSizeInBytes": strconv.FormatInt(r.size, 10), "creationDate": stamp(r.created), "iamRoleArn": r.role,
		"resourceType": r.kind, "status": string(r.status), "percentDone": number(r.percent()),
	}
	if r.made != "" {
		detail["createdResourceArn"] = r.made
	}
	if !r.completed.IsZero() {
		detail["completionDate"] = stamp(r.completed)
	}
	if r.message != "" {
		detail["statusMessage"] = r.message
	}
	s.post("Restore Job State Change", []string{r.point}, detail)
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// number reads the number in "40.0" or "40.00%".
func number(percent string) float64 {
	for len(percent) > 0 {
		if f, err := strconv.ParseFloat(percent, 64); err == nil {
			return f
		}
		percent = percent[:len(percent)-1]
	}
	return 0
}

// post puts an event with those that go out next.
func (s *Service) post(kind string, resources []string, detail map[string]any) {
	text, err := json.Marshal(detail)
	if err != nil {
		return // texts and numbers always marshal
	}
	s.notices = append(s.notices, notice{kind: kind, at: s.now(), resources: resources, detail: string(text)})
	if s.due.IsZero() {
		s.due = s.w.Now().Truncate(batch).Add(batch)
		s.awaitDelivery()
	}
}

func (s *Service) awaitDelivery() {
	s.w.At(s.due, func() {
		s.due = time.Time{}
		s.deliver(context.Background()) //nolint:forbidigo // a timer has no caller
	})
}

// deliver sends what waits. What the bus does not take is lost: best effort.
func (s *Service) deliver(ctx context.Context) {
	waiting := s.notices
	s.notices = nil
	for _, n := range waiting {
		_, _ = wire.Do[eventbridge.PutEventsOutput](ctx, s.c, wire.Principal{Service: principal}, "events", "PutEvents", &eventbridge.PutEventsInput{
			Entries: []ebtypes.PutEventsRequestEntry{{
				Source: aws.String("aws.backup"), DetailType: aws.String(n.kind), Time: aws.Time(n.at), Resources: n.resources, Detail: aws.String(n.detail),
			}},
		})
	}
}
