package main

import (
	"net/http"
	"os"

	"github.com/pullback-dev/pullback/internal/localaws/codedeploy"
	"github.com/pullback-dev/pullback/internal/localaws/dynamodb"
	"github.com/pullback-dev/pullback/internal/localaws/eventbridge"
	"github.com/pullback-dev/pullback/internal/localaws/sns"
	"github.com/pullback-dev/pullback/internal/localaws/sqs"
	"github.com/pullback-dev/pullback/internal/localaws/s3"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

func main() {
	w := world.New(world.Options{Mode: world.Real})
	m := wire.NewMux(w)
	m.Handle(s3.New(w, m).Wire())
	m.Handle(sqs.New(w, m).Wire())
	m.Handle(sns.New(w, m).Wire())
	m.Handle(dynamodb.New(w, m).Wire())
	m.Handle(eventbridge.New(w, m).Wire())
	m.Handle(codedeploy.New(w, m).Wire())
	http.ListenAndServe(os.Args[1], m)
}
