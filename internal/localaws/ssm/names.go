package ssm

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
)

// nameForm and maxLevels are what a parameter's name may look like (SSM API
// reference, PutParameter, Name).
const (
	nameForm  = `^[a-zA-Z0-9_./-]+$`
	maxLevels = 15
)

// arn returns the ARN of a parameter; the slash that begins a hierarchy is not
// doubled ("Actions, resources, and condition keys for AWS Systems Manager").
func (s *Service) arn(name string) string {
	return fmt.Sprintf("arn:aws:ssm:%s:%s:parameter/%s", s.world.Region, s.world.Account, strings.TrimPrefix(name, "/"))
}

// bare returns the name of a parameter that is given by its ARN.
func (s *Service) bare(name string) string {
	rest, ok := strings.CutPrefix(name, s.arn(""))
	if !ok {
		return name
	}
	if strings.Contains(rest, "/") {
		return "/" + rest
	}
	if _, hierarchy := s.parameters["/"+rest]; hierarchy && s.parameters[rest] == nil {
		return "/" + rest
	}
	return rest
}

// checkNew refuses what cannot be put and returns the parameter's name. It
// settles which tier the parameter is to have, if that is left to AWS.
func (s *Service) checkNew(in *ssm.PutParameterInput) (string, error) {
	name := s.bare(aws.ToString(in.Name))
	if err := oneOf("type", in.Type, in.Type.Values()); err != nil {
		return "", err
	}
	if err := oneOf("tier", in.Tier, in.Tier.Values()); err != nil {
		return "", err
	}
	if err := checkName(name); err != nil {
		return "", err
	}
	value := aws.ToString(in.Value)
	in.Tier = tierFor(in.Tier, value)
	tier, limit := "Standard", maxStandard
	if p := s.parameters[name]; in.Tier == ssmtypes.ParameterTierAdvanced || p != nil && p.tier == ssmtypes.ParameterTierAdvanced {
		tier, limit = "Advanced", maxAdvanced
	}
	switch {
	case in.DataType != nil && *in.DataType != "text":
		return "", invalid("The local AWS supports no data type but text, got " + *in.DataType)
	case value == "":
		return "", invalid("1 validation error detected: Value '' at 'value' failed to satisfy constraint: " +
			"Member must have length greater than or equal to 1.")
	case len(value) > limit:
		return "", invalid(fmt.Sprintf("%s tier parameters support a maximum parameter value of %d characters.", tier, limit))
	}
	return name, nil
}

// tierFor settles the tier, if that is left to AWS.
func tierFor(asked ssmtypes.ParameterTier, value string) ssmtypes.ParameterTier {
	switch {
	case asked != ssmtypes.ParameterTierIntelligentTiering:
		return asked
	case len(value) > maxStandard:
		return ssmtypes.ParameterTierAdvanced
	default:
		return ssmtypes.ParameterTierStandard
	}
}

// oneOf refuses a value that an enumeration does not have.
func oneOf[E ~string](member string, value E, known []E) error {
	if value == "" || slices.Contains(known, value) {
		return nil
	}
	return invalid(fmt.Sprintf("1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: "+
		"Member must satisfy enum value set: %v", value, member, known))
}

func checkName(name string) error {
	lower := strings.ToLower(strings.TrimPrefix(name, "/"))
	switch {
	case !regexp.MustCompile(nameForm).MatchString(name):
		return invalid("Parameter name: can't be prefixed with \"ssm\" (case-insensitive). If formed as a path, it can consist of " +
			"sub-paths divided by slash symbol; each sub-path can be formed as a mix of letters, numbers and the following 3 symbols .-_")
	case strings.Contains(name, "/") && !strings.HasPrefix(name, "/"):
		return invalid("Parameter name must be a fully qualified name.")
	case strings.HasPrefix(lower, "aws"), strings.HasPrefix(lower, "ssm"):
		return invalid("Parameter name: can't be prefixed with \"aws\" or \"ssm\" (case-insensitive).")
	case strings.Count(name, "/") > maxLevels:
		return &ssmtypes.HierarchyLevelLimitExceededException{Message: aws.String(
			"Hierarchical parameter name can contain no more than 15 levels.",
		)}
	}
	return nil
}

// find returns a parameter by its name or ARN, with ":<version>" for one that
// is not the latest ("Working with parameter versions").
func (s *Service) find(selector string, decrypt bool) (*ssmtypes.Parameter, error) {
	name := s.bare(selector)
	base, wanted, hasVersion := strings.Cut(name, ":")
	p := s.parameters[base]
	if p == nil {
		return nil, &ssmtypes.ParameterNotFound{}
	}
	v := p.latest()
	out := &ssmtypes.Parameter{ARN: aws.String(s.arn(p.name)), DataType: aws.String(p.dataType), Name: aws.String(p.name)}
	if hasVersion {
		out.Selector = aws.String(":" + wanted)
		number, err := strconv.ParseInt(wanted, 10, 64)
		i := number - p.versions[0].number
		if err != nil || i < 0 || i >= int64(len(p.versions)) {
			return nil, &ssmtypes.ParameterVersionNotFound{Message: aws.String(fmt.Sprintf(
				"Systems Manager could not find version %s of %s. Verify the version and try again.", wanted, base))}
		}
		v = p.versions[i]
	}
	value := v.value
	if v.kind == ssmtypes.ParameterTypeSecureString && !decrypt {
		sum := sha256.Sum256([]byte(p.name + "\x00" + value))
		value = base64.StdEncoding.EncodeToString(sum[:])
	}
	out.LastModifiedDate, out.Type, out.Value, out.Version = aws.Time(v.modified), v.kind, aws.String(value), v.number
	return out, nil
}
