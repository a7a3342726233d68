package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/aws/smithy-go/encoding/cbor"
)

// CBOR major types (RFC 8949, section 3.1), already in the upper three bits.
const (
	cborUint   = 0 << 5
	cborNegInt = 1 << 5
	cborBytes  = 2 << 5
	cborString = 3 << 5
	cborList   = 4 << 5
	cborMap    = 5 << 5
	cborTag    = 6 << 5
	cborSimple = 7 << 5

	cborFalse, cborTrue, cborNull, cborFloat64 = cborSimple | 20, cborSimple | 21, cborSimple | 22, cborSimple | 27

	cborEpoch = 1 // the tag of a time in epoch seconds
)

// readCBOR parses one CBOR item. No item at all is an empty structure. The
// depth is bounded by smithy-go's decoder, the size by the request's.
func readCBOR(b []byte) (tree any, err error) {
	if len(b) == 0 {
		return map[string]any{}, nil
	}
	defer func() {
		// The decoder is not ours; a request must not be able to end the server.
		if p := recover(); p != nil {
			tree, err = nil, fmt.Errorf("read CBOR: %v", p)
		}
	}()
	v, err := cbor.Decode(b)
	if err != nil {
		return nil, fmt.Errorf("read CBOR: %w", err)
	}
	return fromCBOR(v)
}

func fromCBOR(v cbor.Value) (any, error) {
	switch x := v.(type) {
	case cbor.Map:
		m := make(map[string]any, len(x))
		for k, y := range x {
			e, err := fromCBOR(y)
			if err != nil {
				return nil, err
			}
			m[k] = e
		}
		return m, nil
	case cbor.List:
		l := make([]any, len(x))
		for i, y := range x {
			e, err := fromCBOR(y)
			if err != nil {
				return nil, err
			}
			l[i] = e
		}
		return l, nil
	case *cbor.Tag:
		return fromTag(x)
	default:
		return fromCBORScalar(v)
	}
}

func fromCBORScalar(v cbor.Value) (any, error) {
	switch x := v.(type) {
	case cbor.String:
		return string(x), nil
	case cbor.Slice:
		return []byte(x), nil
	case cbor.Bool:
		return bool(x), nil
	case cbor.Uint:
		if uint64(x) > math.MaxInt64 {
			return nil, fmt.Errorf("read CBOR: %d is too large", uint64(x))
		}
		return int64(x), nil //nolint:gosec // checked above
	case cbor.NegInt: // the absolute value
		if uint64(x) > math.MaxInt64 {
			return nil, fmt.Errorf("read CBOR: -%d is too small", uint64(x))
		}
		return -int64(x), nil //nolint:gosec // checked above
	case cbor.Float32:
		return float64(x), nil
	case cbor.Float64:
		return float64(x), nil
	case *cbor.Nil, *cbor.Undefined:
		return nil, nil //nolint:nilnil // null is a value
	default:
		return nil, fmt.Errorf("read CBOR: unexpected %T", v)
	}
}

func fromTag(t *cbor.Tag) (any, error) {
	if t.ID != cborEpoch {
		return nil, fmt.Errorf("read CBOR: unexpected tag %d", t.ID)
	}
	v, err := fromCBORScalar(t.Value)
	if err != nil {
		return nil, err
	}
	f, err := float(v)
	if err != nil || math.IsNaN(f) || math.Abs(f) > math.MaxInt32*1000 {
		return nil, errors.New("read CBOR: a timestamp that is no number of seconds")
	}
	return time.UnixMilli(int64(math.Round(f * 1000))).UTC(), nil
}

// writeCBOR writes a tree with sorted keys, so that equal trees have equal
// bytes. (smithy-go's encoder follows the order of Go's maps.)
func writeCBOR(tree any) []byte { return appendCBOR(nil, tree) }

func appendCBOR(b []byte, tree any) []byte {
	switch x := tree.(type) {
	case map[string]any:
		b = appendHead(b, cborMap, uint64(len(x)))
		for _, k := range sortedKeys(x) {
			b = appendCBOR(appendCBOR(b, k), x[k])
		}
		return b
	case []any:
		b = appendHead(b, cborList, uint64(len(x)))
		for _, v := range x {
			b = appendCBOR(b, v)
		}
		return b
	case time.Time:
		return appendCBOR(appendHead(b, cborTag, cborEpoch), float64(x.UnixMilli())/1000)
	default:
		return appendCBORScalar(b, tree)
	}
}

func appendCBORScalar(b []byte, tree any) []byte {
	switch x := tree.(type) {
	case string:
		return append(appendHead(b, cborString, uint64(len(x))), x...)
	case []byte:
		return append(appendHead(b, cborBytes, uint64(len(x))), x...)
	case bool:
		if x {
			return append(b, cborTrue)
		}
		return append(b, cborFalse)
	case int64:
		if x < 0 {
			return appendHead(b, cborNegInt, ^uint64(x)) //nolint:gosec // all bits turned is -1-x, which is what a negative number is written as
		}
		return appendHead(b, cborUint, uint64(x))
	case float64:
		return binary.BigEndian.AppendUint64(append(b, cborFloat64), math.Float64bits(x))
	default:
		return append(b, cborNull)
	}
}

// appendHead writes a major type with its argument in the shortest form (RFC
// 8949, section 3).
func appendHead(b []byte, major byte, n uint64) []byte {
	switch {
	case n < 24:
		return append(b, major|byte(n))
	case n <= math.MaxUint8:
		return append(b, major|24, byte(n))
	case n <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(b, major|25), uint16(n))
	case n <= math.MaxUint32:
		return binary.BigEndian.AppendUint32(append(b, major|26), uint32(n))
	default:
		return binary.BigEndian.AppendUint64(append(b, major|27), n)
	}
}
