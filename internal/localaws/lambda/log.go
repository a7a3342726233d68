package lambda

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

const (
	// maxLogResult is how much of the log an Invoke answers with (Lambda API
	// reference, Invoke: "the last 4 KB of the execution log").
	maxLogResult = 4 << 10
	// maxLogEvents is how many lines one PutLogEvents takes: that many of 26
	// bytes and the 256 KiB that are kept of a log stay below 1 MiB.
	maxLogEvents = 10_000
)

// log passes on what a function wrote.
func (s *Service) log(v *version, text []byte) {
	if s.options.Log == nil || len(text) == 0 {
		return
	}
	for line := range bytes.Lines(text) {
		s.options.Log(v.fn.name, v.name(), strings.TrimRight(string(line), "\r\n"))
	}
}

// logResult is the end of an invocation's log.
func logResult(lines []string) string {
	text := strings.Join(lines, "")
	return base64.StdEncoding.EncodeToString([]byte(text[max(0, len(text)-maxLogResult):]))
}

// ownGroup is the log group that a function has unless it says otherwise.
func ownGroup(function string) string { return "/aws/lambda/" + function }

// stream is the name of a sandbox's log stream (Lambda developer guide, "Sending
// Lambda function logs to CloudWatch Logs"). In a log group that is not the
// function's own it has the function's name ("Configuring CloudWatch log groups",
// whose convention puts the last part in brackets, too; published names do not).
func (s *Service) stream(v *version) string {
	name := ""
	if aws.ToString(v.config.LoggingConfig.LogGroup) != ownGroup(v.fn.name) {
		name = v.fn.name
	}
	return s.w.Now().Format("2006/01/02") + "/" + name + "[" + v.name() + "]" + strings.ReplaceAll(s.w.UUID(), "-", "")
}

// write puts the log of an invocation into CloudWatch Logs. It is the function's
// role that writes: without its permissions, or if anything else is wrong, there
// is no log, and nobody is told, as on AWS.
func (s *Service) write(v *version, stream string, lines []string) {
	now := aws.Int64(s.w.Now().UnixMilli())
	in := &cloudwatchlogs.PutLogEventsInput{LogGroupName: v.config.LoggingConfig.LogGroup, LogStreamName: aws.String(stream)}
	for part := range slices.Chunk(lines, maxLogEvents) {
		in.LogEvents = make([]logstypes.InputLogEvent, 0, len(part))
		for _, line := range part {
			in.LogEvents = append(in.LogEvents, logstypes.InputLogEvent{Timestamp: now, Message: aws.String(line)})
		}
		if s.putLog(v, in) != nil {
			return
		}
	}
}

// putLog makes group and stream where they are missing.
func (s *Service) putLog(v *version, in *cloudwatchlogs.PutLogEventsInput) error {
	as := v.role()
	as.Service = serviceName
	err := call(s, as, "PutLogEvents", in)
	if !missing(err) {
		return err
	}
	stream := &cloudwatchlogs.CreateLogStreamInput{LogGroupName: in.LogGroupName, LogStreamName: in.LogStreamName}
	if err = call(s, as, "CreateLogStream", stream); missing(err) {
		if err = call(s, as, "CreateLogGroup", &cloudwatchlogs.CreateLogGroupInput{LogGroupName: in.LogGroupName}); err == nil {
			err = call(s, as, "CreateLogStream", stream)
		}
	}
	if err != nil {
		return err
	}
	return call(s, as, "PutLogEvents", in)
}

func call(s *Service, as wire.Principal, operation string, in any) error {
	ctx := context.Background() //nolint:forbidigo // an invocation's end has no request whose context it could have
	_, err := s.caller.Call(ctx, as, "logs", operation, in)
	return err
}

func missing(err error) bool {
	_, ok := errors.AsType[*logstypes.ResourceNotFoundException](err)
	return ok
}
