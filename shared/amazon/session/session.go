// Package session makes the one configuration that all AWS clients share, and
// the clock that they set.
//
// It reads what Lambda puts in the environment and nothing else: no shared
// files, no instance metadata, no single sign-on. That is why it does without
// the SDK's config module, which would add all of them to every function.
package session

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go/middleware"
)

// The variables that Load reads. Lambda sets all but Endpoint (Lambda
// developer guide, "Defined runtime environment variables").
const (
	Region       = "AWS_REGION"
	AccessKey    = "AWS_ACCESS_KEY_ID"
	SecretKey    = "AWS_SECRET_ACCESS_KEY" //nolint:gosec // the name of a variable
	SessionToken = "AWS_SESSION_TOKEN"     //nolint:gosec // the name of a variable
	Endpoint     = "AWS_ENDPOINT_URL"      // of all services; set only where they are not AWS's own
)

const (
	// app stands in the user agent of every call, and so in CloudTrail.
	app = "pullback"

	// Three attempts are the SDK's default. Its longest pause, 20 s, would use
	// up a function that has a minute; 2 s leave time for what comes after.
	maxAttempts = 3
	maxBackoff  = 2 * time.Second

	// A connection inside a region is made in milliseconds. One that takes
	// seconds is better tried again. How long an answer may take is left to the
	// SDK's read time per service and to the caller's deadline.
	connectTime   = 3 * time.Second
	handshakeTime = 3 * time.Second
)

// Load makes the configuration with get, which is os.Getenv outside tests, and
// the clock that its clients set. It reports everything that is wrong, not
// just the first thing.
func Load(get func(string) string) (aws.Config, *Clock, error) {
	var errs []error
	for _, name := range []string{Region, AccessKey, SecretKey} {
		if get(name) == "" {
			errs = append(errs, fmt.Errorf("%s is not set", name))
		}
	}
	var base *string
	if endpoint := get(Endpoint); endpoint != "" {
		if u, err := url.Parse(endpoint); err != nil || u.Scheme == "" || u.Host == "" {
			errs = append(errs, fmt.Errorf("%s: %q is not a URL such as http://127.0.0.1:4566", Endpoint, endpoint))
		}
		base = &endpoint
	}
	if err := errors.Join(errs...); err != nil {
		return aws.Config{}, nil, err
	}

	credentials := aws.Credentials{
		AccessKeyID: get(AccessKey), SecretAccessKey: get(SecretKey), SessionToken: get(SessionToken),
		Source: "environment",
	}
	clock := new(Clock)
	return aws.Config{
		Region:       get(Region),
		BaseEndpoint: base,
		// Lambda never changes the environment of a process, it replaces the process.
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return credentials, nil }),
		HTTPClient:  client(),
		Retryer:     retryer,
		APIOptions:  []func(*middleware.Stack) error{clock.watch, plainBodies},
		AppID:       app,
	}, clock, nil
}

func retryer() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = maxAttempts
		o.MaxBackoff = maxBackoff
	})
}

// client stays a *awshttp.BuildableClient, because the SDK gives only those
// the read time of each service. Proxies are those of the environment.
func client() *awshttp.BuildableClient {
	return awshttp.NewBuildableClient().
		WithDialerOptions(func(d *net.Dialer) { d.Timeout = connectTime }).
		WithTransportOptions(func(t *http.Transport) { t.TLSHandshakeTimeout = handshakeTime })
}
