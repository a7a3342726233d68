package cloudformation

import "fmt"

// Stack is what a deployment made.
type Stack struct {
	ID        string // the ARN
	Name      string
	Resources []Resource // in the order in which they were made
	Outputs   map[string]string
	Exports   map[string]string
	Roles     *Roles // where the IAM resources of the stack are recorded
}

// Resource is one resource of a stack.
type Resource struct {
	LogicalID  string
	Type       string
	PhysicalID string            // what Ref gives
	Attributes map[string]string // what Fn::GetAtt gives
	Properties map[string]any    // as they were when the resource was made, evaluated

	// Retention says when the resource is left alone: its DeletionPolicy.
	Retention Retention

	name string // where the physical id is more than the name
}

// Retention is a DeletionPolicy.
type Retention string

// The deletion policies (CloudFormation template reference, "DeletionPolicy
// attribute"). Snapshot is refused: no type here can take one.
const (
	RetentionDelete               Retention = "Delete"
	RetentionRetain               Retention = "Retain"
	RetentionRetainExceptOnCreate Retention = "RetainExceptOnCreate"
)

// Resource returns the resource with that logical id.
func (s Stack) Resource(logicalID string) (Resource, bool) {
	for _, r := range s.Resources {
		if r.LogicalID == logicalID {
			return r, true
		}
	}
	return Resource{}, false
}

// ResourceError is a resource that could not be made or removed.
type ResourceError struct {
	Action    string // "create" or "delete"
	LogicalID string
	Type      string
	Cause     error
}

// Error names the resource, its type and the cause.
func (f *ResourceError) Error() string {
	return fmt.Sprintf("%s %s (%s): %v", f.Action, f.LogicalID, f.Type, f.Cause)
}

// Unwrap returns the cause.
func (f *ResourceError) Unwrap() error { return f.Cause }
