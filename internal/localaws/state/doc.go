// Package state keeps the state of the local AWS over a restart, in an embedded
// store in one folder.
//
// Services hold their state as plain Go values, with unexported fields and
// pointers from one to the other. Encode writes such a graph down as it is, field
// by field, each value that is pointed to once; Decode makes it again. So there is
// no second description of a service's state that could forget a field. What is
// not state is left alone: functions, channels, contexts, locks, timers, the world,
// callers, and fields with the tag `state:"-"`. A service sets its timers again and
// makes what it left out in [Keeper.Resume].
//
// A state is only read by the shape of types that wrote it: another one is refused.
package state
