package restorepoints_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/backup"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/shared/amazon/restorepoints"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
	"github.com/pullback-dev/pullback/shared/ledger/ledgertest"
	"github.com/pullback-dev/pullback/shared/restorepoint"
	"github.com/pullback-dev/pullback/shared/restorepoint/taker"
)

// What docs/restore-points.md says that a function needs.
const (
	look = `{"Effect":"Allow","Action":["ec2:DescribeInstances","ec2:DescribeVolumes","ec2:DescribeSnapshots","codedeploy:ListDeploymentTargets",
		"codedeploy:BatchGetDeploymentTargets","autoscaling:DescribeAutoScalingGroups"],"Resource":"*"}`
	snap = `{"Effect":"Allow","Action":["ec2:CreateSnapshot","ec2:CreateSnapshots"],"Resource":["arn:aws:ec2:*:*:volume/*","arn:aws:ec2:*:*:instance/*","arn:aws:ec2:*::snapshot/*"]}`
	mark = `{"Effect":"Allow","Action":"ec2:CreateTags","Resource":"arn:aws:ec2:*::snapshot/*","Condition":{"StringEquals":{"ec2:CreateAction":["CreateSnapshot","CreateSnapshots"]}}}`
	jobs = `{"Effect":"Allow","Action":"backup:StartBackupJob","Resource":"arn:aws:backup:us-east-1:123456789012:backup-vault:vault"},
		{"Effect":"Allow","Action":["backup:TagResource","backup:DescribeBackupJob"],"Resource":"*"}`
	pass = `{"Effect":"Allow","Action":"iam:PassRole","Resource":"` + backupRole + `","Condition":{"StringEquals":{"iam:PassedToService":"backup.amazonaws.com"}}}`
)

// as returns a taker that may do what the statements allow.
func (s *site) as(name string, statements ...string) *taker.Taker {
	s.t.Helper()
	c := iam.NewFromConfig(s.config)
	must[*iam.CreateRoleOutput](s.t)(c.CreateRole(s.t.Context(), &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":"sts:AssumeRole"}]}`)}))
	must[*iam.PutRolePolicyOutput](s.t)(c.PutRolePolicy(s.t.Context(), &iam.PutRolePolicyInput{
		RoleName: &name, PolicyName: aws.String("needed"), PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`),
	}))
	out := must[*sts.AssumeRoleOutput](s.t)(sts.NewFromConfig(s.config).AssumeRole(s.t.Context(), &sts.AssumeRoleInput{
		RoleArn: aws.String("arn:aws:iam::123456789012:role/" + name), RoleSessionName: aws.String("test"),
	}))
	cfg := s.config.Copy()
	cfg.Credentials = credentials.NewStaticCredentialsProvider(*out.Credentials.AccessKeyId, *out.Credentials.SecretAccessKey, *out.Credentials.SessionToken)
	keeper := restorepoints.NewKeeper(codedeploy.NewFromConfig(cfg), autoscaling.NewFromConfig(cfg), ec2.NewFromConfig(cfg), backup.NewFromConfig(cfg), "123456789012", "us-east-1")
	return taker.New(new(ledgertest.Memory), keeper, s.now)
}

func TestThePermissionsThatAreDocumentedAreEnough(t *testing.T) {
	s := newSite(t)
	must[*backup.CreateBackupVaultOutput](t)(backup.NewFromConfig(s.config).CreateBackupVault(t.Context(), &backup.CreateBackupVaultInput{BackupVaultName: aws.String("vault")}))
	alone := *must[*ec2.CreateVolumeOutput](t)(s.ec2.CreateVolume(t.Context(), &ec2.CreateVolumeInput{AvailabilityZone: aws.String("us-east-1a"), Size: aws.Int32(1)})).VolumeId
	policy := careful
	policy.Resources = []string{"arn:aws:ec2:us-east-1:123456789012:volume/" + alone}
	fleet := deploy.Deployment{ID: "refresh-1", Target: deploy.Target{Kind: deploy.KindScaling, Group: "fleet"}, Status: deploy.InProgress}
	s.fleet()
	snapshots := s.as("snapshots", look, snap, mark)
	for _, d := range []deploy.Deployment{s.deployment, fleet} {
		p, _, err := snapshots.Take(t.Context(), d, policy)
		require.NoError(t, err)
		assert.Equal(t, []any{ledger.PointPending, ""}, []any{p.State, p.Because})
	}
	p, _, err := s.as("backups", look, jobs, pass).Take(t.Context(), s.deployment, restorepoint.Policy{Kind: ledger.Backup, Instances: true, Vault: "vault", Role: backupRole})
	require.NoError(t, err)
	assert.Equal(t, []any{ledger.PointPending, ""}, []any{p.State, p.Because})
}

func TestAPermissionThatIsMissingIsNamed(t *testing.T) {
	s := newSite(t)
	p, obstacle, err := s.as("tagless", look, snap).Take(t.Context(), s.deployment, careful)
	require.NoError(t, err)
	assert.Equal(t, ledger.PointFailed, p.State)
	assert.Contains(t, obstacle, "refused by AWS: UnauthorizedOperation")
	assert.Contains(t, obstacle, "ec2:CreateTags")
	assert.Empty(t, s.snapshots())
}
