package definitions_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/host/ecstest"
	"github.com/pullback-dev/pullback/shared/amazon/definitions"
	"github.com/pullback-dev/pullback/shared/deploy"
)

func shop(t *testing.T) (*ecstest.Shop, *definitions.Client) {
	t.Helper()
	s := ecstest.New(t, time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC))
	return s, definitions.New(s.Tasks, s.Images, s.Roles, s.Params, ecstest.Account, ecstest.Region)
}

func image(name string) func(*ecs.RegisterTaskDefinitionInput) {
	return func(in *ecs.RegisterTaskDefinitionInput) { in.ContainerDefinitions[0].Image = &name }
}

func TestTheSameContentHasTheSameDigestWhateverItIsCalled(t *testing.T) {
	s, c := shop(t)
	digest := func(definition string) deploy.Digest {
		t.Helper()
		d, err := c.Digest(t.Context(), deploy.Revision(definition))
		require.NoError(t, err)
		return d
	}
	first := digest("web:1")
	assert.Len(t, first, len("sha256:")+64)
	assert.Equal(t, first, digest("web:1"))

	again := s.Register(nil)
	assert.NotEqual(t, "web:1", again)
	assert.Equal(t, first, digest(again), "registered again")
	assert.Equal(t, first, digest(s.Register(func(in *ecs.RegisterTaskDefinitionInput) {
		in.Family = aws.String("worker")
		e := in.ContainerDefinitions[0].Environment
		e[0], e[1] = e[1], e[0]
	})), "in another family, with its variables in another order")
	s.Deregister("web:1")
	assert.Equal(t, first, digest("web:1"), "no longer active")

	for name, change := range map[string]func(*ecs.RegisterTaskDefinitionInput){
		"another image": image(ecstest.Image + ":v2"),
		"another variable": func(in *ecs.RegisterTaskDefinitionInput) {
			in.ContainerDefinitions[0].Environment[0].Value = aws.String("blue")
		},
		"less memory":  func(in *ecs.RegisterTaskDefinitionInput) { in.Cpu = aws.String("1024") },
		"another role": func(in *ecs.RegisterTaskDefinitionInput) { in.TaskRoleArn = nil },
	} {
		assert.NotEqual(t, first, digest(s.Register(change)), name)
	}
}

func TestAnImageIsWhatItsTagMeansNow(t *testing.T) {
	s, c := shop(t)
	digest := s.Push("v1") // the tag has moved
	byTag, err := c.Digest(t.Context(), "web:1")
	require.NoError(t, err)
	byDigest, err := c.Digest(t.Context(), deploy.Revision(s.Register(image(ecstest.Image+"@"+digest))))
	require.NoError(t, err)
	assert.Equal(t, byDigest, byTag)
	both, err := c.Digest(t.Context(), deploy.Revision(s.Register(image(ecstest.Image+":v1@"+digest))))
	require.NoError(t, err)
	assert.Equal(t, byDigest, both)

	s.Push("v1")
	moved, err := c.Digest(t.Context(), "web:1")
	require.NoError(t, err)
	assert.NotEqual(t, byTag, moved)
}

