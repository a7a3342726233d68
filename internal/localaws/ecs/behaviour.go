package ecs

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// label is the docker label of a container definition that says how its tasks
// behave: one or more of the words below, separated by commas. It is the only
// way in which this model of a task differs from a container that works.
const label = "local-aws.task"

// The words of the label. Those that end in a colon are followed by a duration
// ("90s") or a number.
const (
	failsToStart   = "fails-to-start"   // it stops before it runs; "fails-to-start:2": only the first two of a deployment or task set do
	unhealthy      = "unhealthy"        // it runs and fails every health check
	unhealthyAfter = "unhealthy-after:" // it fails every health check from so long after it began to run
	stopsAfter     = "stops-after:"     // its essential container exits so long after it began to run
	startsIn       = "starts-in:"       // so long from PENDING to RUNNING
)

// behaviour is what a label says.
type behaviour struct {
	failures       int           // how many tasks do not start; negative: all
	unhealthy      bool          // from unhealthyAfter on
	unhealthyAfter time.Duration // after it began to run
	stops          bool
	stopsAfter     time.Duration // after it began to run
	startsIn       time.Duration // from PENDING to RUNNING
}

// behaviourOf reads the labels of a task definition's containers.
func behaviourOf(containers []ecstypes.ContainerDefinition) (behaviour, error) {
	b := behaviour{startsIn: startTime}
	for _, c := range containers {
		text, ok := c.DockerLabels[label]
		if !ok {
			continue
		}
		for word := range strings.SplitSeq(text, ",") {
			if err := b.read(strings.TrimSpace(word)); err != nil {
				return b, refused("docker label %s: %v", label, err)
			}
		}
	}
	return b, nil
}

func (b *behaviour) read(word string) (err error) {
	name, value, _ := strings.Cut(word, ":")
	switch {
	case word == failsToStart:
		b.failures = -1
	case name == failsToStart:
		b.failures, err = strconv.Atoi(value)
	case word == unhealthy:
		b.unhealthy = true
	case name+":" == unhealthyAfter:
		b.unhealthy = true
		b.unhealthyAfter, err = time.ParseDuration(value)
	case name+":" == stopsAfter:
		b.stops = true
		b.stopsAfter, err = time.ParseDuration(value)
	case name+":" == startsIn:
		b.startsIn, err = time.ParseDuration(value)
	default:
		return fmt.Errorf("%q is none of %s[:N], %s, %sDURATION, %sDURATION, %sDURATION", word, failsToStart, unhealthy, unhealthyAfter, stopsAfter, startsIn)
	}
	if err != nil || b.unhealthyAfter < 0 || b.stopsAfter < 0 || b.startsIn < 0 {
		return fmt.Errorf("%q: not a number or duration", word)
	}
	return nil
}
