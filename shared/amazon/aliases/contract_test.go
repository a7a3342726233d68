package aliases_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/target/targettest"
)

func TestAliasesKeepTheContract(t *testing.T) {
	targettest.Run(t, func(t *testing.T) targettest.Scene {
		t.Helper()
		c := newCloud(t)
		versions := map[string]string{"A": "1", "B": "2", "C": "3", "D": "9"}
		_, err := c.lambda.DeleteFunction(t.Context(), &lambda.DeleteFunctionInput{FunctionName: &alias.Function, Qualifier: aws.String(versions["C"])})
		require.NoError(t, err)
		c.live()
		c.pass(time.Minute)
		now := "1" // serves
		next := "" // has a share
		return targettest.Scene{
			Driver: c.client, Place: place, Now: c.now,
			Revision: func(name string) deploy.Revision { return deploy.Revision(versions[name]) },
			// The team's script gives the new version a share for some minutes.
			Deploy: func(name string) deploy.ID {
				next = versions[name]
				c.serve(now, map[string]float64{next: 0.1})
				return c.recent()[0].ID
			},
			Shift: func() { c.pass(time.Minute) },
			Settle: func() {
				c.pass(10 * time.Minute)
				if len(c.live().Weights) > 0 { // unless somebody has stopped it
					c.serve(next, nil)
				}
				now = string(c.live().Version)
			},
		}
	})
}
