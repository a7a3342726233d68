package attr

import (
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// The first byte of a number's sort text.
const (
	belowZero = '\x40'
	atZero    = '\x80'
	aboveZero = '\xc0'
)

// exponentBias makes the smallest exponent 0 and the largest 255.
const exponentBias = -minExponent - 1

// SortText returns a text whose bytes sort like the key values of one type:
// strings and binary by their bytes, numbers numerically. For anything else it
// reports false.
func SortText(v Value) (text string, ok bool) {
	switch v := v.(type) {
	case *ddbtypes.AttributeValueMemberS:
		return v.Value, true
	case *ddbtypes.AttributeValueMemberB:
		return string(v.Value), true
	case *ddbtypes.AttributeValueMemberN:
		n, err := ParseNumber(v.Value)
		return n.sortText(), err == nil
	default:
		return "", false
	}
}

func (n Number) sortText() string {
	switch n.Sign() {
	case 0:
		return string([]byte{atZero})
	case 1:
		return string([]byte{aboveZero, n.exponentByte()}) + n.digits
	}
	text := []byte{belowZero, ^n.exponentByte()}
	for _, d := range []byte(n.digits) {
		text = append(text, '0'+'9'-d)
	}
	// Of two negative numbers with a common beginning the shorter one is the
	// larger one.
	return string(append(text, '\xff'))
}

// exponentByte sorts like the exponents of valid numbers.
func (n Number) exponentByte() byte {
	return byte(n.exp + exponentBias) //nolint:gosec // 0 to 255 by the choice of the bias
}
