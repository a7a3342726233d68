package restorepoint

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode"

	"github.com/pullback-dev/pullback/shared/ledger"
)

// Condition is what is waited for after a step.
type Condition string

// The conditions.
const (
	Available Condition = "volume-available"
	InUse     Condition = "volume-in-use"
	Replaced  Condition = "root-volume-replaced"
	Recovered Condition = "resource-restored"
)

// Step is one call of a restoration.
type Step struct {
	Does  string      `json:"does"`            // for people
	Call  ledger.Call `json:"call"`            // its arguments as JSON
	Makes string      `json:"makes,omitempty"` // what the id of what it makes is called in later steps
	Until Condition   `json:"until"`           // what the next step waits for
	On    string      `json:"on"`              // of which volume, task or job
	CLI   []string    `json:"cli"`             // the same by the AWS CLI in a shell, and how to wait
}

// Fill returns the step with the ids of what steps before it have made.
func (s Step) Fill(made map[string]string) Step {
	for name, id := range made {
		s.Call.Args = strings.ReplaceAll(s.Call.Args, variable(name), id)
		s.On = strings.ReplaceAll(s.On, variable(name), id)
	}
	return s
}

func variable(name string) string { return "${" + name + "}" }

// argument is one member of a request.
type argument struct {
	name  string
	value any
}

// step makes a step of a call to operation, such as "ec2:CreateVolume".
func step(does, api, makes string, until Condition, on string, args ...argument) Step {
	s := Step{Does: does, Call: ledger.Call{API: api}, Makes: makes, Until: until, On: on}
	service, operation, _ := strings.Cut(api, ":")
	command := []string{"aws", service, flag(operation)}
	var members []string
	for _, a := range args {
		value := encoded(a.value)
		members = append(members, encoded(a.name)+":"+value)
		if text, ok := a.value.(string); ok {
			value = text
		}
		command = append(command, "--"+flag(a.name), quoted(value))
	}
	s.Call.Args = "{" + strings.Join(members, ",") + "}"
	line := strings.Join(command, " ")
	if makes != "" {
		line = fmt.Sprintf("%s=$(%s --query %s --output text)", makes, line, answers(api))
	}
	s.CLI = append([]string{line}, until.commands(on)...)
	return s
}

// answers is where the id is in the answer of a call that makes something.
func answers(api string) string {
	switch api {
	case "ec2:CreateVolume":
		return "VolumeId"
	case "ec2:CreateReplaceRootVolumeTask":
		return "ReplaceRootVolumeTask.ReplaceRootVolumeTaskId"
	default:
		return "RestoreJobId"
	}
}

// commands are how one waits by the AWS CLI. It has no waiter for some.
func (c Condition) commands(on string) []string {
	switch c {
	case Available, InUse:
		return []string{fmt.Sprintf("aws ec2 wait %s --volume-ids %s", c, quoted(on))}
	case Replaced:
		return []string{"aws ec2 describe-replace-root-volume-tasks --replace-root-volume-task-ids " + quoted(on) + "  # until TaskState is succeeded"}
	default:
		return []string{"aws backup describe-restore-job --restore-job-id " + quoted(on) + "  # until Status is COMPLETED"}
	}
}

// encoded is a value as JSON. Texts, numbers, and lists and maps of them always
// are.
func encoded(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		return "null"
	}
	return string(text)
}

// flag is how the AWS CLI spells a name: VolumeId is volume-id.
func flag(name string) string {
	var b strings.Builder
	for i, r := range name {
		if unicode.IsUpper(r) && i > 0 {
			b.WriteByte('-')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// quoted is a word for a shell, in which variables of the plan keep their
// meaning.
func quoted(word string) string {
	if strings.HasPrefix(word, "${") {
		return `"` + word + `"`
	}
	if strings.IndexFunc(word, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("-_/:.,=@+", r)
	}) < 0 && word != "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
