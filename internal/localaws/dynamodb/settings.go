package dynamodb

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/pullback-dev/pullback/internal/localaws/dynamodb/attr"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// backups is a table's point-in-time recovery: stored, but there is nothing
// to restore from.
type backups struct {
	since time.Time // zero while disabled
	days  int32
}

// The default recovery period and how far behind the latest restorable time is
// (API reference, PointInTimeRecoveryDescription and -Specification).
const (
	defaultRecoveryDays = 35
	recoveryLag         = 5 * time.Minute
)

func (s *Service) updateTimeToLive(_ *wire.Call, in *dynamodb.UpdateTimeToLiveInput) (*dynamodb.UpdateTimeToLiveOutput, error) {
	t, err := s.table(in.TableName)
	if err != nil {
		return nil, err
	}
	spec := in.TimeToLiveSpecification
	if spec == nil || aws.ToString(spec.AttributeName) == "" || spec.Enabled == nil {
		return nil, missing("timeToLiveSpecification")
	}
	active, wanted := t.ttl.attribute, *spec.AttributeName
	switch {
	case *spec.Enabled && active == wanted:
		return nil, attr.Invalid("TimeToLive is already enabled")
	case !*spec.Enabled && active == "":
		return nil, attr.Invalid("TimeToLive is already disabled")
	case active != "" && active != wanted:
		return nil, attr.Invalid("TimeToLive is active on a different AttributeName: current AttributeName is %s", active)
	}
	t.ttl = ttl{}
	if *spec.Enabled {
		t.ttl = ttl{attribute: wanted, swept: s.now()}
	}
	return &dynamodb.UpdateTimeToLiveOutput{TimeToLiveSpecification: &ddbtypes.TimeToLiveSpecification{
		AttributeName: aws.String(wanted),
		Enabled:       aws.Bool(*spec.Enabled),
	}}, nil
}

func (s *Service) describeTimeToLive(_ *wire.Call, in *dynamodb.DescribeTimeToLiveInput) (*dynamodb.DescribeTimeToLiveOutput, error) {
	t, err := s.table(in.TableName)
	if err != nil {
		return nil, err
	}
	d := &ddbtypes.TimeToLiveDescription{TimeToLiveStatus: ddbtypes.TimeToLiveStatusDisabled}
	if t.ttl.attribute != "" {
		d.TimeToLiveStatus = ddbtypes.TimeToLiveStatusEnabled
		d.AttributeName = aws.String(t.ttl.attribute)
	}
	return &dynamodb.DescribeTimeToLiveOutput{TimeToLiveDescription: d}, nil
}

func (s *Service) updateContinuousBackups(_ *wire.Call, in *dynamodb.UpdateContinuousBackupsInput) (*dynamodb.UpdateContinuousBackupsOutput, error) {
	t, err := s.backedUp(in.TableName)
	if err != nil {
		return nil, err
	}
	spec := in.PointInTimeRecoverySpecification
	if spec == nil || spec.PointInTimeRecoveryEnabled == nil {
		return nil, missing("pointInTimeRecoverySpecification.pointInTimeRecoveryEnabled")
	}
	if !*spec.PointInTimeRecoveryEnabled {
		t.backups = backups{}
		return &dynamodb.UpdateContinuousBackupsOutput{ContinuousBackupsDescription: t.describeBackups(s.now())}, nil
	}
	if t.backups.since.IsZero() {
		t.backups.since = s.now()
	}
	t.backups.days = defaultRecoveryDays
	if spec.RecoveryPeriodInDays != nil {
		t.backups.days = *spec.RecoveryPeriodInDays
	}
	return &dynamodb.UpdateContinuousBackupsOutput{ContinuousBackupsDescription: t.describeBackups(s.now())}, nil
}

func (s *Service) describeContinuousBackups(_ *wire.Call, in *dynamodb.DescribeContinuousBackupsInput) (*dynamodb.DescribeContinuousBackupsOutput, error) {
	t, err := s.backedUp(in.TableName)
	if err != nil {
		return nil, err
	}
	return &dynamodb.DescribeContinuousBackupsOutput{ContinuousBackupsDescription: t.describeBackups(s.now())}, nil
}

