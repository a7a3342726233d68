package ecs

import (
	"encoding/base64"
	"regexp"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// named reports whether a name is one that ECS takes for clusters, services and
// families: "up to 255 letters (uppercase and lowercase), numbers, underscores,
// and hyphens".
func named(name string) bool {
	return regexp.MustCompile(`^[A-Za-z0-9_-]{1,255}$`).MatchString(name)
}

func (s *Service) arn(resource string) string {
	return "arn:aws:ecs:" + s.w.Region + ":" + s.w.Account + ":" + resource
}

// own returns what follows the kind in an ARN of this account and region,
// "default/web" of "arn:aws:ecs:…:service/default/web".
func (s *Service) own(arn, kind string) (rest string, ok bool) {
	return strings.CutPrefix(arn, s.arn(kind+"/"))
}

// last returns what follows the last slash.
func last(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

// serial makes the number of a deployment, task set or service revision: like
// AWS's, 19 digits.
func (s *Service) serial() string {
	const least, most = 1_000_000_000_000_000_000, 9_000_000_000_000_000_000
	return strconv.FormatInt(least+s.w.Rand().Int64N(most-least), 10)
}

// hex32 makes the ID of a task: 32 hexadecimal digits.
func (s *Service) hex32() string { return strings.ReplaceAll(s.w.UUID(), "-", "") }

// short makes the ID of a service deployment: 21 characters, as in AWS's
// examples.
func (s *Service) short() string {
	const words, length = 2, 21
	var b []byte
	for range words {
		n := s.w.Rand().Uint64()
		for range 8 {
			b = append(b, byte(n))
			n >>= 8
		}
	}
	return base64.RawURLEncoding.EncodeToString(b)[:length]
}

// address makes the private address of a task's network interface.
func (s *Service) address() string {
	const hosts, first = 250, 4 // a subnet's first four addresses are AWS's
	n := s.addresses
	s.addresses++
	return "10.0." + strconv.Itoa(n/hosts%256) + "." + strconv.Itoa(n%hosts+first)
}

func itoa[N ~int | ~int32](n N) string { return strconv.Itoa(int(n)) }

// count makes the number of something: there are never more than an int32.
func count(n int) int32 { return int32(n) } //nolint:gosec // lengths of lists

func orDefault(s *string) string {
	if aws.ToString(s) == "" {
		return "default"
	}
	return *s
}
