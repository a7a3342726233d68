package deployments_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/sdkhttp"
	"github.com/pullback-dev/pullback/shared/amazon/deployments"
	"github.com/pullback-dev/pullback/shared/deploy"
)

// executionOf reads a hook's payload.
func executionOf(t *testing.T, payload string) string {
	t.Helper()
	var hook struct {
		Execution string `json:"LifecycleEventHookExecutionId"`
	}
	require.NoError(t, json.Unmarshal([]byte(payload), &hook))
	return hook.Execution
}

// script answers CodeDeploy's operations with fixed texts; what it has none for
// fails. It remembers the requests.
type script struct {
	answers map[string]string

	mu     sync.Mutex
	calls  []string
	bodies []string
}

func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls, s.bodies = append(s.calls, operation), append(s.bodies, string(body))
	answer, ok := s.answers[operation]
	if !ok {
		w.WriteHeader(http.StatusInternalServerError)
	} else if strings.Contains(answer, "__type") {
		w.WriteHeader(http.StatusBadRequest)
	}
	_, _ = io.WriteString(w, answer)
}

func (s *script) adapter(t *testing.T, region string) *deployments.Client {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return deployments.New(codedeploy.New(codedeploy.Options{Region: region, HTTPClient: sdkhttp.Client(), BaseEndpoint: &server.URL, Credentials: aws.AnonymousCredentials{}}), account, region, platforms())
}

func TestRestoreIsTriedOnce(t *testing.T) {
	s := &script{} // 500: the SDK would try again
	_, err := s.adapter(t, region).Restore(t.Context(), deploy.Restore{Place: place, From: "8", To: "7", Marker: "pullback:i-1:1"})
	require.Error(t, err)
	assert.Equal(t, []string{"CreateDeployment"}, s.calls)
	require.Len(t, s.bodies, 1)
	assert.JSONEq(t, `{
		"applicationName": "shop", "deploymentGroupName": "prod",
		"deploymentConfigName": "CodeDeployDefault.LambdaAllAtOnce",
		"description": "pullback:i-1:1",
		"autoRollbackConfiguration": {}, "overrideAlarmConfiguration": {"alarms": []},
		"revision": {"revisionType": "AppSpecContent", "appSpecContent": {
			"content": "{\"version\":0.0,\"Resources\":[{\"function\":{\"Type\":\"AWS::Lambda::Function\",\"Properties\":{\"Name\":\"checkout\",\"Alias\":\"live\",\"CurrentVersion\":\"8\",\"TargetVersion\":\"7\"}}}]}"
		}}
	}`, s.bodies[0])
}

func TestADeploymentOfAnotherPlatformHasNoAlias(t *testing.T) {
	s := &script{answers: map[string]string{
		"GetDeployment":         `{"deploymentInfo":{"deploymentId":"d-1","applicationName":"shop","deploymentGroupName":"prod","status":"InProgress","computePlatform":"ECS"}}`,
		"ListDeploymentTargets": `{"__type":"DeploymentNotStartedException"}`,
	}}
	got, err := s.adapter(t, region).Get(t.Context(), deploy.Target{}, "d-1")
	require.NoError(t, err)
	assert.Equal(t, deploy.Deployment{ID: "d-1", Target: target, Platform: deploy.OnECS, Status: deploy.InProgress}, got)
	assert.ElementsMatch(t, []string{"GetDeployment", "ListDeploymentTargets"}, s.calls)
}

func TestAStatusThatIsNewToUsIsKept(t *testing.T) {
	s := &script{answers: map[string]string{
		"GetDeployment":         `{"deploymentInfo":{"deploymentId":"d-1","status":"Pondering","computePlatform":"Lambda"}}`,
		"ListDeploymentTargets": `{"targetIds":[]}`,
	}}
	got, err := s.adapter(t, region).Get(t.Context(), deploy.Target{}, "d-1")
	require.NoError(t, err)
	assert.Equal(t, deploy.Deployment{ID: "d-1", Platform: deploy.OnLambda, Status: "Pondering"}, got)
	assert.True(t, got.Running())
}