// backedUp is table with the error that the backup operations have for it.
func (s *Service) backedUp(name *string) (*table, error) {
	t, err := s.table(name)
	if err != nil && name != nil {
		return nil, &ddbtypes.TableNotFoundException{Message: aws.String("Table not found: " + plainName(*name))}
	}
	return t, err
}

func (t *table) describeBackups(now time.Time) *ddbtypes.ContinuousBackupsDescription {
	d := &ddbtypes.ContinuousBackupsDescription{
		ContinuousBackupsStatus: ddbtypes.ContinuousBackupsStatusEnabled,
		PointInTimeRecoveryDescription: &ddbtypes.PointInTimeRecoveryDescription{
			PointInTimeRecoveryStatus: ddbtypes.PointInTimeRecoveryStatusDisabled,
		},
	}
	if b := t.backups; !b.since.IsZero() {
		reach := now.AddDate(0, 0, -int(b.days))
		d.PointInTimeRecoveryDescription = &ddbtypes.PointInTimeRecoveryDescription{
			PointInTimeRecoveryStatus:  ddbtypes.PointInTimeRecoveryStatusEnabled,
			RecoveryPeriodInDays:       aws.Int32(b.days),
			EarliestRestorableDateTime: aws.Time(later(b.since, reach)),
			LatestRestorableDateTime:   aws.Time(later(b.since, now.Add(-recoveryLag))),
		}
	}
	return d
}

func (s *Service) tagResource(_ *wire.Call, in *dynamodb.TagResourceInput) (*dynamodb.TagResourceOutput, error) {
	t, err := s.resource(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	if len(in.Tags) == 0 {
		return nil, attr.Invalid("Atleast one Tag needs to be provided as Input.")
	}
	for _, tag := range in.Tags {
		t.tags[aws.ToString(tag.Key)] = aws.ToString(tag.Value)
	}
	return &dynamodb.TagResourceOutput{}, nil
}

func (s *Service) untagResource(_ *wire.Call, in *dynamodb.UntagResourceInput) (*dynamodb.UntagResourceOutput, error) {
	t, err := s.resource(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	if len(in.TagKeys) == 0 {
		return nil, attr.Invalid("Atleast one Tag Key needs to be provided as Input.")
	}
	for _, key := range in.TagKeys {
		delete(t.tags, key)
	}
	return &dynamodb.UntagResourceOutput{}, nil
}

func (s *Service) listTagsOfResource(_ *wire.Call, in *dynamodb.ListTagsOfResourceInput) (*dynamodb.ListTagsOfResourceOutput, error) {
	if in.NextToken != nil {
		return nil, attr.Invalid("NextToken is not one that this service gave out")
	}
	t, err := s.resource(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	out := &dynamodb.ListTagsOfResourceOutput{Tags: []ddbtypes.Tag{}}
	for _, key := range slices.Sorted(maps.Keys(t.tags)) {
		out.Tags = append(out.Tags, ddbtypes.Tag{Key: aws.String(key), Value: aws.String(t.tags[key])})
	}
	return out, nil
}

// resource returns the table with an ARN.
func (s *Service) resource(arn *string) (*table, error) {
	if arn == nil {
		return nil, attr.Invalid("Invalid TableArn")
	}
	if !strings.HasPrefix(*arn, "arn:aws:dynamodb:") {
		return nil, attr.Invalid("Invalid TableArn: Invalid ResourceArn provided as input %s", *arn)
	}
	if t, ok := s.tables[plainName(*arn)]; ok && t.arn == *arn {
		return t, nil
	}
	return nil, &ddbtypes.ResourceNotFoundException{
		Message: aws.String("Requested resource not found: ResourcArn: " + *arn + " not found"),
	}
}

// firstDifference names the first field in which two structs differ.
func firstDifference[T any](a, b *T) string {
	x, y := reflect.ValueOf(a).Elem(), reflect.ValueOf(b).Elem()
	for i := range x.NumField() {
		if x.Type().Field(i).IsExported() && !reflect.DeepEqual(x.Field(i).Interface(), y.Field(i).Interface()) {
			return x.Type().Field(i).Name
		}
	}
	return ""
}
