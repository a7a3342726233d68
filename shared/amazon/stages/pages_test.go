package stages_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	cptypes "github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/shared/amazon/stages"
	"github.com/pullback-dev/pullback/shared/deploy"
)

// counted is a transport that counts the calls of each operation, and may answer
// them itself.
type counted struct {
	next  aws.HTTPClient
	calls map[string]int
	fail  string // operation that nobody answers
}

func (h *counted) Do(r *http.Request) (*http.Response, error) {
	name := r.Header.Get("X-Amz-Target")[len("CodePipeline_20150709."):]
	h.calls[name]++
	if name == h.fail {
		return &http.Response{StatusCode: http.StatusBadGateway, Body: http.NoBody, Header: http.Header{}}, nil
	}
	return h.next.Do(r)
}

// counting returns a driver whose calls are counted, and repeated as usual.
func (c *cloud) counting(fail string) (*stages.Client, *counted) {
	h := &counted{next: http.DefaultClient, calls: map[string]int{}, fail: fail}
	return stages.New(codepipeline.New(c.line.Options(), func(o *codepipeline.Options) {
		h.next, o.HTTPClient = o.HTTPClient, h
		o.RetryMaxAttempts = 3
		o.Retryer = retry.NewStandard(func(o *retry.StandardOptions) { o.MaxBackoff = time.Millisecond })
	}), c.store, account, region), h
}

func TestAQuietPipelineCostsOneCall(t *testing.T) {
	c, _ := shop(t, asking("Beta"), prod())
	c.answer("Beta", cptypes.ApprovalStatusApproved)
	c.pass(settled)
	beta := deploy.Target{Kind: deploy.KindStage, Application: "line", Group: "Beta"}
	gone := deploy.Target{Kind: deploy.KindStage, Application: "gone", Group: "Prod"}
	client, h := c.counting("")
	found, err := client.Active(t.Context(), []deploy.Target{beta, target, gone}, c.now())
	require.NoError(t, err)
	assert.Empty(t, found)
	assert.Equal(t, map[string]int{"GetPipelineState": 2}, h.calls)
}

func TestWhatIsLongAgoIsStillFound(t *testing.T) {
	c, one := shop(t)
	two := c.release("two")
	c.pass(settled)
	back, err := c.restore(one)
	require.NoError(t, err)
	c.pass(settled)
	_, err = c.client.Close(t.Context(), target, "many are to wait")
	require.NoError(t, err)
	last := one
	for range 101 { // more than a page of executions, and of actions
		last = c.start()
		c.pass(moving)
	}
	assert.True(t, c.live().Only(deploy.Revision(one)))
	d := c.get(back)
	assert.Equal(t, []any{deploy.Succeeded, "ManualRollback", two, deploy.Revision(one)}, []any{d.Status, d.Creator, d.RollsBack, d.To})

	since := c.now()
	_, err = c.client.Open(t.Context(), target)
	require.NoError(t, err)
	c.pass(settled)
	assert.True(t, c.live().Only(deploy.Revision(last)))
	all := c.recent(since)
	require.Len(t, all, 1)
	assert.Equal(t, []any{last, deploy.Revision(one)}, []any{all[0].ID, all[0].From})
}

// endless is CodePipeline with a history that does not end.
type endless struct{ *codepipeline.Client }

func (endless) ListActionExecutions(context.Context, *codepipeline.ListActionExecutionsInput, ...func(*codepipeline.Options)) (*codepipeline.ListActionExecutionsOutput, error) {
	return &codepipeline.ListActionExecutionsOutput{
		ActionExecutionDetails: []cptypes.ActionExecutionDetail{{PipelineExecutionId: aws.String("e"), StageName: aws.String("Build")}}, NextToken: aws.String("more"),
	}, nil
}

func TestWhatIsTooLongAgoIsNotGuessed(t *testing.T) {
	c, one := shop(t)
	client := stages.New(endless{c.line}, c.store, account, region)
	live, err := client.Live(t.Context(), place)
	require.NoError(t, err)
	assert.True(t, live.Only(deploy.Revision(one)), "CodePipeline can be asked for it: %+v", live)
	_, err = client.Recent(t.Context(), target, time.Time{})
	require.ErrorContains(t, err, "the pages do not end")
	_, err = client.Get(t.Context(), target, one)
	require.ErrorContains(t, err, "the pages do not end")
	require.NotErrorIs(t, err, deploy.ErrUnknown)
}
