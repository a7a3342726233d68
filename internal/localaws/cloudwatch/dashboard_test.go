package cloudwatch_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const board = `{"widgets":[{"type":"text","x":0,"y":7,"width":3,"height":3,"properties":{"markdown":"Hello world"}}]}`

func TestDashboardsAreKept(t *testing.T) {
	l := newLocal(t)
	for _, name := range []string{"b", "a"} {
		do[cloudwatch.PutDashboardOutput](l, "PutDashboard", &cloudwatch.PutDashboardInput{DashboardName: &name, DashboardBody: aws.String(board)})
	}
	got := do[cloudwatch.GetDashboardOutput](l, "GetDashboard", &cloudwatch.GetDashboardInput{DashboardName: aws.String("a")})
	assert.Equal(t, &cloudwatch.GetDashboardOutput{
		DashboardArn: aws.String("arn:aws:cloudwatch::123456789012:dashboard/a"), DashboardBody: aws.String(board), DashboardName: aws.String("a"),
	}, got)
	list := func() []string {
		var names []string
		for _, e := range do[cloudwatch.ListDashboardsOutput](l, "ListDashboards", &cloudwatch.ListDashboardsInput{}).DashboardEntries {
			assert.Equal(t, int64(len(board)), *e.Size)
			names = append(names, *e.DashboardName)
		}
		return names
	}
	assert.Equal(t, []string{"a", "b"}, list())
	code, _ := refused[cloudwatch.DeleteDashboardsOutput](l, "DeleteDashboards", &cloudwatch.DeleteDashboardsInput{DashboardNames: []string{"a", "no"}})
	assert.Equal(t, "DashboardNotFoundError", code)
	assert.Equal(t, []string{"a", "b"}, list(), "all or none")
	do[cloudwatch.DeleteDashboardsOutput](l, "DeleteDashboards", &cloudwatch.DeleteDashboardsInput{DashboardNames: []string{"a"}})
	assert.Equal(t, []string{"b"}, list())
}

func TestDashboardBodyIsChecked(t *testing.T) {
	l := newLocal(t)
	for body, want := range map[string]cwtypes.DashboardValidationMessage{
		`nothing`:                        {DataPath: aws.String("/"), Message: aws.String("The field DashboardBody must be a valid JSON object")},
		`[]`:                             {DataPath: aws.String("/"), Message: aws.String("The field DashboardBody must be a valid JSON object")},
		`{}`:                             {DataPath: aws.String("/"), Message: aws.String("Should have property widgets")},
		`{"widgets":[{"type":"clock"}]}`: {DataPath: aws.String("/widgets/0/type"), Message: aws.String("Should be one of the allowed values: metric, text, log, alarm, explorer, custom")},
		`{"widgets":[{"type":"text"}]}`:  {DataPath: aws.String("/widgets/0"), Message: aws.String("Should have property properties")},
	} {
		_, err := try[cloudwatch.PutDashboardOutput](l, "PutDashboard", &cloudwatch.PutDashboardInput{DashboardName: aws.String("a"), DashboardBody: &body})
		var refusal *cwtypes.DashboardInvalidInputError
		require.ErrorAs(t, err, &refusal)
		assert.Equal(t, []cwtypes.DashboardValidationMessage{want}, refusal.DashboardValidationMessages)
	}
}
