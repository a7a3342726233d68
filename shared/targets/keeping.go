package targets

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

// Keeping takes the restore points of deployments of every kind.
func Keeping(cfg aws.Config, account string, store taker.Store, now func() time.Time) *taker.Taker {
	keeper := restorepoints.NewKeeper(
		codedeploy.NewFromConfig(cfg), autoscaling.NewFromConfig(cfg), ec2.NewFromConfig(cfg), backup.NewFromConfig(cfg), account, cfg.Region,
	)
	return taker.New(store, keeper, now)
}
