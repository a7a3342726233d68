package codedeploy

import (
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// nameLimit is the longest name of an application, deployment group or
// configuration (API reference, length constraints).
const nameLimit = 100

// application is an application with all that belongs to it.
type application struct {
	id        string
	name      string
	platform  cdtypes.ComputePlatform
	created   time.Time
	groups    map[string]*group // by name
	revisions []*revision       // in the order of registration
}

func itoa(n int) string { return strconv.Itoa(n) }

func (a *application) info() *cdtypes.ApplicationInfo {
	return &cdtypes.ApplicationInfo{
		ApplicationId:   aws.String(a.id),
		ApplicationName: aws.String(a.name),
		ComputePlatform: a.platform,
		CreateTime:      aws.Time(a.created),
	}
}

// application finds an application by its name.
func (s *Service) application(name *string) (*application, error) {
	if err := checkApplicationName(name); err != nil {
		return nil, err
	}
	a := s.applications[*name]
	if a == nil {
		return nil, &cdtypes.ApplicationDoesNotExistException{Message: aws.String("No application found for name: " + *name)}
	}
	return a, nil
}

func checkApplicationName(name *string) error {
	switch {
	case aws.ToString(name) == "":
		return &cdtypes.ApplicationNameRequiredException{Message: aws.String("The application name is required.")}
	case len(*name) > nameLimit:
		return &cdtypes.InvalidApplicationNameException{Message: aws.String("Application name must not be longer than 100 characters: " + *name)}
	default:
		return nil
	}
}

func (s *Service) createApplication(_ *wire.Call, in *codedeploy.CreateApplicationInput) (*codedeploy.CreateApplicationOutput, error) {
	if err := checkApplicationName(in.ApplicationName); err != nil {
		return nil, err
	}
	if s.applications[*in.ApplicationName] != nil {
		return nil, &cdtypes.ApplicationAlreadyExistsException{Message: aws.String("Application already exists: " + *in.ApplicationName)}
	}
	platform := in.ComputePlatform
	if platform == "" {
		platform = cdtypes.ComputePlatformServer // the default of the API
	}
	if s.executors[platform] == nil {
		return nil, &cdtypes.InvalidComputePlatformException{
			Message: aws.String("The computePlatform is invalid. The computePlatform should be Lambda, Server, or ECS."),
		}
	}
	tags, err := tagMap(in.Tags)
	if err != nil {
		return nil, err
	}
	a := &application{
		id: s.w.UUID(), name: *in.ApplicationName, platform: platform,
		created: s.w.Now(), groups: map[string]*group{},
	}
	s.applications[a.name] = a
	s.tags[s.applicationARN(a.name)] = tags
	return &codedeploy.CreateApplicationOutput{ApplicationId: aws.String(a.id)}, nil
}

func (s *Service) getApplication(_ *wire.Call, in *codedeploy.GetApplicationInput) (*codedeploy.GetApplicationOutput, error) {
	a, err := s.application(in.ApplicationName)
	if err != nil {
		return nil, err
	}
	return &codedeploy.GetApplicationOutput{Application: a.info()}, nil
}

func (s *Service) batchGetApplications(_ *wire.Call, in *codedeploy.BatchGetApplicationsInput) (*codedeploy.BatchGetApplicationsOutput, error) {
	if len(in.ApplicationNames) == 0 {
		return nil, &cdtypes.ApplicationNameRequiredException{Message: aws.String("The application name is required.")}
	}
	if err := tooMany(len(in.ApplicationNames), batchLimit); err != nil {
		return nil, err
	}
	out := &codedeploy.BatchGetApplicationsOutput{ApplicationsInfo: []cdtypes.ApplicationInfo{}}
	for _, name := range in.ApplicationNames {
		a, err := s.application(aws.String(name))
		if err != nil {
			return nil, err
		}
		out.ApplicationsInfo = append(out.ApplicationsInfo, *a.info())
	}
	return out, nil
}

func (s *Service) listApplications(_ *wire.Call, in *codedeploy.ListApplicationsInput) (*codedeploy.ListApplicationsOutput, error) {
	part, next, err := page(names(s.applications), in.NextToken)
	if err != nil {
		return nil, err
	}
	return &codedeploy.ListApplicationsOutput{Applications: part, NextToken: next}, nil
}

func (s *Service) updateApplication(_ *wire.Call, in *codedeploy.UpdateApplicationInput) (*codedeploy.UpdateApplicationOutput, error) {
	a, err := s.application(in.ApplicationName)
	if err != nil {
		return nil, err
	}
	if in.NewApplicationName == nil {
		return &codedeploy.UpdateApplicationOutput{}, nil
	}
	if err := checkApplicationName(in.NewApplicationName); err != nil {
		return nil, err
	}
	if s.applications[*in.NewApplicationName] != nil {
		return nil, &cdtypes.ApplicationAlreadyExistsException{Message: aws.String("Application already exists: " + *in.NewApplicationName)}
	}
	delete(s.applications, a.name)
	s.retag(s.applicationARN(a.name), s.applicationARN(*in.NewApplicationName))
	for _, g := range names(a.groups) {
		s.retag(s.groupARN(a.name, g), s.groupARN(*in.NewApplicationName, g))
	}
	for _, d := range s.deployments {
		if d.application == a {
			d.info.ApplicationName = in.NewApplicationName
		}
	}
	a.name = *in.NewApplicationName
	s.applications[a.name] = a
	return &codedeploy.UpdateApplicationOutput{}, nil
}

// deleteApplication succeeds for an application that does not exist: the API
// reference lists no ApplicationDoesNotExistException for it.
func (s *Service) deleteApplication(c *wire.Call, in *codedeploy.DeleteApplicationInput) (*codedeploy.DeleteApplicationOutput, error) {
	if err := checkApplicationName(in.ApplicationName); err != nil {
		return nil, err
	}
	if a := s.applications[*in.ApplicationName]; a != nil {
		for _, g := range names(a.groups) {
			s.drop(c.Context, a.groups[g])
		}
		delete(s.tags, s.applicationARN(a.name))
		delete(s.applications, a.name)
	}
	return &codedeploy.DeleteApplicationOutput{}, nil
}
