package ledger_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
)

// seen is revision 8 alone, after 7, since noon.
func seen(changes ...func(*ledger.Sighting)) ledger.Sighting {
	s := ledger.Sighting{
		Target: deploy.Target{Kind: deploy.KindAlias, Application: "checkout", Group: "live"},
		Seen:   ledger.Seen{Revision: "8", Before: "7", Since: noon, Alone: noon.Add(time.Minute)}, Token: "t-8",
	}
	for _, change := range changes {
		change(&s)
	}
	return s
}

func TestASightingOfTheSameRevisionKeepsItsTime(t *testing.T) {
	split := func(s *ledger.Sighting) { s.Alone = time.Time{} }
	later := func(s *ledger.Sighting) { s.Since, s.Token = noon.Add(time.Hour), "t-9" }
	turned := func(s *ledger.Sighting) { s.Revision, s.Before = "7", "8" }
	tests := map[string]struct{ stands, saw, want ledger.Sighting }{
		"still alone":                {seen(), seen(later, func(s *ledger.Sighting) { s.Alone = noon.Add(time.Hour) }), seen()},
		"still split":                {seen(split), seen(split, later), seen(split, func(s *ledger.Sighting) { s.Token = "t-9" })},
		"alone at last":              {seen(split), seen(later, func(s *ledger.Sighting) { s.Alone = noon.Add(time.Hour) }), seen(func(s *ledger.Sighting) { s.Alone, s.Token = noon.Add(time.Hour), "t-9" })},
		"split again":                {seen(), seen(split, later), seen()},
		"split the other way round":  {seen(split), seen(split, later, turned), seen(split, func(s *ledger.Sighting) { s.Token = "t-9" })},
		"seen before, written later": {seen(), seen(turned, func(s *ledger.Sighting) { s.Since = noon.Add(-time.Nanosecond) }), seen()},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { assert.Equal(t, test.want, test.saw.After(test.stands)) })
	}
}

func TestASightingOfAnotherRevisionRemembersWhatItReplaces(t *testing.T) {
	nine := seen(func(s *ledger.Sighting) {
		s.Seen = ledger.Seen{Revision: "9", Since: noon.Add(time.Hour), Alone: noon.Add(time.Hour)}
	})
	got := nine.After(seen())
	want := nine
	want.Before, want.Past = "8", []ledger.Seen{seen().Seen}
	assert.Equal(t, want, got)

	canary := nine
	canary.Before, canary.Alone = "6", time.Time{}
	assert.Equal(t, deploy.Revision("6"), canary.After(seen()).Before, "what it shares with served before")

	back := seen(func(s *ledger.Sighting) { s.Revision, s.Before, s.Since = "7", "8", noon.Add(time.Hour) })
	assert.Equal(t, []ledger.Seen{seen().Seen}, back.After(seen()).Past, "one that served alone is left again, step by step")
}

func TestASightingForgetsWhatIsLongPast(t *testing.T) {
	s := seen()
	for n := range 30 {
		s = seen(func(next *ledger.Sighting) {
			next.Seen = ledger.Seen{Revision: deploy.Revision(fmt.Sprint(9 + n)), Since: noon.Add(time.Duration(n+1) * time.Hour)}
		}).After(s)
	}
	assert.Len(t, s.Past, ledger.MaxSeen)
	assert.Equal(t, deploy.Revision("37"), s.Past[0].Revision)
}
