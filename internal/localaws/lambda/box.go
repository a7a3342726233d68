package lambda

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/pullback-dev/pullback/internal/localaws/lambda/sandbox"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// maxIdle is how many sandboxes wait for work at most; the one that has waited
// longest goes first. AWS keeps them for an unspecified time; here they share
// one machine's memory, at about 12 MB each.
const maxIdle = 64

// box is a sandbox with the version it runs.
type box struct {
	sandbox *sandbox.Sandbox
	version *version
	stream  string // of its log
	used    bool   // it has done an invocation
}

// role is the session in which a function acts: that of its execution role,
// named after the function.
func (v *version) role() wire.Principal {
	arn := *v.config.Role // arn:aws:iam::123456789012:role/path/name
	account := strings.Split(arn, ":")[4]
	name := arn[strings.LastIndex(arn, "/")+1:]
	return wire.Principal{ARN: "arn:aws:sts::" + account + ":assumed-role/" + name + "/" + v.fn.name}
}

// take returns a sandbox for the version: the one that became idle last, or a
// new one.
func (s *Service) take(v *version) (*box, error) {
	for i, b := range slices.Backward(s.idle) {
		if b.version == v {
			s.idle = slices.Delete(s.idle, i, i+1)
			return b, nil
		}
	}
	dir, err := s.store.Unpack(v.code.sha, v.code.zip)
	if err != nil {
		return nil, err
	}
	b := &box{version: v, stream: s.stream(v)}
	b.sandbox, err = sandbox.Start(sandbox.Config{Code: dir, Env: s.environment(b), Exited: func() {
		s.w.Lock()
		defer s.w.Unlock()
		s.forget(b)
	}})
	if err != nil {
		return nil, err
	}
	s.boxes[b] = struct{}{}
	return b, nil
}

// put takes a sandbox back that has done its work.
func (s *Service) put(b *box) {
	if b.version.retired || s.closed {
		b.sandbox.Kill()
		return
	}
	s.idle = append(s.idle, b)
	if len(s.idle) > maxIdle {
		s.idle[0].sandbox.Kill()
		s.idle = slices.Delete(s.idle, 0, 1)
	}
}

// forget drops a sandbox whose process has gone.
func (s *Service) forget(b *box) {
	delete(s.boxes, b)
	s.idle = slices.DeleteFunc(s.idle, func(i *box) bool { return i == b })
}

// retire ends the sandboxes of a version that will not be invoked any more;
// those at work may finish.
func (s *Service) retire(v *version) {
	v.retired = true
	s.idle = slices.DeleteFunc(s.idle, func(b *box) bool {
		if b.version != v {
			return false
		}
		b.sandbox.Kill()
		return true
	})
}

// environment is what a function finds in its environment (Lambda developer
// guide, "Working with Lambda environment variables", defined runtime
// environment variables), and nothing of the host's.
func (s *Service) environment(b *box) []string {
	v := b.version
	c := &v.config
	name := *c.FunctionName
	env := []string{
		"_HANDLER=" + aws.ToString(c.Handler),
		"AWS_REGION=" + s.w.Region,
		"AWS_DEFAULT_REGION=" + s.w.Region,
		"AWS_LAMBDA_FUNCTION_NAME=" + name,
		"AWS_LAMBDA_FUNCTION_VERSION=" + v.name(),
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=" + strconv.Itoa(int(*c.MemorySize)),
		"AWS_LAMBDA_INITIALIZATION_TYPE=on-demand",
		"AWS_LAMBDA_LOG_GROUP_NAME=" + aws.ToString(c.LoggingConfig.LogGroup),
		"AWS_LAMBDA_LOG_STREAM_NAME=" + b.stream,
		"LANG=en_US.UTF-8",
		"PATH=/usr/local/bin:/usr/bin/:/bin:/opt/bin",
		"TZ=:UTC",
	}
	if c.LoggingConfig.LogFormat == lambdatypes.LogFormatJson {
		env = append(env, "AWS_LAMBDA_LOG_FORMAT=JSON", "AWS_LAMBDA_LOG_LEVEL="+string(c.LoggingConfig.ApplicationLogLevel))
	}
	if s.options.Issue != nil {
		id, secret, token := s.options.Issue(v.role())
		env = append(env, "AWS_ACCESS_KEY_ID="+id, "AWS_SECRET_ACCESS_KEY="+secret, "AWS_SESSION_TOKEN="+token)
	}
	if s.options.Endpoint != nil {
		env = append(env, "AWS_ENDPOINT_URL="+s.options.Endpoint())
	}
	if c.Environment != nil {
		for _, name := range slices.Sorted(maps.Keys(c.Environment.Variables)) {
			env = append(env, name+"="+c.Environment.Variables[name])
		}
	}
	return env
}
