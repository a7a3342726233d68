package logs

import (
	"cmp"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// Limits (CloudWatch Logs API reference).
const (
	maxPage = 50
	maxTags = 50
)

// group is one log group.
type group struct {
	name          string
	created       int64
	class         logstypes.LogGroupClass
	protected     bool
	retention     int32  // days; 0 is for ever
	key           string // ARN of a KMS key, if it has one
	tags          map[string]string
	streams       map[string]*stream
	subscriptions []*subscription // in the order in which they were put
	metricFilters []*metricFilter // likewise
	expiry        *world.Timer    // of the oldest log event
}

func (s *Service) arn(g *group) string {
	return "arn:aws:logs:" + s.w.Region + ":" + s.w.Account + ":log-group:" + g.name
}

// group finds a group by its name or ARN.
func (s *Service) group(name, identifier *string) (*group, error) {
	wanted := cmp.Or(aws.ToString(name), aws.ToString(identifier))
	if name != nil && identifier != nil {
		return nil, invalid("LogGroupName and LogGroupIdentifier are mutually exclusive.")
	}
	if _, resource, ok := strings.Cut(wanted, ":log-group:"); ok {
		wanted = strings.TrimSuffix(resource, ":*")
	}
	if g := s.groups[wanted]; g != nil {
		return g, nil
	}
	if wanted == "" {
		return nil, invalid("1 validation error detected: Value null at 'logGroupName' failed to satisfy constraint: Member must not be null")
	}
	return nil, noGroup()
}

func (s *Service) createGroup(c *wire.Call, in *cloudwatchlogs.CreateLogGroupInput) (*cloudwatchlogs.CreateLogGroupOutput, error) {
	name := aws.ToString(in.LogGroupName)
	class := cmp.Or(in.LogGroupClass, logstypes.LogGroupClassStandard)
	switch {
	case len(name) > 512 || !regexp.MustCompile(`^[.\-_/#A-Za-z0-9]+$`).MatchString(name):
		return nil, invalid("1 validation error detected: Value '%s' at 'logGroupName' failed to satisfy constraint: "+
			"Member must satisfy regular expression pattern: [\\.\\-_/#A-Za-z0-9]+", name)
	case class != logstypes.LogGroupClassStandard && class != logstypes.LogGroupClassInfrequentAccess:
		return nil, invalid("Log group class %s is not supported by the local AWS.", class)
	case s.groups[name] != nil:
		return nil, &logstypes.ResourceAlreadyExistsException{Message: aws.String("The specified log group already exists")}
	case len(in.Tags) > maxTags:
		return nil, invalid("A log group can have %d tags at most.", maxTags)
	}
	g := &group{
		name: name, key: aws.ToString(in.KmsKeyId), created: s.now(), class: class, protected: aws.ToBool(in.DeletionProtectionEnabled),
		tags: maps.Clone(in.Tags), streams: map[string]*stream{},
	}
	if err := s.keyFor(c.Context, in.KmsKeyId, s.arn(g)); err != nil {
		return nil, err
	}
	s.groups[name] = g
	return &cloudwatchlogs.CreateLogGroupOutput{}, nil
}

func (s *Service) deleteGroup(_ *wire.Call, in *cloudwatchlogs.DeleteLogGroupInput) (*cloudwatchlogs.DeleteLogGroupOutput, error) {
	g, err := s.group(in.LogGroupName, nil)
	if err != nil {
		return nil, err
	}
	if g.protected {
		return nil, &logstypes.ValidationException{Message: aws.String("The log group has deletion protection enabled.")}
	}
	s.w.Stop(g.expiry)
	delete(s.groups, g.name)
	return &cloudwatchlogs.DeleteLogGroupOutput{}, nil
}

func (s *Service) describeGroups(_ *wire.Call, in *cloudwatchlogs.DescribeLogGroupsInput) (*cloudwatchlogs.DescribeLogGroupsOutput, error) {
	if err := wire.Only(in, "LogGroupNamePrefix", "LogGroupNamePattern", "NextToken", "Limit", "LogGroupClass"); err != nil {
		return nil, err
	}
	if in.LogGroupNamePrefix != nil && in.LogGroupNamePattern != nil {
		return nil, invalid("LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.")
	}
	var names []string
	for _, name := range slices.Sorted(maps.Keys(s.groups)) {
		if strings.HasPrefix(name, aws.ToString(in.LogGroupNamePrefix)) && strings.Contains(name, aws.ToString(in.LogGroupNamePattern)) &&
			(in.LogGroupClass == "" || s.groups[name].class == in.LogGroupClass) {
			names = append(names, name)
		}
	}
	names, next, err := page(names, func(n string) string { return n }, in.Limit, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &cloudwatchlogs.DescribeLogGroupsOutput{NextToken: next, LogGroups: []logstypes.LogGroup{}}
	for _, name := range names {
		out.LogGroups = append(out.LogGroups, s.describe(s.groups[name]))
	}
	return out, nil
}

func (s *Service) describe(g *group) logstypes.LogGroup {
	d := logstypes.LogGroup{
		Arn: aws.String(s.arn(g) + ":*"), LogGroupArn: aws.String(s.arn(g)), LogGroupName: aws.String(g.name),
		CreationTime: aws.Int64(g.created), LogGroupClass: g.class,
		MetricFilterCount: aws.Int32(int32(len(g.metricFilters))), //nolint:gosec // at most 100
		StoredBytes:       aws.Int64(0),
	}
	for _, st := range g.streams {
		*d.StoredBytes += st.bytes()
	}
	if g.protected {
		d.DeletionProtectionEnabled = aws.Bool(true)
	}
	if g.key != "" {
		d.KmsKeyId = &g.key
	}
	if g.retention > 0 {
		d.RetentionInDays = aws.Int32(g.retention)
	}
	return d
}

// page cuts a page out of all, which is sorted by key. The token is the last
// key of the page before.
func page[T any](all []T, key func(T) string, limit *int32, token *string) (out []T, next *string, err error) {
	size := maxPage
	if limit != nil {
		size = int(*limit)
	}
	if size < 1 || size > maxPage {
		return nil, nil, invalid("1 validation error detected: Value '%d' at 'limit' failed to satisfy constraint: "+
			"Member must have value less than or equal to %d", size, maxPage)
	}
	for _, item := range all {
		if token != nil && key(item) <= *token {
			continue
		}
		if len(out) == size {
			return out, aws.String(key(out[size-1])), nil
		}
		out = append(out, item)
	}
	return out, nil, nil
}

// tagged finds the group of an ARN, with or without the star at its end.
func (s *Service) tagged(arn *string) (*group, error) {
	if !strings.Contains(aws.ToString(arn), ":log-group:") {
		return nil, invalid("Tags of %s are not supported by the local AWS: those of log groups are.", aws.ToString(arn))
	}
	return s.group(nil, arn)
}

func (s *Service) tagResource(_ *wire.Call, in *cloudwatchlogs.TagResourceInput) (*cloudwatchlogs.TagResourceOutput, error) {
	g, err := s.tagged(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	tags := maps.Clone(g.tags)
	if tags == nil {
		tags = map[string]string{}
	}
	maps.Copy(tags, in.Tags)
	if len(tags) > maxTags {
		return nil, &logstypes.TooManyTagsException{Message: aws.String("The resource cannot have more than 50 tags."), ResourceName: in.ResourceArn}
	}
	g.tags = tags
	return &cloudwatchlogs.TagResourceOutput{}, nil
}

func (s *Service) untagResource(_ *wire.Call, in *cloudwatchlogs.UntagResourceInput) (*cloudwatchlogs.UntagResourceOutput, error) {
	g, err := s.tagged(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	maps.DeleteFunc(g.tags, func(k, _ string) bool { return slices.Contains(in.TagKeys, k) })
	return &cloudwatchlogs.UntagResourceOutput{}, nil
}

func (s *Service) listTags(_ *wire.Call, in *cloudwatchlogs.ListTagsForResourceInput) (*cloudwatchlogs.ListTagsForResourceOutput, error) {
	g, err := s.tagged(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	out := &cloudwatchlogs.ListTagsForResourceOutput{Tags: map[string]string{}}
	maps.Copy(out.Tags, g.tags)
	return out, nil
}
