// Package pullback is the root of a serverless control plane that watches
// deployments it did not start and takes the bad ones back. It holds no code;
// docs/architecture.md is the map.
package pullback
