package iam

import (
	"encoding/base64"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// user is a user, who has access keys and no password.
type user struct {
	holder
	keys    []accessKey
	created time.Time
}

// accessKey is an access key; its secret is kept by the endpoint.
type accessKey struct {
	id      string
	created time.Time
}

func (s *Service) userOperations() []wire.Operation {
	return []wire.Operation{
		wire.Op("CreateUser", s.createUser),
		wire.Op("GetUser", s.getUser),
		wire.Op("ListUsers", s.listUsers),
		wire.Op("DeleteUser", s.deleteUser),
		wire.Op("PutUserPolicy", s.putUserPolicy),
		wire.Op("GetUserPolicy", s.getUserPolicy),
		wire.Op("ListUserPolicies", s.listUserPolicies),
		wire.Op("DeleteUserPolicy", s.deleteUserPolicy),
		wire.Op("AttachUserPolicy", s.attachUserPolicy),
		wire.Op("DetachUserPolicy", s.detachUserPolicy),
		wire.Op("ListAttachedUserPolicies", s.listAttachedUserPolicies),
		wire.Op("CreateAccessKey", s.createAccessKey),
		wire.Op("ListAccessKeys", s.listAccessKeys),
		wire.Op("DeleteAccessKey", s.deleteAccessKey),
	}
}

func (s *Service) user(name *string) (*user, error) {
	if u, ok := s.users[aws.ToString(name)]; ok {
		return u, nil
	}
	return nil, noSuch("The user with name %s cannot be found.", aws.ToString(name))
}

// caller finds a user, or who calls if no name is given.
func (s *Service) caller(c *wire.Call, name *string) (*user, error) {
	if name != nil {
		return s.user(name)
	}
	_, who, ok := strings.Cut(c.Principal.ARN, ":user/")
	if !ok {
		return nil, invalid("Must specify userName when calling with non-User credentials")
	}
	return s.user(aws.String(who[strings.LastIndex(who, "/")+1:]))
}

func withUser[O any](s *Service, name *string, do func(u *user) error) (*O, error) {
	u, err := s.user(name)
	if err == nil {
		err = do(u)
	}
	if err != nil {
		return nil, err
	}
	return new(O), nil
}

func (s *Service) createUser(_ *wire.Call, in *iam.CreateUserInput) (*iam.CreateUserOutput, error) {
	n, err := name("userName", in.UserName, longestUser)
	if err != nil {
		return nil, err
	}
	path, err := pathOf(in.Path)
	if err != nil {
		return nil, err
	}
	for _, taken := range slices.Sorted(maps.Keys(s.users)) {
		if strings.EqualFold(taken, n) {
			return nil, exists("User with name %s already exists.", n)
		}
	}
	u := &user{holder: holder{kind: "user", name: n, path: path, arn: s.arn("user", path, n)}, created: *s.now()}
	if err := s.bound(&u.holder, in.PermissionsBoundary); err != nil {
		return nil, err
	}
	if err := u.tag(in.Tags); err != nil {
		return nil, err
	}
	u.id = s.id("AIDA")
	s.users[n] = u
	return &iam.CreateUserOutput{User: u.shown()}, nil
}

func (u *user) shown() *iamtypes.User {
	return &iamtypes.User{
		UserName: aws.String(u.name), UserId: aws.String(u.id), Arn: aws.String(u.arn), Path: aws.String(u.path), CreateDate: aws.Time(u.created),
		PermissionsBoundary: u.boundaryShown(), Tags: slices.Clone(u.tags),
	}
}

func (s *Service) getUser(c *wire.Call, in *iam.GetUserInput) (*iam.GetUserOutput, error) {
	u, err := s.caller(c, in.UserName)
	if err != nil {
		return nil, err
	}
	return &iam.GetUserOutput{User: u.shown()}, nil
}

func (s *Service) listUsers(_ *wire.Call, in *iam.ListUsersInput) (*iam.ListUsersOutput, error) {
	var all []*user
	for _, n := range slices.Sorted(maps.Keys(s.users)) {
		if strings.HasPrefix(s.users[n].path, aws.ToString(in.PathPrefix)) {
			all = append(all, s.users[n])
		}
	}
	part, truncated, next, err := page(all, in.Marker, in.MaxItems, func(u *user) string { return u.name })
	if err != nil {
		return nil, err
	}
	out := &iam.ListUsersOutput{IsTruncated: truncated, Marker: next, Users: []iamtypes.User{}}
	for _, u := range part {
		shown := u.shown()
		shown.Tags, shown.PermissionsBoundary = nil, nil // IAM API reference, ListUsers: left out
		out.Users = append(out.Users, *shown)
	}
	return out, nil
}

func (s *Service) deleteUser(_ *wire.Call, in *iam.DeleteUserInput) (*iam.DeleteUserOutput, error) {
	return withUser[iam.DeleteUserOutput](s, in.UserName, func(u *user) error {
		if len(u.keys) > 0 {
			return deleteConflict("delete access keys")
		}
		if err := u.empty(); err != nil {
			return err
		}
		delete(s.users, u.name)
		return nil
	})
}

func (s *Service) createAccessKey(c *wire.Call, in *iam.CreateAccessKeyInput) (*iam.CreateAccessKeyOutput, error) {
	u, err := s.caller(c, in.UserName)
	if err != nil {
		return nil, err
	}
	if len(u.keys) >= keysPerUser {
		return nil, limit("Cannot exceed quota for AccessKeysPerUser: %d", keysPerUser)
	}
	secret := make([]byte, 30) // 40 letters, as AWS's are
	for i := range secret {
		secret[i] = byte(s.world.Rand().UintN(256)) //nolint:gosec // below 256
	}
	k := accessKey{id: s.id("AKIA")[:20], created: *s.now()}
	u.keys = append(u.keys, k)
	text := base64.StdEncoding.EncodeToString(secret)
	s.keyring.Grant(k.id, wire.Key{Principal: wire.Principal{ARN: u.arn}, Secret: text})
	return &iam.CreateAccessKeyOutput{AccessKey: &iamtypes.AccessKey{
		AccessKeyId: aws.String(k.id), SecretAccessKey: aws.String(text), UserName: aws.String(u.name), Status: iamtypes.StatusTypeActive, CreateDate: aws.Time(k.created),
	}}, nil
}

func (s *Service) listAccessKeys(c *wire.Call, in *iam.ListAccessKeysInput) (*iam.ListAccessKeysOutput, error) {
	u, err := s.caller(c, in.UserName)
	if err != nil {
		return nil, err
	}
	out := &iam.ListAccessKeysOutput{AccessKeyMetadata: []iamtypes.AccessKeyMetadata{}} // two at most: one page
	for _, k := range u.keys {
		out.AccessKeyMetadata = append(out.AccessKeyMetadata, iamtypes.AccessKeyMetadata{
			AccessKeyId: aws.String(k.id), UserName: aws.String(u.name), Status: iamtypes.StatusTypeActive, CreateDate: aws.Time(k.created),
		})
	}
	return out, nil
}

func (s *Service) deleteAccessKey(c *wire.Call, in *iam.DeleteAccessKeyInput) (*iam.DeleteAccessKeyOutput, error) {
	u, err := s.caller(c, in.UserName)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(u.keys, func(k accessKey) bool { return k.id == aws.ToString(in.AccessKeyId) })
	if i < 0 {
		return nil, noSuch("The Access Key with id %s cannot be found.", aws.ToString(in.AccessKeyId))
	}
	s.keyring.Grant(u.keys[i].id, wire.Key{Principal: wire.Principal{ARN: u.arn}, Revoked: true})
	u.keys = slices.Delete(u.keys, i, i+1)
	return &iam.DeleteAccessKeyOutput{}, nil
}
