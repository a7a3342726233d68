package lambda

import (
	"cmp"
	"maps"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// timestamp is how Lambda writes LastModified.
const timestamp = "2006-01-02T15:04:05.000-0700"

// function is a function with all that hangs on it.
type function struct {
	name      string
	arn       string
	latest    *version
	published []*version // ascending
	last      int        // the highest version number ever given
	aliases   map[string]*lambdatypes.AliasConfiguration
	tags      map[string]string
	policies  map[string]*policy                                // by qualifier
	async     map[string]*lambdatypes.FunctionEventInvokeConfig // by qualifier
	reserved  *int32
	busy      int `state:"-"`
}

// version is code and configuration. The latest version is replaced, never
// changed, so that a sandbox knows whether it is still of use.
type version struct {
	fn      *function
	config  lambdatypes.FunctionConfiguration
	code    *code
	retired bool
}

// name is the version's number, or $LATEST.
func (v *version) name() string { return *v.config.Version }

// version returns the version of that name, or nil.
func (f *function) version(name string) *version {
	if name == latest {
		return f.latest
	}
	for _, v := range f.published {
		if v.name() == name {
			return v
		}
	}
	return nil
}

// describe is the version's configuration with the ARN that fits how the
// version was named.
func (v *version) describe(qualifier string) *lambdatypes.FunctionConfiguration {
	c := v.config
	if qualifier != "" {
		c.FunctionArn = aws.String(v.fn.arn + ":" + qualifier)
	}
	return &c
}

// replace makes v the latest version.
func (s *Service) replace(f *function, v *version) {
	if f.latest != nil {
		s.retire(f.latest)
	}
	v.config.RevisionId = aws.String(s.w.UUID())
	v.config.LastModified = aws.String(s.w.Now().Format(timestamp))
	f.latest = v
}

func (s *Service) createFunction(c *wire.Call, in *lambda.CreateFunctionInput) (*lambda.CreateFunctionOutput, error) {
	name, qualifier, err := s.split(aws.ToString(in.FunctionName))
	if err != nil {
		return nil, err
	}
	if qualifier != "" {
		return nil, invalid("The function name %s must not have a qualifier for this operation", *in.FunctionName)
	}
	if s.functions[name] != nil {
		return nil, conflict("Function already exist: %s", name)
	}
	v, err := s.newVersion(c, name, in)
	if err != nil {
		return nil, err
	}
	if err := s.assumable(in.Role); err != nil {
		return nil, err
	}
	f := &function{
		name: name, arn: s.functionARN(name), tags: maps.Clone(in.Tags),
		aliases: map[string]*lambdatypes.AliasConfiguration{}, policies: map[string]*policy{},
		async: map[string]*lambdatypes.FunctionEventInvokeConfig{},
	}
	v.fn = f
	s.replace(f, v)
	s.functions[name] = f
	if in.Publish {
		v = s.publish(f, in.Description)
	}
	return shape[lambda.CreateFunctionOutput](&v.config), nil
}

func (s *Service) getFunction(_ *wire.Call, in *lambda.GetFunctionInput) (*lambda.GetFunctionOutput, error) {
	r, err := s.find(in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	v, err := r.version()
	if err != nil {
		return nil, err
	}
	out := &lambda.GetFunctionOutput{
		// There is no place from which the code could be downloaded.
		Code:          &lambdatypes.FunctionCodeLocation{RepositoryType: aws.String("S3")},
		Configuration: v.describe(r.qualifier),
		Tags:          maps.Clone(r.fn.tags),
	}
	if r.fn.reserved != nil {
		out.Concurrency = &lambdatypes.Concurrency{ReservedConcurrentExecutions: r.fn.reserved}
	}
	return out, nil
}

func (s *Service) getFunctionConfiguration(_ *wire.Call, in *lambda.GetFunctionConfigurationInput) (*lambda.GetFunctionConfigurationOutput, error) {
	r, err := s.find(in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	v, err := r.version()
	if err != nil {
		return nil, err
	}
	return shape[lambda.GetFunctionConfigurationOutput](v.describe(r.qualifier)), nil
}

func (s *Service) deleteFunction(_ *wire.Call, in *lambda.DeleteFunctionInput) (*lambda.DeleteFunctionOutput, error) {
	r, err := s.find(in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	if r.qualifier != "" {
		err = s.deleteVersion(r)
	} else {
		s.retire(r.fn.latest)
		for _, v := range r.fn.published {
			s.retire(v)
		}
		delete(s.functions, r.fn.name)
	}
	if err != nil {
		return nil, err
	}
	return &lambda.DeleteFunctionOutput{StatusCode: noContent}, nil
}

// deleteVersion deletes one published version.
func (s *Service) deleteVersion(r reference) error {
	if r.qualifier == latest {
		return invalid("$LATEST version cannot be deleted without deleting the function.")
	}
	if r.fn.aliases[r.qualifier] != nil {
		return invalid("Deletion of aliases is not currently supported.")
	}
	v, err := r.version()
	if err != nil {
		return err
	}
	var users []string
	for _, a := range r.fn.sortedAliases() {
		if *a.FunctionVersion == v.name() || a.RoutingConfig != nil && a.RoutingConfig.AdditionalVersionWeights[v.name()] != 0 {
			users = append(users, *a.Name)
		}
	}
	if len(users) > 0 {
		return conflict("Unable to delete version because the following aliases reference it: %v", users)
	}
	s.retire(v)
	r.fn.published = slices.DeleteFunc(r.fn.published, func(p *version) bool { return p == v })
	return nil
}

func (s *Service) listFunctions(_ *wire.Call, in *lambda.ListFunctionsInput) (*lambda.ListFunctionsOutput, error) {
	if err := refuse(in, "MasterRegion"); err != nil {
		return nil, err
	}
	if in.FunctionVersion != "" && in.FunctionVersion != lambdatypes.FunctionVersionAll {
		return nil, unfit(in.FunctionVersion, "functionVersion", "Member must satisfy enum value set: [ALL]")
	}
	var all []lambdatypes.FunctionConfiguration
	for _, name := range slices.Sorted(maps.Keys(s.functions)) {
		f := s.functions[name]
		if in.FunctionVersion == "" {
			all = append(all, f.latest.config)
			continue
		}
		all = append(all, f.versions()...)
	}
	page, next, err := paginate(all, in.Marker, in.MaxItems)
	return &lambda.ListFunctionsOutput{Functions: page, NextMarker: next}, err
}

// versions lists the latest version and then the published ones.
func (f *function) versions() []lambdatypes.FunctionConfiguration {
	all := []lambdatypes.FunctionConfiguration{*f.latest.describe(latest)}
	for _, v := range f.published {
		all = append(all, v.config)
	}
	return all
}

// pageSize is the most that one answer of a list operation holds (Lambda API
// reference, ListFunctions: "a maximum of 50 functions"; the same for others).
const pageSize = 50

// paginate cuts one page out of a list. The marker is the number of items that
// earlier pages held; callers must not rely on that.
func paginate[T any](all []T, marker *string, limit *int32) ([]T, *string, error) {
	from := 0
	if marker != nil {
		n, err := strconv.Atoi(*marker)
		if err != nil || n < 0 {
			return nil, nil, invalid("Invalid Marker %s", *marker)
		}
		from = min(n, len(all))
	}
	size := min(cmp.Or(int(aws.ToInt32(limit)), pageSize), pageSize)
	to := min(from+max(size, 1), len(all))
	part := append([]T{}, all[from:to]...) // an empty list is there
	if to == len(all) {
		return part, nil, nil
	}
	return part, aws.String(strconv.Itoa(to)), nil
}
