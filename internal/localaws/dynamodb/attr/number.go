package attr

import (
	"cmp"
	"math/big"
	"strconv"
	"strings"
)

// The range of numbers: 38 significant digits, magnitudes from 1E-130 to
// 9.9…E+125 (DynamoDB developer guide, "Supported data types and naming
// rules", Number).
const (
	maxDigits   = 38
	maxExponent = 125
	minExponent = -130
)

// Number is an exact decimal: 0.digits × 10^exp. The digits have neither
// leading nor trailing zeros; zero has none. The zero value is zero.
type Number struct {
	negative bool
	digits   string
	exp      int
}

// ParseNumber reads a number as DynamoDB does and refuses what it refuses.
func ParseNumber(s string) (Number, error) {
	n, ok := scan(s)
	switch {
	case s == "":
		return Number{}, Invalid("The parameter cannot be converted to a numeric value")
	case !ok:
		return Number{}, Invalid("The parameter cannot be converted to a numeric value: %s", s)
	}
	return n, n.check()
}

func (n Number) check() error {
	switch {
	case n.digits == "":
		return nil
	case n.exp-1 > maxExponent:
		return Invalid("Number overflow. Attempting to store a number with magnitude larger than supported range")
	case n.exp-1 < minExponent:
		return Invalid("Number underflow. Attempting to store a number with magnitude smaller than supported range")
	case len(n.digits) > maxDigits:
		return Invalid("Attempting to store more than %d significant digits in a Number", maxDigits)
	}
	return nil
}

// scan splits a decimal literal: [+-] digits [. digits] [e [+-] digits].
func scan(s string) (Number, bool) {
	mantissa, exponent, scaled := s, "0", false
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		mantissa, exponent, scaled = s[:i], s[i+1:], true
	}
	exp, err := strconv.Atoi(exponent)
	if scaled && err != nil {
		return Number{}, false
	}
	negative := strings.HasPrefix(mantissa, "-")
	if negative || strings.HasPrefix(mantissa, "+") {
		mantissa = mantissa[1:]
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	all := whole + fraction
	if all == "" || strings.Trim(all, "0123456789") != "" {
		return Number{}, false
	}
	return normal(negative, all, exp+len(whole)), true
}

// normal strips the zeros that do not matter.
func normal(negative bool, digits string, exp int) Number {
	significant := strings.TrimLeft(digits, "0")
	exp -= len(digits) - len(significant)
	significant = strings.TrimRight(significant, "0")
	if significant == "" {
		return Number{}
	}
	return Number{negative: negative, digits: significant, exp: exp}
}

// String writes the number without exponent, as DynamoDB returns it.
func (n Number) String() string {
	if n.digits == "" {
		return "0"
	}
	sign := ""
	if n.negative {
		sign = "-"
	}
	switch {
	case n.exp <= 0:
		return sign + "0." + strings.Repeat("0", -n.exp) + n.digits
	case n.exp >= len(n.digits):
		return sign + n.digits + strings.Repeat("0", n.exp-len(n.digits))
	default:
		return sign + n.digits[:n.exp] + "." + n.digits[n.exp:]
	}
}

// Sign is -1, 0 or 1.
func (n Number) Sign() int {
	switch {
	case n.digits == "":
		return 0
	case n.negative:
		return -1
	default:
		return 1
	}
}

// Compare orders two numbers.
func (n Number) Compare(m Number) int {
	if n.Sign() != m.Sign() || n.Sign() == 0 {
		return cmp.Compare(n.Sign(), m.Sign())
	}
	return n.Sign() * cmp.Or(cmp.Compare(n.exp, m.exp), strings.Compare(n.digits, m.digits))
}

// Negate returns -n.
func (n Number) Negate() Number {
	if n.digits != "" {
		n.negative = !n.negative
	}
	return n
}

// Add returns n+m. A sum that needs more than 38 digits is refused, not
// rounded ("Exceeding this results in an exception", developer guide).
func (n Number) Add(m Number) (Number, error) {
	scale := min(n.scale(), m.scale())
	sum := n.integer(scale)
	sum.Add(sum, m.integer(scale))
	negative := sum.Sign() < 0
	digits := sum.Abs(sum).String()
	result := normal(negative, digits, len(digits)+scale)
	return result, result.check()
}

// scale is the power of ten of the last digit.
func (n Number) scale() int { return n.exp - len(n.digits) }

// integer returns n / 10^scale.
func (n Number) integer(scale int) *big.Int {
	i := new(big.Int)
	if n.digits == "" {
		return i
	}
	i.SetString(n.digits+strings.Repeat("0", n.scale()-scale), 10)
	if n.negative {
		i.Neg(i)
	}
	return i
}

// plain is the normal form of a number in text, or the text if it is none.
func plain(s string) string {
	n, err := ParseNumber(s)
	if err != nil {
		return s
	}
	return n.String()
}

// Int makes a number of an integer.
func Int(i int64) Number {
	n, _ := scan(strconv.FormatInt(i, 10))
	return n
}
