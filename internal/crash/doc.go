// Package crash holds the test that a crash between any two calls of AWS costs
// pullback time and nothing else.
//
// It has no code of its own. The tests run the router and the rollbacker, wired
// as on AWS, against the local AWS, end one invocation at its n-th call for
// every n that there is, and look at the world afterwards.
package crash
