package ec2

import (
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// parameterImage is how an image id in a launch template names a parameter of
// Systems Manager instead (EC2 user guide, "Use a Systems Manager parameter
// instead of an AMI ID").
const parameterImage = "resolve:ssm:"

// image resolves and checks an image id.
func (s *Service) image(c *wire.Call, id string) (string, error) {
	if name, ok := strings.CutPrefix(id, parameterImage); ok {
		out, err := wire.Do[ssm.GetParameterOutput](c.Context, s.c, c.Principal, "ssm", "GetParameter", &ssm.GetParameterInput{Name: &name})
		if err != nil {
			return "", refuse("InvalidParameterValue", "The image ID parameter %s could not be resolved: %v", name, err)
		}
		id = aws.ToString(out.Parameter.Value)
	}
	if !regexp.MustCompile(`^ami-([0-9a-f]{8}|[0-9a-f]{17})$`).MatchString(id) {
		return "", refuse("InvalidAMIID.Malformed", "Invalid id: %q (expecting \"ami-...\")", id)
	}
	return id, nil
}
