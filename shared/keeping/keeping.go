// Package keeping wires what takes restore points to AWS. It is for the setup of the
// functions that do: the others need not carry AWS Backup. It decides nothing.
package keeping

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/backup"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/pullback-dev/pullback/shared/amazon/restorepoints"
	"github.com/pullback-dev/pullback/shared/restorepoint/taker"
)

// New returns what takes the restore points of deployments of every kind.
func New(cfg aws.Config, account string, store taker.Store, now func() time.Time) *taker.Taker {
	keeper := restorepoints.NewKeeper(
		codedeploy.NewFromConfig(cfg), autoscaling.NewFromConfig(cfg), ec2.NewFromConfig(cfg), backup.NewFromConfig(cfg), account, cfg.Region,
	)
	return taker.New(store, keeper, now)
}
