package deploy

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// Incident is the id of one (target, bad deployment) pair. It is derived from
// that pair, so everybody who sees the same trouble arrives at the same id.
type Incident string

// IncidentOf returns the id for a deployment on a target. Stored, must not
// change.
func IncidentOf(t Target, d ID) Incident {
	sum := sha256.Sum256([]byte(t.String() + "\x00" + string(d)))
	return Incident("i-" + hex.EncodeToString(sum[:6]))
}

// Marker is the text that pullback writes into the description of a deployment
// it creates: CreateDeployment has no idempotency token, so the marker is how
// an earlier attempt whose answer was lost is recognised.
func Marker(i Incident, generation int) string {
	return fmt.Sprintf("pullback:%s:%d", i, generation)
}

// ParseMarker finds a marker at the beginning of a deployment's description.
func ParseMarker(description string) (i Incident, generation int, ok bool) {
	rest, ok := strings.CutPrefix(description, "pullback:")
	if !ok {
		return "", 0, false
	}
	word, _, _ := strings.Cut(rest, " ")
	id, gen, ok := strings.Cut(word, ":")
	if !ok || !strings.HasPrefix(id, "i-") {
		return "", 0, false
	}
	n, err := strconv.Atoi(gen)
	if err != nil || n < 1 {
		return "", 0, false
	}
	return Incident(id), n, true
}
