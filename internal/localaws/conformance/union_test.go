package conformance_test

import (
	"reflect"
	"strings"

	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// unions are the members of the unions that scripts speak of: reflection cannot
// find the implementations of an interface.
func unions() []reflect.Type {
	return []reflect.Type{
		reflect.TypeFor[ddbtypes.AttributeValueMemberB](), reflect.TypeFor[ddbtypes.AttributeValueMemberBOOL](),
		reflect.TypeFor[ddbtypes.AttributeValueMemberBS](), reflect.TypeFor[ddbtypes.AttributeValueMemberL](),
		reflect.TypeFor[ddbtypes.AttributeValueMemberM](), reflect.TypeFor[ddbtypes.AttributeValueMemberN](),
		reflect.TypeFor[ddbtypes.AttributeValueMemberNS](), reflect.TypeFor[ddbtypes.AttributeValueMemberNULL](),
		reflect.TypeFor[ddbtypes.AttributeValueMemberS](), reflect.TypeFor[ddbtypes.AttributeValueMemberSS](),
	}
}

// unionMember finds the member of a union by its name.
func unionMember(union reflect.Type, name string) reflect.Type {
	for _, t := range unions() {
		_, member, _ := strings.Cut(t.Name(), "Member")
		if strings.EqualFold(member, name) && reflect.PointerTo(t).Implements(union) {
			return t
		}
	}
	return nil
}

func isUnion(v reflect.Value) bool {
	t := v.Type()
	if v.Kind() == reflect.Interface {
		t = v.Elem().Type()
	}
	return t.Kind() == reflect.Pointer && strings.Contains(t.Elem().Name(), "Member") && t.Elem().Kind() == reflect.Struct &&
		strings.HasSuffix(t.Elem().PkgPath(), "/types") && hasValue(t.Elem())
}

func hasValue(t reflect.Type) bool {
	_, ok := t.FieldByName("Value")
	return ok
}

func unionTree(v reflect.Value) (any, error) {
	for v.Kind() != reflect.Struct {
		v = v.Elem()
	}
	_, member, _ := strings.Cut(v.Type().Name(), "Member")
	value, err := tree(v.FieldByName("Value"))
	return map[string]any{strings.ToLower(member): value}, err
}
