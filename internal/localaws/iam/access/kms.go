package access

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/kms"

	localkms "github.com/pullback-dev/pullback/internal/localaws/kms"
)

// key spells the KMS key of an id, an alias or an ARN of either. The key that
// an alias leads to is what policies speak about (KMS developer guide, "Using
// aliases to control access to KMS keys").
func (k *call) key(v string) string {
	if out, ok := look[kms.DescribeKeyOutput](k, "kms", "DescribeKey", &kms.DescribeKeyInput{KeyId: &v}); ok {
		return *out.KeyMetadata.Arn
	}
	if strings.HasPrefix(v, "arn:") {
		return v
	}
	return k.arn("kms", "key/"+v)
}

// sealed is the key with which something was encrypted.
func (k *call) sealed() string {
	in, ok := k.in.(*kms.DecryptInput)
	if !ok {
		return ""
	}
	id, ok := localkms.KeyOf(in.CiphertextBlob)
	if !ok {
		return ""
	}
	return k.key(id)
}

// ofKey are the condition keys of KMS (KMS developer guide, "AWS KMS condition
// keys"). The account of the caller is not known of a service that acts by
// itself.
func (k *call) ofKey(name string) ([]string, bool) {
	about := k.context()
	switch name {
	case "kms:viaservice":
		return []string{k.by.Via + "." + k.guard.world.Region + ".amazonaws.com"}, k.by.Via != ""
	case "kms:calleraccount":
		return []string{k.subject.Caller.Account}, k.by.ARN != ""
	case "kms:encryptioncontextkeys":
		return slices.Sorted(maps.Keys(about)), len(about) > 0
	case "kms:requestalias":
		alias := k.first("KeyId")
		if i := strings.Index(alias, "alias/"); i > 0 {
			alias = alias[i:]
		}
		return []string{alias}, strings.HasPrefix(alias, "alias/")
	}
	if member, ok := strings.CutPrefix(name, "kms:encryptioncontext:"); ok {
		for of, v := range about {
			if strings.EqualFold(of, member) {
				return []string{v}, true
			}
		}
	}
	return nil, false
}

// context is the encryption context of a request.
func (k *call) context() map[string]string {
	v := reflect.Indirect(reflect.ValueOf(k.in))
	if v.Kind() != reflect.Struct {
		return nil
	}
	f := v.FieldByName("EncryptionContext")
	if !f.IsValid() {
		return nil
	}
	about, _ := reflect.TypeAssert[map[string]string](f)
	return about
}
