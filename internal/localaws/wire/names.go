package wire

import (
	"reflect"
	"strings"
)

// irregular spells the members that do not follow their service's style, for
// the SDK modules whose structs have no schema. The request and response
// snapshots in the modules are the authority; tests compare every operation
// with them.
func irregular(t reflect.Type, field string) (string, bool) {
	name := typeName(t)
	switch name {
	case "codedeploy.Tag", "codedeploy.TagFilter", "codedeploy.EC2TagFilter", "codedeploy.DeploymentOverview",
		"codedeploy.TagResourceInput", "codedeploy.UntagResourceInput",
		"codedeploy.ListTagsForResourceInput", "codedeploy.ListTagsForResourceOutput":
		return field, true
	case "sns.CheckIfPhoneNumberIsOptedOutInput", "sns.CheckIfPhoneNumberIsOptedOutOutput",
		"sns.GetSMSAttributesInput", "sns.GetSMSAttributesOutput", "sns.SetSMSAttributesInput",
		"sns.ListPhoneNumbersOptedOutInput", "sns.ListPhoneNumbersOptedOutOutput", "sns.OptInPhoneNumberInput",
		"sts.PolicyDescriptorType":
		return strings.ToLower(field[:1]) + field[1:], true
	}
	switch name + "." + field {
	case "autoscaling.CpuPerformanceFactorRequest.References":
		return "Reference", true
	case "codedeploy.RevisionLocation.String_":
		return "string", true
	case "s3.VersioningConfiguration.MFADelete", "s3.GetBucketVersioningOutput.MFADelete":
		return "MfaDelete", true
	case "s3.ServerSideEncryptionConfiguration.Rules", "s3.BucketLifecycleConfiguration.Rules",
		"s3.GetBucketLifecycleConfigurationOutput.Rules":
		return "Rule", true
	case "s3.CompletedMultipartUpload.Parts", "s3.ListPartsOutput.Parts":
		return "Part", true
	case "s3.ListMultipartUploadsOutput.Uploads":
		return "Upload", true
	case "s3.LifecycleRule.Transitions":
		return "Transition", true
	case "s3.LifecycleRule.NoncurrentVersionTransitions":
		return "NoncurrentVersionTransition", true
	case "s3.LifecycleRuleAndOperator.Tags":
		return "Tag", true
	}
	return "", false
}

// itemName is the name of a list's items in XML; empty if the list is
// flattened, that is, if the member itself is repeated (Amazon S3 API
// Reference, the response syntax of each operation).
func itemName(t reflect.Type, field string) string {
	switch typeName(t) + "." + field {
	case "s3.ListBucketsOutput.Buckets":
		return "Bucket"
	case "s3.Tagging.TagSet", "s3.GetBucketTaggingOutput.TagSet":
		return "Tag"
	case "autoscaling.CpuPerformanceFactorRequest.References":
		return "item"
	case "s3.ListObjectsV2Output.Contents", "s3.ListObjectsV2Output.CommonPrefixes", "s3.Object.ChecksumAlgorithm",
		"s3.CompletedMultipartUpload.Parts", "s3.ListPartsOutput.Parts",
		"s3.ListMultipartUploadsOutput.Uploads", "s3.ListMultipartUploadsOutput.CommonPrefixes",
		"s3.ServerSideEncryptionConfiguration.Rules", "s3.BucketLifecycleConfiguration.Rules", "s3.GetBucketLifecycleConfigurationOutput.Rules",
		"s3.LifecycleRule.Transitions", "s3.LifecycleRule.NoncurrentVersionTransitions", "s3.LifecycleRuleAndOperator.Tags":
		return ""
	}
	return "member"
}

// xmlRoot is the root element of an S3 answer that has a body (Amazon S3 API
// Reference, the response syntax of each operation).
func xmlRoot(operation string) string {
	switch operation {
	case "ListBuckets":
		return "ListAllMyBucketsResult"
	case "ListObjectsV2":
		return "ListBucketResult"
	case "CreateMultipartUpload":
		return "InitiateMultipartUploadResult"
	case "CompleteMultipartUpload", "ListParts", "ListMultipartUploads":
		return operation + "Result"
	case "GetBucketLocation":
		return "LocationConstraint"
	case "GetBucketLifecycleConfiguration":
		return "LifecycleConfiguration"
	case "GetBucketTagging":
		return "Tagging"
	case "GetBucketVersioning":
		return "VersioningConfiguration"
	}
	return ""
}
