package host_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/host"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

const (
	webApp   = "GetFix-Rollback-App"
	webGroup = "GetFix-Rollback-App-DG"
)

// walk is somebody who follows a tutorial: a static site on an instance with a
// web server, deployed from S3, and a deployment that is wrong on purpose.
type walk struct {
	t        *testing.T
	local    *host.AWS
	deploy   *codedeploy.Client
	store    *s3.Client
	queues   *sqs.Client
	queue    *string
	instance string
	seen     []string // every event on the bus, and what was described
}

func must[O any](t *testing.T) func(O, error) O {
	t.Helper()
	return func(out O, err error) O {
		t.Helper()
		require.NoError(t, err)
		return out
	}
}

func newWalk(t *testing.T) *walk {
	t.Helper()
	local := open(t, host.Options{World: world.Options{Mode: world.Manual, Seed: 42}})
	c := config(local)
	w := &walk{t: t, local: local, deploy: codedeploy.NewFromConfig(c), queues: sqs.NewFromConfig(c)}
	w.store = s3.NewFromConfig(c, func(o *s3.Options) { o.UsePathStyle = true })
	w.watch(eventbridge.NewFromConfig(c))
	w.role(iam.NewFromConfig(c), "CodeDeployServiceRole", "codedeploy.amazonaws.com", "service-role/AWSCodeDeployRole")
	w.role(iam.NewFromConfig(c), "GetFixInstance", "ec2.amazonaws.com", "AmazonS3ReadOnlyAccess")
	run := must[*ec2.RunInstancesOutput](t)(ec2.NewFromConfig(c).RunInstances(t.Context(), &ec2.RunInstancesInput{
		ImageId: aws.String("ami-0c7217cdde317cfec"), InstanceType: ec2types.InstanceTypeT2Micro, MinCount: aws.Int32(1), MaxCount: aws.Int32(1),
		IamInstanceProfile: &ec2types.IamInstanceProfileSpecification{Name: aws.String("GetFixInstance")},
		TagSpecifications:  []ec2types.TagSpecification{{ResourceType: ec2types.ResourceTypeInstance, Tags: []ec2types.Tag{{Key: aws.String("Name"), Value: aws.String("GetFix")}}}},
	}))
	w.instance = *run.Instances[0].InstanceId
	must[*s3.CreateBucketOutput](t)(w.store.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("getfix")}))
	w.advance(time.Minute)
	return w
}

// role makes a role that a service may take, with one of AWS's policies.
func (w *walk) role(identities *iam.Client, name, service, policy string) {
	w.t.Helper()
	must[*iam.CreateRoleOutput](w.t)(identities.CreateRole(w.t.Context(), &iam.CreateRoleInput{
		RoleName: aws.String(name), AssumeRolePolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"` +
			service + `"},"Action":"sts:AssumeRole"}]}`),
	}))
	must[*iam.AttachRolePolicyOutput](w.t)(identities.AttachRolePolicy(w.t.Context(), &iam.AttachRolePolicyInput{
		RoleName: aws.String(name), PolicyArn: aws.String("arn:aws:iam::aws:policy/" + policy),
	}))
}

// watch lets a queue see what CodeDeploy says on the bus.
func (w *walk) watch(bus *eventbridge.Client) {
	w.queue = must[*sqs.CreateQueueOutput](w.t)(w.queues.CreateQueue(w.t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("seen")})).QueueUrl
	arn := must[*sqs.GetQueueAttributesOutput](w.t)(w.queues.GetQueueAttributes(w.t.Context(), &sqs.GetQueueAttributesInput{
		QueueUrl: w.queue, AttributeNames: []sqstypes.QueueAttributeName{sqstypes.QueueAttributeNameQueueArn},
	})).Attributes["QueueArn"]
	must[*eventbridge.PutRuleOutput](w.t)(bus.PutRule(w.t.Context(), &eventbridge.PutRuleInput{
		Name: aws.String("seen"), EventPattern: aws.String(`{"source":["aws.codedeploy"]}`),
	}))
	must[*eventbridge.PutTargetsOutput](w.t)(bus.PutTargets(w.t.Context(), &eventbridge.PutTargetsInput{
		Rule: aws.String("seen"), Targets: []ebtypes.Target{{Id: aws.String("queue"), Arn: aws.String(arn)}},
	}))
	must[*sqs.SetQueueAttributesOutput](w.t)(w.queues.SetQueueAttributes(w.t.Context(), &sqs.SetQueueAttributesInput{QueueUrl: w.queue, Attributes: map[string]string{
		"Policy": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"events.amazonaws.com"},"Action":"sqs:SendMessage","Resource":"` + arn + `"}]}`,
	}}))
}

func (w *walk) advance(d time.Duration) {
	w.t.Helper()
	require.NoError(w.t, w.local.World.Advance(w.t.Context(), d))
	w.local.World.Lock()
	defer w.local.World.Unlock()
	for {
		out := must[*sqs.ReceiveMessageOutput](w.t)(wire.Do[sqs.ReceiveMessageOutput](w.t.Context(), w.local.Mux, wire.Principal{ARN: "arn:aws:iam::123456789012:root"}, "sqs", "ReceiveMessage",
			&sqs.ReceiveMessageInput{QueueUrl: w.queue, MaxNumberOfMessages: 10}))
		if len(out.Messages) == 0 {
			return
		}
		for _, m := range out.Messages {
			w.seen = append(w.seen, *m.Body)
			must[*sqs.DeleteMessageOutput](w.t)(wire.Do[sqs.DeleteMessageOutput](w.t.Context(), w.local.Mux, wire.Principal{ARN: "arn:aws:iam::123456789012:root"}, "sqs", "DeleteMessage",
				&sqs.DeleteMessageInput{QueueUrl: w.queue, ReceiptHandle: m.ReceiptHandle}))
		}
	}
}

// bundle is the tutorial's revision: the whole of it becomes the site.
func (w *walk) bundle(name, page, start string) *cdtypes.RevisionLocation {
	w.t.Helper()
	revision := map[string]string{
		"appspec.yml": `version: 0.0
