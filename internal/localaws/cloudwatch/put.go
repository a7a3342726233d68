package cloudwatch

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// The limits of PutMetricData (API reference, PutMetricData and MetricDatum).
const (
	maxData       = 1000
	maxDatumLists = 150
	maxDimensions = 30
	maxText       = 255 // of namespaces and of names
	maxValue      = 1024
	oldestDatum   = 14 * 24 * time.Hour
	newestDatum   = 2 * time.Hour
)

// awsNamespaces are for AWS services only (API reference, PutMetricData).
const awsNamespaces = "AWS/"

func (s *Service) putMetricData(c *wire.Call, in *cloudwatch.PutMetricDataInput) (*cloudwatch.PutMetricDataOutput, error) {
	namespace := aws.ToString(in.Namespace)
	switch {
	case namespace == "":
		return nil, required("Namespace")
	case len(namespace) > maxText || strings.HasPrefix(namespace, ":"):
		return nil, invalid("The value %s for parameter Namespace is invalid.", namespace)
	case len(in.EntityMetricData) > 0:
		return nil, unsupported("EntityMetricData")
	case strings.HasPrefix(namespace, awsNamespaces) && c.Principal.Service == "":
		return nil, invalid("The value %s for parameter Namespace is invalid.", awsNamespaces)
	case len(in.MetricData) == 0:
		return nil, required("MetricData")
	case len(in.MetricData) > maxData:
		return nil, validation("The collection MetricData must not have a size greater than %d.", maxData)
	}
	data := make([][]summary, len(in.MetricData))
	for i := range in.MetricData {
		read, err := s.readDatum(fmt.Sprintf("MetricData.member.%d", i+1), &in.MetricData[i])
		if err != nil {
			return nil, err
		}
		data[i] = read
	}
	for i := range in.MetricData {
		s.file(namespace, &in.MetricData[i], data[i])
	}
	return &cloudwatch.PutMetricDataOutput{}, nil
}

// file stores a datum that has been checked.
func (s *Service) file(namespace string, d *cwtypes.MetricDatum, data []summary) {
	now := s.world.Now()
	at := now
	if d.Timestamp != nil {
		at = *d.Timestamp
	}
	unit := d.Unit
	if unit == "" {
		unit = cwtypes.StandardUnitNone
	}
	fine := at
	if aws.ToInt32(d.StorageResolution) != 1 {
		fine = at.Truncate(time.Minute)
	}
	m := s.series(namespace, aws.ToString(d.MetricName), d.Dimensions)
	for _, one := range data {
		m.seconds.add(fine, now, unit, one)
		m.minutes.add(at, now, unit, one)
	}
}

// readDatum checks a datum and returns its values.
func (s *Service) readDatum(at string, d *cwtypes.MetricDatum) ([]summary, error) {
	name := aws.ToString(d.MetricName)
	if name == "" {
		return nil, required(at + ".MetricName")
	}
	if len(name) > maxText {
		return nil, invalid("The value %s for parameter MetricName is invalid: it must have at most %d characters.", name, maxText)
	}
	if err := checkDimensions(d.Dimensions); err != nil {
		return nil, err
	}
	if r := aws.ToInt32(d.StorageResolution); d.StorageResolution != nil && r != 1 && r != 60 {
		return nil, invalid("The value %d for parameter StorageResolution of %s is invalid: it must be 1 or 60.", r, name)
	}
	if d.Unit != "" && !slices.Contains(d.Unit.Values(), d.Unit) {
		return nil, invalid("The value %s for parameter Unit of %s is invalid.", d.Unit, name)
	}
	if d.Timestamp != nil {
		age := s.world.Now().Sub(*d.Timestamp)
		if age > oldestDatum || age < -newestDatum {
			return nil, invalid("The parameter Timestamp of %s must specify a time within the past two weeks and no more than 2 hours in the future.", name)
		}
	}
	return datumValues(at, d)
}

// datumValues reads the one way in which a datum gives its values (the texts as
// recorded from AWS in public test snapshots).
func datumValues(at string, d *cwtypes.MetricDatum) ([]summary, error) {
	name := aws.ToString(d.MetricName)
	var ways []string
	for _, way := range []struct {
		name  string
		given bool
	}{{"Value", d.Value != nil}, {"Values", len(d.Values) > 0}, {"StatisticValues", d.StatisticValues != nil}} {
		if way.given {
			ways = append(ways, at+"."+way.name)
		}
	}
	switch {
	case len(ways) == 0:
		return nil, required("Value, Values or StatisticValues of " + name)
	case len(ways) > 1:
		return nil, combination("The parameters %s and %s are mutually exclusive and you have specified both.", ways[0], ways[1])
	case len(d.Counts) > 0 && len(d.Values) > 0 && len(d.Counts) != len(d.Values):
		return nil, invalid("The parameters %s.Values and %s.Counts must be of the same size.", at, at)
	case d.StatisticValues != nil:
		return statisticSet(name, d.StatisticValues)
	}
	if d.Value != nil {
		return valueList(name, []float64{*d.Value}, nil)
	}
	return valueList(name, d.Values, d.Counts)
}

// valueList reads values and how often each was seen: once by default.
func valueList(name string, values, counts []float64) ([]summary, error) {
	if len(values) > maxDatumLists {
		return nil, invalid("The parameter Values of %s must not have more than %d members.", name, maxDatumLists)
	}
	var all []summary
	for i, value := range values {
		count := 1.0
		if len(counts) > 0 {
			count = counts[i]
		}
		if !number(value) || !number(count) || count <= 0 {
			return nil, invalid("The value %v (count %v) for parameter Value of %s is invalid.", value, count, name)
		}
		all = append(all, seen(value, count))
	}
	return all, nil
}

// statisticSet is data that was summed up by its sender. It can answer for
// percentiles only if all its values are the same (CloudWatch user guide,
// "Percentiles").
func statisticSet(name string, set *cwtypes.StatisticSet) ([]summary, error) {
	count, sum := aws.ToFloat64(set.SampleCount), aws.ToFloat64(set.Sum)
	low, high := aws.ToFloat64(set.Minimum), aws.ToFloat64(set.Maximum)
	if !number(count) || !number(sum) || !number(low) || !number(high) || count <= 0 || low > high {
		return nil, invalid("The value for parameter StatisticValues of %s is invalid.", name)
	}
	if low == high && sum == low*count {
		return []summary{seen(low, count)}, nil
	}
	return []summary{{count: count, sum: sum, low: low, high: high, opaque: true}}, nil
}

// number reports whether CloudWatch takes the value: not NaN, and between -2^360
// and 2^360 (API reference, MetricDatum).
func number(v float64) bool { return math.Abs(v) <= math.Ldexp(1, 360) }

func checkDimensions(dimensions []cwtypes.Dimension) error {
	if len(dimensions) > maxDimensions {
		return invalid("The collection Dimensions must not have a size greater than %d.", maxDimensions)
	}
	for _, d := range dimensions {
		if aws.ToString(d.Name) == "" {
			return required("Dimensions.member.Name")
		}
		if aws.ToString(d.Value) == "" {
			return required("Dimensions.member.Value")
		}
		if len(*d.Name) > maxText || strings.HasPrefix(*d.Name, ":") || len(*d.Value) > maxValue {
			return invalid("The dimension %s=%s is invalid: at most %d characters without a colon at the beginning, and a value of at most %d.",
				*d.Name, *d.Value, maxText, maxValue)
		}
	}
	return nil
}
