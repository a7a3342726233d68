package wire

import (
	"reflect"

	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// variant is one member of a union.
type variant struct {
	wire string
	typ  reflect.Type // a struct with one field, Value
}

// variants returns the members of a union, which the SDK models as an
// interface. Reflection cannot find the implementations of an interface, so
// every union of an implemented operation is listed here.
func variants(t reflect.Type) []variant {
	switch t {
	case reflect.TypeFor[cwtypes.EvaluationCriteria]():
		return []variant{{"PromQLCriteria", reflect.TypeFor[cwtypes.EvaluationCriteriaMemberPromQLCriteria]()}}
	case reflect.TypeFor[cwtypes.EvaluationWindow]():
		return []variant{
			{"SlidingWindow", reflect.TypeFor[cwtypes.EvaluationWindowMemberSlidingWindow]()},
			{"WallClockWindow", reflect.TypeFor[cwtypes.EvaluationWindowMemberWallClockWindow]()},
		}
	case reflect.TypeFor[ddbtypes.AttributeValue]():
		return []variant{
			{"B", reflect.TypeFor[ddbtypes.AttributeValueMemberB]()},
			{"BOOL", reflect.TypeFor[ddbtypes.AttributeValueMemberBOOL]()},
			{"BS", reflect.TypeFor[ddbtypes.AttributeValueMemberBS]()},
			{"L", reflect.TypeFor[ddbtypes.AttributeValueMemberL]()},
			{"M", reflect.TypeFor[ddbtypes.AttributeValueMemberM]()},
			{"N", reflect.TypeFor[ddbtypes.AttributeValueMemberN]()},
			{"NS", reflect.TypeFor[ddbtypes.AttributeValueMemberNS]()},
			{"NULL", reflect.TypeFor[ddbtypes.AttributeValueMemberNULL]()},
			{"S", reflect.TypeFor[ddbtypes.AttributeValueMemberS]()},
			{"SS", reflect.TypeFor[ddbtypes.AttributeValueMemberSS]()},
		}
	case reflect.TypeFor[ecstypes.GatewayConnectionResources]():
		return []variant{{"hostSharedAlb", reflect.TypeFor[ecstypes.GatewayConnectionResourcesMemberHostSharedAlb]()}}
	case reflect.TypeFor[ecstypes.ServiceConnectContainerConfiguration]():
		return []variant{{"logLevel", reflect.TypeFor[ecstypes.ServiceConnectContainerConfigurationMemberLogLevel]()}}
	case reflect.TypeFor[ecstypes.SharingStrategy]():
		return []variant{{"nvidiaMps", reflect.TypeFor[ecstypes.SharingStrategyMemberNvidiaMps]()}}
	}
	return nil
}
