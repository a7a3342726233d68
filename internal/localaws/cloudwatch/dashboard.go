package cloudwatch

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// dashboardsPage is how many dashboards one answer lists (API reference,
// ListDashboards).
const dashboardsPage = 1000

// dashboard is stored and never drawn.
type dashboard struct {
	body     string
	modified time.Time
}

func (s *Service) dashboardARN(name string) *string {
	return aws.String("arn:aws:cloudwatch::" + s.world.Account + ":dashboard/" + name)
}

func (s *Service) putDashboard(_ *wire.Call, in *cloudwatch.PutDashboardInput) (*cloudwatch.PutDashboardOutput, error) {
	name, body := aws.ToString(in.DashboardName), aws.ToString(in.DashboardBody)
	if !regexp.MustCompile(`^[A-Za-z0-9_-]{1,255}$`).MatchString(name) {
		return nil, invalid("The value %s for parameter DashboardName is invalid.", name)
	}
	if len(in.Tags) > 0 {
		return nil, unsupported("Tags of dashboards")
	}
	if problem := checkDashboard(body); problem != nil {
		return nil, &cwtypes.DashboardInvalidInputError{
			Message:                     aws.String("The dashboard body is invalid, there are 1 validation errors"),
			DashboardValidationMessages: []cwtypes.DashboardValidationMessage{*problem},
		}
	}
	s.dashboards[name] = dashboard{body: body, modified: s.now()}
	return &cloudwatch.PutDashboardOutput{DashboardValidationMessages: []cwtypes.DashboardValidationMessage{}}, nil
}

// checkDashboard checks the frame of a dashboard: a JSON object with a list of
// widgets, each with a type and properties (user guide, "Dashboard body
// structure and syntax"). What is inside of a widget is not checked.
func checkDashboard(body string) *cwtypes.DashboardValidationMessage {
	problem := func(path, message string) *cwtypes.DashboardValidationMessage {
		return &cwtypes.DashboardValidationMessage{DataPath: &path, Message: &message}
	}
	var d struct {
		Widgets *[]struct {
			Type       string          `json:"type"`
			Properties json.RawMessage `json:"properties"`
		} `json:"widgets"`
	}
	if !strings.HasPrefix(strings.TrimSpace(body), "{") || json.Unmarshal([]byte(body), &d) != nil {
		return problem("/", "The field DashboardBody must be a valid JSON object")
	}
	if d.Widgets == nil {
		return problem("/", "Should have property widgets")
	}
	for i, w := range *d.Widgets {
		path := "/widgets/" + jsonText(i)
		if !slices.Contains([]string{"metric", "text", "log", "alarm", "explorer", "custom"}, w.Type) {
			return problem(path+"/type", "Should be one of the allowed values: metric, text, log, alarm, explorer, custom")
		}
		if len(w.Properties) == 0 {
			return problem(path, "Should have property properties")
		}
	}
	return nil
}

func jsonText(v any) string { return strings.TrimSpace(compact(v)) }

func (s *Service) getDashboard(_ *wire.Call, in *cloudwatch.GetDashboardInput) (*cloudwatch.GetDashboardOutput, error) {
	d, err := s.dashboard(aws.ToString(in.DashboardName))
	if err != nil {
		return nil, err
	}
	return &cloudwatch.GetDashboardOutput{
		DashboardArn: s.dashboardARN(*in.DashboardName), DashboardBody: aws.String(d.body), DashboardName: in.DashboardName,
	}, nil
}

func (s *Service) dashboard(name string) (dashboard, error) {
	d, ok := s.dashboards[name]
	if !ok {
		return d, &cwtypes.DashboardNotFoundError{Message: aws.String("Dashboard " + name + " does not exist")}
	}
	return d, nil
}

func (s *Service) listDashboards(_ *wire.Call, in *cloudwatch.ListDashboardsInput) (*cloudwatch.ListDashboardsOutput, error) {
	from, err := offset(in.NextToken)
	if err != nil {
		return nil, err
	}
	entries := []cwtypes.DashboardEntry{}
	for _, name := range slices.Sorted(maps.Keys(s.dashboards)) {
		if d := s.dashboards[name]; strings.HasPrefix(name, aws.ToString(in.DashboardNamePrefix)) {
			entries = append(entries, cwtypes.DashboardEntry{
				DashboardArn: s.dashboardARN(name), DashboardName: aws.String(name), LastModified: aws.Time(d.modified), Size: aws.Int64(int64(len(d.body))),
			})
		}
	}
	out := &cloudwatch.ListDashboardsOutput{}
	out.DashboardEntries, out.NextToken = page(entries, from, dashboardsPage)
	return out, nil
}

// deleteDashboards deletes all or none (API reference, DeleteDashboards).
func (s *Service) deleteDashboards(_ *wire.Call, in *cloudwatch.DeleteDashboardsInput) (*cloudwatch.DeleteDashboardsOutput, error) {
	if len(in.DashboardNames) == 0 {
		return nil, required("DashboardNames")
	}
	for _, name := range in.DashboardNames {
		if _, err := s.dashboard(name); err != nil {
			return nil, err
		}
	}
	for _, name := range in.DashboardNames {
		delete(s.dashboards, name)
	}
	return &cloudwatch.DeleteDashboardsOutput{}, nil
}
