package stacked_test

import (
	"testing"

	"github.com/pullback-dev/pullback/internal/demo/shop"
	"github.com/pullback-dev/pullback/internal/teams/stacked"
	"github.com/pullback-dev/pullback/internal/teams/teamtest"
)

func TestAnUpdateOfTheStackBringsARelease(t *testing.T) {
	t.Parallel()
	s := teamtest.Start(t)
	s.Run(stacked.New(s.Common, stacked.Options{Code: func(release string) ([]byte, error) { return shop.Pack([]byte("#!/bin/sh\n# " + release)) }}))
}

func TestAnUpdateOfTheStackBringsAReleaseOfAService(t *testing.T) {
	t.Parallel()
	s := teamtest.Start(t)
	s.Run(stacked.NewService(s.Common))
}
