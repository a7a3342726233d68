package deploy

import "errors"

// The errors that a caller may branch on.
var (
	// ErrUnknown says that AWS knows no such deployment, group, function, alias or version.
	ErrUnknown = errors.New("unknown to AWS")
	// ErrNotReady says that a revision exists and could not serve now.
	ErrNotReady = errors.New("not ready")
	// ErrEnded says that the deployment has ended, so it can no longer be stopped.
	ErrEnded = errors.New("deployment has ended")
	// ErrBusy says that another deployment is under way on the target.
	ErrBusy = errors.New("another deployment is under way")
	// ErrChanged says that somebody changed the alias after it was read; nothing was written.
	ErrChanged = errors.New("changed since it was read")
)
