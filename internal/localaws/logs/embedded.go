package logs

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// Limits of the embedded metric format (CloudWatch user guide, "Specification:
// Embedded metric format").
const (
	maxMetrics    = 100
	maxValues     = 100
	maxDimensions = 30
	maxData       = 1000 // of one PutMetricData
)

// The members of a log event in the embedded metric format that say which of
// its other members are metrics.
type (
	embedded struct {
		Meta *struct {
			Timestamp  int64       `json:"Timestamp"`
			Directives []directive `json:"CloudWatchMetrics"`
		} `json:"_aws"`
	}
	directive struct {
		Namespace  string     `json:"Namespace"`
		Dimensions [][]string `json:"Dimensions"`
		Metrics    []struct {
			Name       string               `json:"Name"`
			Unit       cwtypes.StandardUnit `json:"Unit"`
			Resolution *int32               `json:"StorageResolution"`
		} `json:"Metrics"`
	}
)

// embedded makes metrics out of the log events that carry some. What does not
// follow the format makes none, as on AWS.
func (s *Service) embedded(c *wire.Call, events []event) {
	for _, e := range events {
		if !strings.HasPrefix(strings.TrimSpace(e.message), "{") || !strings.Contains(e.message, `"_aws"`) {
			continue
		}
		var format embedded
		var members map[string]json.RawMessage
		if json.Unmarshal([]byte(e.message), &format) != nil || json.Unmarshal([]byte(e.message), &members) != nil || format.Meta == nil {
			continue
		}
		for _, d := range format.Meta.Directives {
			s.put(c, d.Namespace, d.data(members, format.Meta.Timestamp))
		}
	}
}

// data are the metrics of a directive, once for each set of dimensions.
func (d directive) data(members map[string]json.RawMessage, at int64) []cwtypes.MetricDatum {
	if d.Namespace == "" || strings.HasPrefix(d.Namespace, "AWS/") || len(d.Metrics) > maxMetrics {
		return nil
	}
	sets := d.Dimensions
	if len(sets) == 0 {
		sets = [][]string{{}}
	}
	var data []cwtypes.MetricDatum
	for _, set := range sets {
		dimensions, ok := dimensionsOf(set, members)
		if !ok {
			continue
		}
		for _, m := range d.Metrics {
			values := numbers(members[m.Name])
			if m.Name == "" || len(values) == 0 || len(values) > maxValues {
				continue
			}
			data = append(data, cwtypes.MetricDatum{
				MetricName: aws.String(m.Name), Dimensions: dimensions, Timestamp: aws.Time(time.UnixMilli(at).UTC()),
				Unit: m.Unit, StorageResolution: m.Resolution, Values: values,
			})
		}
	}
	return data
}

// dimensionsOf reads the values of dimensions, which must be texts at the top.
func dimensionsOf(names []string, members map[string]json.RawMessage) (all []cwtypes.Dimension, ok bool) {
	if len(names) > maxDimensions {
		return nil, false
	}
	for _, name := range names {
		var value string
		if json.Unmarshal(members[name], &value) != nil || value == "" {
			return nil, false
		}
		all = append(all, cwtypes.Dimension{Name: aws.String(name), Value: aws.String(value)})
	}
	return all, true
}

// numbers reads a metric's value: a number or a list of them.
func numbers(raw json.RawMessage) []float64 {
	var one float64
	if json.Unmarshal(raw, &one) == nil {
		return []float64{one}
	}
	var many []float64
	if json.Unmarshal(raw, &many) == nil {
		return many
	}
	return nil
}

// put hands metrics to CloudWatch, as many at a time as it takes.
func (s *Service) put(c *wire.Call, namespace string, data []cwtypes.MetricDatum) {
	for part := range slices.Chunk(data, maxData) {
		_, err := wire.Do[cloudwatch.PutMetricDataOutput](c.Context, s.caller, wire.Principal{Service: principal}, "monitoring", "PutMetricData",
			&cloudwatch.PutMetricDataInput{Namespace: aws.String(namespace), MetricData: part})
		if err != nil {
			s.lost = append(s.lost, fmt.Errorf("metrics of namespace %s: %w", namespace, err))
		}
	}
}
