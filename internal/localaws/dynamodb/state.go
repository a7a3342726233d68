package dynamodb

import (
	"context"

	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/pullback-dev/pullback/internal/localaws/state"
)

// Kept implements [state.Keeper].
func (s *Service) Kept() (any, state.Union) {
	return s, state.Union{
		(*ddbtypes.AttributeValueMemberB)(nil), (*ddbtypes.AttributeValueMemberBOOL)(nil), (*ddbtypes.AttributeValueMemberBS)(nil),
		(*ddbtypes.AttributeValueMemberL)(nil), (*ddbtypes.AttributeValueMemberM)(nil), (*ddbtypes.AttributeValueMemberN)(nil),
		(*ddbtypes.AttributeValueMemberNS)(nil), (*ddbtypes.AttributeValueMemberNULL)(nil), (*ddbtypes.AttributeValueMemberS)(nil),
		(*ddbtypes.AttributeValueMemberSS)(nil),
	}
}

// Resume implements [state.Keeper]. Time to live has no timer.
func (*Service) Resume(context.Context) error { return nil }