os: linux
files:
  - source: /
    destination: /var/www/html
hooks:
  AfterInstall:
    - location: scripts/install_nginx.sh
      timeout: 300
      runas: root
  ApplicationStart:
    - location: scripts/start_nginx.sh
      timeout: 300
      runas: root
`,
		"index.html":               page,
		"scripts/install_nginx.sh": "#!/bin/bash\nmkdir -p /srv/nginx && cp /var/www/html/index.html /srv/nginx/checked.html\n",
		"scripts/start_nginx.sh":   "#!/bin/bash\n" + start,
	}
	var archive bytes.Buffer
	z := zip.NewWriter(&archive)
	for _, file := range slices.Sorted(maps.Keys(revision)) {
		h := &zip.FileHeader{Name: file, Method: zip.Deflate}
		h.SetMode(0o755)
		entry, err := z.CreateHeader(h)
		require.NoError(w.t, err)
		_, err = entry.Write([]byte(revision[file]))
		require.NoError(w.t, err)
	}
	require.NoError(w.t, z.Close())
	must[*s3.PutObjectOutput](w.t)(w.store.PutObject(w.t.Context(), &s3.PutObjectInput{
		Bucket: aws.String("getfix"), Key: aws.String(name), Body: bytes.NewReader(archive.Bytes()),
	}))
	return &cdtypes.RevisionLocation{RevisionType: cdtypes.RevisionLocationTypeS3, S3Location: &cdtypes.S3Location{
		Bucket: aws.String("getfix"), Key: aws.String(name), BundleType: cdtypes.BundleTypeZip,
	}}
}

// try deploys a revision and waits until nothing goes on any more.
func (w *walk) try(r *cdtypes.RevisionLocation) *cdtypes.DeploymentInfo {
	w.t.Helper()
	id := must[*codedeploy.CreateDeploymentOutput](w.t)(w.deploy.CreateDeployment(w.t.Context(), &codedeploy.CreateDeploymentInput{
		ApplicationName: aws.String(webApp), DeploymentGroupName: aws.String(webGroup), Revision: r,
	})).DeploymentId
	w.advance(5 * time.Minute)
	return w.get(id)
}

func (w *walk) get(id *string) *cdtypes.DeploymentInfo {
	w.t.Helper()
	d := must[*codedeploy.GetDeploymentOutput](w.t)(w.deploy.GetDeployment(w.t.Context(), &codedeploy.GetDeploymentInput{DeploymentId: id})).DeploymentInfo
	w.note(d)
	return d
}

// on is what the seed's commands show: list-deployment-instances and
// get-deployment-instance.
//
//nolint:staticcheck // deprecated, and still used
func (w *walk) on(d *cdtypes.DeploymentInfo) []string {
	w.t.Helper()
	list := must[*codedeploy.ListDeploymentInstancesOutput](w.t)(w.deploy.ListDeploymentInstances(w.t.Context(),
		&codedeploy.ListDeploymentInstancesInput{DeploymentId: d.DeploymentId}))
	require.Equal(w.t, []string{w.instance}, list.InstancesList)
	one := must[*codedeploy.GetDeploymentInstanceOutput](w.t)(w.deploy.GetDeploymentInstance(w.t.Context(),
		&codedeploy.GetDeploymentInstanceInput{DeploymentId: d.DeploymentId, InstanceId: aws.String(w.instance)})).InstanceSummary
	w.note(one)
	var all []string
	for _, e := range one.LifecycleEvents {
		text := *e.LifecycleEventName + " " + string(e.Status)
		if e.Diagnostics != nil {
			text += ": " + *e.Diagnostics.Message
		}
		all = append(all, text)
	}
	return all
}

func (w *walk) note(v any) {
	text, err := json.Marshal(v)
	require.NoError(w.t, err)
	w.seen = append(w.seen, string(text))
}

// file reads a file of the instance.
func (w *walk) file(name string) string {
	w.t.Helper()
	w.local.World.Lock()
	defer w.local.World.Unlock()
	root, err := w.local.CodeDeploy.Root(w.instance)
	require.NoError(w.t, err)
	text, err := os.ReadFile(filepath.Join(root, name))
	require.NoError(w.t, err)
	return string(text)
}

// group makes the application and its deployment group, with rollbacks off as
// in the tutorial.
func (w *walk) group() {
	w.t.Helper()
	must[*codedeploy.CreateApplicationOutput](w.t)(w.deploy.CreateApplication(w.t.Context(), &codedeploy.CreateApplicationInput{
		ApplicationName: aws.String(webApp), ComputePlatform: cdtypes.ComputePlatformServer,
	}))
	must[*codedeploy.CreateDeploymentGroupOutput](w.t)(w.deploy.CreateDeploymentGroup(w.t.Context(), &codedeploy.CreateDeploymentGroupInput{
		ApplicationName: aws.String(webApp), DeploymentGroupName: aws.String(webGroup), ServiceRoleArn: aws.String("arn:aws:iam::123456789012:role/CodeDeployServiceRole"),
		Ec2TagFilters: []cdtypes.EC2TagFilter{{Key: aws.String("Name"), Value: aws.String("GetFix"), Type: cdtypes.EC2TagFilterTypeKeyAndValue}},
	}))
}

// play is the whole tutorial. It returns the timeline.
func play(t *testing.T) string {
	t.Helper()
	w := newWalk(t)
	w.group()
	first := w.try(w.bundle("site.zip", "<h1>good</h1>", "echo running > /srv/nginx/state\n"))
	if events := w.on(first); first.Status == cdtypes.DeploymentStatusFailed && strings.Contains(strings.Join(events, "\n"), "cannot confine") {
		t.Skip("this machine cannot confine scripts")
	}
	require.Equal(t, cdtypes.DeploymentStatusSucceeded, first.Status)
	assert.Equal(t, "<h1>good</h1> <h1>good</h1> running\n", w.file("var/www/html/index.html")+" "+w.file("srv/nginx/checked.html")+" "+w.file("srv/nginx/state"))
	must[*codedeploy.UpdateDeploymentGroupOutput](t)(w.deploy.UpdateDeploymentGroup(t.Context(), &codedeploy.UpdateDeploymentGroupInput{
		ApplicationName: aws.String(webApp), CurrentDeploymentGroupName: aws.String(webGroup), AutoRollbackConfiguration: &cdtypes.AutoRollbackConfiguration{
			Enabled: true, Events: []cdtypes.AutoRollbackEvent{cdtypes.AutoRollbackEventDeploymentFailure, cdtypes.AutoRollbackEventDeploymentStopOnAlarm},
		},
	}))

	wrong := w.bundle("site2.zip", "<h1>never seen</h1>", "")
	wrong.S3Location.BundleType = cdtypes.BundleTypeTarGZip // ".tar.gz" instead of ".zip", as the tutorial says
	w.takenBack(w.try(wrong), "DownloadBundle Failed: Error extracting tar archive: gzip: invalid header")

	w.takenBack(w.try(w.bundle("site3.zip", "<h1>bad</h1>", "exit 1\n")),
		"ApplicationStart Failed: Script at specified location: scripts/start_nginx.sh run as user root failed with exit code 1")
	return strings.Join(w.seen, "\n")
}

// takenBack asserts that a deployment failed with an event like the given one,
// and that CodeDeploy brought the good revision back by itself.
func (w *walk) takenBack(d *cdtypes.DeploymentInfo, event string) {
	w.t.Helper()
	assert.Equal(w.t, cdtypes.DeploymentStatusFailed, d.Status)
	assert.Equal(w.t, cdtypes.ErrorCodeHealthConstraints, d.ErrorInformation.Code)
	assert.Contains(w.t, w.on(d), event)
	require.NotNil(w.t, d.RollbackInfo)
	back := w.get(d.RollbackInfo.RollbackDeploymentId)
	assert.Equal(w.t, cdtypes.DeploymentStatusSucceeded, back.Status)
	assert.Equal(w.t, cdtypes.DeploymentCreatorCodeDeployRollback, back.Creator)
	assert.Equal(w.t, d.DeploymentId, back.RollbackInfo.RollbackTriggeringDeploymentId)
	assert.Equal(w.t, "site.zip", *back.Revision.S3Location.Key)
	assert.Equal(w.t, []string{
		"ApplicationStop Succeeded", "DownloadBundle Succeeded", "BeforeInstall Succeeded", "Install Succeeded", "AfterInstall Succeeded",
		"ApplicationStart Succeeded", "ValidateService Succeeded",
	}, w.on(back))
	assert.Equal(w.t, "<h1>good</h1> <h1>good</h1> running\n",
		w.file("var/www/html/index.html")+" "+w.file("srv/nginx/checked.html")+" "+w.file("srv/nginx/state"), "the site is back")
}

func TestWrongDeploymentToAWebServerIsTakenBackByItself(t *testing.T) {
	first := play(t)
	assert.Contains(t, first, `"detail-type":"CodeDeploy Instance State-change Notification"`)
	for range 19 {
		t.Run("again", func(t *testing.T) {
			require.Equal(t, first, play(t), "the same seed gives the same timeline, byte for byte")
		})
	}
}
