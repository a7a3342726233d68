// Package scenario plays stories against the whole control plane: the compiled
// functions, deployed from the synthesized template, on the local AWS. A story
// is a script in testdata/scenarios; [Commands] are the words it is written in,
// and testdata/scenarios/README.md explains them.
//
// It looks at what AWS would answer an outsider, at the ledger, and at the
// calls that the control plane made. It never looks into a function.
package scenario

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/pullback-dev/pullback/internal/localaws/cloudformation"
	"github.com/pullback-dev/pullback/internal/localaws/host"
	"github.com/pullback-dev/pullback/internal/localaws/iam/access"
	localtraffic "github.com/pullback-dev/pullback/internal/localaws/traffic"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
	"github.com/pullback-dev/pullback/shared/amazon/deployments"
	"github.com/pullback-dev/pullback/shared/amazon/table"
	"github.com/pullback-dev/pullback/shared/amazon/traffic"
)

// Options say what is played against.
type Options struct {
	Template string // path of the synthesized template; beside it is keeping, with that for who keeps data
	Dist     string // folder with the functions and the sample, built for this machine
	Previous string // folder with the functions of the version before this one; empty: there is none

	Change  func(template []byte) ([]byte, error)                          // changes what is deployed; optional
	Deploy  func(context.Context, *host.AWS) (cloudformation.Stack, error) // deploys the control plane in its own way; optional
	Observe func(access.Decision)                                          // hears what the policies decide, with the world's lock held; optional
}

// Story is one run of a script: its own AWS, control planes and shops.
type Story struct {
	options Options
	cloud   *host.Cloud
	*place  // that the words speak of
	places  []*place

	mu       sync.Mutex // guards what observers note
	logs     []logLine
	calls    []wire.Entry // of the control planes' roles
	problems []error
}

// place is an account in a region: a control plane and the teams there.
type place struct {
	aws     *host.AWS
	config  aws.Config // for those who call it as the account's root
	clients clients
	deploys *deployments.Client
	aliases *traffic.Client

	stack      cloudformation.Stack // of the control plane, once it is deployed
	ledger     *table.Table
	orders     *localtraffic.Traffic
	demand     demand                            // guarded by the world's lock
	path       [2]string                         // where the orders go: a function and its qualifier, or a listener
	behaviours map[string]localtraffic.Behaviour // of releases behind a load balancer
	crews      []*crew
	crew       *crew // that the words speak of
}

// clients speak to the local AWS as they would to AWS.
type clients struct {
	deploy *codedeploy.Client
	watch  *cloudwatch.Client
	events *eventbridge.Client
	lambda *lambda.Client
	logs   *cloudwatchlogs.Client
	queues *sqs.Client
}

type logLine struct{ function, text string }

// Start begins a story: an empty account, at nine on a Monday morning.
func Start(ctx context.Context, o Options) (*Story, error) {
	s := &Story{options: o}
	cloud, err := host.StartCloud(ctx, host.CloudOptions{Options: host.Options{
		World: world.Options{Mode: world.Manual, Seed: 1}, Log: s.noteLog, Problem: s.noteProblem, IAM: access.Options{Observe: o.Observe},
	}})
	if err != nil {
		return nil, fmt.Errorf("start the local AWS: %w", err)
	}
	s.cloud = cloud
	s.settle(cloud.All()[0])
	return s, nil
}

// Close ends the story. Its error is also what went wrong unseen: a story in
// which a message was lost has not gone well, whatever its script says.
func (s *Story) Close() error {
	err := s.cloud.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	return errors.Join(append(s.problems, err)...)
}

func (s *Story) noteLog(function, _, line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.logs = append(s.logs, logLine{function, line})
}

func (s *Story) noteProblem(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.problems = append(s.problems, err)
}

// noteCall keeps what the control plane did. The shop's own calls are made as
// the account's root.
func (s *Story) noteCall(e wire.Entry) {
	if strings.HasSuffix(e.Principal.ARN, ":root") {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, e)
}

func (s *Story) now() time.Time {
	s.aws.World.Lock()
	defer s.aws.World.Unlock()
	return s.aws.World.Now()
}
