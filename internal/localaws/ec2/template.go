package ec2

import (
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// fromTemplate reads what a launch template says.
func (s *Service) fromTemplate(_ *wire.Call, t *ec2types.LaunchTemplateSpecification) (spec, error) {
	return spec{}, wire.Only(*t)
}
