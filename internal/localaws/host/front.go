package host

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"
)

// front is the address behind which an AWS is, or several are.
type front struct {
	url     string
	server  *http.Server
	end     func() error   // closes, once
	unwatch func() bool    // forgets the context that Start got
	done    sync.WaitGroup // the goroutines that serve, those that answer and the one that lets time pass
}

func listen(ctx context.Context, address string) (net.Listener, error) {
	if address == "" {
		address = "127.0.0.1:0"
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%s is in use by another program: choose another port with --listen, or port 0 for any free one", address)
	}
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", address, err)
	}
	return listener, nil
}

// serve answers and lets things happen aside until Close is called or ctx ends.
func (f *front) serve(ctx context.Context, l net.Listener, h http.Handler, closing func() error, aside ...func(context.Context)) {
	running, stop := context.WithCancel(ctx)
	f.server = &http.Server{
		Handler: h, ReadHeaderTimeout: 10 * time.Second, ConnState: f.track,
		BaseContext: func(net.Listener) context.Context { return running }, // ends what requests wait for
	}
	f.end = sync.OnceValue(func() error { stop(); return closing() })
	for _, do := range aside {
		f.done.Go(func() { do(running) })
	}
	f.done.Go(func() { _ = f.server.Serve(l) })                // ends with ErrServerClosed
	f.unwatch = context.AfterFunc(ctx, func() { _ = f.end() }) // Close returns the error
}

// URL returns the address, for AWS_ENDPOINT_URL.
func (f *front) URL() string { return f.url }

// Close stops listening, ends all requests and functions and waits until they
// are gone. Call it without the world's lock; calling it again does nothing.
func (f *front) Close() error {
	f.unwatch()
	return f.end()
}

// track counts the connections: http.Server.Close waits for nobody.
func (f *front) track(_ net.Conn, now http.ConnState) {
	switch now {
	case http.StateNew:
		f.done.Add(1)
	case http.StateClosed, http.StateHijacked:
		f.done.Done()
	case http.StateActive, http.StateIdle: // neither its beginning nor its end
	}
}
