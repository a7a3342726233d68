package host

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/pullback-dev/pullback/internal/localaws/iam"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// Home is an account in a region.
type Home struct{ Account, Region string }

// CloudOptions are the choices for a cloud.
type CloudOptions struct {
	// Options are those of every home. Its state cannot be kept over a restart.
	Options
	// Homes are there from the start. Without any there is one, as Options.World
	// says.
	Homes []Home
	// Each changes the options of one home; optional.
	Each func(Home, *Options)
	// Organizations are the IDs of those that accounts are in.
	Organizations map[string]string
}

// Cloud is several accounts and regions behind one address, with one clock: what
// happens in them happens in one order, and the same seed gives the same history
// of all.
//
// A request belongs to the region that it is signed for and to the account whose
// key signs it. A key that nobody granted is the root's of the account that it
// spells, or of the first one.
type Cloud struct {
	*front
	options CloudOptions

	mu    sync.RWMutex // guards what follows: requests look for their home before they take the world's lock
	homes map[Home]*AWS
	order []*AWS // in the order in which they were opened
}

// StartCloud is [Start] for several accounts and regions. Each account has every
// region.
func StartCloud(ctx context.Context, o CloudOptions) (*Cloud, error) {
	if o.State != "" {
		return nil, errors.New("the state of a cloud is not kept: leave its folder out, or start one account in one region")
	}
	listener, err := listen(ctx, o.Listen)
	if err != nil {
		return nil, err
	}
	c := &Cloud{front: &front{url: "http://" + listener.Addr().String()}, options: o, homes: map[Home]*AWS{}}
	first := world.New(o.World)
	if len(o.Homes) == 0 {
		o.Homes = []Home{{first.Account, first.Region}}
	}
	first = first.Elsewhere(o.Homes[0].Account, o.Homes[0].Region)
	for _, h := range o.Homes {
		if err := c.complete(ctx, first, h); err != nil {
			_ = listener.Close() // the first error is the one to tell
			return nil, err
		}
	}
	c.serve(ctx, listener, c, c.close, first.Run)
	return c, nil
}

// Open returns a home, which is made if it is not there yet. Call it without the
// world's lock.
func (c *Cloud) Open(ctx context.Context, h Home) (*AWS, error) {
	w := c.All()[0].World
	w.Lock()
	defer w.Unlock()
	if err := c.complete(ctx, w, h); err != nil {
		return nil, err
	}
	return c.At(h), nil
}

// At returns a home; nil if there is none.
func (c *Cloud) At(h Home) *AWS {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.homes[h]
}

// All returns the homes, in the order in which they were opened.
func (c *Cloud) All() []*AWS {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return slices.Clip(c.order)
}

// complete opens a home, and what is missing for every account to have every
// region.
func (c *Cloud) complete(ctx context.Context, w *world.World, h Home) error {
	if h.Account == "" || h.Region == "" {
		return fmt.Errorf("home %+v: it needs an account and a region", h)
	}
	missing := []Home{h}
	for _, a := range c.All() {
		missing = append(missing, Home{a.World.Account, h.Region}, Home{h.Account, a.World.Region})
	}
	for _, m := range missing {
		if c.At(m) != nil {
			continue
		}
		if err := c.open(ctx, w.Elsewhere(m.Account, m.Region)); err != nil {
			return fmt.Errorf("open %s in %s: %w", m.Account, m.Region, err)
		}
	}
	return nil
}

func (c *Cloud) open(ctx context.Context, w *world.World) error {
	h, o := Home{w.Account, w.Region}, c.options.Options
	if o.Hosts != "" {
		o.Hosts = fmt.Sprintf("%s/%s/%s", o.Hosts, h.Account, h.Region)
	}
	if c.options.Each != nil {
		c.options.Each(h, &o)
	}
	a := assemble(o, place{front: c.front, world: w, cloud: c, first: c.of(h.Account)})
	if err := a.begin(ctx, o); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.homes[h] = a
	c.order = append(c.order, a)
	return nil
}

// of is the first home of an account; nil if there is none.
func (c *Cloud) of(account string) *AWS {
	for _, a := range c.All() {
		if a.World.Account == account {
			return a
		}
	}
	return nil
}

// ServeHTTP implements http.Handler: it hands a request to its home. What is
// beside AWS's protocols says its home by ?account=…&region=….
func (c *Cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	first := c.All()[0]
	account, region := first.World.Account, first.World.Region
	if strings.HasPrefix(r.URL.Path, "/_local/") {
		account, region = cmp.Or(r.FormValue("account"), account), cmp.Or(r.FormValue("region"), region)
	} else if key, scope, by, known := first.Mux.Signed(r); key != "" {
		region = scope
		if known {
			account = accountOf(by.ARN)
		} else if c.of(key) != nil {
			account = key
		}
	}
	home := cmp.Or(c.At(Home{account, region}), c.of(account), first) // one of another region says that it is
	home.local.ServeHTTP(w, r)
}

func (c *Cloud) close() error {
	err := c.server.Close()
	for _, a := range c.All() {
		err = errors.Join(err, a.halt())
	}
	c.done.Wait()
	if err != nil {
		return fmt.Errorf("close the local cloud: %w", err)
	}
	return nil
}

// accounts is what a home knows of the others.
type accounts struct{ cloud *Cloud }

// IAM implements access.Accounts.
func (s accounts) IAM(account string) *iam.Service {
	if a := s.cloud.of(account); a != nil {
		return a.iam
	}
	return nil
}

// Organization implements access.Accounts.
func (s accounts) Organization(account string) string { return s.cloud.options.Organizations[account] }
