package ec2

import (
	"time"

	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// snapshot is one EBS snapshot.
type snapshot struct {
	info  ec2types.Snapshot // as described, but for the tags
	due   time.Time         // when it completes; zero when it has
	timer *world.Timer
}

func (n *snapshot) id() string { return *n.info.SnapshotId }

func snapshotKind() kind {
	return kind{prefix: "snap", code: "InvalidSnapshot", noun: "snapshot", typ: "snapshot"}
}

// completed finds a snapshot of which volumes can be made.
func (s *Service) completed(id string) (*snapshot, error) {
	found, err := find(snapshotKind(), s.snapshots, (*snapshot).id, []string{id})
	if err != nil {
		return nil, err
	}
	if found[0].info.State != ec2types.SnapshotStateCompleted {
		return nil, refuse("IncorrectState", "Snapshot is in invalid state - %s", found[0].info.State)
	}
	return found[0], nil
}
