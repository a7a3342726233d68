package appspec

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

var errDefaultACL = errors.New("The deployment failed because the -d parameter has been specified to apply an acl setting to a file. " + //nolint:staticcheck // the agent's text
	"This parameter is supported for directories only. Update the AppSpec file, and then try again.")

// Context is an SELinux context.
type Context struct {
	User  string // empty if not given
	Type  string
	Range string // as semanage takes it; empty if not given
}

func readContext(p *Permission, m mapping) error {
	v := m.get("context")
	if v == nil {
		return nil
	}
	c, err := asMapping(v, "permissions: context")
	if err != nil {
		return err
	}
	if c.get("type") == nil {
		return invalid("the application specification file specifies an invalid context type (%s). "+
			"Update the permissions section of the AppSpec file, and then try again.", c)
	}
	p.Context = &Context{User: text(c.get("name")), Type: text(c.get("type"))}
	if r := c.get("range"); r != nil {
		p.Context.Range, err = securityRange(text(r))
	}
	return err
}

// String writes a mapping as the agent's messages show it.
func (m mapping) String() string {
	shown := make([]string, len(m))
	for i, e := range m {
		v := "nil"
		if e.value != nil {
			v = strconv.Quote(text(e.value))
		}
		shown[i] = strconv.Quote(text(e.key)) + "=>" + v
	}
	return "{" + strings.Join(shown, ", ") + "}"
}

// securityRange checks s0[-s1][:c0[.c2][,c4]…] and writes it in its shortest
// form.
func securityRange(r string) (string, error) {
	levels, categories, categorized := strings.Cut(r, ":")
	if levels == "" || categorized && categories == "" {
		return "", &ValidationError{"invalid range part " + r}
	}
	lowText, highText, two := strings.Cut(levels, "-")
	low, err := level("sensitivity", 's', lowText)
	if err != nil {
		return "", err
	}
	written := fmt.Sprintf("s%d", low)
	if two {
		high, err := level("sensitivity", 's', highText)
		if err != nil {
			return "", err
		}
		if high < low {
			return "", invalid("of a problem with the SELinux range specified (%s) for the context parameter in the permissions section of the application specification file. "+
				"Make corrections in the permissions section of the AppSpec file, and then try again.", r)
		}
		if high > low {
			written += fmt.Sprintf("-s%d", high)
		}
	}
	if !categorized {
		return written, nil
	}
	numbers, err := categoryNumbers(categories)
	return written + ":" + spans(numbers), err
}

func categoryNumbers(list string) ([]int, error) {
	var numbers []int
	for part := range strings.SplitSeq(list, ",") {
		from, to, spanned := strings.Cut(part, ".")
		low, err := level("category", 'c', from)
		if err != nil {
			return nil, err
		}
		high := low
		if spanned {
			if high, err = level("category", 'c', to); err != nil {
				return nil, err
			}
		}
		if high < low {
			return nil, &ValidationError{"invalid category range " + part}
		}
		for n := low; n <= high; n++ {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	if len(slices.Compact(slices.Clone(numbers))) < len(numbers) {
		return nil, &ValidationError{"duplicate categories"}
	}
	return numbers, nil
}

// level reads s3 or c12. Categories end at 1023.
func level(kind string, letter byte, s string) (int, error) {
	bad := &ValidationError{fmt.Sprintf("invalid %s %s", kind, s)}
	if len(s) < 2 || s[0] != letter || strings.Trim(s[1:], "0123456789") != "" {
		return 0, bad
	}
	n, err := strconv.Atoi(s[1:])
	if err != nil || letter == 'c' && n > 1023 {
		return 0, bad
	}
	return n, nil
}

// spans writes sorted numbers as c0.c3,c7.
func spans(numbers []int) string {
	var written []string
	for i := 0; i < len(numbers); {
		last := i
		for last+1 < len(numbers) && numbers[last+1] == numbers[last]+1 {
			last++
		}
		span := fmt.Sprintf("c%d", numbers[i])
		if last > i {
			span += fmt.Sprintf(".c%d", numbers[last])
		}
		written = append(written, span)
		i = last + 1
	}
	return strings.Join(written, ",")
}
