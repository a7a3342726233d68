package codedeploy

import (
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// The limits of on-premises instances (API reference; user guide, "CodeDeploy
// quotas": at most 10 tags for one instance, 25 instances in a batch, 100 in a
// call that adds or removes tags).
const (
	onPremisesBatch   = 25
	onPremisesPerCall = 100
	onPremisesTags    = 10
	instanceNameLimit = 100
)

// onPremises is an instance that is not one of EC2's.
type onPremises struct {
	name         string
	arn          string
	iamUserARN   *string
	iamSession   *string
	registered   time.Time
	deregistered *time.Time
	tags         map[string]string
}

func (i *onPremises) info() cdtypes.InstanceInfo {
	info := cdtypes.InstanceInfo{
		InstanceName: aws.String(i.name), InstanceArn: aws.String(i.arn), IamUserArn: i.iamUserARN, IamSessionArn: i.iamSession,
		RegisterTime: aws.Time(i.registered), DeregisterTime: i.deregistered, Tags: []cdtypes.Tag{},
	}
	for _, k := range names(i.tags) {
		info.Tags = append(info.Tags, cdtypes.Tag{Key: aws.String(k), Value: aws.String(i.tags[k])})
	}
	return info
}

// is reports whether the instance has a status; empty is any.
func (i *onPremises) is(status cdtypes.RegistrationStatus) bool {
	return status == "" || (status == cdtypes.RegistrationStatusRegistered) == (i.deregistered == nil)
}

func checkInstanceName(name string) error {
	switch {
	case name == "":
		return &cdtypes.InstanceNameRequiredException{Message: aws.String("An on-premises instance name was not specified.")}
	case len(name) > instanceNameLimit, strings.HasPrefix(name, "i-"), strings.ContainsAny(name, "/\\ "):
		return &cdtypes.InvalidInstanceNameException{Message: aws.String("The on-premises instance name was specified in an invalid format.")}
	default:
		return nil
	}
}

func (s *Service) onPremisesInstance(name string) (*onPremises, error) {
	if err := checkInstanceName(name); err != nil {
		return nil, err
	}
	i := s.instances[name]
	if i == nil {
		return nil, &cdtypes.InstanceNotRegisteredException{Message: aws.String("The specified on-premises instance is not registered: " + name)}
	}
	return i, nil
}

// registerOnPremisesInstance registers an instance with the one IAM identity
// that it acts with. A name that was deregistered may be registered again.
func (s *Service) registerOnPremisesInstance(
	_ *wire.Call, in *codedeploy.RegisterOnPremisesInstanceInput,
) (*codedeploy.RegisterOnPremisesInstanceOutput, error) {
	name := aws.ToString(in.InstanceName)
	if err := checkInstanceName(name); err != nil {
		return nil, err
	}
	if i := s.instances[name]; i != nil && i.deregistered == nil {
		return nil, &cdtypes.InstanceNameAlreadyRegisteredException{Message: aws.String("The specified on-premises instance name is already registered.")}
	}
	if err := s.checkIdentity(in); err != nil {
		return nil, err
	}
	const suffix = 10 // as in the ARNs of the AWS CLI reference
	s.instances[name] = &onPremises{
		name: name, arn: s.arn("instance/" + name + "_" + s.letters(suffix)), iamUserARN: in.IamUserArn, iamSession: in.IamSessionArn,
		registered: s.w.Now(), tags: map[string]string{},
	}
	return &codedeploy.RegisterOnPremisesInstanceOutput{}, nil
}

// checkIdentity wants one ARN, of a user or of a session, that no other
// instance has.
func (s *Service) checkIdentity(in *codedeploy.RegisterOnPremisesInstanceInput) error {
	user, session := aws.ToString(in.IamUserArn), aws.ToString(in.IamSessionArn)
	switch {
	case user == "" && session == "":
		return &cdtypes.IamArnRequiredException{Message: aws.String("No IAM ARN was included in the request. You must use an IAM session ARN or user ARN in the request.")}
	case user != "" && session != "":
		return &cdtypes.MultipleIamArnsProvidedException{Message: aws.String("Both an user ARN and an IAM session ARN were included in the request. Use only one ARN type.")}
	case user != "":
		return s.checkUser(user)
	default:
		return s.checkSession(session)
	}
}

func (s *Service) checkUser(arn string) error {
	if !strings.HasPrefix(arn, "arn:aws:iam::") || !strings.Contains(arn, ":user/") {
		return &cdtypes.InvalidIamUserArnException{Message: aws.String("The user ARN was specified in an invalid format.")}
	}
	if s.identified(arn) {
		return &cdtypes.IamUserArnAlreadyRegisteredException{Message: aws.String("The specified user ARN is already registered with an on-premises instance.")}
	}
	return nil
}

func (s *Service) checkSession(arn string) error {
	if !strings.HasPrefix(arn, "arn:aws:sts::") || !strings.Contains(arn, ":assumed-role/") {
		return &cdtypes.InvalidIamSessionArnException{Message: aws.String("The IAM session ARN was specified in an invalid format.")}
	}
	if s.identified(arn) {
		return &cdtypes.IamSessionArnAlreadyRegisteredException{
			Message: aws.String("The request included an IAM session ARN that has already been used to register a different instance."),
		}
	}
	return nil
}

// identified reports whether a registered instance acts with an ARN.
func (s *Service) identified(arn string) bool {
	for _, i := range s.instances {
		if i.deregistered == nil && (aws.ToString(i.iamUserARN) == arn || aws.ToString(i.iamSession) == arn) {
			return true
		}
	}
	return false
}

// deregisterOnPremisesInstance succeeds for an instance that does not exist:
// the API reference lists no error for it.
func (s *Service) deregisterOnPremisesInstance(
	_ *wire.Call, in *codedeploy.DeregisterOnPremisesInstanceInput,
) (*codedeploy.DeregisterOnPremisesInstanceOutput, error) {
	if err := checkInstanceName(aws.ToString(in.InstanceName)); err != nil {
		return nil, err
	}
	if i := s.instances[*in.InstanceName]; i != nil && i.deregistered == nil {
		i.deregistered = aws.Time(s.w.Now())
	}
	return &codedeploy.DeregisterOnPremisesInstanceOutput{}, nil
}

func (s *Service) getOnPremisesInstance(_ *wire.Call, in *codedeploy.GetOnPremisesInstanceInput) (*codedeploy.GetOnPremisesInstanceOutput, error) {
	i, err := s.onPremisesInstance(aws.ToString(in.InstanceName))
	if err != nil {
		return nil, err
	}
	info := i.info()
	return &codedeploy.GetOnPremisesInstanceOutput{InstanceInfo: &info}, nil
}

// batchGetOnPremisesInstances leaves out instances that do not exist: the API
// reference lists no error for them.
func (s *Service) batchGetOnPremisesInstances(
	_ *wire.Call, in *codedeploy.BatchGetOnPremisesInstancesInput,
) (*codedeploy.BatchGetOnPremisesInstancesOutput, error) {
	if len(in.InstanceNames) == 0 {
		return nil, checkInstanceName("")
	}
	if err := tooMany(len(in.InstanceNames), onPremisesBatch); err != nil {
		return nil, err
	}
	out := &codedeploy.BatchGetOnPremisesInstancesOutput{InstanceInfos: []cdtypes.InstanceInfo{}}
	for _, name := range in.InstanceNames {
		if err := checkInstanceName(name); err != nil {
			return nil, err
		}
		if i := s.instances[name]; i != nil {
			out.InstanceInfos = append(out.InstanceInfos, i.info())
		}
	}
	return out, nil
}

func (s *Service) listOnPremisesInstances(_ *wire.Call, in *codedeploy.ListOnPremisesInstancesInput) (*codedeploy.ListOnPremisesInstancesOutput, error) {
	if in.RegistrationStatus != "" && !slices.Contains(in.RegistrationStatus.Values(), in.RegistrationStatus) {
		return nil, &cdtypes.InvalidRegistrationStatusException{Message: aws.String("The registration status was specified in an invalid format.")}
	}
	filters := filtersOf(in.TagFilters)
	for _, f := range filters {
		if !f.valid() {
			return nil, &cdtypes.InvalidTagFilterException{Message: aws.String("The tag filter was specified in an invalid format.")}
		}
	}
	var found []string
	for _, name := range names(s.instances) {
		if i := s.instances[name]; i.is(in.RegistrationStatus) && (len(filters) == 0 || anyOf(filters, i.tags)) {
			found = append(found, name)
		}
	}
	part, next, err := page(found, in.NextToken)
	if err != nil {
		return nil, err
	}
	return &codedeploy.ListOnPremisesInstancesOutput{InstanceNames: part, NextToken: next}, nil
}

func (s *Service) addTagsToOnPremisesInstances(
	_ *wire.Call, in *codedeploy.AddTagsToOnPremisesInstancesInput,
) (*codedeploy.AddTagsToOnPremisesInstancesOutput, error) {
	all, err := s.toTag(in.InstanceNames, in.Tags)
	if err != nil {
		return nil, err
	}
	for _, i := range all {
		n := len(i.tags)
		for _, t := range in.Tags {
			if _, ok := i.tags[aws.ToString(t.Key)]; !ok {
				n++
			}
		}
		if n > onPremisesTags {
			return nil, &cdtypes.TagLimitExceededException{Message: aws.String("The maximum allowed number of tags was exceeded.")}
		}
	}
	for _, i := range all {
		for _, t := range in.Tags {
			i.tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
		}
	}
	return &codedeploy.AddTagsToOnPremisesInstancesOutput{}, nil
}

// removeTagsFromOnPremisesInstances removes tags whose key and value are as
// given.
func (s *Service) removeTagsFromOnPremisesInstances(
	_ *wire.Call, in *codedeploy.RemoveTagsFromOnPremisesInstancesInput,
) (*codedeploy.RemoveTagsFromOnPremisesInstancesOutput, error) {
	all, err := s.toTag(in.InstanceNames, in.Tags)
	if err != nil {
		return nil, err
	}
	for _, i := range all {
		for _, t := range in.Tags {
			if value, ok := i.tags[aws.ToString(t.Key)]; ok && value == aws.ToString(t.Value) {
				delete(i.tags, aws.ToString(t.Key))
			}
		}
	}
	return &codedeploy.RemoveTagsFromOnPremisesInstancesOutput{}, nil
}

// toTag checks a request to add or remove tags and finds its instances.
func (s *Service) toTag(instances []string, tags []cdtypes.Tag) ([]*onPremises, error) {
	switch {
	case len(instances) == 0:
		return nil, checkInstanceName("")
	case len(instances) > onPremisesPerCall:
		return nil, &cdtypes.InstanceLimitExceededException{Message: aws.String("The maximum number of allowed on-premises instances in a single call was exceeded.")}
	case len(tags) == 0:
		return nil, &cdtypes.TagRequiredException{Message: aws.String("A tag was not specified.")}
	}
	for _, t := range tags {
		if aws.ToString(t.Key) == "" || len(*t.Key) > 128 || len(aws.ToString(t.Value)) > 256 {
			return nil, &cdtypes.InvalidTagException{Message: aws.String("The tag was specified in an invalid format.")}
		}
	}
	var all []*onPremises
	for _, name := range instances {
		i, err := s.onPremisesInstance(name)
		if err != nil {
			return nil, err
		}
		if i.deregistered != nil {
			return nil, &cdtypes.InstanceNotRegisteredException{Message: aws.String("The specified on-premises instance is not registered: " + name)}
		}
		all = append(all, i)
	}
	return all, nil
}
