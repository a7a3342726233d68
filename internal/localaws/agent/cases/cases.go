// Package cases plays recorded cases of what the CodeDeploy agent did, and
// says where this agent does something else.
//
// The format is that of ../testdata/cases.json, whose first case describes it.
package cases

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"time"
)

// Case is one recorded host: what was on it, the revisions, and the
// deployments one after the other with what was there after each.
type Case struct {
	Name         string              `json:"name"`
	Note         string              `json:"note"`
	Format       map[string]string   `json:"format,omitempty"` // of the first case: what all of this means
	PreExisting  []File              `json:"pre_existing"`     // below TARGET before the first deployment
	TargetExists bool                `json:"target_exists,omitempty"`
	MaxRevisions int                 `json:"max_revisions,omitempty"`
	Revisions    map[string]Revision `json:"revisions"`
	Deployments  []Deployment        `json:"deployments"`
}

// File is a file, link or folder, in a bundle or on the host.
type File struct {
	Path    string  `json:"path"`
	Type    string  `json:"type,omitempty"` // file if empty, symlink or dir
	Mode    string  `json:"mode,omitempty"`
	Content *string `json:"content,omitempty"`
	Link    string  `json:"link,omitempty"`
	MTime   string  `json:"mtime,omitempty"` // bundle: that of the archive's entries; now: any other
}

// Revision is what a bundle is made of.
type Revision struct {
	AppSpec *string `json:"appspec"` // null: the bundle has none
	Files   []File  `json:"files"`
	Leading string  `json:"leading,omitempty"` // in front of every path
}

// Deployment is one deployment: what it was given, and what came out.
type Deployment struct {
	ID                 string       `json:"id"`
	Revision           string       `json:"revision"`
	FileExistsBehavior string       `json:"file_exists_behavior"`
	Group              string       `json:"group,omitempty"`
	Events             []string     `json:"events,omitempty"`
	Before             []Operation  `json:"before,omitempty"` // what the operator does on the host first
	Observed           *Observation `json:"observed"`
}

// Operation is something that the operator does on the host.
type Operation struct {
	Op         string `json:"op"` // write, delete, delete_archive, cleanup_append_unfinished
	Path       string `json:"path,omitempty"`
	Content    string `json:"content,omitempty"`
	Mode       string `json:"mode,omitempty"`
	Deployment string `json:"deployment,omitempty"`
	Text       string `json:"text,omitempty"`
}

// Observation is what was found after a deployment.
type Observation struct {
	Result      string `json:"result"` // ok or failed
	FailedEvent string `json:"failed_event,omitempty"`
	ErrorClass  string `json:"error_class,omitempty"`
	ErrorCode   int    `json:"error_code,omitempty"`
	Error       string `json:"error,omitempty"`
	// ErrorExact is false where the wording comes from Ruby.
	ErrorExact  *bool            `json:"error_exact,omitempty"`
	Target      []File           `json:"target"` // null: TARGET does not exist
	Started     []string         `json:"events_started"`
	ScriptLog   []string         `json:"script_log"`
	OtherGroups map[string]Group `json:"other_groups,omitempty"`
	Group
}

// Group is what the agent has of a deployment group.
type Group struct {
	Cleanup        json.RawMessage `json:"cleanup"` // lines; null: no such file
	LastSuccessful *string         `json:"last_successful"`
	MostRecent     *string         `json:"most_recent"`
	Archives       []string        `json:"archives"`
}

// bundled is the time of every entry of a bundle.
func bundled() time.Time { return time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC) }

// Read reads a file of cases. What it does not know is an error, because it
// would not be compared.
func Read(r io.Reader) ([]Case, error) {
	d := json.NewDecoder(r)
	d.DisallowUnknownFields()
	var read []Case
	if err := d.Decode(&read); err != nil {
		return nil, fmt.Errorf("read cases: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("read cases: something follows the list")
	}
	if len(read) == 0 {
		return nil, errors.New("read cases: there are none")
	}
	for _, c := range read {
		if err := c.check(); err != nil {
			return nil, fmt.Errorf("read case %q: %w", c.Name, err)
		}
	}
	return read, nil
}

// check finds what would otherwise make a case that cannot fail, or one that
// reaches out of its folder.
func (c Case) check() error {
	if c.Name == "" || len(c.Deployments) == 0 {
		return errors.New("it has no name or no deployments")
	}
	for _, d := range c.Deployments {
		if _, ok := c.Revisions[d.Revision]; !ok {
			return fmt.Errorf("%s: there is no revision %q", d.ID, d.Revision)
		}
		if d.Observed == nil {
			return fmt.Errorf("%s: nothing was observed", d.ID)
		}
		if _, err := parsePattern(d.Observed.Cleanup); err != nil {
			return fmt.Errorf("%s: %w", d.ID, err)
		}
		for _, o := range d.Before {
			if err := o.check(); err != nil {
				return fmt.Errorf("%s: %w", d.ID, err)
			}
		}
	}
	for _, f := range c.PreExisting {
		if err := below(f.Path); err != nil {
			return err
		}
	}
	return nil
}

func (o Operation) check() error {
	switch o.Op {
	case "write", "delete":
		return below(o.Path)
	case "delete_archive":
		if o.Deployment == "" || strings.ContainsAny(o.Deployment, "/") || o.Deployment == ".." {
			return errors.New("delete_archive needs the deployment")
		}
		return nil
	case "cleanup_append_unfinished":
		return nil
	default:
		return fmt.Errorf("there is no operation %q", o.Op)
	}
}

// below says whether a path stays below TARGET.
func below(p string) error {
	if p == "" || path.IsAbs(p) || slices.Contains(strings.Split(p, "/"), "..") {
		return fmt.Errorf("%q is not a path below TARGET", p)
	}
	return nil
}
