package hooked

import (
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/pullback-dev/pullback/shared/amazon/parameters"
	"github.com/pullback-dev/pullback/shared/amazon/table"
	"github.com/pullback-dev/pullback/shared/config"
	"github.com/pullback-dev/pullback/shared/configured"
	"github.com/pullback-dev/pullback/shared/settings"
)

// Configuration is what pullback.yaml says, where there is one. Without somebody
// to tell, problems are left to another function.
func Configuration(
	cfg aws.Config, s settings.Settings, store *table.Table, told configured.Problems, now func() time.Time, log *slog.Logger,
) *configured.Reader {
	r := &configured.Reader{
		Ledger: store, Problems: told, Base: config.Base(s), Home: config.Home{Account: s.Account, Region: cfg.Region}, Now: now, Log: log,
	}
	if s.Config != "" {
		r.Source = parameters.New(ssm.NewFromConfig(cfg), s.Config)
	}
	return r
}
