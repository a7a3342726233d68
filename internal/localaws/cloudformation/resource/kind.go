package resource

import "maps"

// kind is what is known about a resource type.
type kind struct {
	// Properties are the names of the CloudFormation properties that can be
	// used here; those with an exclamation mark are required. Every other
	// property is a problem.
	properties string
	// Replace names the properties whose change makes another resource
	// (CloudFormation template reference, "Update requires: Replacement"),
	// perhaps those of which it depends on the values.
	replace, perhaps string
	// Must says whether a change of those in perhaps makes another resource.
	must func(before, after map[string]any) bool
	// Policies are the members of an UpdatePolicy that are acted on.
	policies string
	// Attributes are what Fn::GetAtt may ask for.
	attributes string
	// Rename and asJSON are for the mapper.
	rename map[string]string
	asJSON []string
	// Create makes the resource and tells j.made.
	create func(j *job) error
	// Update changes the resource from j.old to j.properties. Nil if any
	// change makes another resource.
	update func(j *job) error
	// Settle looks whether what j.resource.Pending says has happened and
	// empties it if so. Nil if the type waits for nothing.
	settle func(j *job) error
	// Existing tells j.made if a resource of that name is there already, so that
	// a stack can take it over. Nil if that cannot be found out.
	existing func(j *job) error
	// Patient says that what is waited for ends by itself.
	patient bool
	// Remove undoes create. Nil if there is nothing to undo.
	remove func(j *job) error
	// Gone says whether what remove began has ended. Nil if it has at once.
	gone func(j *job) (bool, error)
}

// anyProperties marks a type whose properties have no effect anywhere.
const anyProperties = "*"

// anyAttributes marks a type whose attributes nobody can foresee.
const anyAttributes = "*"

// kinds returns the resource types by name.
func kinds() map[string]kind {
	all := map[string]kind{
		// Usage statistics of the CDK; a resource without effect on AWS too.
		"AWS::CDK::Metadata": {properties: anyProperties, create: func(j *job) error {
			j.made(j.env.name(j.id, longestID, j.dry))
			return nil
		}},
	}
	for _, some := range []map[string]kind{
		lambdaKinds(), invokeKinds(), sqsKinds(), snsKinds(), dynamodbKinds(), eventsKinds(),
		iamKinds(), profileKinds(), cloudwatchKinds(), codedeployKinds(), ssmKinds(), s3Kinds(), ecrKinds(), ecsKinds(), elbKinds(), observeKinds(), busKinds(), kmsKinds(), fleetKinds(), pipelineKinds(),
	} {
		maps.Copy(all, some)
	}
	return all
}

// longestID is the length to which the physical id of something without a name
// of its own is cut: a name in CloudFormation is at most 255 characters.
const longestID = 255
