package stack

import (
	"maps"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"github.com/pullback-dev/pullback/shared/config"
	"github.com/pullback-dev/pullback/shared/restorepoint"
)

// What it takes to keep data before a deployment is granted only where the
// configuration says that data is kept, and no more of it than that takes. A tag alone
// grants nothing.
const (
	anyVolume    scope = "volumes, and snapshots of them"
	anyMachine   scope = "instances, their volumes, and snapshots of those"
	newSnapshots scope = "snapshots, as they are taken"
	vaults       scope = "the backup vaults that the configuration names"
	ownMark      scope = "recovery points, with pullback's own tag"
	backupRoles  scope = "the roles that the configuration names, to be passed to AWS Backup"
)

// keeping is what the configuration wants to be kept, of whatever target.
type keeping struct {
	snapshots     bool
	vaults, roles []string // with which AWS Backup works
}

// kept reads a configuration, which is without a mistake. What its targets say
// elsewhere counts, too: where it will be deployed is not known.
func kept(text string) keeping {
	c, err := config.Parse([]byte(text))
	if text == "" || err != nil {
		return keeping{}
	}
	points := []config.RestorePoint{c.Defaults().RestorePoint}
	for _, t := range c.Targets() {
		if p, err := c.For(t, nil); err == nil {
			points = append(points, p.RestorePoint)
		}
	}
	k, named, passed := keeping{}, map[string]bool{}, map[string]bool{}
	for _, p := range points {
		switch p.Kind {
		case config.Snapshots:
			k.snapshots = true
		case config.Backup:
			named[p.Vault], passed[p.Role] = true, true
		case config.NoRestorePoint:
		}
	}
	k.vaults, k.roles = slices.Sorted(maps.Keys(named)), slices.Sorted(maps.Keys(passed))
	return k
}

// permissions is what it takes of a function to keep that. Which instances a deployment
// changes it may see anyway; the deployments that pretraffic is asked about change none.
func (k keeping) permissions(folder string) []permission {
	var all []permission
	if k.snapshots || len(k.vaults) > 0 {
		all = append(all, permission{everything, []string{"ec2:DescribeInstances", "ec2:DescribeVolumes"}})
	}
	if k.snapshots {
		all = append(all,
			permission{everything, []string{"ec2:DescribeSnapshots"}},
			permission{anyVolume, []string{"ec2:CreateSnapshot"}},
			permission{newSnapshots, []string{"ec2:CreateTags"}})
		if folder != "pretraffic" {
			all = append(all, permission{anyMachine, []string{"ec2:CreateSnapshots"}})
		}
	}
	if len(k.vaults) > 0 {
		all = append(all,
			permission{everything, []string{"backup:DescribeBackupJob"}},
			permission{vaults, []string{"backup:StartBackupJob"}},
			permission{ownMark, []string{"backup:TagResource"}},
			permission{backupRoles, []string{"iam:PassRole"}})
	}
	return all
}

// arns adds what the scopes extend to. Snapshots belong to no account in their ARN
// (Service Authorization Reference, "Resource types defined by Amazon EC2").
func (k keeping) arns(at parts, all map[scope]*[]*string) {
	snapshots := awscdk.Fn_Join(jsii.String(":"), &[]*string{
		jsii.String("arn"), at.stack.Partition(), jsii.String("ec2"), at.stack.Region(), jsii.String(""), jsii.String("snapshot/*"),
	})
	volumes := local(at, "ec2", "volume/*")
	all[anyVolume], all[anyMachine] = &[]*string{snapshots, volumes}, &[]*string{local(at, "ec2", "instance/*"), snapshots, volumes}
	all[newSnapshots], all[ownMark] = &[]*string{snapshots}, jsii.Strings("*") // each service has recovery points of its own
	var named []*string
	for _, v := range k.vaults {
		named = append(named, local(at, "backup", "backup-vault:"+v))
	}
	all[vaults], all[backupRoles] = &named, jsii.Strings(k.roles...)
}

// keepingConditions are what must hold besides. Source: the tables of EC2, AWS Backup
// and IAM in the Service Authorization Reference.
func keepingConditions(s scope) *map[string]any {
	switch s {
	case newSnapshots:
		return &map[string]any{
			"StringEquals":              map[string]any{"ec2:CreateAction": jsii.Strings("CreateSnapshot", "CreateSnapshots")},
			"ForAllValues:StringEquals": map[string]any{"aws:TagKeys": restorepoint.Tag},
		}
	case ownMark:
		return &map[string]any{"ForAllValues:StringEquals": map[string]any{"aws:TagKeys": restorepoint.Tag}}
	case backupRoles:
		return &map[string]any{"StringEquals": map[string]any{"iam:PassedToService": "backup.amazonaws.com"}}
	default:
		return nil
	}
}
