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
		Seen:   ledger.Seen{Revision: "8", Before: "7", Since: noon, Alone: noon.Add(time.Minute)}, Token: "t-8", Rev: 3,
	}
	for _, change := range changes {
		change(&s)
	}
	return s
}

func TestASightingOfTheSameRevisionKeepsItsTime(t *testing.T) {
	split := func(s *ledger.Sighting) { s.Alone = time.Time{} }
	later := func(s *ledger.Sighting) { s.Since, s.Token, s.Rev = noon.Add(time.Hour), "t-9", 0 }
	alone := func(s *ledger.Sighting) { s.Alone = noon.Add(time.Hour) }
	turned := func(s *ledger.Sighting) { s.Revision, s.Before = "7", "8" }
	token := func(s *ledger.Sighting) { s.Token = "t-9" }
	tests := map[string]struct {
		stands, saw, want ledger.Sighting
		news              bool
	}{
		"still alone":               {seen(), seen(later, alone), seen(), false},
		"still split":               {seen(split), seen(split, later), seen(split), false},
		"alone at last":             {seen(split), seen(later, alone), seen(alone, token), true},
		"split again":               {seen(), seen(split, later), seen(), false},
		"split the other way round": {seen(split), seen(split, later, turned), seen(split), false},
		"seen for the first time":   {ledger.Sighting{}, seen(), seen(), true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, news := test.saw.After(test.stands)
			assert.Equal(t, test.want, got)
			assert.Equal(t, test.news, news)
		})
	}
}

func TestASightingOfAnotherRevisionRemembersWhatItReplaces(t *testing.T) {
	nine := seen(func(s *ledger.Sighting) {
		s.Seen, s.Rev = ledger.Seen{Revision: "9", Since: noon.Add(time.Hour), Alone: noon.Add(time.Hour)}, 0
	})
	got, news := nine.After(seen())
	want := nine
	want.Before, want.Past, want.Rev = "8", []ledger.Seen{seen().Seen}, 3
	assert.Equal(t, want, got)
	assert.True(t, news)

	canary := nine
	canary.Before, canary.Alone = "6", time.Time{}
	got, _ = canary.After(seen())
	assert.Equal(t, deploy.Revision("6"), got.Before, "what it shares with served before")

	back := seen(func(s *ledger.Sighting) {
		s.Seen = ledger.Seen{Revision: "7", Before: "8", Since: noon.Add(time.Hour)}
	})
	got, _ = back.After(seen())
	assert.Equal(t, []ledger.Seen{seen().Seen}, got.Past, "one that served alone is left again, step by step")
}

func TestASightingForgetsWhatIsLongPast(t *testing.T) {
	s := seen()
	for n := range 30 {
		s, _ = seen(func(next *ledger.Sighting) {
			next.Seen = ledger.Seen{Revision: deploy.Revision(fmt.Sprint(9 + n)), Since: noon.Add(time.Duration(n+1) * time.Hour)}
		}).After(s)
	}
	assert.Len(t, s.Past, ledger.MaxSeen)
	assert.Equal(t, deploy.Revision("37"), s.Past[0].Revision)
}
