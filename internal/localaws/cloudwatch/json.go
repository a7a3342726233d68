package cloudwatch

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// double is a number that prints as AWS prints it, which is Java's way: 50.0,
// 0.0666851903306472, 1.0E7.
type double float64

// MarshalJSON implements json.Marshaler.
func (d double) MarshalJSON() ([]byte, error) { return []byte(decimal(float64(d))), nil }

// decimal prints a number as java.lang.Double.toString does: plain from 0.001
// to below ten million, otherwise with an exponent, and always with a point.
func decimal(v float64) string {
	size := math.Abs(v)
	if size == 0 || size >= 1e-3 && size < 1e7 {
		text := strconv.FormatFloat(v, 'f', -1, 64)
		if !strings.Contains(text, ".") {
			text += ".0"
		}
		return text
	}
	digits, exponent, _ := strings.Cut(strconv.FormatFloat(v, 'E', -1, 64), "E")
	if !strings.Contains(digits, ".") {
		digits += ".0"
	}
	sign, power := exponent[:1], strings.TrimLeft(exponent[1:], "0")
	return digits + "E" + strings.TrimPrefix(sign, "+") + power
}

// compact is a value as one line of JSON, without Go's escapes for HTML.
func compact(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return fmt.Sprintf("%q", err) // no value of this package can fail
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func validJSON(text string) bool { return json.Valid([]byte(text)) }