func TestOnlyCodeDeploysOwnEventsMakeItRollBackByItself(t *testing.T) {
	const all = `"DEPLOYMENT_FAILURE","DEPLOYMENT_STOP_ON_ALARM","DEPLOYMENT_STOP_ON_REQUEST"`
	for name, tt := range map[string]struct {
		info string
		want bool
	}{
		"failed":                      {`"status":"Failed","autoRollbackConfiguration":{"enabled":true,"events":["DEPLOYMENT_FAILURE"]}`, true},
		"failed, but that is no case": {`"status":"Failed","autoRollbackConfiguration":{"enabled":true,"events":["DEPLOYMENT_STOP_ON_ALARM"]}`, false},
		"stopped on alarm":            {`"status":"Stopped","errorInformation":{"code":"ALARM_ACTIVE"},"autoRollbackConfiguration":{"enabled":true,"events":["DEPLOYMENT_STOP_ON_ALARM"]}`, true},
		"stopped by hand":             {`"status":"Stopped","errorInformation":{"code":"MANUAL_STOP"},"autoRollbackConfiguration":{"enabled":true,"events":["DEPLOYMENT_STOP_ON_ALARM"]}`, false},
		"stopped on request":          {`"status":"Stopped","errorInformation":{"code":"MANUAL_STOP"},"autoRollbackConfiguration":{"enabled":true,"events":["DEPLOYMENT_STOP_ON_REQUEST"]}`, true},
		"switched off":                {`"status":"Failed","autoRollbackConfiguration":{"enabled":false,"events":[` + all + `]}`, false},
		"not configured":              {`"status":"Failed"`, false},
		"ended well":                  {`"status":"Succeeded","autoRollbackConfiguration":{"enabled":true,"events":[` + all + `]}`, false},
		"still running":               {`"status":"InProgress","autoRollbackConfiguration":{"enabled":true,"events":[` + all + `]}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := &script{answers: map[string]string{"GetDeployment": `{"deploymentInfo":{"deploymentId":"d-1","computePlatform":"ECS",` + tt.info + `}}`}}
			got, err := s.adapter(t, region).Get(t.Context(), deploy.Target{}, "d-1")
			require.NoError(t, err)
			assert.Equal(t, tt.want, got.Automatic)
		})
	}
}

func TestPagesThatDoNotEndAreGivenUp(t *testing.T) {
	s := &script{answers: map[string]string{
		"ListDeployments":      `{"deployments":[],"nextToken":"again"}`,
		"ListApplications":     `{"applications":["shop"],"nextToken":"again"}`,
		"GetDeploymentGroup":   `{"deploymentGroupInfo":{"computePlatform":"Lambda"}}`,
		"ListTagsForResource":  `{"Tags":[],"NextToken":"again"}`,
		"ListDeploymentGroups": `{"deploymentGroups":[],"nextToken":"again"}`,
	}}
	c := s.adapter(t, region)
	_, err := c.Recent(t.Context(), target, time.Time{})
	require.ErrorContains(t, err, "do not end")
	_, _, err = c.Survey(t.Context(), "", 1000)
	require.ErrorContains(t, err, "do not end")
	_, err = c.Group(t.Context(), target)
	require.ErrorContains(t, err, "do not end")
	s.answers["ListApplications"] = `{"applications":["shop"]}`
	_, _, err = c.Survey(t.Context(), "", 1000)
	require.ErrorContains(t, err, "do not end")
}

func TestTagsAreThoseOfTheGroupsARN(t *testing.T) {
	for region, want := range map[string]string{
		"eu-central-1":  "arn:aws:codedeploy:eu-central-1:123456789012:deploymentgroup:shop/prod",
		"cn-north-1":    "arn:aws-cn:codedeploy:cn-north-1:123456789012:deploymentgroup:shop/prod",
		"us-gov-west-1": "arn:aws-us-gov:codedeploy:us-gov-west-1:123456789012:deploymentgroup:shop/prod",
	} {
		s := &script{answers: map[string]string{
			"GetDeploymentGroup":  `{"deploymentGroupInfo":{"computePlatform":"Lambda"}}`,
			"ListTagsForResource": `{"Tags":[{"Key":"pullback:enabled","Value":"true"}]}`,
		}}
		g, err := s.adapter(t, region).Group(t.Context(), target)
		require.NoError(t, err)
		assert.True(t, g.Enabled)
		assert.JSONEq(t, `{"ResourceArn":"`+want+`"}`, s.bodies[slices.Index(s.calls, "ListTagsForResource")])
	}
}

func TestAGroupThatGoesAwayWhileListingIsLeftOut(t *testing.T) {
	s := &script{answers: map[string]string{
		"ListApplications":         `{"applications":["shop"]}`,
		"ListDeploymentGroups":     `{"deploymentGroups":["prod"]}`,
		"BatchGetDeploymentGroups": `{"deploymentGroupsInfo":[{"deploymentGroupName":"prod","computePlatform":"Lambda"},{"deploymentGroupName":"ecs","computePlatform":"ECS"}]}`,
		"ListTagsForResource":      `{"__type":"DeploymentGroupDoesNotExistException","message":"gone"}`,
	}}
	got, _, err := s.adapter(t, region).Survey(t.Context(), "", 10)
	require.NoError(t, err)
	assert.Empty(t, got)
	assert.Equal(t, []string{"ListApplications", "ListDeploymentGroups", "BatchGetDeploymentGroups", "ListTagsForResource"}, s.calls, "nobody reads the tags of another platform's group")
}
