package scenario

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/backup"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/rogpeppe/go-internal/testscript"

	localec2 "github.com/pullback-dev/pullback/internal/localaws/ec2"
)

// dataWord makes data that a release could spoil, and sets $data to its ARN: data
// volume, data bad-volume, of which no snapshot can be made, or data vault, a volume with
// the vault and the role that testdata/keeping.yaml speaks of.
func dataWord(ctx context.Context, ts *testscript.TestScript, args []string) error {
	if len(args) != 1 {
		return errors.New("want: data volume|bad-volume|vault")
	}
	s := story(ts)
	create, ok := map[string]func(context.Context) (string, error){
		"volume":     func(ctx context.Context) (string, error) { return s.volume(ctx, false) },
		"bad-volume": func(ctx context.Context) (string, error) { return s.volume(ctx, true) },
		"vault":      s.vault,
	}[args[0]]
	if !ok {
		return fmt.Errorf("there is no data %q", args[0])
	}
	arn, err := create(ctx)
	if err != nil {
		return fmt.Errorf("make the data: %w", err)
	}
	ts.Setenv("data", arn)
	return nil
}

func (s *Story) volume(ctx context.Context, bad bool) (string, error) {
	in := &ec2.CreateVolumeInput{AvailabilityZone: aws.String(s.aws.World.Region + "a"), Size: aws.Int32(1)}
	if bad {
		in.TagSpecifications = []ec2types.TagSpecification{{
			ResourceType: ec2types.ResourceTypeVolume, Tags: []ec2types.Tag{{Key: aws.String(localec2.HealthTag), Value: aws.String(localec2.Impaired)}},
		}}
	}
	v, err := ec2.NewFromConfig(s.config).CreateVolume(ctx, in)
	if err != nil {
		return "", fmt.Errorf("make a volume: %w", err)
	}
	return fmt.Sprintf("arn:aws:ec2:%s:%s:volume/%s", s.aws.World.Region, s.aws.World.Account, *v.VolumeId), nil
}

func (s *Story) vault(ctx context.Context) (string, error) {
	arn, err := s.volume(ctx, false)
	if err != nil {
		return "", err
	}
	if _, err := backup.NewFromConfig(s.config).CreateBackupVault(ctx, &backup.CreateBackupVaultInput{BackupVaultName: aws.String("orders")}); err != nil {
		return "", fmt.Errorf("make a backup vault: %w", err)
	}
	roles := iam.NewFromConfig(s.config)
	role := aws.String("backup")
	if _, err := roles.CreateRole(ctx, &iam.CreateRoleInput{RoleName: role, AssumeRolePolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"backup.amazonaws.com"},"Action":"sts:AssumeRole"}]}`)}); err != nil {
		return "", fmt.Errorf("make a role for AWS Backup: %w", err)
	}
	_, err = roles.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: role, PolicyName: aws.String("backup"), PolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ec2:*","Resource":"*"}]}`)})
	if err != nil {
		return "", fmt.Errorf("let AWS Backup read: %w", err)
	}
	return arn, nil
}
