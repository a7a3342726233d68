package wire

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"net/http"
	"time"
)

// Credentials is what a client signs its requests with.
type Credentials struct {
	AccessKeyID     string
	SecretAccessKey string
	SessionToken    string
}

// Key is what is known about an access key.
type Key struct {
	Principal Principal
	Secret    string
	Token     string    // of a session; empty for a user's key
	Expires   time.Time // zero: never
	Revoked   bool      // it was deleted or switched off
}

// Issue returns the credentials of a principal: always the same for the same
// principal, and without end. It may be called with or without the world's
// lock.
func (m *Mux) Issue(p Principal) Credentials {
	sum := sha256.Sum256([]byte(p.ARN + "\n" + p.Service))
	c := Credentials{
		AccessKeyID:     "ASIA" + base32.StdEncoding.EncodeToString(sum[:10]), // 20 characters, as AWS's are
		SecretAccessKey: hex.EncodeToString(sum[10:30]),
		SessionToken:    hex.EncodeToString(sum[:]),
	}
	m.Grant(c.AccessKeyID, Key{Principal: p, Secret: c.SecretAccessKey, Token: c.SessionToken})
	return c
}

// ShareKeys lets requests be signed here with the keys of another endpoint, and
// there with those that are granted here: a key is one in all regions, and says
// to other accounts whose it is. Call it before any key is granted here.
func (m *Mux) ShareKeys(other *Mux) { m.ring = other.ring }

// Signed says by which principal and for which region a request is signed, and
// with which key; known is whether that key was granted. A request without a
// signature has no key.
func (m *Mux) Signed(r *http.Request) (key, region string, by Principal, known bool) {
	s := signerOf(r)
	k, known := m.key(s.accessKeyID)
	return s.accessKeyID, s.region, k.Principal, known
}

// Grant lets requests be signed with an access key, or changes what is known
// about it. It may be called with or without the world's lock.
func (m *Mux) Grant(accessKeyID string, k Key) {
	m.ring.mu.Lock()
	defer m.ring.mu.Unlock()
	m.ring.keys[accessKeyID] = k
}

// key returns what is known about an access key. A key that nobody granted
// belongs to the account's root, so that a client needs no setting up.
func (m *Mux) key(accessKeyID string) (k Key, granted bool) {
	m.ring.mu.RLock()
	defer m.ring.mu.RUnlock()
	if k, ok := m.ring.keys[accessKeyID]; ok {
		return k, true
	}
	return Key{Principal: m.root()}, false
}

// root is the account itself.
func (m *Mux) root() Principal { return Principal{ARN: "arn:aws:iam::" + m.world.Account + ":root"} }
