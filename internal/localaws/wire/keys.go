package wire

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
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

// Grant lets requests be signed with an access key, or changes what is known
// about it. It may be called with or without the world's lock.
func (m *Mux) Grant(accessKeyID string, k Key) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.keys[accessKeyID] = k
}

// key returns what is known about an access key. A key that nobody granted
// belongs to the account's root, so that a client needs no setting up.
func (m *Mux) key(accessKeyID string) (k Key, granted bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if k, ok := m.keys[accessKeyID]; ok {
		return k, true
	}
	return Key{Principal: m.root()}, false
}

// root is the account itself.
func (m *Mux) root() Principal { return Principal{ARN: "arn:aws:iam::" + m.world.Account + ":root"} }
