package cloudwatch

import (
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// History is kept for 30 days (CloudWatch user guide, "Common features of
// CloudWatch alarms"); maxHistory bounds the memory of long virtual times.
const (
	keepHistory = 30 * 24 * time.Hour
	maxHistory  = 10_000
)

// The shapes of HistoryData (AWS CLI reference, describe-alarm-history,
// example).
type (
	stateHistory struct {
		Version  string       `json:"version"`
		OldState historyState `json:"oldState"`
		NewState historyState `json:"newState"`
	}
	historyState struct {
		StateValue      cwtypes.StateValue `json:"stateValue"`
		StateReason     string             `json:"stateReason"`
		StateReasonData json.RawMessage    `json:"stateReasonData,omitempty"`
	}
	configurationHistory struct {
		Version      string              `json:"version"`
		Type         string              `json:"type"`
		CreatedAlarm *alarmConfiguration `json:"createdAlarm,omitempty"`
		UpdatedAlarm *alarmConfiguration `json:"updatedAlarm,omitempty"`
		DeletedAlarm *alarmConfiguration `json:"deletedAlarm,omitempty"`
	}
	actionHistory struct {
		Version              string `json:"version"`
		ActionState          string `json:"actionState"`
		NotificationResource string `json:"notificationResource"`
		PublishedMessage     string `json:"publishedMessage,omitempty"`
		Error                string `json:"error,omitempty"`
	}
)

func (s *Service) record(a *alarm, kind cwtypes.HistoryItemType, summary string, data any) {
	s.history = append(s.history, cwtypes.AlarmHistoryItem{
		AlarmName: &a.name, AlarmType: a.kind(), HistoryItemType: kind,
		HistorySummary: &summary, HistoryData: aws.String(compact(data)), Timestamp: aws.Time(s.now()),
	})
	if len(s.history) > maxHistory {
		s.history = slices.Delete(s.history, 0, len(s.history)-maxHistory)
	}
}

func (s *Service) recordState(a *alarm, old state) {
	s.record(a, cwtypes.HistoryItemTypeStateUpdate, "Alarm updated from "+string(old.value)+" to "+string(a.state.value),
		stateHistory{Version: "1.0", OldState: old.historic(), NewState: a.state.historic()})
}

func (st state) historic() historyState {
	return historyState{StateValue: st.value, StateReason: st.reason, StateReasonData: json.RawMessage(st.data)}
}

func (s *Service) recordConfiguration(a, old *alarm) {
	now := a.configuration()
	if old == nil {
		s.record(a, cwtypes.HistoryItemTypeConfigurationUpdate, `Alarm "`+a.name+`" created`,
			configurationHistory{Version: "1.0", Type: "Create", CreatedAlarm: &now})
		return
	}
	s.record(a, cwtypes.HistoryItemTypeConfigurationUpdate, `Alarm "`+a.name+`" updated`,
		configurationHistory{Version: "1.0", Type: "Update", UpdatedAlarm: &now})
}

func (s *Service) recordDeletion(a *alarm) {
	last := a.configuration()
	s.record(a, cwtypes.HistoryItemTypeConfigurationUpdate, `Alarm "`+a.name+`" deleted`,
		configurationHistory{Version: "1.0", Type: "Delete", DeletedAlarm: &last})
}

func (s *Service) recordAction(a *alarm, topic, message string, err error) {
	data := actionHistory{Version: "1.0", ActionState: "Succeeded", NotificationResource: topic, PublishedMessage: message}
	summary := "Successfully executed action " + topic
	if err != nil {
		data = actionHistory{Version: "1.0", ActionState: "Failed", NotificationResource: topic, Error: err.Error()}
		summary = "Failed to execute action " + topic + ". Received error: \"" + err.Error() + "\""
	}
	s.record(a, cwtypes.HistoryItemTypeAction, summary, data)
}

// describeAlarmHistory returns metric alarms unless AlarmTypes says otherwise.
// The history of a deleted alarm stays (API reference, DescribeAlarmHistory).
func (s *Service) describeAlarmHistory(_ *wire.Call, in *cloudwatch.DescribeAlarmHistoryInput) (*cloudwatch.DescribeAlarmHistoryOutput, error) {
	if in.AlarmContributorId != nil {
		return nil, unsupported("AlarmContributorId")
	}
	from, err := offset(in.NextToken)
	if err != nil {
		return nil, err
	}
	size, err := pageSize(in.MaxRecords, 100)
	if err != nil {
		return nil, err
	}
	oldest := s.world.Now().Add(-keepHistory)
	found := []cwtypes.AlarmHistoryItem{}
	for _, item := range s.history {
		if !item.Timestamp.Before(oldest) && historyMatches(item, in) {
			found = append(found, item)
		}
	}
	if in.ScanBy != cwtypes.ScanByTimestampAscending {
		slices.Reverse(found)
	}
	out := &cloudwatch.DescribeAlarmHistoryOutput{}
	out.AlarmHistoryItems, out.NextToken = page(found, from, size)
	return out, nil
}

func historyMatches(item cwtypes.AlarmHistoryItem, in *cloudwatch.DescribeAlarmHistoryInput) bool {
	types := in.AlarmTypes
	if len(types) == 0 {
		types = []cwtypes.AlarmType{cwtypes.AlarmTypeMetricAlarm}
	}
	return slices.Contains(types, item.AlarmType) &&
		(in.AlarmName == nil || *in.AlarmName == *item.AlarmName) &&
		(in.HistoryItemType == "" || in.HistoryItemType == item.HistoryItemType) &&
		(in.StartDate == nil || !item.Timestamp.Before(*in.StartDate)) &&
		(in.EndDate == nil || !item.Timestamp.After(*in.EndDate))
}

// pageSize reads MaxRecords.
func pageSize(records *int32, standard int) (int, error) {
	if records == nil {
		return standard, nil
	}
	if *records < 1 || *records > 100 {
		return 0, validation("Value '%d' at 'maxRecords' must be from 1 to 100.", *records)
	}
	return int(*records), nil
}

// page cuts a page out of all and names the next one.
func page[T any](all []T, from, size int) (items []T, next *string) {
	from = min(from, len(all))
	to := min(from+size, len(all))
	if to < len(all) {
		next = aws.String(strconv.Itoa(to))
	}
	return all[from:to], next
}
