package expr_test

import (
	"testing"

	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/dynamodb/attr"
	"github.com/pullback-dev/pullback/internal/localaws/dynamodb/expr"
)

type (
	mapValue = ddbtypes.AttributeValueMemberM
	binValue = ddbtypes.AttributeValueMemberB
	setValue = ddbtypes.AttributeValueMemberSS
	item     = attr.Item
	val      = attr.Value
)

func str(s string) val { return &ddbtypes.AttributeValueMemberS{Value: s} }

func num(s string) val { return &ddbtypes.AttributeValueMemberN{Value: s} }

func bin(s string) val { return &ddbtypes.AttributeValueMemberB{Value: []byte(s)} }

func yes() val { return &ddbtypes.AttributeValueMemberBOOL{Value: true} }

func null() val { return &ddbtypes.AttributeValueMemberNULL{Value: true} }

func many(all ...val) val { return &ddbtypes.AttributeValueMemberL{Value: all} }

func doc(m item) val { return &ddbtypes.AttributeValueMemberM{Value: m} }

func strs(all ...string) val { return &ddbtypes.AttributeValueMemberSS{Value: all} }

func nums(all ...string) val { return &ddbtypes.AttributeValueMemberNS{Value: all} }

func bins(all ...string) val {
	set := &ddbtypes.AttributeValueMemberBS{}
	for _, s := range all {
		set.Value = append(set.Value, []byte(s))
	}
	return set
}

// env makes an environment that knows #n for "name", #d for a name with a dot,
// and the values given.
func env(t *testing.T, values item) *expr.Env {
	t.Helper()
	e, err := expr.NewEnv(map[string]string{"#n": "name", "#d": "a.b"}, values)
	require.NoError(t, err)
	return e
}

// words returns the message of a validation error.
func words(t *testing.T, err error) string {
	t.Helper()
	var invalid *smithy.GenericAPIError
	require.ErrorAs(t, err, &invalid)
	require.Equal(t, "ValidationException", invalid.Code)
	return invalid.Message
}
