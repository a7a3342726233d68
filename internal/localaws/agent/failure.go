package agent

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"

	"github.com/pullback-dev/pullback/internal/localaws/agent/appspec"
)

// The numbers that the agent has for the ways in which a script fails.
const (
	codeMissing       = 1
	codeNotExecutable = 2
	codeTimedOut      = 3
	codeFailed        = 4
	codeUnknown       = 5
	codeOutputOpen    = 6
)

// The agent's names for kinds of failures.
const (
	runtimeError  = "RuntimeError"
	argumentError = "ArgumentError"
	scriptError   = "ScriptError"
	invalidSpec   = "AppSpecValidationException"
)

// Refused is the class of a failure that is this agent's alone: there were
// scripts, and they were not run because the machine cannot confine them.
const Refused = "Refused"

// failure is an error in the agent's words.
type failure struct {
	class   string
	code    int
	script  string
	message string
	log     string
}

func (f *failure) Error() string { return f.message }

func fail(class, format string, a ...any) error {
	return &failure{class: class, code: codeUnknown, message: fmt.Sprintf(format, a...)}
}

// diagnose makes an error what CodeDeploy shows of it.
func diagnose(err error) *Diagnostics {
	if f, ok := errors.AsType[*failure](err); ok {
		return &Diagnostics{
			ErrorCode: errorCode(f.code), ScriptName: f.script, Message: f.message, LogTail: f.log, Code: f.code, Class: f.class,
		}
	}
	d := &Diagnostics{ErrorCode: errorCode(codeUnknown), Message: err.Error(), Code: codeUnknown, Class: runtimeError}
	if _, ok := errors.AsType[*appspec.ValidationError](err); ok {
		d.Class = invalidSpec
	}
	if _, ok := errors.AsType[*refusedError](err); ok {
		d.Class = Refused
		return d
	}
	if no, ok := errors.AsType[syscall.Errno](err); ok {
		d.Class, d.Message = "Errno::"+errnoName(no), systemMessage(err, no)
	}
	return d
}

// errorCode is the public name of one of the agent's numbers. The public model
// has no name for 6 (output left open) and 7 (failed after a restart).
func errorCode(code int) string {
	switch code {
	case codeMissing:
		return "ScriptMissing"
	case codeNotExecutable:
		return "ScriptNotExecutable"
	case codeTimedOut:
		return "ScriptTimedOut"
	case codeFailed:
		return "ScriptFailed"
	default:
		return "UnknownError"
	}
}

// systemMessage writes an error of the operating system as Ruby begins and ends
// it: what is wrong, and with which file.
func systemMessage(err error, no syscall.Errno) string {
	text := no.Error()
	message := strings.ToUpper(text[:1]) + text[1:]
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return message + " - " + p.Path
	}
	if l, ok := errors.AsType[*os.LinkError](err); ok {
		return message + " - (" + l.Old + ", " + l.New + ")"
	}
	return message
}

func errnoName(no syscall.Errno) string {
	for name, known := range map[string]syscall.Errno{
		"ENOENT": syscall.ENOENT, "EACCES": syscall.EACCES, "EEXIST": syscall.EEXIST, "ENOTDIR": syscall.ENOTDIR,
		"EISDIR": syscall.EISDIR, "ENOTEMPTY": syscall.ENOTEMPTY, "EPERM": syscall.EPERM, "EROFS": syscall.EROFS,
		"ENOSPC": syscall.ENOSPC, "EINVAL": syscall.EINVAL, "ELOOP": syscall.ELOOP, "ENAMETOOLONG": syscall.ENAMETOOLONG,
		"EBUSY": syscall.EBUSY,
	} {
		if no == known {
			return name
		}
	}
	return fmt.Sprintf("%d", int(no))
}
