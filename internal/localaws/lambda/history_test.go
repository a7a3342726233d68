package lambda_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awslambda "github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/traffic"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// history is what a world with requests, events and messages does in ten
// minutes: which version answered what and when, and all metrics.
func history(t *testing.T, seed uint64) []string {
	t.Helper()
	l := newLocalIn(t, world.New(world.Options{Seed: seed}))
	l.create("worker", does("records"))
	l.create("broken", does("error"))
	l.publish()
	l.vary(map[string]string{"DO": "error"})
	l.publish()
	_, err := l.client.CreateAlias(t.Context(), &awslambda.CreateAliasInput{
		FunctionName: aws.String("worker"), Name: aws.String("live"), FunctionVersion: aws.String("1"),
		RoutingConfig: &lambdatypes.AliasRoutingConfiguration{AdditionalVersionWeights: map[string]float64{"2": 0.3}},
	})
	require.NoError(t, err)
	l.read(l.queue("orders", nil))
	var all []string
	l.world.Lock()
	stream := traffic.Start(l.world, l.lambda, traffic.Options{Function: "worker", Qualifier: "live", PerSecond: 0.5})
	stream.Observe(func(o traffic.Outcome) { all = append(all, fmt.Sprint(o.At, o.Version, o.Failed)) })
	l.world.Unlock()
	for i := range 3 {
		l.event("broken", `{}`)
		l.send("orders", fmt.Sprintf("bad-%d", i), "")
		l.advance(3 * time.Minute)
	}
	for _, m := range l.metrics {
		all = append(all, fmt.Sprint(m))
	}
	return all
}

func TestTheSameSeedGivesTheSameHistory(t *testing.T) {
	first := history(t, 1)
	assert.Equal(t, first, history(t, 1))
	assert.NotEqual(t, first, history(t, 2))
}

func TestAServiceCannotWaitForAFunction(t *testing.T) {
	l := newLocal(t)
	l.create("worker")
	l.world.Lock()
	defer l.world.Unlock()
	_, err := l.mux.Call(t.Context(), wire.Principal{Service: "events.amazonaws.com"}, "lambda", "Invoke", &awslambda.InvokeInput{FunctionName: aws.String("worker")})
	require.ErrorContains(t, err, "cannot wait for a function")
}