func TestWhatIsGoneIsNamedAndSoIsWhatMendsIt(t *testing.T) {
	register := `register it again: aws ecs register-task-definition --cli-input-json "$(aws ecs describe-task-definition --task-definition web:1` +
		` --query taskDefinition | jq 'del(.taskDefinitionArn, .revision, .status, .requiresAttributes, .compatibilities, .registeredAt, .registeredBy, .deregisteredAt)')"`
	for name, tt := range map[string]struct {
		lose func(t *testing.T, s *ecstest.Shop)
		want string
	}{
		"the task definition was deregistered": {
			func(_ *testing.T, s *ecstest.Shop) { s.Deregister("web:1") },
			"task definition web:1: it is INACTIVE: " + register + ": not ready",
		},
		"the image has expired": {
			func(_ *testing.T, s *ecstest.Shop) { s.Expire("v1") },
			"task definition web:1: image " + ecstest.Image + ":v1 is not in ECR any more: push it again: not ready",
		},
		"the tag was moved, and the image is there": {func(_ *testing.T, s *ecstest.Shop) { s.Push("v1") }, ""},
		"a role was deleted": {func(t *testing.T, s *ecstest.Shop) {
			t.Helper()
			ecstest.Must[*iam.DeleteRoleOutput](t)(s.Roles.DeleteRole(t.Context(), &iam.DeleteRoleInput{RoleName: aws.String("execution")}))
		}, "task definition web:1: role execution does not exist: create it again, with its policies: not ready"},
		"a secret and the image are gone": {func(t *testing.T, s *ecstest.Shop) {
			t.Helper()
			s.Expire("v1")
			ecstest.Must[*ssm.DeleteParameterOutput](t)(s.Params.DeleteParameter(t.Context(), &ssm.DeleteParameterInput{Name: aws.String(ecstest.Secret)}))
		}, "task definition web:1: image " + ecstest.Image + ":v1 is not in ECR any more: push it again; parameter arn:aws:ssm:us-east-1:123456789012:parameter" +
			ecstest.Secret + " does not exist: put it again: not ready"},
	} {
		t.Run(name, func(t *testing.T) {
			s, c := shop(t)
			require.NoError(t, c.Ready(t.Context(), "web:1"))
			tt.lose(t, s)
			err := c.Ready(t.Context(), "web:1")
			if tt.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, deploy.ErrNotReady)
			assert.EqualError(t, err, tt.want)
		})
	}
}

func TestWhatIsElsewhereIsNotLookedAt(t *testing.T) {
	s, c := shop(t)
	r := deploy.Revision(s.Register(func(in *ecs.RegisterTaskDefinitionInput) {
		in.TaskRoleArn = aws.String("arn:aws:iam::210987654321:role/theirs")
		app := in.ContainerDefinitions[0]
		app.Secrets = []ecstypes.Secret{
			{Name: aws.String("A"), ValueFrom: aws.String("arn:aws:secretsmanager:us-east-1:123456789012:secret:none-AbCdEf")},
			{Name: aws.String("B"), ValueFrom: aws.String("arn:aws:ssm:eu-central-1:123456789012:parameter/none")},
		}
		in.ContainerDefinitions = nil
		for name, image := range map[string]string{
			"hub": "nginx:1", "github": "ghcr.io/shop/web:1", "account": "210987654321.dkr.ecr.us-east-1.amazonaws.com/web:none",
			"region": "123456789012.dkr.ecr.eu-central-1.amazonaws.com/web:none",
		} {
			app.Name, app.Image = aws.String(name), aws.String(image)
			in.ContainerDefinitions = append(in.ContainerDefinitions, app)
		}
	}))
	require.NoError(t, c.Ready(t.Context(), r))
	_, err := c.Digest(t.Context(), r)
	require.NoError(t, err)
}

func TestEveryNameOfTheRegistryIsRead(t *testing.T) {
	s, c := shop(t)
	for _, registry := range []string{
		"123456789012.dkr.ecr.us-east-1.amazonaws.com", "123456789012.dkr.ecr-fips.us-east-1.amazonaws.com", "123456789012.dkr-ecr.us-east-1.on.aws",
	} {
		for _, name := range []string{"/web:none", "/web", "/none/web:v1", "/web@sha256:0000000000000000000000000000000000000000000000000000000000000000"} {
			r := s.Register(image(registry + name))
			err := c.Ready(t.Context(), deploy.Revision(r))
			require.ErrorIs(t, err, deploy.ErrNotReady, registry+name)
			require.ErrorContains(t, err, "image "+registry+name+" is not in ECR")
		}
		require.NoError(t, c.Ready(t.Context(), deploy.Revision(s.Register(image(registry+"/web:v2")))), registry)
	}
}

func TestATaskDefinitionThatNeverWasIsUnknown(t *testing.T) {
	_, c := shop(t)
	require.ErrorIs(t, c.Ready(t.Context(), "web:99"), deploy.ErrUnknown)
	_, err := c.Digest(t.Context(), "web:99")
	require.ErrorIs(t, err, deploy.ErrUnknown)
}
