package access

import (
	"net/http"
	"strings"

	"github.com/aws/smithy-go"

	"github.com/pullback-dev/pullback/internal/localaws/iam/policy"
)

// DeniedError is the error of a call that is not allowed, in the words of its
// service.
type DeniedError struct {
	smithy.GenericAPIError
	Decision Decision
	status   int
}

// HTTPStatus says the status of the answer.
func (d *DeniedError) HTTPStatus() int { return d.status }

// refusal makes an error of a decision. Codes and statuses are those of the
// services' pages "Common errors"; the wording is that of "Troubleshoot access
// denied error messages", with the statement added that decided or that nearly
// allowed.
func refusal(d Decision) error {
	e := &DeniedError{Decision: d, status: http.StatusBadRequest}
	e.Fault, e.Message = smithy.FaultClient, d.String()
	switch d.Service {
	case "sns":
		e.Code, e.status = "AuthorizationError", http.StatusForbidden
	case "ec2":
		e.Code, e.status = "UnauthorizedOperation", http.StatusForbidden
		e.Message = "You are not authorized to perform this operation. " + e.Message
	case "s3", "iam", "sts", "cloudformation", "elasticloadbalancing", "autoscaling":
		e.Code, e.status = "AccessDenied", http.StatusForbidden
	case "lambda", "backup", "scheduler":
		e.Code, e.status = "AccessDeniedException", http.StatusForbidden
	default:
		e.Code = "AccessDeniedException"
	}
	return e
}

// String says who may not do what to what, and why.
func (d Decision) String() string {
	who := "User: " + d.Caller.ARN
	switch {
	case d.Caller.ARN == "" && d.Caller.Service != "":
		who = "Service: " + d.Caller.Service
	case d.Caller.ARN == "":
		who = "User: anonymous"
	}
	if d.Allowed {
		return who + " may " + d.Action + " on resource: " + d.Resource + " (" + named(d.By) + ")"
	}
	text := who + " is not authorized to perform: " + d.Action + " on resource: " + d.Resource
	if d.Explicit {
		return text + " with an explicit deny in " + article(d.By.Kind) + " (" + named(d.By) + ")"
	}
	text += " because no " + d.Lacks + " allows the " + d.Action + " action"
	if d.Near != nil {
		text += " (" + named(d.Near) + " would, but " + d.Near.Misses + ")"
	}
	return text
}

func named(r *policy.Reason) string { return r.Statement + " of " + r.Policy }

func article(kind string) string {
	if strings.HasPrefix(kind, "i") {
		return "an " + kind
	}
	return "a " + kind
}
