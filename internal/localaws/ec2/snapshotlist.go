package ec2

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

func (s *Service) describeSnapshots(_ *wire.Call, in *ec2.DescribeSnapshotsInput) (*ec2.DescribeSnapshotsOutput, error) {
	if err := wire.Only(in, "DryRun", "Filters", "MaxResults", "NextToken", "OwnerIds", "SnapshotIds"); err != nil {
		return nil, err
	}
	if err := dryRun(in.DryRun); err != nil {
		return nil, err
	}
	found, err := find(snapshotKind(), s.snapshots, (*snapshot).id, in.SnapshotIds)
	if err != nil {
		return nil, err
	}
	if len(in.OwnerIds) > 0 && !slices.Contains(in.OwnerIds, "self") && !slices.Contains(in.OwnerIds, s.w.Account) {
		found = nil // all snapshots here are the account's
	}
	names := []string{"description", "encrypted", "owner-id", "progress", "snapshot-id", "start-time", "status", "volume-id", "volume-size"}
	found, err = filtered(found, in.Filters, names, func(n *snapshot) facts {
		encrypted := "false"
		if *n.info.Encrypted {
			encrypted = "true"
		}
		return facts{
			"description": {*n.info.Description}, "encrypted": {encrypted}, "owner-id": {*n.info.OwnerId}, "progress": {*n.info.Progress}, "snapshot-id": {n.id()},
			"start-time": {n.info.StartTime.Format(time.RFC3339)}, "status": {string(n.info.State)}, "volume-id": {*n.info.VolumeId}, "volume-size": {itoa(*n.info.VolumeSize)},
		}.tagged(s.tags[n.id()])
	})
	if err != nil {
		return nil, err
	}
	found, next, err := page(found, in.MaxResults, in.NextToken)
	out := &ec2.DescribeSnapshotsOutput{Snapshots: []ec2types.Snapshot{}, NextToken: next}
	for _, n := range found {
		info := n.info
		info.Tags = s.tagsOf(n.id())
		out.Snapshots = append(out.Snapshots, info)
	}
	return out, err
}

func (s *Service) deleteSnapshot(_ *wire.Call, in *ec2.DeleteSnapshotInput) (*ec2.DeleteSnapshotOutput, error) {
	if in.SnapshotId == nil {
		return nil, missing("snapshotId")
	}
	found, err := find(snapshotKind(), s.snapshots, (*snapshot).id, []string{*in.SnapshotId})
	if err != nil {
		return nil, err
	}
	if err := dryRun(in.DryRun); err != nil {
		return nil, err
	}
	delete(s.tags, *in.SnapshotId)
	s.snapshots = slices.DeleteFunc(s.snapshots, func(n *snapshot) bool { return n == found[0] })
	return &ec2.DeleteSnapshotOutput{}, nil
}

// snapshotEvent is the detail of an event about one or several snapshots (EBS
// user guide, "Amazon EventBridge events for Amazon EBS"). The ARNs have the
// region in the place of the account, as the page shows them.
type snapshotEvent struct {
	Event     string         `json:"event"`
	Result    string         `json:"result"`
	Cause     string         `json:"cause"`
	RequestID string         `json:"request-id"`
	Snapshot  string         `json:"snapshot_id,omitempty"`
	Source    string         `json:"source,omitempty"`
	StartTime string         `json:"startTime"`
	EndTime   string         `json:"endTime"`
	Snapshots []oneOfSeveral `json:"snapshots,omitempty"`
}

type oneOfSeveral struct {
	Snapshot string `json:"snapshot_id"`
	Source   string `json:"source"`
	Status   string `json:"status"`
}

// tellSnapshots puts the event of snapshots that have ended on the bus.
func (s *Service) tellSnapshots(ctx context.Context, several bool, ended []*snapshot) {
	if len(ended) == 0 {
		return
	}
	arn := func(typ, id string) string { return "arn:aws:ec2::" + s.w.Region + ":" + typ + "/" + id }
	d := snapshotEvent{Event: "createSnapshot", Result: "succeeded", StartTime: ended[0].info.StartTime.Format(time.RFC3339), EndTime: s.w.Now().Format(time.RFC3339)}
	var resources []string
	for _, n := range ended {
		resources = append(resources, arn("snapshot", n.id()))
		if n.info.State == ec2types.SnapshotStateError {
			d.Result, d.Cause = "failed", *n.info.StateMessage
		}
		d.Snapshots = append(d.Snapshots, oneOfSeveral{arn("snapshot", n.id()), arn("volume", *n.info.VolumeId), string(n.info.State)})
	}
	typ := "EBS Multi-Volume Snapshots Completion Status"
	if several {
		d.Event = "createSnapshots"
	} else {
		typ = "EBS Snapshot Notification"
		d.Snapshot, d.Source, d.Snapshots = d.Snapshots[0].Snapshot, d.Snapshots[0].Source, nil
	}
	s.publish(ctx, typ, resources, d)
}
