// Package confine puts a process into a folder that it takes for the whole
// machine: it can neither see nor change files outside of it, nor signal
// processes that it did not start.
//
// It takes Linux with user namespaces, and neither root nor any other program.
// It keeps accidents in: a hook that deletes too much, a script that stops all
// processes of a name. It is no prison for code that wants to break out, and
// the network is the machine's.
package confine
