// Package appspec reads AppSpec files of EC2/on-premises deployments as the
// CodeDeploy agent does, with its rules for what is wrong and its words for it.
//
// It reads YAML the way the agent's Ruby does (YAML 1.1): an unquoted 0644 is
// the number 420, a quoted '0.0' is no version. Keys that it does not know are
// ignored, because the agent ignores them.
package appspec

import (
	"fmt"
	"slices"
	"strings"
)

// defaultTimeout is how many seconds a script has that names no timeout.
const defaultTimeout = 3600

// ValidationError is an AppSpec file that breaks a rule: the agent's
// AppSpecValidationException.
type ValidationError struct{ Reason string }

func (v *ValidationError) Error() string { return v.Reason }

func invalid(format string, a ...any) error {
	return &ValidationError{"The deployment failed because " + fmt.Sprintf(format, a...)}
}

// File is one entry of the files section.
type File struct{ Source, Destination string }

// Script is one script of a lifecycle event.
type Script struct {
	Location string
	RunAs    string // empty: the agent's user
	Sudo     bool   // undocumented, but the agent reads it
	Timeout  int    // seconds
}

// Hook is a lifecycle event with its scripts in their order.
type Hook struct {
	Event   string
	Scripts []Script
}

// Spec is an AppSpec file.
type Spec struct {
	OS                 string
	Hooks              []Hook // as they stand in the file
	Files              []File
	Permissions        []Permission
	FileExistsBehavior string // empty if the file does not say
}

// Scripts are the scripts of a lifecycle event.
func (s *Spec) Scripts(event string) []Script {
	for _, h := range s.Hooks {
		if h.Event == event {
			return h.Scripts
		}
	}
	return nil
}

// Parse reads an AppSpec file. The sections are looked at in the agent's order,
// so that of several mistakes the same one is told.
func Parse(text []byte) (*Spec, error) {
	root, err := decode(text)
	if err != nil {
		return nil, err
	}
	if root == nil || root == false {
		return nil, invalid("the application specification file was empty. Make sure your AppSpec file defines at minimum the 'version' and 'os' properties.")
	}
	file, _ := root.(mapping) // of anything else every key is missing
	spec := &Spec{}
	for _, section := range []func(*Spec, mapping) error{
		readVersion, readOS, readHooks, readFiles, readPermissions, readFileExistsBehavior,
	} {
		if err := section(spec, file); err != nil {
			return nil, err
		}
	}
	return spec, nil
}

func readVersion(_ *Spec, file mapping) error {
	switch v := file.get("version"); v {
	case 0.0, int64(0):
		return nil
	default:
		return invalid("an invalid version value (%s) was entered in the application specification file. "+
			`Make sure your AppSpec file specifies "0.0" as the version, and then try again.`, text(v))
	}
}

func readOS(s *Spec, file mapping) error {
	s.OS = text(file.get("os"))
	if s.OS != "linux" { // what the agent on Linux supports
		return invalid("the application specification file specifies an unsupported operating system (%s). "+
			`Specify either "linux" or "windows" in the os section of the AppSpec file, and then try again.`, s.OS)
	}
	return nil
}

func readHooks(s *Spec, file mapping) error {
	hooks, err := asMapping(file.get("hooks"), "hooks")
	if err != nil {
		return err
	}
	for _, h := range hooks {
		if h.value == nil || h.value == false {
			continue // a hook without scripts is ignored
		}
		event := text(h.key)
		listed, err := asList(h.value, "hooks: "+event)
		if err != nil {
			return err
		}
		hook := Hook{Event: event}
		for _, v := range listed {
			script, err := readScript(v, event)
			if err != nil {
				return err
			}
			hook.Scripts = append(hook.Scripts, script)
		}
		s.Hooks = append(s.Hooks, hook)
	}
	return nil
}

func readScript(v any, event string) (Script, error) {
	m, err := asMapping(v, "hooks: "+event)
	if err != nil {
		return Script{}, err
	}
	s := Script{
		Location: strings.TrimSpace(text(m.get("location"))),
		RunAs:    strings.TrimSpace(text(m.get("runas"))),
		Sudo:     truthy(m.get("sudo")),
		Timeout:  defaultTimeout,
	}
	if s.Location == "" {
		return Script{}, invalid("the application specification file specifies a script with no location value. " +
			"Specify the location in the hooks section of the AppSpec file, and then try again.")
	}
	if t := m.get("timeout"); truthy(t) {
		s.Timeout = number(t)
	}
	if s.Timeout <= 0 {
		return Script{}, invalid("an invalid timeout value was provided for a script in the application specification file. " +
			"Make corrections in the hooks section of the AppSpec file, and then try again.")
	}
	return s, nil
}

func readFiles(s *Spec, file mapping) error {
	listed, err := asList(file.get("files"), "files")
	if err != nil {
		return err
	}
	for _, v := range listed {
		m, err := asMapping(v, "files")
		if err != nil {
			return err
		}
		source, destination := m.get("source"), m.get("destination")
		switch {
		case source == nil:
			return invalid("the application specification file specifies a destination file, but no source file. " +
				"Update the files section of the AppSpec file, and then try again.")
		case destination == nil:
			return invalid("the application specification file specifies only a source file (%s). "+
				"Add the name of the destination file to the files section of the AppSpec file, and then try again.", text(source))
		}
		s.Files = append(s.Files, File{Source: text(source), Destination: text(destination)})
	}
	return nil
}

func readFileExistsBehavior(s *Spec, file mapping) error {
	v := file.get("file_exists_behavior")
	if v == nil {
		return nil
	}
	s.FileExistsBehavior = text(v)
	if valid := []string{"DISALLOW", "OVERWRITE", "RETAIN"}; !slices.Contains(valid, s.FileExistsBehavior) {
		return invalid("an invalid file_exists_behavior value (%s) was entered in the application specification file. "+
			"Make sure your AppSpec file specifies one of %s as the file_exists_behavior, and then try again.",
			s.FileExistsBehavior, strings.Join(valid, ","))
	}
	return nil
}
