package resource

import (
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
)

// kmsKinds returns keys and their aliases.
func kmsKinds() map[string]kind {
	return map[string]kind{
		"AWS::KMS::Key": {
			properties: "BypassPolicyLockoutSafetyCheck Description EnableKeyRotation Enabled KeyPolicy KeySpec KeyUsage MultiRegion Origin " +
				"PendingWindowInDays RotationPeriodInDays Tags",
			attributes: "Arn KeyId",
			replace:    "KeySpec KeyUsage MultiRegion Origin",
			create:     createKey,
			update:     updateKey,
			remove:     removeKey,
		},
		"AWS::KMS::Alias": {
			properties: "AliasName! TargetKeyId!",
			replace:    "AliasName",
			create: func(j *job) error {
				name := j.text("AliasName")
				var in kms.CreateAliasInput
				j.fill(&in)
				if _, err := call[kms.CreateAliasOutput](j, "kms", "CreateAlias", &in); err != nil {
					return err
				}
				j.made(name)
				return nil
			},
			update: func(j *job) error {
				var in kms.UpdateAliasInput
				j.fill(&in)
				_, err := call[kms.UpdateAliasOutput](j, "kms", "UpdateAlias", &in)
				return err
			},
			remove: func(j *job) error {
				_, err := call[kms.DeleteAliasOutput](j, "kms", "DeleteAlias", &kms.DeleteAliasInput{AliasName: &j.resource.PhysicalID})
				return withoutKey(err)
			},
		},
	}
}

func createKey(j *job) error {
	var later struct {
		EnableKeyRotation    *bool
		Enabled              *bool
		RotationPeriodInDays *int32
		PendingWindowInDays  *int32
	}
	for _, name := range []string{"EnableKeyRotation", "Enabled", "RotationPeriodInDays", "PendingWindowInDays"} {
		if v := j.take(name); v != nil {
			j.into(&later, name, v)
		}
	}
	var in kms.CreateKeyInput
	if v := j.take("KeyPolicy"); v != nil {
		in.Policy = aws.String(document(v))
	}
	if v := j.take("Tags"); v != nil {
		for _, p := range pairsOf(tagsOf(v)) {
			in.Tags = append(in.Tags, kmstypes.Tag{TagKey: &p.Key, TagValue: &p.Value})
		}
	}
	j.fill(&in)
	out, err := call[kms.CreateKeyOutput](j, "kms", "CreateKey", &in)
	if err != nil || j.dry {
		return err
	}
	id := aws.ToString(out.KeyMetadata.KeyId)
	j.made(id, "Arn", aws.ToString(out.KeyMetadata.Arn), "KeyId", id)
	if aws.ToBool(later.EnableKeyRotation) {
		if err := rotate(j, id, true, later.RotationPeriodInDays); err != nil {
			return err
		}
	}
	if later.Enabled != nil && !*later.Enabled {
		return switchKey(j, id, false)
	}
	return nil
}

// pairsOf are tags, sorted.
func pairsOf(tags map[string]string) []pair {
	var out []pair
	for _, name := range keys(tags) {
		out = append(out, pair{name, tags[name]})
	}
	return out
}

// rotate switches the rotation of a key.
func rotate(j *job, id string, on bool, days *int32) error {
	if on {
		_, err := call[kms.EnableKeyRotationOutput](j, "kms", "EnableKeyRotation", &kms.EnableKeyRotationInput{KeyId: &id, RotationPeriodInDays: days})
		return err
	}
	_, err := call[kms.DisableKeyRotationOutput](j, "kms", "DisableKeyRotation", &kms.DisableKeyRotationInput{KeyId: &id})
	return err
}

func switchKey(j *job, id string, on bool) error {
	if on {
		_, err := call[kms.EnableKeyOutput](j, "kms", "EnableKey", &kms.EnableKeyInput{KeyId: &id})
		return err
	}
	_, err := call[kms.DisableKeyOutput](j, "kms", "DisableKey", &kms.DisableKeyInput{KeyId: &id})
	return err
}

// updateKey changes a key, each of its settings with its own call.
func updateKey(j *job) error {
	id := j.resource.PhysicalID
	j.left["Description"] = j.text("Description")
	wanted := struct {
		EnableKeyRotation    bool
		Enabled              bool
		RotationPeriodInDays *int32
	}{Enabled: true}
	for _, name := range []string{"EnableKeyRotation", "Enabled", "RotationPeriodInDays"} {
		if v := j.take(name); v != nil {
			j.into(&wanted, name, v)
		}
	}
	if j.changed("KeyPolicy") {
		if err := putKeyPolicy(j, id); err != nil {
			return err
		}
	}
	if j.changed("Description") {
		_, err := call[kms.UpdateKeyDescriptionOutput](j, "kms", "UpdateKeyDescription",
			&kms.UpdateKeyDescriptionInput{KeyId: &id, Description: aws.String(j.text("Description"))})
		if err != nil {
			return err
		}
	}
	if j.changed("Enabled") {
		if err := switchKey(j, id, wanted.Enabled); err != nil {
			return err
		}
	}
	if j.changed("EnableKeyRotation", "RotationPeriodInDays") {
		if err := rotate(j, id, wanted.EnableKeyRotation, wanted.RotationPeriodInDays); err != nil {
			return err
		}
	}
	set, gone := j.retag()
	return both(set, gone, func() error {
		tags := tagList(set, func(k, v *string) kmstypes.Tag { return kmstypes.Tag{TagKey: k, TagValue: v} })
		_, err := call[kms.TagResourceOutput](j, "kms", "TagResource", &kms.TagResourceInput{KeyId: &id, Tags: tags})
		return err
	}, func() error {
		_, err := call[kms.UntagResourceOutput](j, "kms", "UntagResource", &kms.UntagResourceInput{KeyId: &id, TagKeys: gone})
		return err
	})
}

func putKeyPolicy(j *job, id string) error {
	v := j.take("KeyPolicy")
	if v == nil {
		j.report("KeyPolicy", "cannot be taken away") // CloudFormation puts the default policy, which the API does not tell
		return j.problems.Err()
	}
	_, err := call[kms.PutKeyPolicyOutput](j, "kms", "PutKeyPolicy", &kms.PutKeyPolicyInput{KeyId: &id, Policy: aws.String(document(v))})
	return err
}

// removeKey asks for the deletion of a key: in 30 days unless the template says
// otherwise (CloudFormation template reference, AWS::KMS::Key,
// PendingWindowInDays).
func removeKey(j *job) error {
	in := kms.ScheduleKeyDeletionInput{KeyId: &j.resource.PhysicalID}
	if v := j.take("PendingWindowInDays"); v != nil {
		j.into(&in, "PendingWindowInDays", v)
	}
	_, err := call[kms.ScheduleKeyDeletionOutput](j, "kms", "ScheduleKeyDeletion", &in)
	return withoutKey(err)
}

// withoutKey is no error if a key or an alias is gone already.
func withoutKey(err error) error {
	if _, gone := errors.AsType[*kmstypes.NotFoundException](err); gone {
		return nil
	}
	return err
}
