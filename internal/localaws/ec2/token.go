package ec2

import (
	"encoding/json"
	"maps"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// token is what a client token stands for.
type token struct {
	request string // the request that came with it
	made    string // the id of what was made
}

// repeated returns what a request with the same client token has made, if there
// was one. The same token with other parameters is refused (EC2 developer guide,
// "Ensuring idempotency").
func (s *Service) repeated(operation string, clientToken *string, in any) (string, error) {
	t, ok := s.tokens[operation+" "+aws.ToString(clientToken)]
	if clientToken == nil || !ok {
		return "", nil
	}
	if t.request != text(in) {
		return "", refuse("IdempotentParameterMismatch", "Arguments on this idempotent request are inconsistent with arguments used in previous request(s).")
	}
	return t.made, nil
}

func (s *Service) remember(operation string, clientToken *string, in any, made string) {
	if clientToken != nil {
		s.tokens[operation+" "+*clientToken] = token{request: text(in), made: made}
	}
}

// text writes a request down, to compare it.
func text(in any) string {
	b, err := json.Marshal(in)
	if err != nil {
		return err.Error() // the SDK's structs of EC2 always marshal
	}
	return string(b)
}

// merged are the values of both, the later winning.
func merged(all ...map[string]string) map[string]string {
	out := map[string]string{}
	for _, m := range all {
		maps.Copy(out, m)
	}
	return out
}
