// Package examples plays the example applications: their synthesized stacks beside the
// control plane's, on a local AWS whose policies are enforced. All of it is in tests.
package examples
